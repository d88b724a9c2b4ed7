"""Laws of billing on the pure engine: covers tile, changes net to what was held, how often one invoices is no matter.

Each law is tried once more with a bug that was planted, which it must find.
"""

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from invoice_engine import Bill, Log, Work
from searches import FOR_PLANTED_BUGS
from tallygate.billing import due_lines
from tallygate.billing.books import Books
from tallygate.billing.due_lines import change_documents, made_at
from tallygate.domain.account import PlanTerm, Subscription, SubscriptionState
from tallygate.domain.billing import cover as covers
from tallygate.domain.billing import rating
from tallygate.domain.billing.calendar import Calendar, Grid
from tallygate.domain.billing.counting import count
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.models_units import owed
from tallygate.domain.billing.rating import Billed, Issued, usage_line
from tallygate.domain.billing.runs import lanes_of, next_cut, runs
from tallygate.domain.billing.timeline import QuantityChange, Timeline
from tallygate.domain.billing.unprorated import as_charged
from tallygate.domain.billing.windows import usage_windows
from tallygate.domain.billing_terms import BillingPolicy, Proration
from tallygate.domain.catalog import Catalog, Feature, FeatureKind, Plan
from tallygate.domain.event import FactKind, FactSource, UsageFact
from tallygate.domain.period import from_datetime, to_datetime
from tallygate.domain.prices import ChargeModel, Due, Price, RecurringPrice, Tier, UsagePrice
from tallygate.domain.timetable import Since

HOUR = 3_600_000_000
DAY = 24 * HOUR
ORIGIN = from_datetime(datetime(2031, 1, 31, 10, 30, tzinfo=UTC))
END = ORIGIN + 95 * DAY
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
AMOUNTS = {"a": "31.00", "b": "10.01", "c": "49.99"}
FEW = settings(max_examples=150, deadline=None)
HOURS = st.integers(0, 93 * 24)
CHANGES = st.lists(st.tuples(HOURS, st.sampled_from("abc")), max_size=6, unique_by=lambda one: one[0])
SEATS = st.lists(st.tuples(HOURS, st.integers(0, 7)), max_size=6, unique_by=lambda one: one[0])
PRORATIONS = st.sampled_from([Proration.DAY, Proration.SECOND])
MOVES = st.lists(st.tuples(HOURS, ZONES), max_size=3, unique_by=lambda one: one[0])


@st.composite
def calendars(draw):
    """The zone of the account, and others that it moves to."""
    moves = tuple(Since(ORIGIN + hours * HOUR, zone) for hours, zone in sorted(draw(MOVES)) if hours)
    return Calendar(zone=draw(ZONES), account_create_time=ORIGIN, changes=moves)


CALENDARS = calendars()
MOVED_AT_ONCE = Calendar(
    zone="UTC", account_create_time=ORIGIN, changes=(Since(start=ORIGIN + HOUR, value="America/New_York"),)
)


def plan(key, *prices):
    return Plan(plan_key=key, version=1, name=key, prices=prices)


def recurring(amount, **more):
    return Price(price_key="users" if more else "recurring", recurring=RecurringPrice(amount=amount, **more))


def held(changes, seats=(), *, due=Due.ADVANCE, prices=()):
    """Plan `a` from the origin on, then what the changes say; so many seats at $7.77 as they say."""
    each = recurring("7.77", seats="seats") if seats else None
    plans = {
        key: {
            1: plan(key, recurring(amount) if due is Due.ADVANCE else late(amount), *prices, *([each] if each else []))
        }
        for key, amount in AMOUNTS.items()
    }
    terms = [(0, "a"), *((hours, key) for hours, key in sorted(changes) if hours)]
    subscription = Subscription(
        subscription_id="s",
        state=SubscriptionState.ACTIVE,
        start_time=ORIGIN,
        terms=tuple(PlanTerm(plan_key=key, plan_version=1, start_time=ORIGIN + hours * HOUR) for hours, key in terms),
    )
    calls = Feature(feature_key="calls", kind=FeatureKind.METERED)
    quantities = tuple(
        QuantityChange(source="seats", change_time=ORIGIN + hours * HOUR, quantity=number)
        for hours, number in sorted(seats)
    )
    catalog = Catalog(currency="USD", plans=plans, features={"calls": calls}, billing=BillingPolicy(grace=0))
    return Timeline(subscription=subscription, catalog=catalog, quantities=quantities)


