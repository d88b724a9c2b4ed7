"""What an account used, under every other plan: the documents that each would have made of the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from tallygate.billing.books import Books
from tallygate.billing.due_lines import due_lines
from tallygate.billing.quotes import supposed_books
from tallygate.billing.supposed import RetoldLog, Supposed, SupposedLines
from tallygate.billing.taxing import tax_terms
from tallygate.domain.account import AddOnHolding, PlanTerm, Subscription
from tallygate.domain.billing.allowances import Allowance, allowance, exceeded
from tallygate.domain.billing.documents import Invoice, InvoiceKind, documents
from tallygate.domain.billing.lines import LineKind
from tallygate.domain.billing.timeline import Timeline
from tallygate.domain.billing.windows import UsageWindow
from tallygate.domain.catalog import AddOn, Catalog, Feature, FeatureKind, Plan
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.period import UsagePeriod
from tallygate.domain.prices import Price, UsagePrice
from tallygate.records.lookup import billing_calendar, known_account
from tallygate.records.ports import BillingWork
from tallygate.records.values import StoredSubscription

LONGEST = 366 * 86_400_000_000
"""The longest range that is compared: a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What a plan would have charged, a document each currency, and of which features it grants less than was used."""

    plan: Plan
    current: bool
    documents: tuple[Invoice, ...]
    exceeded: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A range, and the plans by key."""

    period: UsagePeriod
    plans: tuple[Compared, ...]


async def compare_plans(
    work: BillingWork, held: StoredSubscription, *, start: int | None, end: int | None, now: int
) -> Comparison:
    """What an account held and used in a range, under its plan and every other on sale; set-up amounts left out.

    Without a range it is the invoice period that ended last; of the first one, what has passed of it.

    Raises:
        AccountNotFoundError: there is no such account.
        InvalidFieldError: the range is empty, longer than a year, or not past.
    """
    account = await known_account(work, held.account_id)
    catalog = await work.catalog.load()
    known = Timeline(
        subscription=held.subscription,
        catalog=catalog,
        quantities=tuple(await work.quantities.of(held.account_id)),
        overrides=tuple(await work.price_overrides.of(held.account_id)),
    )
    calendar = await billing_calendar(work, account, catalog)
    books = supposed_books(held.account_id, known, calendar, closed_until=now)
    period = _range(books, start, end, now)
    current = known.plan_at(min(now, known.end - 1)) or catalog.plan(held.subscription.terms[-1].plan_key)
    wanted = {key: plan for key in sorted(catalog.plans) if (plan := catalog.plan(key)) and not plan.archived}
    if current is not None:
        wanted[current.plan_key] = current
    others = {key: _under(known, plan, period) for key, plan in sorted(wanted.items())}
    beyond = await _beyond(work, books, others, period, _metered(catalog, current))
    return Comparison(
        period=period,
        plans=tuple(
            [
                Compared(
                    plan=wanted[key],
                    current=current is not None and key == current.plan_key,
                    documents=await _documents(work, books, other, period),
                    exceeded=exceeded(beyond[key]),
                )
                for key, other in others.items()
            ]
        ),
    )


def _range(books: Books, start: int | None, end: int | None, now: int) -> UsagePeriod:
    usual = _last_period(books, now)
    first, last = usual.start if start is None else start, usual.end if end is None else end
    if last > now:
        raise InvalidFieldError(field="end_time", expected="not after now")
    if not first < last <= first + LONGEST:
        raise InvalidFieldError(field="start_time", expected="before end_time, by at most 366 days")
    return UsagePeriod(first, last)


def _last_period(books: Books, now: int) -> UsagePeriod:
    for run in reversed(books.runs):
        if run.start < now:
            running = run.stretch(run.period(min(now, run.end) - 1))
            if running.end <= now:
                return running
            return (
                run.stretch(run.period(running.start - 1))
                if running.start > run.start
                else UsagePeriod(running.start, now)
            )
    return UsagePeriod(now - 1, now)


def _under(known: Timeline, plan: Plan, period: UsagePeriod) -> Timeline:
    """What was held in a range, as if another plan had served; add-ons that it does not offer are left out."""
    held = known.subscription
    return replace(
        known,
        cancel_time=None,
        subscription=Subscription(
            subscription_id=held.subscription_id,
            state=held.state,
            start_time=period.start,
            terms=(PlanTerm(plan_key=plan.plan_key, plan_version=plan.version, start_time=period.start),),
            end_time=period.end,
            add_ons=tuple(_held(known.catalog, held.add_ons, plan, period)),
        ),
    )


def _held(catalog: Catalog, held: Sequence[AddOnHolding], plan: Plan, period: UsagePeriod) -> Iterable[AddOnHolding]:
    for each in held:
        add_on = catalog.add_on(each.add_on_key, each.version)
        start, end = max(each.start_time, period.start), each.end_time
        offered = isinstance(add_on, AddOn) and plan.plan_key in add_on.offered_on
        if offered and start < period.end and (end is None or end > start):
            yield replace(each, start_time=start)


def _metered(catalog: Catalog, current: Plan | None) -> list[Feature]:
    granted = current.entitlements if current is not None else {}
    features = (catalog.features[key] for key in sorted(granted) if key in catalog.features)
    return [feature for feature in features if feature.kind is FeatureKind.METERED]


async def _beyond(
    work: BillingWork, books: Books, others: Mapping[str, Timeline], period: UsagePeriod, features: Sequence[Feature]
) -> dict[str, dict[str, Allowance]]:
    """What of each plan was taken: every feature is read once for all of them."""
    found: dict[str, dict[str, Allowance]] = {key: {} for key in others}
    through = await work.usage_log.head()
    for feature in features:
        for key, other in others.items():
            found[key][feature.feature_key] = allowance(
                other, feature, at=period.start, zone=books.calendar.zone_at(period.start)
            )
        async for fact in work.usage_log.facts(books.account_id, _everything(feature, period), through=through):
            for allowances in found.values():
                allowances[feature.feature_key].told(fact)
    return found


def _everything(feature: Feature, period: UsagePeriod) -> UsageWindow:
    usage = UsagePrice(feature_key=feature.feature_key)
    return UsageWindow(
        line="",
        subscription_id="",
        price=Price(usage=usage),
        usage=usage,
        reference="",
        label="",
        start=period.start,
        end=period.end,
        begins=period.start,
        due=period.end,
        whole=period,
        part=Fraction(1),
    )


async def _documents(work: BillingWork, books: Books, other: Timeline, period: UsagePeriod) -> tuple[Invoice, ...]:
    tax = await tax_terms(work, books.account_id, other.catalog, now=period.end)
    supposed = supposed_books(books.account_id, other, books.calendar, closed_until=period.start - 1)
    sources = Supposed(
        tenant_id=work.tenant_id,
        issued_lines=SupposedLines(),
        usage_log=RetoldLog(
            log=work.usage_log,
            timeline=other,
            features=other.catalog.features,
            zone=books.calendar.zone_at(period.start),
        ),
    )
    lines = [line for line in await due_lines(sources, supposed, period.end) if line.kind is not LineKind.SETUP]
    made = documents(
        lines, tenant_id=work.tenant_id, account_id=books.account_id, kind=InvoiceKind.PERIOD, period=period, tax=tax
    )
    return tuple(made)
