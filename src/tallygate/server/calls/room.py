"""How many calls may be at work, shared so that nobody takes the last places alone: a quiet caller finds one left.

Whoever asks for a place gets it while holding less than seven times what is still free. One busy tenant alone stops at
seven eighths of all places, several stop earlier, and what they leave is for those who hold few.
"""

_TIMES_FREE = 7


class Room:
    """Counts places by who holds them: a tenant, or a caller's credential."""

    __slots__ = ("_held", "_places", "_taken")

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken = 0
        self._held: dict[str, int] = {}

    def __len__(self) -> int:
        return self._taken

    def enter(self, who: str, *, elsewhere: int = 0) -> bool:
        """Take a place, if there is one for this one; `elsewhere` are taken, and counted by somebody else."""
        held = self._held.get(who, 0)
        if held >= _TIMES_FREE * (self._places - self._taken - elsewhere):
            return False
        self._held[who] = held + 1
        self._taken += 1
        return True

    def leave(self, who: str) -> None:
        """Give a place back."""
        self._taken -= 1
        held = self._held[who] - 1
        if held:
            self._held[who] = held
        else:
            del self._held[who]

    def move(self, who: str, to: str) -> bool:
        """The place is somebody else's from now on, if there is one for that one; else it stays where it is."""
        self.leave(who)
        if self.enter(to):
            return True
        self._held[who] = self._held.get(who, 0) + 1
        self._taken += 1
        return False
