"""An account's invoices, made when their time has come: cut by cut, oldest first, each in one transaction.

Running it again changes nothing: what was issued is not due any more, and a line's key exists once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from tallygate.billing.committing import due_commitments
from tallygate.billing.finalising import IssueTerms, finalise
from tallygate.billing.ports import Sources
from tallygate.billing.taxing import credited_lines, tax_terms
from tallygate.domain.billing.adjusting import IssuedLine, adjustments, lane_of, vanished
from tallygate.domain.billing.counting import Tally, count
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.default_plans import default_timelines
from tallygate.domain.billing.discounts import Redemption
from tallygate.domain.billing.documents import Basis, Invoice, InvoiceKind, documents
from tallygate.domain.billing.fees import Fee, fee_line
from tallygate.domain.billing.late import LateFact, Reopened, Unrated, reopened
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.models_units import Counted
from tallygate.domain.billing.rating import Billed, Issued, counted_before, fixed_lines, has_fixed_prices, usage_line
from tallygate.domain.billing.runs import Calendar, Run, next_cut, runs
from tallygate.domain.billing.tax import TaxTerms
from tallygate.domain.billing.timeline import Timeline
from tallygate.domain.billing.windows import LEVELS, UsageWindow, follows, usage_windows
from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.catalog import Catalog
from tallygate.domain.currency import decimals_of
from tallygate.domain.errors import AccountNotFoundError
from tallygate.domain.money import rounded
from tallygate.domain.period import PeriodRule, UsagePeriod, local_date, local_midnight, usage_period
from tallygate.records.billing import AUDIT, CLOSE, COMPLETENESS, LOOK_BACK, BillingAccount, Uncharged
from tallygate.records.lookup import billing_calendar
from tallygate.records.ports import BillingWork

ADJUSTMENT = "Adjustment: "
"""What the text of a line of usage begins with that came to light after its period was invoiced."""
_A_DAY = 86_400_000_000
_MOST_CUTS = 25
"""Cuts of one transaction: the rest of a long outage is another's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What came of a look at an account: documents that were issued, and when to look again (None: never)."""

    invoices: tuple[Invoice, ...] = ()
    next_time: int | None = None


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
    redemptions: tuple[Redemption, ...] = ()
    """The coupons that it redeemed, oldest first."""

    @property
    def amounts(self) -> Policy:
        """How amounts are made."""
        return Policy(
            currency=self.catalog.currency, proration=self.policy.proration, rounding=self.policy.rounding.amounts
        )

    @property
    def reopened(self) -> Reopened:
        """What came late, and the closed windows that it changes."""
        terms = {"until": self.closed_until, "periods": self.policy.late_periods, "begins": self.policy.start_time}
        return reopened(self.late, self.timelines, self.runs, self.calendar, self.amounts, **terms)

    @property
    def issue_terms(self) -> IssueTerms:
        """By which terms its documents are issued."""
        return IssueTerms(
            policy=self.policy,
            amounts=self.amounts,
            seller_zone=self.catalog.time_zone,
            buyer_zone=self.calendar.zone,
        )

    def next_cut(self) -> int | None:
        """The next instant at which this account is invoiced; None where there is none to come.

        Fees that no subscription's period takes are invoiced at the end of their calendar month; so is what came late
        when nothing is held any more.
        """
        cut = next_cut(self.runs, after=self.closed_until)
        fees = [fee for fee in self.fees if not any(run.start <= fee.create_time < run.end for run in self.runs)]
        if fees or (self.late and cut is None):
            first = max(fees[0].create_time if fees else 0, self.closed_until)
            month = usage_period(PeriodRule(), zone=self.calendar.zone, origin=None, at=first).end
            return month if cut is None else min(cut, month)
        return cut

    @property
    def look_back(self) -> int:
        """From when on lines that fell due are compared with what was issued: whole local days."""
        zone = self.calendar.zone
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
        """When a cut may be made: an opening at once, a period after its grace."""
        return cut if self.opens_at(cut) else cut + self.policy.grace

    def opens_at(self, cut: int) -> bool:
        """Whether a cut is the beginning of what is charged."""
        return any(run.start == cut for run in self.runs)


