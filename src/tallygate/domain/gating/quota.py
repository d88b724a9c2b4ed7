"""What a quota gate is made of: segments, counters, gates and answers; `quota_steps.py` says how it counts.

Instants are microseconds since the Unix epoch, quantities are in the meter's base unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tallygate.domain.account import Grant
from tallygate.domain.catalog import Aggregation
from tallygate.domain.gating.decision import Pot, Reason

LATENESS_AHEAD = 300_000_000
"""How far ahead of now an `occurred_time` may lie: 5 minutes, for clocks that run fast."""

DELTAS = frozenset({Aggregation.SUM, Aggregation.COUNT})
"""Aggregations whose quantity is added to what was used, burns pots, and can be returned."""

LEVELS = frozenset({Aggregation.MAX, Aggregation.LATEST})
"""Aggregations whose quantity is the observed level, not a delta."""

MEASURED = frozenset({Aggregation.UNIQUE, Aggregation.TIME_WEIGHTED})
"""Aggregations that are measured from events and carry no limit."""


class Mode(StrEnum):
    """What a consume does at its limit: take all or nothing, take what fits, or record what already happened."""

    ALL_OR_NOTHING = "ALL_OR_NOTHING"
    BEST_EFFORT = "BEST_EFFORT"
    ADJUST = "ADJUST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch [start, end) in which one usage period and one phase hold, with the terms that hold in it.

    `limit` is the included allowance, None where unlimited; `hard_limit` is where the overage beyond it ends, None
    where it does not. `denial` is why nothing passes at all; `absent` says that no source entitles to the feature, so
    that only grants can pay; `exclusive` that an override is in force, so that grants wait.
    Counters of the period are kept until `keep_until`. `own` says that the period is a trial's, with resets of its own;
    `apart` that a period of the calendar begins with it, so that its counter has another name.
    """

    start: int
    end: int
    period_start: int
    period_end: int
    previous_start: int
    keep_until: int
    limit: int | None
    overage: bool = False
    denial: Reason | None = None
    absent: bool = False
    exclusive: bool = False
    hard_limit: int | None = None
    own: bool = False
    apart: bool = False
    plan_key: str = ""
    plan_version: int = 0
    subscription_id: str = ""
    trial: bool = False

    def counter_at(self, start: int) -> "CounterName":
        """The counter of this period, or of a part of it that a reset began."""
        return start, self.apart


CounterName = tuple[int, bool]
"""The start of what it counts, and whether it stands apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodCounter:
    """What one usage period counted: net use, and from which pots. `level_time` is that of the last observed level."""

    used: int = 0
    included: int = 0
    overage: int = 0
    grants: Mapping[str, int] = field(default_factory=dict)
    level_time: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterState:
    """All counters of one account's feature: by period, and what outlives a period.

    `own_reset_time` is when usage was last reset in a trial, `reset_time` outside one. `resets` are those that were
    made, by the digests of their effects.
    """

    counters: Mapping[CounterName, PeriodCounter] = field(default_factory=dict)
    burnt: Mapping[str, int] = field(default_factory=dict)
    reset_time: int = 0
    own_reset_time: int = 0
    level: int = 0
    level_time: int = 0
    resets: Mapping[bytes, "KnownReset"] = field(default_factory=dict)

    def start_of(self, segment: Segment, at: int) -> int:
        """Where the period of a segment begins for an instant in it: at its last reset, if there was one."""
        reset = max(self.reset_time, self.own_reset_time) if segment.own else self.reset_time
        return reset if segment.period_start < reset <= at else segment.period_start


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownReset:
    """What a reset answered, and the hash of what it was asked: sent again, however late, it opens no other period."""

    payload_hash: bytes
    answer: "QuotaAnswer"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaGate:
    """One feature's quota as a call meets it; `quantity` None means look only, `occurred_time` None means now.

    A look may lie at any instant that the segments cover; units are taken and returned only around now.
    """

    feature_key: str
    quantity: int | None
    segments: tuple[Segment, ...]
    grants: tuple[Grant, ...] = ()
    mode: Mode = Mode.ALL_OR_NOTHING
    aggregation: Aggregation = Aggregation.SUM
    occurred_time: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetGate:
    """Opens a new usage period of one feature now; the counters of the old one stay as they are."""

    feature_key: str
    segments: tuple[Segment, ...]
    aggregation: Aggregation = Aggregation.SUM


@dataclass(slots=True, kw_only=True, unsafe_hash=True)  # not frozen: one is made a call, at a third of the cost
class QuotaAnswer:
    """What a quota gate answers; `used`, `limit` and `remaining` as they stand after it, None where unlimited.

    Of a reset `granted` is what the period that it closes has counted. `segment` indexes the gate's segments;
    `period_start` is later than the segment's where usage was reset within the period.
    `left` is told where nothing was taken: what the included allowance still holds (negative where a limit was lowered
    below what is used), what each grant still holds, whether or not it is in force, and what was taken beyond them, as
    a negative. Where something was taken it is the grants alone, and of a replay nothing. Of a level, which burns
    nothing, it is what the included allowance holds above the last level observed: with that the next period starts.
    """

    allowed: bool
    reason: Reason
    granted: int
    used: int
    limit: int | None
    remaining: int | None
    pots: tuple[Pot, ...]
    segment: int
    period_start: int
    period_end: int
    left: tuple[Pot, ...] = ()
    replayed: bool = False


class OutOfRange(StrEnum):
    """Why a gate cannot be evaluated at all.

    The segments passed miss the instant, the caller's is too far off, or the counter would leave exact integers.
    """

    SEGMENTS = "SEGMENTS"
    OCCURRED = "OCCURRED"
    COUNTER = "COUNTER"
