"""What a rebuild of a partition's counters restored, and what it cannot know: for logs, metrics and operators."""

from collections.abc import Sequence
from dataclasses import dataclass, field

_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """One partition's counters, made anew of what SQL had collected.

    `units` are those that sums and counts hold now, `effects` the remembered request ids. What was admitted less than
    `unknown` microseconds before the loss was noticed, and was not collected, is in nobody's books: that is the bound.
    None where nothing was ever known to be collected.
    """

    partition: int
    began_time: int
    ended_time: int
    accounts: int
    counters: int
    units: int
    effects: int
    unknown: int | None


@dataclass(slots=True, kw_only=True)
class RebuildStats:
    """What was rebuilt since this process started, for metrics; seconds are the last pass's."""

    partitions: int = 0
    accounts: int = 0
    units: int = 0
    effects: int = 0
    seconds: float = 0.0
    unknown_seconds: float = 0.0
    failures: int = 0

    def add(self, done: Sequence[Rebuild]) -> None:
        """Count a pass that rebuilt these partitions."""
        self.partitions += len(done)
        self.accounts += sum(each.accounts for each in done)
        self.units += sum(each.units for each in done)
        self.effects += sum(each.effects for each in done)
        took = max(each.ended_time for each in done) - min(each.began_time for each in done)
        self.seconds = took / _MICROSECONDS
        self.unknown_seconds = max((each.unknown or 0 for each in done), default=0) / _MICROSECONDS


@dataclass(slots=True, kw_only=True)
class Standing:
    """What the keeper of the epochs knows: the partitions whose counters are not whole, and how far all is in SQL.

    What was admitted before `collected_time` was collected, whatever has become of Redis since.
    """

    lost: list[int] = field(default_factory=list)
    collected_time: int = 0
