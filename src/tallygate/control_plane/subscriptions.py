"""Subscriptions: one live one an account; what is to come is written down as instants, so no job makes it happen."""

from dataclasses import dataclass, replace

from tallygate.control_plane.fields import check_id, check_instant
from tallygate.control_plane.lookup import account_record, plan_on_sale
from tallygate.control_plane.paging import FIRST_PAGE, Page, PageRequest, page_of
from tallygate.control_plane.ports import NewId, UnitOfWork
from tallygate.control_plane.subscription_terms import (
    DAY,
    opening_terms,
    state_at,
)
from tallygate.domain.account import AccountRecord, Subscription, SubscriptionState
from tallygate.domain.catalog import Catalog, Plan
from tallygate.domain.errors import (
    SubscriptionConflictError,
    SubscriptionNotFoundError,
)

_MAX_ON_RECORD = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSubscription:
    """A subscription to create; without a version, to the plan's newest. `incomplete` grants nothing yet."""

    account_id: str
    plan_key: str
    plan_version: int | None = None
    trial: bool = False
    incomplete: bool = False
    start_time: int | None = None
    end_time: int | None = None
    subscription_id: str = ""


def live_subscription(record: AccountRecord, now: int) -> Subscription | None:
    """The subscription that counts, unless it has ended."""
    subscription = record.subscription
    if subscription is None or state_at(subscription, now) is SubscriptionState.EXPIRED:
        return None
    return subscription


async def create_subscription(
    work: UnitOfWork, request: CreateSubscription, *, now: int, new_id: NewId
) -> Subscription:
    """Subscribe an account.

    Raises:
        SubscriptionConflictError: it has a live subscription, or the plan has no trial to start.
    """
    record = await account_record(work, request.account_id)
    catalog = await work.catalog.load()
    plan = plan_on_sale(catalog, request.plan_key, request.plan_version)
    if live_subscription(record, now) is not None:
        raise SubscriptionConflictError(account_id=request.account_id, expected="no live subscription")
    start = now if request.start_time is None else check_instant("start_time", request.start_time)
    created = _opened(catalog, plan, request, start=start, subscription_id=request.subscription_id or f"sub_{new_id()}")
    check_id("subscription_id", created.subscription_id)
    if request.end_time is not None:
        created = replace(created, end_time=check_instant("end_time", request.end_time, after=start))
    if record.subscription is not None:
        if record.subscription.subscription_id == created.subscription_id:
            raise SubscriptionConflictError(subscription_id=created.subscription_id, expected="a new id")
        await work.subscriptions.put(request.account_id, record.subscription, live=False)
    await work.subscriptions.put(request.account_id, created)
    return created


def _opened(
    catalog: Catalog, plan: Plan, request: CreateSubscription, *, start: int, subscription_id: str
) -> Subscription:
    trial_end, follower = None, plan
    if request.trial:
        if plan.trial is None:
            raise SubscriptionConflictError(plan_key=plan.plan_key, expected="a plan with a trial")
        trial_end = start + plan.trial.days * DAY
        follower = plan_on_sale(catalog, plan.trial.ends_in, None) if plan.trial.ends_in else plan
    state = SubscriptionState.TRIALING if request.trial else SubscriptionState.ACTIVE
    return Subscription(
        subscription_id=subscription_id,
        state=SubscriptionState.INCOMPLETE if request.incomplete else state,
        start_time=start,
        terms=opening_terms(plan, follower, start=start, trial_end=trial_end),
        trial_end_time=trial_end,
    )


async def get_subscription(work: UnitOfWork, account_id: str, subscription_id: str = "", *, now: int) -> Subscription:
    """One subscription of an account, the newest one by default; its state reads as of now.

    Raises:
        SubscriptionNotFoundError: there is none.
    """
    found = (await account_record(work, account_id)).subscription
    if subscription_id and (found is None or found.subscription_id != subscription_id):
        past = await work.subscriptions.list(account_id, after="", limit=_MAX_ON_RECORD)
        found = next((each for each in past if each.subscription_id == subscription_id), None)
    if found is None:
        raise SubscriptionNotFoundError(account_id=account_id, subscription_id=subscription_id)
    return replace(found, state=state_at(found, now))


async def list_subscriptions(
    work: UnitOfWork, account_id: str, page: PageRequest = FIRST_PAGE, *, now: int
) -> Page[Subscription]:
    """All subscriptions that an account ever had, by id; their states read as of now."""
    await account_record(work, account_id)
    found = await page_of(
        page,
        lambda after, limit: work.subscriptions.list(account_id, after=after, limit=limit),
        lambda subscription: subscription.subscription_id,
    )
    items = [replace(item, state=state_at(item, now)) for item in found.items]
    return Page(items=items, next_page_token=found.next_page_token)
