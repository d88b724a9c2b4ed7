"""What the invoices of one account are derived from, as it stands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from tallygate.billing.finalising import IssueTerms
from tallygate.billing.reductions import reductions_of
from tallygate.billing.taxing import tax_terms
from tallygate.domain.billing.calendar import Calendar
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.default_plans import default_timelines
from tallygate.domain.billing.discounts import Redemption
from tallygate.domain.billing.fees import Fee
from tallygate.domain.billing.late import LateFact, Reopened, reopened
from tallygate.domain.billing.runs import Run, next_cut, runs
from tallygate.domain.billing.tax import TaxTerms
from tallygate.domain.billing.timeline import Timeline
from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.catalog import Catalog
from tallygate.domain.errors import AccountNotFoundError
from tallygate.domain.money import rounded
from tallygate.domain.period import local_date, local_midnight
from tallygate.records.billing import LOOK_BACK
from tallygate.records.lookup import billing_calendar
from tallygate.records.ports import BillingWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """All that the invoices of one account are derived from."""

    account_id: str
    catalog: Catalog
    policy: BillingPolicy
    calendar: Calendar
    timelines: tuple[Timeline, ...]
    runs: tuple[Run, ...]
    """The runs of all its subscriptions."""
    closed_until: int
    fees: tuple[Fee, ...] = ()
    """Those that no invoice charges yet."""
    late: tuple[LateFact, ...] = ()
    """What came after the close of its period, and no close has settled."""
    test: bool = False
    """Of a test tenant, whose clock leaps: its documents are issued when they were due, as if it had walked."""
    tax: TaxTerms | None = None
    """By what its documents are taxed, as of when they are made; None where its tenant charges no tax."""
    void: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Its documents that are void and were not issued anew, with their lines: those give nothing back."""
    redemptions: tuple[Redemption, ...] = ()
    """The coupons that it redeemed, oldest first."""

    @property
    def amounts(self) -> Policy:
        """How amounts are made."""
        return Policy(
            currency=self.catalog.currency, proration=self.policy.proration, rounding=self.policy.rounding.amounts
        )

    @property
    def forgiven(self) -> frozenset[str]:
        """The lines of documents that are void."""
        return frozenset[str]().union(*self.void.values())

    @property
    def reopened(self) -> Reopened:
        """What came late, and the closed windows that it changes."""
        terms = {"until": self.closed_until, "periods": self.policy.late_periods, "begins": self.policy.start_time}
        return reopened(self.late, self.timelines, self.runs, self.calendar, self.amounts, **terms)

    def issue_terms(self, until: int) -> IssueTerms:
        """By which terms its documents are issued, of what was due by an instant."""
        return IssueTerms(
            policy=self.policy,
            amounts=self.amounts,
            seller_zone=self.catalog.time_zone,
            buyer_zone=self._zone_in_force(until),
        )

    def _zone_in_force(self, at: int) -> str:
        """The zone that the period around an instant is counted in."""
        for inside in (at, at - 1):
            for run in self.runs:
                if run.start <= inside < run.end:
                    return run.on.zone_of(run.period(inside))
        return self.calendar.zone_at(at)

    def next_cut(self) -> int | None:
        """The next instant at which this account is invoiced; None where there is none to come.

        Fees that no subscription's period takes are invoiced at the end of their calendar month; so is what came late
        when nothing is held any more.
        """
        cut = next_cut(self.runs, after=self.closed_until)
        fees = [fee for fee in self.fees if not any(run.start <= fee.create_time < run.end for run in self.runs)]
        if fees or (self.late and cut is None):
            first = max(fees[0].create_time if fees else 0, self.closed_until)
            month = self.calendar.month(first).end
            return month if cut is None else min(cut, month)
        return cut

    @property
    def look_back(self) -> int:
        """From when on lines that fell due are compared with what was issued: whole local days."""
        zone = self.calendar.zone_at(self.closed_until - LOOK_BACK)
        first = local_date(self.closed_until - LOOK_BACK, zone=zone) + timedelta(days=1)
        return max(local_midnight(first, zone=zone), self.policy.start_time) - 1

    def changed(self, timelines: Iterable[Timeline]) -> "Books":
        """The same books of other timelines: as the subscriptions would be after a change."""
        held = tuple(timelines)
        return replace(self, timelines=held, runs=tuple(run for one in held for run in runs(one, self.calendar)))

    def made(self, time: int) -> "Books":
        """The same books, for documents that are made at an instant."""
        return self if self.tax is None else replace(self, tax=replace(self.tax, time=time))

    def ready(self, cut: int) -> int:
        """When a cut may be made: an opening at once, a period after its grace and review."""
        return cut if self.opens_at(cut) else cut + max(self.policy.grace, self.policy.review)

    def reviewed(self, cut: int) -> bool:
        """Whether what a cut makes is a draft first."""
        return bool(self.policy.review) and not self.opens_at(cut)

    def opens_at(self, cut: int) -> bool:
        """Whether a cut is the beginning of what is charged."""
        return any(run.start == cut for run in self.runs)

    def openings(self, after: int) -> dict[int, frozenset[str]]:
        """The subscriptions that begin to be charged behind an instant, by when they do, the first one first."""
        found: dict[int, set[str]] = {}
        for timeline in self.timelines:
            if after < timeline.origin < timeline.end and not timeline.by_default:
                found.setdefault(timeline.origin, set()).add(timeline.subscription.subscription_id)
        return {at: frozenset(found[at]) for at in sorted(found)}


async def read_books(
    work: BillingWork,
    account_id: str,
    *,
    now: int,
) -> Books | None:
    """What an account's invoices are derived from; None where its tenant does not bill.

    Raises:
        AccountNotFoundError: there is no such account.
    """
    account = await work.accounts.get(account_id)
    if account is None:
        raise AccountNotFoundError(account_id=account_id)
    catalog = await work.catalog.load()
    if catalog.billing is None:
        return None
    state = await work.billing_accounts.get(account_id)
    held = await work.subscriptions.of(account_id)
    quantities = tuple(await work.quantities.of(account_id))
    calendar = await billing_calendar(work, account, catalog)
    overrides = tuple(await work.price_overrides.of(account_id))
    timelines = tuple(
        Timeline(
            subscription=one.subscription,
            catalog=catalog,
            cancel_time=one.cancel_time,
            quantities=quantities,
            overrides=overrides,
        )
        for one in held
    )
    timelines += tuple(
        default_timelines(
            account_id,
            catalog,
            [one.subscription for one in held],
            create_time=account.create_time,
            quantities=quantities,
            overrides=overrides,
        )
    )
    return Books(
        account_id=account_id,
        catalog=catalog,
        policy=catalog.billing,
        calendar=calendar,
        timelines=timelines,
        runs=tuple(run for timeline in timelines for run in runs(timeline, calendar)),
        test=(await work.tenants.get()).test,
        fees=tuple(
            fee
            for fee in await work.fees.uninvoiced(account_id)
            if rounded(fee.exact, catalog.billing.rounding.amounts)  # what comes to nothing is on no invoice
        ),
        late=tuple(await work.late_usage.of(account_id)),
        closed_until=state.closed_until if state is not None else catalog.billing.start_time - 1,
        tax=await tax_terms(work, account_id, catalog, now=now),
        void={
            each.invoice_id: each.line_keys
            for each in await work.issued_lines.forgiven(account_id)
            if not each.reissued
        },
        redemptions=await reductions_of(work, account_id),
    )