def late(amount):
    return Price(price_key="recurring", recurring=RecurringPrice(amount=amount, due=Due.ARREARS))


def lines_of(timeline, calendar, proration):
    return rating.fixed_lines(timeline, calendar, Policy(proration=proration), since=0, until=END, issued=Issued())


def folded(timeline, calendar, proration):
    """Those that round to nothing, too, which are on no invoice."""
    (run,) = runs(timeline, calendar)
    lanes = lanes_of(as_charged(timeline, [run]), run)
    policy = Policy(proration=proration)
    return [line for lane in lanes for line in covers.cover(lane, run, policy, since=0, until=END)]


def periods(timeline, calendar):
    """The whole months that end by END."""
    (run,) = runs(timeline, calendar)
    at = ORIGIN
    while (period := run.period(at)).end <= END:
        yield period
        at = period.end


def covers_tile(changes, calendar):
    """At every instant of the time that was held exactly one charge holds that no credit has taken back."""
    found = lines_of(held(changes), calendar, Proration.SECOND)
    edges = sorted({edge for line in found for edge in (line.period.start, line.period.end) if edge < END})
    for start, end in itertools.pairwise([*edges, END]):
        middle = (start + end) // 2
        signs = [
            -1 if "/credit/" in line.line_key else 1 for line in found if line.period.start <= middle < line.period.end
        ]
        assert sum(signs) == 1, middle


@given(CHANGES, CALENDARS)
@FEW
def test_covers_tile(changes, calendar):
    covers_tile(changes, calendar)


def months_follow_one_another(calendar):
    """Each month begins where the one before ends; none is shorter than half of one, nor longer than one and a half."""
    timeline = held([], prices=(Price(price_key="calls", usage=UsagePrice(feature_key="calls", unit_amount="1")),))
    windows = usage_windows(timeline, calendar, Policy(), since=ORIGIN, until=END)
    assert [each.start for each in windows] == [ORIGIN, *(each.end for each in windows[:-1])]
    assert all(13 * DAY < each.end - each.start < 47 * DAY for each in windows)


@given(CALENDARS)
@FEW
def test_months_follow_one_another_in_whatever_zones(calendar):
    months_follow_one_another(calendar)


def share(start, end, whole, zone, proration):
    """What part of a period a stretch is, by dates or by instants, and by nothing that the engine has."""
    if proration is Proration.SECOND:
        return Fraction(end - start, whole.end - whole.start)
    days = [to_datetime(at).astimezone(ZoneInfo(zone)).date() for at in (start, end, whole.start, whole.end)]
    return Fraction((days[1] - days[0]).days, (days[3] - days[2]).days)


def changes_net(changes, seats, calendar, proration, due):
    """What a month comes to is what was held in it, each for its part, but for half a cent a line."""
    timeline = held(changes, seats, due=due)
    found = folded(timeline, calendar, proration)
    steps = [(0, "a"), *((hours, key) for hours, key in sorted(changes) if hours)]
    plans = [(ORIGIN + hours * HOUR, Fraction(AMOUNTS[key])) for hours, key in steps]
    users = [(ORIGIN + hours * HOUR, number * Fraction("7.77")) for hours, number in sorted(seats)]
    for period in periods(timeline, calendar):
        wanted = Fraction(0)
        zone = [calendar.zone, *(move.value for move in calendar.changes if move.start < period.start)][-1]
        for held_then in (plans, users):
            for (start, price), (end, _) in itertools.pairwise([*held_then, (END, 0)]):
                first, last = max(start, period.start), min(end, period.end)
                wanted += price * share(first, last, period, zone, proration) if first < last else 0
        mine = [line for line in found if period.start <= line.period.start < period.end]
        assert sum(line.exact for line in mine) == wanted * 100
        assert abs(sum(line.amount for line in mine) - wanted * 100) <= Fraction(len(mine), 2)


@given(CHANGES, SEATS, CALENDARS, PRORATIONS, st.sampled_from(Due))
@example([], [(331, 1), (350, 0)], MOVED_AT_ONCE, Proration.DAY, Due.ADVANCE)  # one day there, two in its period's zone
@FEW
def test_changes_net_to_what_was_held(changes, seats, calendar, proration, due):
    changes_net(changes, seats, calendar, proration, due)


