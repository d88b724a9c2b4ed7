"""What was met lately, in two generations: what is met again stays, and no moment forgets all of it."""

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A bounded cache: at most `capacity` values, of which the younger half is always kept."""

    __slots__ = ("_half", "_old", "_young")

    def __init__(self, capacity: int) -> None:
        self._half = max(1, capacity // 2)
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: K) -> V | None:
        """The value, if it was met lately."""
        value = self._young.get(key)
        if value is None and (value := self._old.pop(key, None)) is not None:
            self.put(key, value)
        return value

    def put(self, key: K, value: V) -> None:
        """Keep the value; where the younger half is full, it becomes the older, and what that held goes."""
        if len(self._young) >= self._half and key not in self._young:
            self._old, self._young = self._young, {}
        elif self._old:
            self._old.pop(key, None)
        self._young[key] = value

    def drop(self, key: K) -> None:
        """Forget the value."""
        self._young.pop(key, None)
        self._old.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._young, self._old = {}, {}
