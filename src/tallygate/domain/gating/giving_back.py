"""What giving back does to the state of a rate limit: the specification of `storage/redis/scripts/hand_back.lua`."""

from dataclasses import replace

from tallygate.domain.gating.rate_limit import BucketState, LimitState
from tallygate.domain.gating.rate_windows import LogState, WindowState


def given_back(state: LimitState | None, *, cost: int, taken: int) -> LimitState | None:
    """The state when what was taken at the instant `taken` is given back.

    What has flowed back by then, and what is counted by a later window, is not given back a second time.
    """
    match state:
        case None:
            return None
        case BucketState():
            return replace(state, debt=max(0, state.debt - cost * state.scale.token))
        case WindowState():
            return _of_window(state, cost, taken)
        case LogState():
            return _of_log(state, cost, taken)


def _of_window(state: WindowState, cost: int, taken: int) -> WindowState:
    if not state.width:
        return state

    def left(count: int, width: int) -> int:
        return max(0, count - cost) if state.time - state.time % width <= taken else count

    return replace(
        state, count=left(state.count, state.width), wide_count=left(state.wide_count, state.wide or state.width)
    )


def _of_log(state: LogState, cost: int, taken: int) -> LogState:
    """Those that joined an entry later have moved it on: it is the oldest one that is not before the take."""
    entries: list[tuple[int, int]] = []
    left = cost
    for time, counted in state.entries:
        less = min(left, counted) if time >= taken else 0
        if less < counted:
            entries.append((time, counted - less))
        left -= less
    return replace(state, entries=tuple(entries))
