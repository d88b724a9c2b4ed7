"""What looks like a payment card's number: nobody may store one, so no text for people may hold one. No I/O.

A run of 13 to 19 digits, spaces and hyphens between them or not, that begins as cards do and ends in its check digit.
"""

import re
from collections.abc import Iterator

_RUN = re.compile(r"\d(?:[ -]?\d){12,}")
_GROUP = re.compile(r"\d+")
_PREFIX = re.compile(r"4|5|6|2[2-7]|3[04-9]")
_SHORTEST, _LONGEST = 13, 19
_SHOWN = 4
MAYBE = re.compile(rb"[0-9](?:[ -]?[0-9]){12,}")
"""What bytes hold at least where their text holds a card's number: most hold none, and need no closer look."""


def holds_card_number(text: str) -> bool:
    """Whether a text holds what looks like a card's number."""
    return next(_found(text), None) is not None


def masked(text: str) -> str:
    """The text with all but the last four digits of what looks like a card's number as stars."""
    if _RUN.search(text) is None:
        return text
    for start, end in reversed(list(_found(text))):
        shown = [at for at in range(start, end) if text[at].isdigit()][-_SHOWN]
        text = text[:start] + re.sub(r"\d", "*", text[start:shown]) + text[shown:]
    return text


def _found(text: str) -> Iterator[tuple[int, int]]:
    """Where they are; groups of digits may stand beside others that are no part of it."""
    for run in _RUN.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, *run.span())]
        behind = 0
        for first, (start, _) in enumerate(groups):
            for _, end in reversed(groups[first:]):
                if start >= behind and _is_card(re.sub(r"\D", "", text[start:end])):
                    yield start, end
                    behind = end
                    break


def _is_card(digits: str) -> bool:
    if not _SHORTEST <= len(digits) <= _LONGEST or not digits.isascii() or _PREFIX.match(digits) is None:
        return False
    values = [int(digit) for digit in reversed(digits)]
    doubled = [sum(divmod(2 * value, 10)) for value in values[1::2]]
    return (sum(values[::2]) + sum(doubled)) % 10 == 0
