"""Counters as fields of the hashes that `admit.lua` keeps, both ways; `keys.meter` says what each field is."""

from collections.abc import Mapping, Sequence

from tallygate.domain.gating.quota import CounterName, MeterState, PeriodCounter
from tallygate.domain.tenant_clock import TenantClock
from tallygate.storage.redis import keys

_DAY_MS = 86_400_000
_GRANT = "g:"


def counter_key(meter: str, counter: CounterName) -> str:
    """The key of one period's counter, of the meter with this key."""
    start, apart = counter
    return f"{meter}:{start}{keys.APART if apart else ''}"


def real_ms(instant: int, clock: TenantClock, now: int) -> int:
    """An instant of a tenant's as Redis' clock will show it; on a test's clock, which may stand, not before a day."""
    return max((instant - clock.at(now) + now) // 1000, now // 1000 + _DAY_MS)


def lasting_fields(state: MeterState) -> dict[str, int]:
    """What outlives a period."""
    told = {keys.RESET: state.reset_time, keys.OWN_RESET: state.own_reset_time}
    told = {name: value for name, value in told.items() if value}
    if state.level_time:
        told |= {"l": state.level, "t": state.level_time}
    return told | {_GRANT + grant_id: units for grant_id, units in state.burnt.items()}


def counter_fields(counter: PeriodCounter, *, of_levels: bool) -> dict[str, int]:
    """One period's counter."""
    if of_levels:
        return {"u": counter.used, "t": counter.level_time}
    told = {"u": counter.used, "i": counter.included, "o": counter.overage}
    return told | {_GRANT + grant_id: units for grant_id, units in counter.grants.items()}


def read_state(lasting: Sequence[bytes], counters: Mapping[CounterName, Sequence[bytes]]) -> MeterState:
    """A meter's state, of its hashes as HGETALL replies them; a counter that is not there is left out."""
    fields = _fields(lasting)
    return MeterState(
        counters={name: _counter(_fields(told)) for name, told in counters.items() if told},
        burnt=_of_grants(fields),
        reset_time=fields.get(keys.RESET, 0),
        own_reset_time=fields.get(keys.OWN_RESET, 0),
        level=fields.get("l", 0),
        level_time=fields.get("t", 0),
    )


def _counter(fields: Mapping[str, int]) -> PeriodCounter:
    return PeriodCounter(
        used=fields.get("u", 0),
        included=fields.get("i", 0),
        overage=fields.get("o", 0),
        grants=_of_grants(fields),
        level_time=fields.get("t", 0),
    )


def _fields(told: Sequence[bytes]) -> dict[str, int]:
    """Those that count; what remembers a reset does not."""
    pairs = zip(told[::2], told[1::2], strict=True)
    return {name.decode(): int(value) for name, value in pairs if not name.startswith(keys.RESETS)}


def _of_grants(fields: Mapping[str, int]) -> dict[str, int]:
    return {name.removeprefix(_GRANT): units for name, units in fields.items() if name.startswith(_GRANT)}
