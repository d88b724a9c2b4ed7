"""What people's names may hold: whatever their script needs, and nothing that is no text or turns text around."""

import pytest

from tallygate.domain.errors import InvalidFieldError
from tallygate.records.fields import check_id, check_label

FAMILY = "Family \U0001f468\u200d\U0001f469\u200d\U0001f467"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Pro",
        "Zo\u00eb's caf\u00e9",
        FAMILY,  # joined by zero-width joiners
        "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with a zero-width non-joiner
        "\u0915\u094d\u200d\u0937",  # Devanagari
        "10\u00a0GB",  # a no-break space
        "10\u202fGB",  # a narrow one
        "\u30d7\u30ed\u3000\u30d7\u30e9\u30f3",  # an ideographic space
        "\u05e2\u05d1\u05e8\u05d9\u05ea\u200e (Pro)",  # a mark of direction
        "\u2764\ufe0f",  # a variation
        "x" * 255,
    ],
)
def test_a_script_has_its_joiners_and_spaces(name):
    assert check_label("name", name) == name


@pytest.mark.parametrize(
    "name",
    [
        "a\nb",
        "a\tb",
        "\x00",
        "\x1b[31mred",
        "a\x7fb",
        "a\x85b",
        "a\u2028b",
        "a\u2029b",
        "user\u202egpj.exe",
        "a\u202ab",
        "a\u2066b\u2069",
        "\ufeffname",
        "\ud800",
        "\ue000",
        "\uffff",
        " ",
        "\u00a0\u3000",
        "\u200d",
        "x" * 256,
    ],
)
def test_what_is_no_text_or_turns_text_around_is_refused(name):
    with pytest.raises(InvalidFieldError) as refused:
        check_label("name", name)
    assert refused.value.metadata["field"] == "name"
    assert refused.value.metadata["got"].isascii()


@pytest.mark.parametrize("key", ["a\u200db", "a\u00a0b", "a\u3000b", "a\nb", ""])
def test_ids_are_told_apart_by_eye(key):
    with pytest.raises(InvalidFieldError):
        check_id("id", key)
