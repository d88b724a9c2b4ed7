"""Several periods of a plan paid at once: an own price of the subscription, for as long as they last."""

from dataclasses import replace

from tallygate.control_plane.chargeable import converts_if_paid
from tallygate.control_plane.subscription_terms import renewal_of
from tallygate.domain.account import Subscription
from tallygate.domain.billing.advance import paid_in_advance
from tallygate.domain.billing.timeline import ADVANCE, PriceOverride, Timeline
from tallygate.domain.billing_terms import Renewal
from tallygate.domain.catalog import Catalog
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.period import add_calendar
from tallygate.records.lookup import billing_calendar, known_account
from tallygate.records.ports import BillingWork
from tallygate.records.values import StoredSubscription


async def pay_in_advance(
    work: BillingWork, held: StoredSubscription, length: int, *, open_end: bool
) -> StoredSubscription:
    """Let a new subscription pay so many periods at once, from when on it is charged.

    What is not renewed by itself ends with them, where it was given no other end (`open_end`).

    Raises:
        InvalidFieldError: its plan does not offer that, or another plan or nothing follows its trial.
    """
    subscription, override = await proposed_advance(work, held.account_id, held.subscription, length, open_end=open_end)
    await work.price_overrides.add(held.account_id, override)
    if subscription == held.subscription:
        return held
    ended = replace(held, subscription=subscription)
    await work.subscriptions.put(held.account_id, subscription)
    return ended


async def proposed_advance(
    work: BillingWork, account_id: str, subscription: Subscription, length: int, *, open_end: bool
) -> tuple[Subscription, PriceOverride]:
    """A new subscription that pays so many periods at once, and the own price that it has for them; nothing is written.

    Raises:
        InvalidFieldError: its plan does not offer that, or another plan or nothing follows its trial.
    """
    catalog = await work.catalog.load()
    origin, term = Timeline(subscription=subscription, catalog=catalog).origin, subscription.terms[-1]
    plan = catalog.plan(term.plan_key, term.plan_version)
    price = None if plan is None else paid_in_advance(plan, length, currency=catalog.currency)
    if plan is None or price is None or price.recurring is None or is_left_by_its_trial(subscription):
        raise InvalidFieldError(field="advance_length", expected=_offered(catalog, subscription), got=length)
    zone = await _zone(work, account_id, origin)
    end = add_calendar(origin, price.recurring.every, price.recurring.count, zone=zone)
    override = PriceOverride(
        override_id=f"{ADVANCE}{subscription.subscription_id}",
        bundle=f"plans/{plan.plan_key}",
        price_key=price.price_key,
        price=price,
        start_time=origin,
        end_time=end,
    )
    if not open_end or renewal_of(plan) is Renewal.AUTO or subscription.end_time is None:
        return subscription, override
    return replace(subscription, end_time=end), override


def is_left_by_its_trial(subscription: Subscription) -> bool:
    """Whether a new subscription is not charged for its plan: another one follows its trial, or nothing does."""
    return len(subscription.terms) > 1 or _ends_uncharged(subscription)


def _ends_uncharged(subscription: Subscription) -> bool:
    begins = subscription.trial_end_time or subscription.start_time
    return subscription.end_time is not None and subscription.end_time <= begins


def _offered(catalog: Catalog, subscription: Subscription) -> str:
    """What a new subscription may pay at once, and why no more."""
    first, last = subscription.terms[0], subscription.terms[-1]
    plan = catalog.plan(first.plan_key, first.plan_version)
    lengths = ", ".join(str(each) for each in sorted(one.length for one in plan.advance_discounts)) if plan else ""
    if plan is None or not lengths:
        return f"0: plan {first.plan_key} has no advance_discounts"
    if not is_left_by_its_trial(subscription):
        return f"0 or one of {lengths}"
    follows = f"plan {last.plan_key}, which follows the trial of {first.plan_key}, is paid by its period"
    why = "it ends before anything is charged" if _ends_uncharged(subscription) else follows
    way = "trial_days 0, or a payment method," if converts_if_paid(plan) else "trial_days 0"
    return f"0: {why}; with {way} one of {lengths}"


async def _zone(work: BillingWork, account_id: str, at: int) -> str:
    catalog = await work.catalog.load()
    if not account_id:
        return catalog.time_zone
    return (await billing_calendar(work, await known_account(work, account_id), catalog)).zone_at(at)


async def move_advance(work: BillingWork, before: StoredSubscription, after: StoredSubscription) -> StoredSubscription:
    """Let periods that were paid at once begin where a trial that was moved ends now; nothing was charged for them yet.

    A subscription that was to end with them still does. What they stood for stays on record, ended as it begins.
    """
    catalog, account_id = await work.catalog.load(), before.account_id
    subscription_id = before.subscription.subscription_id
    was, now = (Timeline(subscription=each.subscription, catalog=catalog).origin for each in (before, after))
    held = [one for one in await work.price_overrides.of(account_id) if one.subscription_id == subscription_id]
    paid = next((one for one in held if one.start_time == was < one.end_time), None)
    if paid is None or was == now or paid.price.recurring is None:
        return after
    calendar = await billing_calendar(work, await known_account(work, account_id), catalog)
    form = paid.price.recurring
    end = add_calendar(now, form.every, form.count, zone=calendar.zone_at(now))
    ended = replace(paid, end_time=paid.start_time)
    await work.price_overrides.end(account_id, ended, end_id=f"{paid.override_id}\nended")
    moved_id = f"{ADVANCE}{subscription_id}\n{len(held)}"
    await work.price_overrides.add(account_id, replace(paid, override_id=moved_id, start_time=now, end_time=end))
    if before.subscription.end_time == paid.end_time:
        return replace(after, subscription=replace(after.subscription, end_time=end))
    return after
