"""Counters as the store has them beside those that the facts make: what is missing, and what is too much."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from tallygate.domain.gating.quota import CounterName, MeterState, PeriodCounter
from tallygate.domain.instants import rfc3339
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

    @property
    def told(self) -> str:
        """What is wrong, for people: units, and what was observed or reset of which one side alone knows."""
        counts = (self.missing, "units missing"), (self.surplus, "too many")
        units = [f"{count} {what}" for count, what in counts if count]
        return ", ".join([*units, *_apart(self.expected.state, self.found)]) or "another last level"


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
    ahead = ahead or (expected.is_level and last[0] == known[0] and expected.state.level != found.level)
    if not (missing or surplus or forgotten or ahead):
        return None
    only = replace(expected, state=replace(expected.state, counters=compared))
    return Difference(expected=only, found=found, missing=missing, surplus=surplus, forgotten=forgotten, ahead=ahead)


def uncounted(
    strays: Mapping[MeterId, Collection[CounterName]],
    known: Mapping[MeterId, Recounted],
    accounts: Collection[AccountId],
) -> dict[MeterId, Recounted]:
    """Those strays of these accounts of which nothing is known, with what they should have counted: nothing.

    Of a meter of levels those counters of which no level is known: a late replay began them.
    """
    found = {}
    for meter, names in strays.items():
        each = known.get(meter) or Recounted(meter=meter, state=MeterState())
        unknown = set(names).difference(each.known) if each.is_level or meter not in known else set()
        if unknown and meter[:2] in accounts and not any(map(_is_of_deltas, each.state.counters.values())):
            state = replace(each.state, counters=dict.fromkeys(unknown, _NONE))
            nothing = dict.fromkeys(unknown, 0)
            found[meter] = replace(each, state=state, kept_until=nothing, ends=nothing)
    return found


def _gap(expected: Recounted, found: MeterState, name: CounterName, counter: PeriodCounter) -> tuple[int, int]:
    """Of one counter how many units are missing, and how many too much: in all or by pot, whichever is more."""
    there = found.counters.get(name)
    if is_stray(expected, name):
        gap = expected.state.level - there.used if there is not None and there.level_time else 0
        return max(0, gap), max(0, -gap)
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


def is_stray(expected: Recounted, name: CounterName) -> bool:
    """Whether it is a counter of levels that no fact tells of: without it a period stands at the last level."""
    return expected.is_level and name not in expected.known


def _apart(expected: MeterState, found: MeterState) -> Iterable[str]:
    """What only one side knows of the last level and the last reset."""
    for what, one, other in zip(("level observed", "reset"), _last(expected), _last(found), strict=True):
        if one < other:
            yield f"a {what} at {rfc3339(other)} of which no event tells"
        if one > other:
            yield f"a {what} at {rfc3339(one)} that is not known"


def _last(state: MeterState) -> tuple[int, int]:
    """When the last level was observed, and usage last reset."""
    return state.level_time, max(state.reset_time, state.own_reset_time)
