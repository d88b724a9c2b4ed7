"""How rate limits match and count: descriptors in, and the algorithms' pure steps from state to state.

All arithmetic is in integers that Lua holds exactly, so that the script and this specification cannot drift apart.
Instants and windows are microseconds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import gcd

from tallygate.domain.account import Override
from tallygate.domain.catalog import Catalog
from tallygate.domain.errors import MAX_QUANTITY, InvalidFieldError
from tallygate.domain.gating.decision import Source
from tallygate.domain.gating.rate_windows import LogState, Windowed, WindowState, step_log, step_window
from tallygate.domain.limits import Algorithm, LimitOwner, RateLimit, RateLimitRule

LEAST_KEPT = 60_000_000
"""How long a state is kept at least, whatever its figures: for the call that comes after they were lowered."""

MOST_KEPT = 3_600_000_000
"""How long a state is kept at most for figures that are not its own: descriptors can have very many values."""

TEST_KEPT = 86_400_000_000
"""As `LEAST_KEPT`, on a test tenant's clock, which may stand still while real time goes on."""

MAX_AHEAD = 30_000_000
"""How far after `now` a state may lie, because a clock fell back a little; one beyond is of a time that never was."""

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
        divisor = gcd(window, rate.limit)
        token, drain = window // divisor, rate.limit // divisor
        if token * max(burst, 3) <= MAX_QUANTITY:  # 3: so that the script can rescale a debt without losing a bit
            return Bucket(tick=tick, token=token, drain=drain, size=burst * token)
    raise InvalidFieldError(
        field="burst", expected="a burst that a window of whole seconds can hold exactly", got=burst
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketState:
    """Units owed to a bucket at an instant, a whole tick of the scale that they were counted and flowed back in."""

    debt: int
    time: int
    scale: Bucket


LimitState = BucketState | WindowState | LogState


@dataclass(frozen=True, slots=True, kw_only=True)
class RateGate:
    """One rate limit as a call meets it. Its counter is that of the owner, the limit and the descriptor's values.

    `since` is when its figures came into force: time before it counts at the rate of those that the state ran at.
    `keep` is how long its state has to be kept at least, because figures that take so long may come into force.
    `source` is who gives the account these figures; None of a limit of the tenant's own.
    """

    limit_key: str
    owner: LimitOwner
    descriptor: tuple[tuple[str, str], ...]
    algorithm: Algorithm
    rate: RateLimit
    cost: int
    since: int = 0
    keep: int = 0
    source: Source | None = None


@dataclass(slots=True, kw_only=True, unsafe_hash=True)  # not frozen: one is made a call, at a third of the cost
class RateAnswer:
    """What a rate limit answers; durations in microseconds, from `decided_time`.

    `retry_after` is for this cost, None if it never fits.
    """

    allowed: bool
    limit: int
    remaining: int
    reset_after: int
    retry_after: int | None
    decided_time: int
    replayed: bool = False


def step(gate: RateGate, state: LimitState | None, *, now: int) -> tuple[RateAnswer, LimitState]:
    """Evaluate one rate limit at `now`: the answer as if taken where allowed, and the state then."""
    if state is not None and state.time > now + MAX_AHEAD:
        state = None
    match gate.algorithm:
        case Algorithm.TOKEN_BUCKET:
            return _step_bucket(gate, state if isinstance(state, BucketState) else None, now)
        case Algorithm.FIXED_WINDOW:
            held = state if isinstance(state, WindowState) else WindowState(time=0, count=0)
            found, counted = step_window(gate.rate, gate.cost, held, now=now)
            return _windowed(gate, found, now), counted
        case Algorithm.SLIDING_WINDOW:
            log = state if isinstance(state, LogState) else LogState()
            found, logged = step_log(gate.rate, gate.cost, log, now=now)
            return _windowed(gate, found, now), logged


def kept_for(gate: RateGate, answer: RateAnswer, state: LimitState, *, testing: bool) -> int:
    """How long after it was taken from a state may be forgotten; until then it is compared, and never by its age.

    By then it is as new by its own figures, by those of the wider window that it remembers, and by all that `keep`
    knows of. Of figures that come into force later and take longer, it is right for `LEAST_KEPT`.
    """
    wider = 0 if isinstance(state, BucketState) else state.until - answer.decided_time
    return max(answer.reset_after, wider, gate.keep, TEST_KEPT if testing else LEAST_KEPT)


def slowest(catalog: Catalog) -> Mapping[str, int]:
    """How long a state of each limit may count by the figures of any plan, up to `MOST_KEPT`: an account may change."""
    found: dict[str, int] = {}
    for versions in catalog.plans.values():
        for plan in versions.values():
            for key, rate in plan.rate_limits.items():
                found[key] = min(MOST_KEPT, max(found.get(key, 0), _full_after(rate)))
    return found


def with_overrides(slowest: Mapping[str, int], overrides: Iterable[Override]) -> Mapping[str, int]:
    """As `slowest` says, with what one account's overrides of rate limits may bring."""
    found: dict[str, int] = {}
    for each in overrides:
        if each.rate_limit is not None:
            known = found.get(each.limit_key, slowest.get(each.limit_key, 0))
            found[each.limit_key] = min(MOST_KEPT, max(known, _full_after(each.rate_limit)))
    return {**slowest, **found} if found else slowest


def _full_after(rate: RateLimit) -> int:
    return max(rate.window, -(-rate.size * rate.window // rate.limit) if rate.limit else 0)


def _step_bucket(gate: RateGate, state: BucketState | None, now: int) -> tuple[RateAnswer, BucketState]:
    scale = bucket(gate.rate)
    debt, time = _owed(gate, scale, state, now) if state is not None else (0, now - now % scale.tick)
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
        remaining=(scale.size - debt) // scale.token,
        reset_after=-(-debt // scale.drain) * scale.tick if scale.drain else 0,
        retry_after=retry,
        decided_time=now,
    )
    return answer, BucketState(debt=debt, time=time, scale=scale)


def _owed(gate: RateGate, scale: Bucket, state: BucketState, now: int) -> tuple[int, int]:
    """What is owed in today's scale, and at which whole tick: the state drains at its own rate until today's began.

    Tokens owed stay owed when a limit changes, but never more than the bucket holds.
    """
    changed = max(state.time, min(gate.since, now))
    debt = _drained(state.debt, state.scale, state.time, changed)
    debt = min(_rescaled(debt, state.scale.token, scale.token), scale.size)
    time = max(state.time, now)
    return _drained(debt, scale, changed, time), time - time % scale.tick


def _drained(debt: int, scale: Bucket, start: int, end: int) -> int:
    return max(0, debt - (end // scale.tick - start // scale.tick) * scale.drain)


def _rescaled(debt: int, before: int, token: int) -> int:
    """A debt in another token size, rounded down by less than a unit: raising a limit makes nobody wait longer."""
    return debt if token == before else min(MAX_QUANTITY, debt * token // before)


def _windowed(gate: RateGate, found: Windowed, now: int) -> RateAnswer:
    return RateAnswer(
        allowed=found.allowed,
        limit=gate.rate.limit,
        remaining=max(0, gate.rate.limit - found.used),
        reset_after=found.reset_after,
        retry_after=found.retry_after,
        decided_time=now,
    )


def matching(
    rules: Iterable[RateLimitRule], descriptor: tuple[tuple[str, str], ...]
) -> list[tuple[RateLimitRule, tuple[tuple[str, str], ...]]]:
    """The rules whose entries are all present in the descriptor, each with the entries that it counts by.

    A key may come several times: an entry that may have any value counts by all of them, in their order.
    """
    present: dict[str, list[str]] = {}
    for key, value in descriptor:
        present.setdefault(key, []).append(value)
    found: list[tuple[RateLimitRule, tuple[tuple[str, str], ...]]] = []
    for rule in rules:
        entries: list[tuple[str, str]] = []
        for entry in rule.descriptor:
            values = present.get(entry.key, [])
            counted = values if entry.value is None else [entry.value] if entry.value in values else []
            if not counted:
                break
            entries += [(entry.key, value) for value in counted]
        else:
            found.append((rule, tuple(entries)))
    return found
