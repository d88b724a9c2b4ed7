"""How fixed and sliding windows count: pure steps from state to state that remember the widest window they ran at.

An account's figures may change and change back: what was taken in a wider window is known still when it comes back.
Instants and windows are microseconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tallygate.domain.limits import RateLimit

LOG_LIMIT = 1_000
"""Largest sliding-window limit kept as an exact log; above it, sub-buckets."""

SUB_BUCKETS = 60
"""Sub-buckets of a sliding window above `LOG_LIMIT`; the oldest is counted whole, so it never over-admits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowState:
    """What the window of this `width` counted that holds `time`, which is when it was last taken from.

    `wide` is the widest of the windows that it ran at and that holds `time`, and `wide_count` what was taken in that.
    """

    time: int
    count: int
    width: int = 0
    wide: int = 0
    wide_count: int = 0

    @property
    def until(self) -> int:
        """When nothing of it counts any more."""
        return self.time - self.time % self.wide + self.wide if self.wide else self.time


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """A sliding window's entries (when it was last added to, cost), oldest first.

    Until the instant `until` entries are remembered that lie in a `wide` window, for one of that width may come back.
    """

    entries: tuple[tuple[int, int], ...] = ()
    wide: int = 0
    until: int = 0

    @property
    def time(self) -> int:
        """When it was last added to."""
        return self.entries[-1][0] if self.entries else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Windowed:
    """What a window comes to; durations from `now`, `retry_after` for this cost, None if it never fits."""

    allowed: bool
    used: int
    reset_after: int
    retry_after: int | None


def step_window(rate: RateLimit, cost: int, state: WindowState, *, now: int) -> tuple[Windowed, WindowState]:
    """A window aligned to the epoch."""
    width, time = rate.window, max(state.time, now)  # a clock may fall back a little
    start = time - time % width
    count = 0
    if state.time >= start:  # after a narrower one, all that is known of is counted: what was taken when is not
        count = state.wide_count if width > state.width else state.count
    allowed = count + cost <= rate.limit
    left = start + width - now
    wide, wide_count = width, count
    if state.wide > width and state.time >= time - time % state.wide:
        wide, wide_count = state.wide, state.wide_count
    if allowed:
        count, wide_count = count + cost, wide_count + cost
    retry = 0 if allowed else left if cost <= rate.limit else None
    after = WindowState(time=time, count=count, width=width, wide=wide, wide_count=wide_count)
    return Windowed(allowed=allowed, used=count, reset_after=left, retry_after=retry), after


def step_log(rate: RateLimit, cost: int, state: LogState, *, now: int) -> tuple[Windowed, LogState]:
    """A window that ends now: an exact log, or sub-buckets with the oldest counted whole."""
    window = rate.window
    live = [entry for entry in state.entries if entry[0] > now - window]
    used = sum(part for _, part in live)
    allowed = used + cost <= rate.limit
    retry: int | None = None
    if allowed:
        used += cost
        retry = 0
        live = _logged(live, rate, cost, now)
    elif cost <= rate.limit:
        retry = _freed_at(live, used + cost - rate.limit) + window - now
    newest = live[-1][0] if live else 0
    wide, until = window, newest + window
    if state.wide > window and now < state.until:
        wide, until = state.wide, state.until
    older = _joined([entry for entry in state.entries if now - wide < entry[0] <= now - window], wide)
    answer = Windowed(allowed=allowed, used=used, reset_after=newest + window - now if live else 0, retry_after=retry)
    return answer, LogState(entries=(*older, *live), wide=wide, until=until)


def sub_bucket(rate: RateLimit) -> int:
    """How long costs are noted as one: 1 us of an exact log."""
    return _sub_width(rate.window) if rate.limit > LOG_LIMIT else 1


def _sub_width(window: int) -> int:
    return -(-window // SUB_BUCKETS)


def _joined(entries: Iterable[tuple[int, int]], wide: int) -> list[tuple[int, int]]:
    """Entries that only a wider window counts, in sub-buckets of that, so that they are few."""
    found: list[tuple[int, int]] = []
    for mark, cost in entries:
        if found and mark // _sub_width(wide) == found[-1][0] // _sub_width(wide):
            found[-1] = mark, found[-1][1] + cost
        else:
            found.append((mark, cost))
    return found


def _logged(live: list[tuple[int, int]], rate: RateLimit, cost: int, now: int) -> list[tuple[int, int]]:
    """The log with a cost noted at `now`: with the newest, as late as it, where both are in one sub-bucket."""
    if not cost:
        return live
    last, before = live[-1] if live else (0, 0)
    width = sub_bucket(rate)
    if live and max(last, now) // width == last // width:
        return [*live[:-1], (max(last, now), before + cost)]
    return [*live, (now, cost)]


def _freed_at(live: Iterable[tuple[int, int]], needed: int) -> int:
    """The mark by whose expiry at least `needed` has been freed."""
    freed, last = 0, 0
    for mark, cost in live:
        freed, last = freed + cost, mark
        if freed >= needed:
            break
    return last
