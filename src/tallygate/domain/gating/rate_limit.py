"""How rate limits match and count: descriptors in, and the algorithms' pure steps from state to state.

All arithmetic is in integers that Lua holds exactly, so that the script and this specification cannot drift apart.
Instants and windows are microseconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import gcd

from tallygate.domain.catalog import Algorithm, LimitOwner, RateLimit, RateLimitRule
from tallygate.domain.errors import MAX_QUANTITY, InvalidFieldError

LOG_LIMIT = 1_000
"""Largest sliding-window limit kept as an exact log; above it, sub-buckets."""

SUB_BUCKETS = 60
"""Sub-buckets of a sliding window above `LOG_LIMIT`; the oldest is counted whole, so it never over-admits."""

_TICKS = (1, 1_000, 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A token bucket in exact integers: one token costs `token` units, `drain` units flow back each `tick`."""

    tick: int
    token: int
    drain: int
    size: int


def bucket(rate: RateLimit) -> Bucket:
    """Scale a rate limit to exact integers, in the finest tick of 1 us, 1 ms and 1 s in which it fits.

    Raises:
        InvalidFieldError: no tick holds `burst` tokens exactly.
    """
    burst = rate.size
    for tick in _TICKS:
        window, odd = divmod(rate.window, tick)
        if odd or not window:
            break
        divisor = gcd(window, rate.limit) or 1
        token, drain = window // divisor, rate.limit // divisor
        if token * max(burst, 3) <= MAX_QUANTITY:  # 3: so that the script can rescale a debt without losing a bit
            return Bucket(tick=tick, token=token, drain=drain, size=burst * token)
    raise InvalidFieldError(
        field="burst", expected="a burst that a window of whole seconds can hold exactly", got=burst
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketState:
    """Units owed to a bucket at an instant (a whole tick), and the token size they were counted in."""

    debt: int = 0
    time: int = 0
    token: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowState:
    """A fixed window's start and what it counted."""

    start: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """A sliding window's entries (mark, cost), oldest first."""

    entries: tuple[tuple[int, int], ...] = ()


LimitState = BucketState | WindowState | LogState


@dataclass(frozen=True, slots=True, kw_only=True)
class RateGate:
    """One rate limit as a call meets it. `state_key` names its counter: owner, limit and descriptor values."""

    limit_key: str
    owner: LimitOwner
    descriptor: tuple[tuple[str, str], ...]
    algorithm: Algorithm
    rate: RateLimit
    cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RateAnswer:
    """What a rate limit answers; durations in microseconds. `retry_after` is for this cost, None if it never fits."""

    allowed: bool
    limit: int
    remaining: int
    reset_after: int
    retry_after: int | None
    replayed: bool = False


def step(gate: RateGate, state: LimitState | None, *, now: int) -> tuple[RateAnswer, LimitState]:
    """Evaluate one rate limit at `now`: the answer as if taken where allowed, and the state then."""
    match gate.algorithm:
        case Algorithm.TOKEN_BUCKET:
            return _step_bucket(gate, state if isinstance(state, BucketState) else BucketState(), now)
        case Algorithm.FIXED_WINDOW:
            return _step_window(gate, state if isinstance(state, WindowState) else WindowState(), now)
        case Algorithm.SLIDING_WINDOW:
            return _step_log(gate, state if isinstance(state, LogState) else LogState(), now)


def _step_bucket(gate: RateGate, state: BucketState, now: int) -> tuple[RateAnswer, BucketState]:
    scale = bucket(gate.rate)
    last = state.time // scale.tick if state.token else now // scale.tick
    time = max(last, now // scale.tick)
    debt = _rescaled(state, scale.token)
    drained = (time - last) * scale.drain
    debt = 0 if drained >= debt else debt - drained
    price = gate.cost * scale.token
    allowed = debt + price <= scale.size
    retry: int | None = None
    if allowed:
        debt += price
        retry = 0
    elif price <= scale.size and scale.drain:
        retry = -(-(debt + price - scale.size) // scale.drain) * scale.tick
    answer = RateAnswer(
        allowed=allowed,
        limit=gate.rate.size,
        remaining=max(0, (scale.size - debt) // scale.token),
        reset_after=-(-debt // scale.drain) * scale.tick if scale.drain else 0,
        retry_after=retry,
    )
    return answer, BucketState(debt=debt, time=time * scale.tick, token=scale.token)


def _rescaled(state: BucketState, token: int) -> int:
    """The debt in today's token size: tokens owed stay owed when a limit changes, and flow back at the new rate.

    Rounded down by less than a unit, so that raising a limit never makes anyone wait longer.
    """
    if state.token in {0, token}:
        return state.debt
    return min(MAX_QUANTITY, state.debt * token // state.token)


def _step_window(gate: RateGate, state: WindowState, now: int) -> tuple[RateAnswer, WindowState]:
    start = state.start if state.start > now else now - now % gate.rate.window  # a clock may fall back a little
    count = state.count if state.start == start else 0
    allowed = count + gate.cost <= gate.rate.limit
    left = start + gate.rate.window - now
    if allowed:
        count += gate.cost
    retry = 0 if allowed else left if gate.cost <= gate.rate.limit else None
    answer = RateAnswer(
        allowed=allowed,
        limit=gate.rate.limit,
        remaining=max(0, gate.rate.limit - count),
        reset_after=left,
        retry_after=retry,
    )
    return answer, WindowState(start=start, count=count)


def _step_log(gate: RateGate, state: LogState, now: int) -> tuple[RateAnswer, LogState]:
    window, limit = gate.rate.window, gate.rate.limit
    live = [(mark, cost) for mark, cost in state.entries if mark > now - window]
    used = sum(cost for _, cost in live)
    allowed = used + gate.cost <= limit
    retry: int | None = None
    if allowed:
        used += gate.cost
        retry = 0
        live = _logged(live, _mark(gate.rate, now), gate.cost)
    elif gate.cost <= limit:
        retry = _freed_at(live, used + gate.cost - limit) + window - now
    answer = RateAnswer(
        allowed=allowed,
        limit=limit,
        remaining=max(0, limit - used),
        reset_after=max(0, live[-1][0] + window - now) if live else 0,
        retry_after=retry,
    )
    return answer, LogState(entries=tuple(live))


def _mark(rate: RateLimit, now: int) -> int:
    """Where a taken cost is noted: at now, or at the end of its sub-bucket."""
    if rate.limit <= LOG_LIMIT:
        return now
    width = -(-rate.window // SUB_BUCKETS)
    return now - now % width + width


def _logged(live: list[tuple[int, int]], mark: int, cost: int) -> list[tuple[int, int]]:
    if not cost:
        return live
    if live and live[-1][0] >= mark:
        last, before = live[-1]
        return [*live[:-1], (last, before + cost)]
    return [*live, (mark, cost)]


def _freed_at(live: Iterable[tuple[int, int]], needed: int) -> int:
    """The mark by whose expiry at least `needed` has been freed."""
    freed, last = 0, 0
    for mark, cost in live:
        freed, last = freed + cost, mark
        if freed >= needed:
            break
    return last


def matching(
    rules: Iterable[RateLimitRule], descriptor: tuple[tuple[str, str], ...]
) -> list[tuple[RateLimitRule, tuple[tuple[str, str], ...]]]:
    """The rules whose entries are all present in the descriptor, each with the entries that it counts by."""
    present = dict(descriptor)
    found: list[tuple[RateLimitRule, tuple[tuple[str, str], ...]]] = []
    for rule in rules:
        entries = tuple((entry.key, present[entry.key]) for entry in rule.descriptor if entry.key in present)
        complete = len(entries) == len(rule.descriptor)
        if complete and all(e.value is None or e.value == present[e.key] for e in rule.descriptor):
            found.append((rule, entries))
    return found
