"""How fast calls of one kind have been answered of late: what cannot end by its deadline is not begun.

A call is hopeless that has less time left than the fastest of those before it took. One in eight is begun all the same:
so a server that has recovered finds that out.
"""

_SECONDS = 1.0
_FEWEST = 16
_TRIED = 8
_NEVER = float("inf")


class Pace:
    """The shortest time that a call took in this second and the one before it, where many were made."""

    __slots__ = ("_before", "_count", "_least", "_refused", "_until")

    def __init__(self) -> None:
        self._before = 0.0
        self._least = _NEVER
        self._count = 0
        self._until = 0.0
        self._refused = 0

    def note(self, seconds: float, now: float) -> None:
        """A call was answered after so long."""
        if now >= self._until:
            self._turn(now)
        self._count += 1
        self._least = min(self._least, seconds)

    def is_hopeless(self, left: float, now: float) -> bool:
        """Whether a call with so many seconds left is not worth beginning."""
        if left >= self._before:
            return False
        if now >= self._until:
            self._turn(now)
        if left >= min(self._before, self._least):
            return False
        self._refused += 1
        return self._refused % _TRIED != 0

    def _turn(self, now: float) -> None:
        """A new second: few calls say nothing, and neither does one that was long ago."""
        is_next = now < self._until + _SECONDS
        self._before = self._least if is_next and self._count >= _FEWEST else 0.0
        self._least, self._count, self._until = _NEVER, 0, now + _SECONDS
