"""A line as one text: the same line is the same bytes, wherever and whenever it was made."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from enum import Enum
from fractions import Fraction

from tallygate.domain.billing.lines import Line
from tallygate.domain.money import exact_text

_LATER = ("tax", "tax_category", "discounts", "order_id", "subscriber", "reduces")
"""What lines had not from the first: left out where it is not there, a line from before is the text that it was."""

_LATER_OF_TAX = ("treatment", "source")
"""What their tax had not."""


def canonical(line: Line) -> str:
    """JSON without spaces, its keys in order, its figures exact."""
    told = asdict(line)
    for later in _LATER:
        if not told[later]:
            del told[later]
    for later in _LATER_OF_TAX if told.get("tax") else ():
        if not told["tax"][later]:
            del told["tax"][later]
    return json.dumps(_plain(told), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _plain(value: object) -> object:
    if isinstance(value, Fraction):
        return exact_text(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
