"""What a business looks like: recurring revenue, who stayed and who left. No clock, no I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tallygate.domain.account import SubscriptionState
from tallygate.domain.billing.recurring_rate import per_30_days_of
from tallygate.domain.billing.timeline import Timeline, lanes
from tallygate.domain.currency import minor_units

MOST_LOST = 1_000
"""So many of the accounts that left are told one by one; all are counted."""

_BEFORE_IT_SERVES = SubscriptionState.INCOMPLETE


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """An account that had a subscription and has none any more: when it ended, on which plan, who said why."""

    account_id: str
    plan_key: str
    end_time: int
    reason: str = ""
    last_activity: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Customers:
    """Accounts that a subscription serves past its trial: as a time starts, those that came, and those lost."""

    at_start: int = 0
    gained: int = 0
    lost: tuple[Lost, ...] = ()

    @property
    def at_end(self) -> int:
        """How many there are at its end."""
        return self.at_start + self.gained - len(self.lost)

    @property
    def churn(self) -> Fraction:
        """What part of those at the start was lost, in per cent."""
        return Fraction(100 * len(self.lost), self.at_start) if self.at_start else Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What the ledger says of a time in one currency, in minor units.

    `invoiced` is what documents charged less what they gave back, with tax; `received` is money that came less what
    went back; `income` what was earned less what was given back of it; `outstanding` what is due at the end.
    """

    currency: str
    recurring: Fraction = Fraction(0)
    invoiced: int = 0
    received: int = 0
    income: int = 0
    outstanding: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of it: `books` by currency."""

    start: int
    end: int
    customers: Customers
    books: Sequence[Books] = field(default_factory=tuple)


def serving(timelines: Iterable[Timeline], at: int) -> Timeline | None:
    """The subscription that serves past its trial at an instant, whether it is paused or not."""
    for timeline in timelines:
        state = timeline.subscription.state
        if not timeline.by_default and state is not _BEFORE_IT_SERVES and timeline.origin <= at < timeline.end:
            return timeline
    return None


def recurring(timelines: Iterable[Timeline], at: int, *, currency: str) -> Mapping[str, Fraction]:
    """What accounts pay by the month at an instant, by currency, exactly, in minor units; a year is 12 months."""
    found: dict[str, Fraction] = {}
    for timeline in timelines:
        for lane in lanes(timeline):
            for segment in lane.segments:
                if segment.start <= at < segment.end and segment.price.recurring is not None:
                    each = per_30_days_of(segment.price.recurring, segment.quantity, segment.multiple)
                    own = segment.price.currency or currency
                    found[own] = found.get(own, Fraction(0)) + minor_units(each, own)
    return found