def invoiced(timeline, calendar, interim):
    """All lines of what is invoiced at every cut, and at these instants besides."""
    books = Books(
        account_id="acme",
        catalog=timeline.catalog,
        policy=replace(timeline.catalog.billing, start_time=0),
        calendar=calendar,
        timelines=(timeline,),
        runs=runs(timeline, calendar),
        closed_until=ORIGIN - 1,
    )
    bill = Bill(closed_until=ORIGIN - 1)
    work, instants = Work(issued_lines=bill, usage_log=Log([])), sorted(interim)

    async def live():
        nonlocal books
        while (cut := next_cut(books.runs, after=books.closed_until)) is not None and cut <= END:
            while instants and instants[0] < cut:
                bill.issued += await change_documents(work, known(books, instants[0]), instants[0])
                instants.pop(0)
            bill.issued += await made_at(work, known(books, cut), cut)
            books = replace(books, closed_until=cut)

    asyncio.run(live())
    return [line for document in bill.issued for line in document.lines]


def known(books, at):
    """What was held by an instant: nothing of what is to come."""
    (timeline,) = books.timelines
    terms = tuple(term for term in timeline.subscription.terms if term.start_time <= at)
    quantities = tuple(change for change in timeline.quantities if change.change_time <= at)
    then = replace(timeline, subscription=replace(timeline.subscription, terms=terms), quantities=quantities)
    moves = tuple(move for move in books.calendar.changes if move.start <= at)
    return replace(books, calendar=replace(books.calendar, changes=moves)).changed([then])


def interim_changes_nothing(changes, seats, calendar, hours):
    timeline = held(changes, seats)
    once = invoiced(timeline, calendar, [])
    often = invoiced(timeline, calendar, [ORIGIN + hour * HOUR for hour in hours])
    whole, parts = sum(line.exact for line in once), sum(line.exact for line in often)
    # A line that rounds to nothing stays with what is not charged yet; so may one for each invoice.
    assert abs(whole - parts) <= Fraction(len(changes) + len(seats) + 1, 2)
    assert len({line.line_key for line in often}) == len(often)


@given(CHANGES, SEATS, CALENDARS, st.lists(HOURS, max_size=4, unique=True))
@settings(max_examples=30, deadline=None)
def test_invoices_in_between_change_no_total(changes, seats, calendar, hours):
    interim_changes_nothing(changes, seats, calendar, hours)


TIERS = (Tier(up_to="10", unit_amount="0.50", flat_amount="1.00"), Tier(unit_amount="0.333"))
PRICES = {
    "per unit": {"unit_amount": "0.0037"},
    "free and most": {"unit_amount": "0.50", "free_quota": "7", "max_limit": "60"},
    "graduated": {"model": ChargeModel.GRADUATED, "tiers": TIERS},
    "volume": {"model": ChargeModel.VOLUME, "tiers": TIERS},
    "packages": {"unit_amount": "5.00", "package": "12"},
    "percentage": {
        "model": ChargeModel.PERCENTAGE,
        "rate": "1.5",
        "fixed_amount": "0.30",
        "free_events": 2,
        "max_amount": "0.75",
    },
}
USES = st.lists(st.tuples(st.integers(0, 27 * 24), st.integers(1, 40)), min_size=1, max_size=12)


def facts_of(uses):
    return [
        UsageFact(
            tenant_id="t",
            account_id="acme",
            feature_key="calls",
            kind=FactKind.CONSUME,
            quantity=quantity,
            request_id=f"r{number:03}",
            subscription_id="s",
            plan_key="a",
            plan_version=1,
            occurred_time=ORIGIN + hours * HOUR,
            recorded_time=ORIGIN + hours * HOUR,
            period_start=ORIGIN,
            period_end=ORIGIN + 28 * DAY,
            source=FactSource(partition=0, epoch="e", entry_id=f"{number}-0"),
        )
        for number, (hours, quantity) in enumerate(uses)
    ]


def usage_charged(price, facts, through):
    """What is charged when a line is made each time that the log is this long, and the exact whole."""
    usage = UsagePrice(feature_key="calls", **PRICES[price])
    timeline = held([], prices=(Price(price_key="calls", usage=usage),))
    calendar = Calendar(zone="UTC", account_create_time=ORIGIN)
    (window,) = usage_windows(timeline, calendar, Policy(), since=ORIGIN, until=ORIGIN + 30 * DAY)
    log, billed, made = Log(list(facts)), Billed(), []

    async def counted(end):
        streamed = log.facts("acme", window, through=end)
        return (await count(streamed, window, timeline.catalog.features["calls"], currency="USD")).counted

    for end in [*sorted(through), len(facts)]:
        line = rating.usage_line(window, asyncio.run(counted(end)), Policy(), billed=billed)
        if line is not None:
            made.append(line)
            billed = Billed(exact=billed.exact + line.exact, revisions=billed.revisions + 1)
    return made, owed(usage, asyncio.run(counted(len(facts)))).amount * 100


