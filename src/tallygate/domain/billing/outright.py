"""What is bought outright: what it costs now, and the prices of nothing that its holder has. No clock, no I/O."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tallygate.domain.billing.advance import advance_price, paid_in_advance
from tallygate.domain.billing.calendar import Calendar
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.models_units import Counted, owed
from tallygate.domain.billing.rating import Issued, fixed_lines
from tallygate.domain.billing.steps import Owed
from tallygate.domain.billing.timeline import PAID, Holding, PriceOverride, Timeline, lanes
from tallygate.domain.catalog import Plan
from tallygate.domain.period import add_calendar
from tallygate.domain.prices import ChargeModel, Due, Price, RecurringPrice, Tier, UsagePrice


def first_lines(timeline: Timeline, calendar: Calendar, policy: Policy) -> tuple[Line, ...]:
    """What a new subscription is charged when it begins to be."""
    origin = timeline.origin
    return fixed_lines(timeline, calendar, policy, since=origin - 1, until=origin, issued=Issued())


def lines_within(timeline: Timeline, calendar: Calendar, policy: Policy, start: int, end: int) -> tuple[Line, ...]:
    """What a subscription is charged from one instant until before another."""
    return fixed_lines(timeline, calendar, policy, since=start - 1, until=end - 1, issued=Issued())


def not_outright(timeline: Timeline) -> Price | None:
    """A price that nobody can pay for somebody else before it is known how much is held; None where there is none."""
    for price in _prices(timeline):
        form = price.recurring
        flat = form is None or form.model is ChargeModel.PER_UNIT
        if not flat or (form is not None and form.due is not Due.ADVANCE):
            return price
    return None


def not_counted(timeline: Timeline) -> Price | None:
    """A price for seats or users of which none are booked, so that nobody knows how many to pay, if there is one."""
    at = timeline.origin
    return next((price for price in _prices(timeline) if not timeline.quantity_of(price, at)), None)


def _prices(timeline: Timeline) -> Iterator[Price]:
    for held in (*timeline.plans(), *timeline.add_ons()):
        yield from held.item.prices


def paid_prices(
    timeline: Timeline, calendar: Calendar, *, length: int, currency: str, number: str
) -> Iterator[PriceOverride]:
    """The prices of nothing that a new subscription has for what was paid: each for its first period.

    The plan's own, where so many of its periods (`length`, 0: one) were paid at once, for all of them.
    """
    origin = timeline.origin
    for held, price in _fixed(timeline, origin):
        paid = price
        if length and isinstance(held.item, Plan) and price == advance_price(held.item):
            paid = paid_in_advance(held.item, length, currency=currency) or price
        every = paid.recurring
        end = (
            held.end if every is None else add_calendar(origin, every.every, every.count, zone=calendar.zone_at(origin))
        )
        yield _nothing(timeline, held, paid, origin, end, number=f"{number}/{price.price_key}")


def renewed_prices(timeline: Timeline, start: int, end: int, *, number: str) -> Iterator[PriceOverride]:
    """The prices of nothing that a subscription has for a stretch of it that was paid."""
    for held, price in _fixed(timeline, start):
        yield _nothing(timeline, held, price, start, end, number=f"{number}/{price.price_key}")


def usage_prices(timelines: Sequence[Timeline], feature_key: str, at: int) -> list[tuple[str, Price]]:
    """The prices that usage of a feature has at an instant, each with what it is called."""
    found = []
    for timeline in timelines:
        for lane in lanes(timeline):
            for segment in lane.segments:
                usage = segment.price.usage
                if segment.start <= at < segment.end and usage is not None and usage.feature_key == feature_key:
                    bundle = f"{lane.bundle}/{segment.version}/prices/{lane.price_key}"
                    found.append((bundle, segment.price))
    return found


def quota_owed(price: UsagePrice, quantity: int) -> Owed:
    """What so many units cost in advance: at the price of usage, without what that gives free, and its bounds."""
    bare = replace(price, free_quota="", min_spend="", max_spend="", max_limit="")
    return owed(bare, Counted(units=quantity))


def _fixed(timeline: Timeline, at: int) -> Iterator[tuple[Holding, Price]]:
    for held in (*timeline.plans(), *timeline.add_ons()):
        if held.start <= at < held.end:
            for price in held.item.prices:
                if price.recurring is not None or price.setup is not None:
                    yield held, price


def _nothing(timeline: Timeline, held: Holding, price: Price, start: int, end: int, *, number: str) -> PriceOverride:
    named, setup = timeline.subscription.subscription_id, price.setup
    paid = timeline.quantity_of(price, start)
    return PriceOverride(
        override_id=f"{PAID}{len(named)}/{named}/{number}",
        bundle=held.bundle,
        price_key=price.price_key,
        price=replace(
            price,
            recurring=_beyond(price.recurring, paid) if price.recurring is not None else None,
            setup=replace(setup, amount="0") if setup is not None else None,
        ),
        start_time=start,
        end_time=end,
    )


def _beyond(form: RecurringPrice, paid: int) -> RecurringPrice:
    """A price of nothing; of seats or users of nothing for as many as were paid, each further one at its amount."""
    if not form.per_quantity:
        return replace(form, amount="0")
    free = (Tier(up_to=str(paid), unit_amount="0"),) if paid else ()
    return replace(form, amount="", model=ChargeModel.GRADUATED, tiers=(*free, Tier(unit_amount=form.amount)))
