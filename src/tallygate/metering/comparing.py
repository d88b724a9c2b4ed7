"""Counters as the store has them beside those that the facts make: what is missing, and what is too much."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from tallygate.domain.gating.quota import CounterName, MeterState, PeriodCounter
from tallygate.metering.recounting import AccountId, MeterId, Recounted

_NONE = PeriodCounter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One meter whose counters are not what its facts make.

    `expected` holds what was compared and no other counter. `missing` are units that the facts know and the counters do
    not: so many may pass a limit twice. `surplus` are units that only the counters know: so many are denied that could
    pass. `forgotten` says that the counters do not know the last level or the last reset, `ahead` that facts do not.
    """

    expected: Recounted
    found: MeterState
    missing: int
    surplus: int
    forgotten: bool = False
    ahead: bool = False

    @property
    def meter(self) -> MeterId:
        """Whose it is."""
        return self.expected.meter

    @property
    def is_low(self) -> bool:
        """Whether the counters know nothing that the facts do not: to mend them denies what would pass a limit."""
        return not self.surplus and not self.ahead


def difference(
    expected: Recounted,
    found: MeterState,
    *,
    now: int,
    looked_at: Collection[CounterName],
    may_be_gone: bool = False,
) -> Difference | None:
    """Compare one meter, of whose counters those named were looked at; None where there is no difference.

    A counter that is not there is nothing to compare once its period has ended, or where it `may_be_gone`: the store
    lets go of it some time.
    A meter that counted levels and deltas, as its feature changed, is not compared.
    """
    if expected.is_level and any(map(_is_of_deltas, expected.state.counters.values())):
        return None
    compared = {
        name: counter
        for name, counter in expected.state.counters.items()
        if name in looked_at and (name in found.counters or (expected.ends[name] > now and not may_be_gone))
    }
    gaps = [_gap(expected, found, name, counter) for name, counter in compared.items()]
    burnt = [] if expected.is_level else _by_grant(expected.state.burnt, found.burnt)
    missing, surplus = sum(gap[0] for gap in gaps), sum(gap[1] for gap in gaps)
    missing, surplus = max(missing, _above(burnt)), max(surplus, _below(burnt))
    last, known = _last(expected.state), _last(found)
    forgotten = any(one > other for one, other in zip(last, known, strict=True))
    ahead = any(one < other for one, other in zip(last, known, strict=True))
    if not (missing or surplus or forgotten or ahead):
        return None
    only = replace(expected, state=replace(expected.state, counters=compared))
    return Difference(expected=only, found=found, missing=missing, surplus=surplus, forgotten=forgotten, ahead=ahead)


def uncounted(
    strays: Mapping[MeterId, Collection[CounterName]],
    known: Mapping[MeterId, Recounted],
    accounts: Collection[AccountId],
) -> dict[MeterId, Recounted]:
    """Those strays of these accounts of which nothing is known, with what they should have counted: nothing."""
    return {
        meter: Recounted(
            meter=meter,
            state=MeterState(counters=dict.fromkeys(names, _NONE)),
            kept_until=dict.fromkeys(names, 0),
            ends=dict.fromkeys(names, 0),
        )
        for meter, names in strays.items()
        if meter[:2] in accounts and meter not in known
    }


def _gap(expected: Recounted, found: MeterState, name: CounterName, counter: PeriodCounter) -> tuple[int, int]:
    """Of one counter how many units are missing, and how many too much: in all or by pot, whichever is more."""
    there = found.counters.get(name)
    if expected.is_level:
        gap = counter.used - (there.used if there is not None else found.level)
        return max(0, gap), max(0, -gap)
    there = there or _NONE
    used = counter.used - there.used
    pots = [
        counter.included - there.included,
        counter.overage - there.overage,
        *_by_grant(counter.grants, there.grants),
    ]
    return max(used, _above(pots)), max(-used, _below(pots))


def _by_grant(expected: Mapping[str, int], found: Mapping[str, int]) -> list[int]:
    return [expected.get(grant_id, 0) - found.get(grant_id, 0) for grant_id in sorted({*expected, *found})]


def _above(gaps: Iterable[int]) -> int:
    return sum(gap for gap in gaps if gap > 0)


def _below(gaps: Iterable[int]) -> int:
    return -sum(gap for gap in gaps if gap < 0)


def _is_of_deltas(counter: PeriodCounter) -> bool:
    return bool(counter.included or counter.overage or counter.grants)


def _last(state: MeterState) -> tuple[int, int]:
    """When the last level was observed, and usage last reset."""
    return state.level_time, max(state.reset_time, state.own_reset_time)