def usage_is_the_same(price, uses, order, through):
    """In whatever order events come, and however often what is known is invoiced, it comes to the same."""
    facts = facts_of(uses)
    ((once, whole), (often, same)) = (
        usage_charged(price, facts, []),
        usage_charged(price, [facts[place] for place in order], [end for end in through if end <= len(facts)]),
    )
    assert whole == same
    for made in (once, often):
        assert abs(sum(line.exact for line in made) - whole) <= Fraction(1, 2)
        assert abs(sum(line.amount for line in made) - whole) <= Fraction(len(made) + 1, 2)
        assert len({line.line_key for line in made}) == len(made)


@st.composite
def arrivals(draw):
    uses = draw(USES)
    return uses, draw(st.permutations(range(len(uses)))), draw(st.lists(st.integers(0, 12), max_size=4, unique=True))


@pytest.mark.parametrize("price", PRICES)
@given(arrivals())
@settings(max_examples=25, deadline=None)
def test_the_order_of_events_and_invoices_in_between_change_no_usage(price, arrival):
    usage_is_the_same(price, *arrival)


@pytest.mark.parametrize("price", [price for price in PRICES if price != "percentage"])
@given(USES)
@settings(max_examples=25, deadline=None)
def test_one_event_or_its_parts_are_the_same(price, uses):
    parts = [(hours, 1) for hours, quantity in uses for _ in range(quantity)]
    ((whole, exact), (split, same)) = (
        usage_charged(price, facts_of(uses), []),
        usage_charged(price, facts_of(parts), []),
    )
    assert exact == same
    assert [line.amount for line in whole] == [line.amount for line in split]


# Bugs that were planted: each makes its law fail.


def found(law, *strategies):
    searched = FOR_PLANTED_BUGS(given(*strategies)(law))
    with pytest.raises(AssertionError):
        searched()


def test_a_credit_that_is_forgotten_is_found(monkeypatch):
    monkeypatch.setattr(covers, "_credits", lambda *_: iter(()))
    found(covers_tile, CHANGES, CALENDARS)


def test_a_zone_that_moves_what_runs_is_found(monkeypatch):
    def period(self, every, count, at):
        moved = next((move.value for move in reversed(self.changes) if move.start <= at), self)
        return moved.always(every, count).period(at)

    monkeypatch.setattr(Grid, "period", period)
    found(months_follow_one_another, CALENDARS)


def test_a_credit_of_what_was_rounded_is_found(monkeypatch):
    real = covers._credits

    def rounded(lines, at, *rest):
        for line in real(lines, at, *rest):
            yield replace(line, exact=line.exact * Fraction(101, 100), amount=round(line.exact * Fraction(101, 100)))

    monkeypatch.setattr(covers, "_credits", rounded)
    found(changes_net, CHANGES, st.just([]), CALENDARS, PRORATIONS, st.just(Due.ADVANCE))


def test_what_was_issued_and_is_forgotten_is_found(monkeypatch):
    real = due_lines._not_issued
    monkeypatch.setattr(due_lines, "_not_issued", lambda derived, _, since: real(derived, (), since=since))
    monkeypatch.setattr(due_lines, "adjustments", lambda *_, **__: iter(()))
    found(interim_changes_nothing, CHANGES, SEATS, CALENDARS, st.lists(HOURS, min_size=1, max_size=4, unique=True))


def test_an_earlier_revision_that_is_forgotten_is_found(monkeypatch):
    def forgetful(window, counted, policy, *, billed):
        return usage_line(window, counted, policy, billed=billed if billed.revisions < 2 else Billed(revisions=2))

    monkeypatch.setattr(rating, "usage_line", forgetful)
    found(lambda arrival: usage_is_the_same("per unit", *arrival), arrivals())


def test_events_by_their_arrival_are_found(monkeypatch):
    async def arrived(self, account_id, window, *, through, after=None):  # noqa: ARG001 - as the port has it
        for fact in self.all_facts[:through]:
            yield fact

    monkeypatch.setattr(Log, "facts", arrived)
    found(lambda arrival: usage_is_the_same("percentage", *arrival), arrivals())