async def close_account(work: BillingWork, account_id: str, *, now: int, due_time: int | None = None) -> Closed:
    """Issue every invoice of an account whose time has come, and plan the next look.

    Of a test tenant only the one that the look at `due_time` is about: those of others may lie before the next.

    Raises:
        AccountNotFoundError: there is no such account.
    """
    books = await read_books(work, account_id, now=now)
    if books is None:
        await work.jobs.done(CLOSE, account_id)
        return Closed()
    issued: list[Invoice] = []
    for _ in range(1 if books.test else _MOST_CUTS):  # a test's clock leaps over cuts of others in between
        cut = books.next_cut()
        if cut is None or books.ready(cut) > (due_time if books.test and due_time is not None else now):
            break
        at = books.ready(cut) if books.test else now
        issued += await _issue(work, books, cut, now=at)
        if books.late:
            await work.late_usage.settle(account_id, books.reopened.unrated(), now=now)
        fees = tuple(fee for fee in books.fees if fee.create_time >= cut)
        redemptions = tuple(await work.coupons.redeemed_by(account_id)) if books.redemptions else ()
        books = replace(books, closed_until=cut, fees=fees, late=(), redemptions=redemptions)
    await work.billing_accounts.put(
        BillingAccount(account_id=account_id, closed_until=books.closed_until, zone=books.calendar.zone)
    )
    if issued and not books.test:
        await _plan_checks(work, account_id, now=now)
    return Closed(invoices=tuple(issued), next_time=await _plan(work, books))


async def close_accounts(work: BillingWork, account_ids: Sequence[str], *, now: int) -> tuple[Closed, ...]:
    """Close accounts in one transaction, in order of id, with what they are derived from read for all at once."""
    ordered = sorted(account_ids)
    await work.late_usage.catch_up()
    await work.gather(ordered)
    return tuple([await close_account(work, account_id, now=now) for account_id in ordered])


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
        redemptions=tuple(await work.coupons.redeemed_by(account_id)),
    )


async def due_lines(work: Sources, books: Books, cut: int, *, noted: list[Uncharged] | None = None) -> tuple[Line, ...]:
    """Every line that is due at a cut and was not issued; what no line charges is `noted`."""
    since = books.closed_until
    found = await due_fixed_lines(work, books, cut)
    for timeline in books.timelines:
        windows = usage_windows(
            timeline, books.calendar, books.amounts, since=since, until=cut, begins=books.policy.start_time
        )
        found += await usage_lines(work, books, windows, noted=noted)
    late = await usage_lines(work, books, books.reopened.windows, noted=noted)
    found += [replace(line, text=f"{ADJUSTMENT}{line.text}") for line in late]
    found += await due_commitments(
        work, books.account_id, books.timelines, books.calendar, books.amounts, found, since=since, until=cut
    )
    found += due_fees(books, cut)
    return tuple(found)


def due_fees(books: Books, cut: int) -> list[Line]:
    """The lines of fees that were created before a cut and not issued."""
    rounding = books.policy.rounding.amounts
    fees = [fee for fee in books.fees if fee.create_time < cut]
    return [fee_line(fee, rounding, decimals=decimals_of(fee.currency)) for fee in fees]


async def due_fixed_lines(work: Sources, books: Books, until: int) -> list[Line]:
    """Every line but those of usage and fees that falls due by an instant and was not issued.

    What was issued within `LOOK_BACK` is compared with what the subscriptions say now, and adjusted.
    """
    found: list[Line] = []
    issued = await work.issued_lines.since(books.account_id, since=books.look_back)
    for timeline in books.timelines:
        found += await _fixed_lines_of(work, books, timeline, issued, until)
    return found


async def _fixed_lines_of(
    work: Sources, books: Books, timeline: Timeline, issued: Sequence[IssuedLine], until: int
) -> list[Line]:
    own = f"/{timeline.subscription.subscription_id}/"
    mine, since = [line for line in issued if own in line.line_key], books.look_back
    if not mine and timeline.origin <= since and has_fixed_prices(timeline):  # created in the past, or long paid ahead
        since = max(timeline.origin, books.policy.start_time) - 1
        mine = [line for line in await work.issued_lines.since(books.account_id, since=since) if own in line.line_key]
    mine = [line for line in mine if lane_of(line.line_key)]
    known = Issued(keys=frozenset(line.line_key for line in mine))
    calendar, policy = books.calendar, books.amounts
    new = fixed_lines(timeline, calendar, policy, since=books.closed_until, until=until, issued=known)
    derived = fixed_lines(timeline, calendar, policy, since=since, until=until, issued=Issued())
    gone = await work.issued_lines.whole(missing) if (missing := vanished(derived, mine, zone=calendar.zone)) else {}
    return [
        *new,
        *adjustments(derived, mine, new, gone=gone, policy=policy, zone=calendar.zone, at=until),
    ]


async def usage_lines(
    work: Sources, books: Books, windows: Sequence[UsageWindow], *, noted: list[Uncharged] | None = None
) -> list[Line]:
    """What windows come to by now that was not charged; the facts that none of them charges are `noted`."""
    if not windows:
        return []
    through = await work.usage_log.head()
    billed = await work.issued_lines.usage([window.line for window in windows])
    counted = {window.line: await count_window(work, books, window, through) for window in windows}
    found: list[Line] = []
    for window in windows:
        tally = counted[window.line]
        before = counted_before([(other, counted[other.line].counted) for other in follows(window, windows)])
        if noted is not None:
            noted += _uncharged(window, tally, before.counted)
        line = usage_line(
            window,
            tally.counted,
            books.amounts,
            before=before,
            billed=billed.get(window.line, Billed()),
            through_sequence=through,
        )
        found += [line] if line is not None else []
    return found


