"""Counters as the facts make them: what the store has counted, told by what was collected. No store, no clock.

The opposite of `quota_steps.py`, which says what an effect does to them; a property test holds the two together.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from tallygate.domain.gating.decision import Pot, PotKind, Reason
from tallygate.domain.gating.quota import CounterName, MeterState, PeriodCounter

AccountId = tuple[str, str]
"""(tenant_id, account_id)."""

MeterId = tuple[str, str, str]
"""(tenant_id, account_id, feature_key)."""

_DAY = 86_400_000_000
_TRIAL_KEPT = 366 * _DAY
_SLACK = 32 * _DAY
_LAST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedIn:
    """The usage period that facts counted in; `trial` says that it was a trial's own."""

    start: int
    end: int
    trial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What one kind of pot has paid in one period, refunds taken off."""

    meter: MeterId
    period: CountedIn
    pot: Pot


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A level meter's period: what stood after its last level, and when the latest of them occurred."""

    meter: MeterId
    period: CountedIn
    used: int
    level_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastLevel:
    """The level that occurred last."""

    meter: MeterId
    level: int
    occurred_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastReset:
    """When usage was last reset: in a trial, or outside of one."""

    meter: MeterId
    time: int
    trial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the facts of some accounts come to.

    `overwritten` is the part of `paid` that a reset in the very instant in which its period had begun took out of its
    counter: what of it grants paid stays burnt.
    """

    paid: Collection[Paid] = ()
    observed: Collection[Observed] = ()
    levels: Collection[LastLevel] = ()
    resets: Collection[LastReset] = ()
    overwritten: Collection[Paid] = ()

    def trials(self) -> set[tuple[MeterId, int]]:
        """Whose trials counted something, by their start."""
        counted = [(paid.meter, paid.period) for paid in self.paid]
        counted += [(seen.meter, seen.period) for seen in self.observed]
        return {(meter, period.start) for meter, period in counted if period.trial}


@dataclass(slots=True, kw_only=True)
class Recounted:
    """One meter: its state, whether it counts levels, and until when each counter is kept, by the tenant's clock.

    `ends` are when the counters' periods end; `known` names all counters of a meter of levels that facts tell of, kept
    or not.
    """

    meter: MeterId
    state: MeterState
    is_level: bool = False
    kept_until: dict[CounterName, int] = field(default_factory=dict)
    ends: dict[CounterName, int] = field(default_factory=dict)
    known: Collection[CounterName] = ()


class Effect(NamedTuple):
    """An effect that a retry must find again; `entry_time` is when the store took it, by its own clock.

    `resets` says that it opened a period: its fact does not tell what the one before had counted. There are millions of
    them, and a tuple is what is made fastest.
    """

    meter: MeterId
    request_id: str
    payload_hash: bytes
    reason: Reason
    granted: int
    used: int
    limit: int | None
    pots: tuple[Pot, ...]
    period_start: int
    period_end: int
    entry_time: int
    resets: bool = False

    @property
    def remaining(self) -> int | None:
        """What was left; where overage was taken first and allowed for later, that is not told by the fact."""
        return None if self.limit is None else max(0, self.limit - self.used)


def recount(
    facts: Facts, *, apart: Collection[tuple[MeterId, int]], now: Mapping[str, int]
) -> Mapping[MeterId, Recounted]:
    """The meters of these facts; `apart` are the trials with which another period begins, `now` each tenant's time.

    What nobody can count in any more is left out; of grants all that was ever burnt counts.
    """
    counters: dict[MeterId, dict[CounterName, PeriodCounter]] = defaultdict(dict)
    periods: dict[MeterId, dict[CounterName, CountedIn]] = defaultdict(dict)
    burnt: dict[MeterId, dict[str, int]] = defaultdict(dict)

    def counter_of(meter: MeterId, period: CountedIn) -> tuple[CounterName, PeriodCounter]:
        name = period.start, period.trial and (meter, period.start) in apart
        known = periods[meter].setdefault(name, period)
        if known.end < period.end:
            periods[meter][name] = replace(known, end=period.end)
        return name, counters[meter].get(name, PeriodCounter())

    for paid in facts.paid:
        name, counter = counter_of(paid.meter, paid.period)
        counters[paid.meter][name] = _with(counter, paid.pot)
        if paid.pot.kind is PotKind.GRANT:
            of_grants, grant_id = burnt[paid.meter], paid.pot.grant_id
            of_grants[grant_id] = of_grants.get(grant_id, 0) + paid.pot.quantity
    for paid in facts.overwritten:
        name, counter = counter_of(paid.meter, paid.period)
        counters[paid.meter][name] = _with(counter, replace(paid.pot, quantity=-paid.pot.quantity))
    for seen in facts.observed:
        name, counter = counter_of(seen.meter, seen.period)
        counters[seen.meter][name] = replace(counter, used=seen.used, level_time=seen.level_time)
    found = {
        meter: Recounted(meter=meter, state=MeterState(burnt=burnt[meter], counters=counters[meter]))
        for meter in (*counters, *(last.meter for last in facts.levels), *(reset.meter for reset in facts.resets))
    }
    _outlasting(found, facts)
    for meter, each in found.items():
        each.kept_until = _kept(periods[meter].items(), now[meter[0]])
        kept = {name: counter for name, counter in counters[meter].items() if name in each.kept_until}
        each.known = periods[meter].keys() if each.is_level else ()
        each.ends = {name: periods[meter][name].end for name in kept}
        each.state = replace(each.state, counters=kept)
    return found


def with_closed(effects: Iterable[Effect], meters: Mapping[MeterId, Recounted]) -> list[Effect]:
    """The same effects; a reset answers again what the period that it closed had counted."""
    return [each._replace(granted=_closed(each, meters.get(each.meter))) if each.resets else each for each in effects]


def _closed(effect: Effect, meter: Recounted | None) -> int:
    counters = meter.state.counters if meter else {}
    before = max((name for name in counters if name[0] < effect.period_start), default=None)
    return counters[before].used if before is not None else 0


def _with(counter: PeriodCounter, pot: Pot) -> PeriodCounter:
    used, units = counter.used + pot.quantity, pot.quantity
    match pot.kind:
        case PotKind.INCLUDED:
            return replace(counter, used=used, included=counter.included + units)
        case PotKind.OVERAGE:
            return replace(counter, used=used, overage=counter.overage + units)
        case PotKind.GRANT:
            of_grants = {**counter.grants, pot.grant_id: counter.grants.get(pot.grant_id, 0) + units}
            return replace(counter, used=used, grants=of_grants)


def _outlasting(found: Mapping[MeterId, Recounted], facts: Facts) -> None:
    """What no period ends: the last level, and the last resets."""
    for last in facts.levels:
        each = found[last.meter]
        each.is_level = True
        each.state = replace(each.state, level=last.level, level_time=last.occurred_time)
    for reset in facts.resets:
        each = found[reset.meter]
        if reset.trial:
            each.state = replace(each.state, own_reset_time=reset.time)
        else:
            each.state = replace(each.state, reset_time=reset.time)


def _kept(periods: Iterable[tuple[CounterName, CountedIn]], now: int) -> dict[CounterName, int]:
    """Those that something may still be counted in, and until when: the next one may be longer, a trial be extended."""
    ordered = sorted(periods, key=lambda each: -each[1].end)
    kept = {}
    for place, (name, period) in enumerate(ordered):
        until = period.end + 2 * (period.end - period.start) + (_TRIAL_KEPT if period.trial else 0)
        if until > now or place < _LAST:
            kept[name] = max(until, now) + _SLACK
    return kept
