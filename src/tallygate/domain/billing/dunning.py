"""When a payment that failed is tried again: a ladder of waits, each from the attempt before. No clock, no I/O."""

from dataclasses import dataclass, replace

from tallygate.domain.billing.payments import Advice

_DAY = 86_400_000_000


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
