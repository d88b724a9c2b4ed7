"""How much work may be under way, shared so that nobody takes the last places alone: a quiet caller finds one left.

A call takes as many places as it weighs, half of all at most, so that the heaviest is served, too. Whoever asks gets
them while holding less than seven times what is still free, and beside others never more than half of all. One busy
tenant alone stops at seven eighths, and once another one comes at half: what is left is for those who hold few.
"""

NOBODY = ""
"""Who is not known yet, and may be one of those who are: no other one to leave half to."""

_TIMES_FREE = 7


class Room:
    """Counts places by who holds them: a tenant, or a caller's credential."""

    __slots__ = ("_half", "_held", "_places", "_taken")

    def __init__(self, places: int) -> None:
        self._places = places
        self._half = max(1, places // 2)
        self._taken = 0
        self._held: dict[str, int] = {}

    def __len__(self) -> int:
        return self._taken

    def enter(self, who: str, weight: int = 1, *, elsewhere: int = 0) -> bool:
        """Take places, if there are any for this one; `elsewhere` are taken, and counted by somebody else."""
        taken = min(weight, self._half)
        before = self._held.get(who, 0)
        if self._taken + elsewhere + taken <= self._half:  # half is free, and nobody holds more: no bound is met
            self._held[who] = before + taken
            self._taken += taken
            return True
        held, others = before + taken, self._taken - before
        free = self._places - elsewhere - others - held
        known = others - (self._held.get(NOBODY, 0) if who != NOBODY else 0)
        if free < 0 or held > _TIMES_FREE * (free + 1) or (known and held > self._half):
            return False
        self._held[who] = held
        self._taken += taken
        return True

    def leave(self, who: str, weight: int = 1) -> None:
        """Give places back."""
        taken = min(weight, self._half)
        self._taken -= taken
        held = self._held[who] - taken
        if held:
            self._held[who] = held
        else:
            del self._held[who]

    def move(self, who: str, to: str, weight: int = 1) -> bool:
        """The places are somebody else's from now on, if there are any for that one; else they stay where they are."""
        self.leave(who, weight)
        if self.enter(to, weight):
            return True
        taken = min(weight, self._half)
        self._held[who] = self._held.get(who, 0) + taken
        self._taken += taken
        return False
