"""Requests that hold a card's number are refused before anything of them is stored or logged."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message

from tallygate.domain.card_numbers import MAYBE, holds_card_number
from tallygate.domain.payment_errors import CardNumberRefusedError

_WHOLE = ("PaymentService/", "BillingService/SetBillingProfile")
"""Whose every field is looked at."""
_FOR_PEOPLE = frozenset({"name", "text", "label", "description", "reason", "reference", "metadata", "note", "address"})
"""Fields that people write for people, wherever they are; ids and dimensions are not, of which one in ten passes."""


def refuse_card_numbers(method: str, request: Message, data: bytes) -> None:
    """Refuse a request of a method, as it came, whose text holds what looks like a card's number.

    Raises:
        CardNumberRefusedError: the first field that does, by its path.
    """
    if MAYBE.search(data) is None:
        return
    whole = method.startswith(_WHOLE)
    for field, text, for_people in _texts(request, "", for_people=False):
        if (whole or for_people) and holds_card_number(text):
            expected = "no card number: a payment method is its gateway's token"
            raise CardNumberRefusedError(field=field, expected=expected)


def _texts(message: Message, path: str, *, for_people: bool) -> Iterator[tuple[str, str, bool]]:
    """Every text in a message: its path, itself, and whether it is for people."""
    for field, value in message.ListFields():
        place = f"{path}.{field.name}" if path else field.name
        shown = for_people or field.name in _FOR_PEOPLE
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            items: Any = value.items()
            for key, item in items:
                yield from _of(key, f"{place}.key", for_people=shown)
                yield from _of(item, f"{place}[{key}]" if not holds_card_number(str(key)) else place, for_people=shown)
        elif isinstance(value, str | Message):
            yield from _of(value, place, for_people=shown)
        elif not isinstance(value, int | float | bytes):
            for index, item in enumerate(value):
                yield from _of(item, f"{place}[{index}]", for_people=shown)


def _of(value: object, path: str, *, for_people: bool) -> Iterator[tuple[str, str, bool]]:
    if isinstance(value, str):
        yield path, value, for_people
    elif isinstance(value, Message):
        yield from _texts(value, path, for_people=for_people)
