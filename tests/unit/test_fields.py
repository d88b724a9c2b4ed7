import pytest

from tallygate.domain.errors import MAX_QUANTITY, InvalidFieldError
from tallygate.domain.fields import checked_amount, checked_id, checked_page
from tallygate.records.fields import check_id, check_quantity
from tallygate.records.paging import PageRequest
from tallygate.server.wire.scalars import identifier, quantity


def refusal(check, *args, **more):
    with pytest.raises(InvalidFieldError) as caught:
        check(*args, **more)
    return str(caught.value), caught.value.metadata


@pytest.mark.parametrize("value", ["a", "x" * 255, "Ünïcödé", "a b"])
def test_an_id_is_the_same_wherever_it_is_checked(value):
    assert checked_id("f", value) == check_id("f", value) == identifier(value, "f") == value


@pytest.mark.parametrize("value", ["", "x" * 256, "a\nb", "a\x00", "\u202eabc"])
def test_a_refused_id_says_the_same_wherever_it_is_checked(value):
    told = refusal(checked_id, "f", value)
    assert told == refusal(check_id, "f", value) == refusal(identifier, value, "f")
    assert told[1]["expected"] == "1 to 255 printable characters"
    assert len(told[1]["got"]) < 400
    assert told[1]["got"].isprintable()


def test_amounts_and_pages_say_the_same_wherever_they_are_checked():
    beyond = MAX_QUANTITY + 1
    told = refusal(checked_amount, "f", beyond, least=0)
    assert told == refusal(check_quantity, "f", beyond) == refusal(quantity, beyond, "f", at_least=0)
    assert refusal(checked_page, 1_001) == refusal(PageRequest(page_size=1_001).size)
    assert [checked_page(size) for size in (0, 1, 1_000)] == [100, 1, 1_000]
