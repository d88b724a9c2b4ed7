"""What is sealed says nothing, opens with its key in its place alone, and is known by the key that sealed it."""

import base64

import pytest

from tallygate.domain.payment_errors import MasterKeyMissingError, MasterKeyWrongError
from tallygate.storage.sealing import AesSealing, MasterKeyError, key_id, parse_keys

OLD, NEW = b"o" * 32, b"n" * 32
PLACE = ("tenant", "stripe", "token")


def test_what_is_sealed_opens_with_its_key_alone():
    sealing = AesSealing(keys=[OLD])
    sealed = sealing.seal("pm_1 secret", place=PLACE)
    assert "secret" not in sealed
    assert sealing.open(sealed, place=PLACE) == "pm_1 secret"
    assert sealing.seal("pm_1 secret", place=PLACE) != sealed, "nobody sees that two are alike"
    with pytest.raises(MasterKeyWrongError) as wrong:
        AesSealing(keys=[NEW]).open(sealed, place=PLACE)
    assert wrong.value.metadata == {"sealed_by": key_id(OLD), "present": key_id(NEW)}


@pytest.mark.parametrize(
    "place", [("other", "stripe", "token"), ("tenant", "paypal", "token"), ("tenantstripe", "token")]
)
def test_moved_to_another_place_it_does_not_open(place):
    sealing = AesSealing(keys=[OLD])
    with pytest.raises(MasterKeyWrongError):
        sealing.open(sealing.seal("x", place=PLACE), place=place)


def test_a_changed_letter_is_noticed_wherever_it_is():
    sealing = AesSealing(keys=[OLD])
    sealed = sealing.seal("x", place=PLACE)
    for at in range(len(sealed)):
        changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
        with pytest.raises(MasterKeyWrongError):
            sealing.open(changed, place=PLACE)
    assert sealed.endswith("="), "and the bits that no byte has are looked at"
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        if sealed[-2] != letter:
            with pytest.raises(MasterKeyWrongError):
                sealing.open(f"{sealed[:-2]}{letter}=", place=PLACE)


def test_keys_change_without_a_secret_being_lost():
    before = AesSealing(keys=[OLD]).seal("x", place=PLACE)
    both = AesSealing(keys=[NEW, OLD])
    assert both.open(before, place=PLACE) == "x"
    assert (both.is_current(before), both.is_sealed(before)) == (False, True)
    after = both.seal("x", place=PLACE)
    assert both.is_current(after)
    assert AesSealing(keys=[NEW]).open(after, place=PLACE) == "x"


def test_without_a_key_nothing_is_kept_and_nothing_opened():
    none = AesSealing()
    assert not none.can_seal
    with pytest.raises(MasterKeyMissingError):
        none.seal("x", place=PLACE)
    with pytest.raises(MasterKeyMissingError):
        none.open(AesSealing(keys=[OLD]).seal("x", place=PLACE), place=PLACE)


def test_keys_do_not_show_themselves():
    assert "ooo" not in repr(AesSealing(keys=[OLD]))


def encoded(key):
    return base64.b64encode(key).decode()


def test_keys_are_read_one_a_line():
    text = f"# since March\n{encoded(NEW)}  # seals\n\n{encoded(OLD)}\n"
    assert parse_keys(text) == (NEW, OLD)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it holds no key"),
        ("# none\n", "it holds no key"),
        (f"{encoded(OLD)}\n{encoded(b'short')}", "line 2 holds no key"),
        ("hunter2", "line 1 holds no key"),
        (f"{encoded(OLD)}\n{encoded(OLD)}", "line 2 holds a key that stands above it"),
    ],
)
def test_what_is_no_key_is_named_by_its_line_and_not_shown(text, said):
    with pytest.raises(MasterKeyError, match=said) as refused:
        parse_keys(text)
    assert "hunter2" not in str(refused.value)
