"""What follows when nobody pays: attempts, each so long after the one before, and what an account becomes. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from tallygate.domain.account import Standing
from tallygate.domain.billing.payments import Advice
from tallygate.domain.billing_terms import DunningRules, DunningState, DunningStep

_DAY = 86_400_000_000


class RetryObstacle(StrEnum):
    """Why nothing is tried by itself, though there is a rung for it."""

    METHOD_REFUSED = "method_refused"
    METHOD_MISSING = "method_missing"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What an account owes in a currency and did not pay, since `start_time`.

    `retry_time` is when it is tried again, None where the ladder is at its end; `tried` counts its rungs. `at_once`
    asks for an attempt outside of the ladder, as a new method does. `refused` is a method that cannot help any more.
    """

    account_id: str
    currency: str
    start_time: int
    tried: int = 0
    retry_time: int | None = None
    at_once: bool = False
    refused: str = ""
    canceled: bool = False
    """Whether the subscription was ended for it: of a case that is done once."""

    @property
    def exhausted(self) -> bool:
        """Whether nothing is tried by itself any more."""
        return self.retry_time is None

    def next_time(self, *, now: int) -> int | None:
        """When it is tried next."""
        return now if self.at_once else self.retry_time

    def is_due(self, *, now: int) -> bool:
        """Whether it is to be tried now."""
        return self.at_once or (self.retry_time is not None and self.retry_time <= now)

    def failed(self, ladder: tuple[int, ...], *, now: int, advice: Advice | None, method_id: str) -> "Case":
        """After a failed attempt; the ladder is in days. A refusal for good rules out the method, not the ladder."""
        refused = method_id if advice in {Advice.NEW_METHOD, Advice.NEVER} else ""
        if self.at_once:
            return replace(self, at_once=False, refused=refused)
        return self.climbed(ladder, now=now, refused=refused)

    def climbed(self, ladder: tuple[int, ...], *, now: int, refused: str) -> "Case":
        """A rung further, with or without an attempt."""
        wait = ladder[self.tried] * _DAY if self.tried < len(ladder) else None
        retry_time = None if wait is None else now + wait
        return replace(self, tried=self.tried + 1, retry_time=retry_time, refused=refused)

    def reached(self, rules: DunningRules, *, now: int) -> DunningState | None:
        """What the account is for it: the worst of the steps that are reached."""
        found = [step.state for step in rules.steps if self._is_reached(step, now)]
        return max(found, key=_WORST.index, default=None)

    def next_step(self, rules: DunningRules, *, now: int) -> int | None:
        """When the next step is reached by its days."""
        times = [self.start_time + step.after_days * _DAY for step in rules.steps if step.after_days is not None]
        return min((time for time in times if time > now), default=None)

    def worse(self, rules: DunningRules, *, now: int) -> tuple[int, DunningState] | None:
        """When the account is next worse off where nobody pays, and what it is then; None: never."""
        here = self.reached(rules, now=now)
        rank = _WORST.index(here) if here is not None else -1
        ahead = [(self._time_of(step, rules), step.state) for step in rules.steps if _WORST.index(step.state) > rank]
        times = [(time, -_WORST.index(state)) for time, state in ahead if time is not None and time > now]
        if not times:
            return None
        time, worst = min(times)
        return time, _WORST[-worst]

    def _time_of(self, step: DunningStep, rules: DunningRules) -> int | None:
        """When a step is reached; None: it is, for the ladder is at its end."""
        if step.after_days is not None:
            return self.start_time + step.after_days * _DAY
        left = sum(rules.retry_after_days[self.tried :])
        return None if self.retry_time is None else self.retry_time + left * _DAY

    def _is_reached(self, step: DunningStep, now: int) -> bool:
        if step.after_days is None:
            return self.exhausted
        return self.start_time + step.after_days * _DAY <= now


_WORST = (DunningState.PAST_DUE, DunningState.SUSPENDED, DunningState.CANCELED)
_STANDS = {DunningState.PAST_DUE: Standing.PAST_DUE, DunningState.SUSPENDED: Standing.SUSPENDED}


def standing_of(states: Iterable[DunningState | None]) -> Standing:
    """What an account is for all its cases; of one whose subscription was ended it is late with its payment."""
    found = {_STANDS.get(state, Standing.PAST_DUE) for state in states if state is not None}
    return Standing.SUSPENDED if Standing.SUSPENDED in found else Standing.PAST_DUE if found else Standing.GOOD
