"""What looks like a card's number, by the numbers that card schemes publish for tests."""

import random

import pytest

from tallygate.domain.card_numbers import MAYBE, holds_card_number, masked

CARDS = [
    "4242424242424242",  # Visa
    "4222222222222",  # Visa of 13 digits
    "5555555555554444",  # Mastercard
    "2223003122003222",  # Mastercard's newer range
    "378282246310005",  # American Express
    "6011111111111117",  # Discover
    "30569309025904",  # Diners Club
    "3530111333300000",  # JCB
    "6205500000000000004",  # UnionPay of 19 digits
]


@pytest.mark.parametrize("card", CARDS)
def test_a_card_is_found_however_it_is_written(card):
    grouped = " ".join(card[at : at + 4] for at in range(0, len(card), 4))
    for text in (card, grouped, grouped.replace(" ", "-"), f"paid by {card}, thanks", f"invoice 12 {grouped} 2027"):
        assert holds_card_number(text)
        assert MAYBE.search(text.encode()) is not None
        assert card[:-4] not in masked(text).replace(" ", "").replace("-", "")
        assert masked(text).count("*") == len(card) - 4


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424241",  # a wrong check digit
        "1793491200000000",  # an instant: no card begins so
        "424242424242",  # too short
        "42424242424242424242",  # too long
        "2026-11-29 18:29:00",
        "+49 30 1234567",
        "DE89370400440532013000",
        "a 4242 b 4242 c 4242 d 4242",
        "",
    ],
)
def test_what_is_none_stays(text):
    assert not holds_card_number(text)
    assert masked(text) == text


def test_one_in_ten_numbers_passes_which_is_why_identifiers_are_not_refused():
    dice = random.Random(1)
    found = sum(holds_card_number(f"4{dice.randrange(10**15):015}") for _ in range(2_000))
    assert 150 < found < 250
