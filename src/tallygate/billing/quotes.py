"""What a plan would cost before anybody buys it: the first documents of a subscription that is not there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tallygate.billing.books import Books
from tallygate.billing.due_lines import made_at
from tallygate.billing.profiles import check_place
from tallygate.billing.supposed import ExpectedLog, ExpectedUsage, Supposed, SupposedLines
from tallygate.billing.taxing import terms_for
from tallygate.domain.account import Subscription
from tallygate.domain.billing.calendar import Calendar
from tallygate.domain.billing.discounts import Redemption, taken_by
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.parties import Address, BillingProfile, Party
from tallygate.domain.billing.runs import runs
from tallygate.domain.billing.tax import TaxTerms
from tallygate.domain.billing.timeline import PriceOverride, QuantityChange, Timeline
from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.catalog import Catalog, Feature, FeatureKind, Plan
from tallygate.domain.errors import InvalidFieldError
from tallygate.records.lookup import billing_calendar, feature_of, known_account
from tallygate.records.ports import BillingWork

MOST_EVENTS = 10_000
"""Events, or members, of all expected usage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Usage that is expected in a service period: events of a feature, each of a quantity and with these dimensions."""

    feature_key: str
    quantity: int
    events: int = 1
    dimensions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Who asks: an account, or anybody where it is empty; and where they are, if not as their profile says."""

    account_id: str = ""
    place: Address = field(default_factory=Address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Less:
    """What is off: own prices, as of periods paid at once, and coupons as if they were redeemed, in their order."""

    own: Sequence[PriceOverride] = ()
    redemptions: Sequence[Redemption] = ()


NOTHING = Less()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What is charged at once (from `start_time` on, the end of a trial), and what at the first period's end.

    `plan` is the one that it is charged for, which need not be the one that the trial was of; None: the subscription
    ends with its trial, at `trial_end_time`.
    """

    start_time: int
    plan: Plan | None
    trial_end_time: int | None
    opening: tuple[Invoice, ...]
    following: tuple[Invoice, ...]
    cut_time: int | None


async def quote(
    work: BillingWork,
    subscription: Subscription,
    *,
    buyer: Buyer,
    quantities: Mapping[str, int],
    usage: Sequence[Expected],
    less: Less = NOTHING,
    now: int,
) -> Quote:
    """The documents of a subscription with so many seats (by feature; users under an empty key) and such usage.

    They are those that the account, or a new one, would get if it subscribed now.

    Raises:
        AccountNotFoundError: there is no such account.
        FeatureNotFoundError: there is no such feature.
        InvalidFieldError: a feature has no seats, or no usage, or more is expected than can be priced at once.
    """
    catalog, account_id = await work.catalog.load(), buyer.account_id
    expected = _expected(catalog, usage)
    _check_seats(catalog, quantities)
    calendar, overrides = await _terms(work, catalog, account_id, now)
    start = subscription.start_time
    timeline = Timeline(
        subscription=subscription,
        catalog=catalog,
        quantities=tuple(QuantityChange(source=key, change_time=start, quantity=n) for key, n in quantities.items()),
        overrides=(*overrides, *less.own),
    )
    books = supposed_books(account_id, timeline, calendar, closed_until=timeline.origin - 1)
    books = replace(books, redemptions=tuple(less.redemptions), tax=await _tax(work, buyer, catalog, now))
    log = ExpectedLog(timeline=timeline, zone=calendar.zone_at(start), usage=expected)
    found: list[tuple[Invoice, ...]] = []
    cut = books.next_cut()
    for _ in range(2):  # the opening, and what the first period's end adds
        if cut is None:
            break
        issued = SupposedLines.of([document for made in found for document in made])
        sources = Supposed(tenant_id=work.tenant_id, issued_lines=issued, usage_log=log)
        found.append(await made_at(sources, books.made(books.ready(cut)), cut))
        books = replace(books, closed_until=cut, redemptions=tuple(_used(books.redemptions, found[-1])))
        cut = books.next_cut()
    opening, following = (*found, (), ())[:2]
    return Quote(
        start_time=timeline.origin,
        plan=timeline.plan_at(timeline.origin),
        trial_end_time=subscription.trial_end_time,
        opening=opening,
        following=following,
        cut_time=books.closed_until if len(found) > 1 else None,
    )


def _used(redemptions: Sequence[Redemption], documents: Sequence[Invoice]) -> Iterator[Redemption]:
    """Coupons after the documents that they took from."""
    for each in redemptions:
        uses = sum(each.redemption_id in taken_by(document.lines) for document in documents)
        yield replace(each, uses=each.uses + uses)


def supposed_books(account_id: str, timeline: Timeline, calendar: Calendar, *, closed_until: int) -> Books:
    """Books of one subscription alone, of which everything is charged from `closed_until` on."""
    catalog = timeline.catalog
    policy = replace(catalog.billing or BillingPolicy(), start_time=0)
    return Books(
        account_id=account_id,
        catalog=catalog,
        policy=policy,
        calendar=calendar,
        timelines=(timeline,),
        runs=runs(timeline, calendar),
        closed_until=closed_until,
    )


async def _tax(work: BillingWork, buyer: Buyer, catalog: Catalog, now: int) -> TaxTerms | None:
    check_place("", buyer.place)
    known = await work.profiles.get(buyer.account_id) if buyer.account_id else None
    if buyer.place.country:
        known = known or BillingProfile(account_id=buyer.account_id, party=Party(name=""))
        known = replace(known, party=replace(known.party, address=buyer.place))
    return await terms_for(work, known, catalog, now=now)


async def _terms(
    work: BillingWork, catalog: Catalog, account_id: str, now: int
) -> tuple[Calendar, tuple[PriceOverride, ...]]:
    if not account_id:
        return Calendar(zone=catalog.time_zone, account_create_time=now), ()
    account = await known_account(work, account_id)
    return await billing_calendar(work, account, catalog), tuple(await work.price_overrides.of(account_id))


def _expected(catalog: Catalog, usage: Sequence[Expected]) -> list[ExpectedUsage]:
    found: list[ExpectedUsage] = []
    left = MOST_EVENTS
    for index, each in enumerate(usage):
        feature = _of_kind(catalog, each.feature_key, FeatureKind.METERED, f"usage[{index}].feature_key", "a metered")
        one = ExpectedUsage(
            feature=feature, quantity=each.quantity, events=each.events, dimensions=dict(each.dimensions)
        )
        left -= one.size
        if left < 0:
            expected = f"at most {MOST_EVENTS} events, or distinct members, in all"
            raise InvalidFieldError(field=f"usage[{index}].events", expected=expected, got=each.events)
        found.append(one)
    return found


def _check_seats(catalog: Catalog, quantities: Mapping[str, int]) -> None:
    for key in quantities:
        if key:
            _of_kind(catalog, key, FeatureKind.SEAT, "seats", "a seat")


def _of_kind(catalog: Catalog, feature_key: str, kind: FeatureKind, field: str, wanted: str) -> Feature:
    feature = feature_of(catalog, feature_key)
    if feature.kind is not kind:
        raise InvalidFieldError(field=field, expected=f"{wanted} feature", got=feature_key)
    return feature
