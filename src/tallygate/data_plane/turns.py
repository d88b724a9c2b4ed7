"""What waits, taken in turns by whose it is: nobody's long row stands before another one's first.

A turn is what it costs, in whatever unit, not a number of items: one may cost as much as a hundred others.
"""

from collections import deque
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Turns(Generic[_T]):
    """Rows of what waits, one for each whose it is; a turn ends when it has cost so much, or its row is empty."""

    __slots__ = ("_cost", "_order", "_rows", "_spent")

    def __init__(self, cost: float) -> None:
        self._cost = cost
        self._spent = 0.0
        self._order: deque[str] = deque()
        self._rows: dict[str, deque[_T]] = {}

    def __bool__(self) -> bool:
        return bool(self._order)

    def put(self, who: str, item: _T) -> None:
        """This waits behind what else of theirs does."""
        row = self._rows.get(who)
        if row is None:
            row = self._rows[who] = deque()
            self._order.append(who)
        row.append(item)

    def take(self) -> _T:
        """The next of those whose turn it is; `spend` is to be called before there is another.

        Raises:
            IndexError: nothing waits.
        """
        return self._rows[self._order[0]].popleft()

    def spend(self, cost: float) -> None:
        """What was taken last cost so much."""
        self._spent += cost
        who = self._order[0]
        if not self._rows[who]:
            del self._rows[who]
            self._order.popleft()
            self._spent = 0.0
        elif self._spent >= self._cost:
            self._order.rotate(-1)
            self._spent = 0.0