async def count_window(work: Sources, books: Books, window: UsageWindow, through: int) -> Tally:
    """What a window counts of the log up to a sequence number."""
    feature = books.catalog.features[window.usage.feature_key]
    levels = feature.aggregation in LEVELS
    opening = await work.usage_log.level_before(books.account_id, window, through=through) if levels else 0
    facts = work.usage_log.facts(books.account_id, window, through=through)
    return await count(facts, window, feature, currency=books.catalog.currency, opening=opening)


def _uncharged(window: UsageWindow, tally: Tally, before: Counted) -> Iterator[Uncharged]:
    unread = [(fact, Unrated.UNREADABLE) for fact in tally.unreadable]
    for fact, reason in [*unread, *((fact, Unrated.REFUND_EXCEEDS_PERIOD) for fact in tally.in_excess(before))]:
        feature_key, price_key = window.usage.feature_key, window.price.price_key
        yield Uncharged(fact=fact, feature_key=feature_key, price_key=price_key, reason=reason)


async def _issue(work: BillingWork, books: Books, cut: int, *, now: int) -> list[Invoice]:
    books = books.made(now)
    noted: list[Uncharged] = []
    made = await made_at(work, books, cut, noted=noted)
    await work.late_usage.note(books.account_id, noted, now=now)
    return await issue(work, books, made, until=cut, now=now)


async def issue(
    work: BillingWork,
    books: Books,
    made: Sequence[Invoice],
    *,
    until: int,
    at_once: bool = False,
    reissues: str = "",
    now: int,
) -> list[Invoice]:
    """Issue documents that were made of these books, of what was due by an instant, with what was known of them."""
    if not made:
        return []
    basis = replace(await _basis(work, books, until=until, at_once=at_once), reissues=reissues)
    return [await finalise(work, replace(each, basis=basis), books.issue_terms, now=now) for each in made]


async def _basis(work: BillingWork, books: Books, *, until: int, at_once: bool) -> Basis:
    mark = await work.marks.of(books.account_id)
    held = books.timelines[0] if books.timelines else None  # all of an account have the same quantities and overrides
    return Basis(
        since=books.closed_until,
        until=until,
        documents=mark.documents,
        changes=mark.changes,
        through=await work.usage_log.head(),
        quantities=Counter(change.source for change in held.quantities) if held else {},
        overrides={override.override_id: override.end_time for override in held.overrides} if held else {},
        late=tuple(sorted({fact.feature_key for fact in books.late})),
        late_periods=books.policy.late_periods,
        at_once=at_once,
        tax=books.tax,
        redemptions={each.redemption_id: each.uses for each in books.redemptions},
    )


async def made_at(
    work: Sources, books: Books, cut: int, *, noted: list[Uncharged] | None = None
) -> tuple[Invoice, ...]:
    """The documents that a cut makes, without numbers; the facts that they charge nowhere are `noted`."""
    lines = await due_lines(work, books, cut, noted=noted)
    opening = books.opens_at(cut)
    kind = InvoiceKind.OPENING if opening else InvoiceKind.PERIOD
    made = documents(
        lines,
        tenant_id=work.tenant_id,
        account_id=books.account_id,
        kind=kind,
        period=_period_of(books, cut),
        cause=str(cut),
        tax=books.tax,
        credited=await credited_lines(work, lines),
        redemptions=books.redemptions,
        rounding=books.amounts.rounding,
    )
    return tuple(made)


def _period_of(books: Books, cut: int) -> UsagePeriod:
    """What an invoice is for: the period that an opening one opens, or the one that a cut ends."""
    inside = cut if books.opens_at(cut) else cut - 1
    for run in books.runs:
        if run.start <= inside < run.end:
            return run.stretch(run.period(inside))
    return UsagePeriod(usage_period(PeriodRule(), zone=books.calendar.zone, origin=None, at=inside).start, cut)


async def _plan_checks(work: BillingWork, account_id: str, *, now: int) -> None:
    """An account's books were written: they are looked at within a day, and its tenant's ledger."""
    await work.jobs.hasten(COMPLETENESS, account_id, due_time=now + _A_DAY)
    await work.jobs.hasten(AUDIT, "", due_time=now + _A_DAY)


async def _plan(work: BillingWork, books: Books) -> int | None:
    cut = books.next_cut()
    if cut is None:
        await work.jobs.done(CLOSE, books.account_id)
        return None
    due = books.ready(cut)
    await work.jobs.schedule(CLOSE, books.account_id, due_time=due)
    return due
