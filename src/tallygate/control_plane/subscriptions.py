"""Subscriptions: one live one an account; what is to come is written down as instants, so no job makes it happen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tallygate.control_plane.add_ons import AddOnChoice, check_add_on, holdings
from tallygate.control_plane.bookings import with_bookings
from tallygate.control_plane.chargeable import can_be_charged, converts_if_paid
from tallygate.control_plane.formers import kept, longest_period
from tallygate.control_plane.period_ends import given_end
from tallygate.control_plane.subscription_terms import DAY, opening_terms, state_at
from tallygate.domain.account import AccountRecord, Standing, Subscription, SubscriptionState, shown_state
from tallygate.domain.catalog import Catalog, Plan, TrialPer
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.subscription_errors import SubscriptionConflictError, SubscriptionNotFoundError
from tallygate.records.fields import check_id, check_instant
from tallygate.records.history import SubscriptionChange
from tallygate.records.lookup import account_record, known_account, plan_on_sale
from tallygate.records.paging import FIRST_PAGE, Page, PageRequest, newest_of
from tallygate.records.ports import BillingWork, NewId, UnitOfWork
from tallygate.records.values import StoredSubscription, SubscriptionQuery

MAX_TRIAL_DAYS = 3_650


_USUAL_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSubscription:
    """A subscription to create; without a version, to the plan's newest. `incomplete` grants nothing yet.

    Without `trial_days` it starts with the plan's trial, where the plan has one that the account may still have; 0 is
    none, and any other number is given whatever the account had before. `quantities` are seats that are booked, by
    feature, and users under an empty key. `chargeable` is whether there is something to charge when its trial ends;
    None: as the account's payment methods say.
    """

    account_id: str
    plan_key: str
    plan_version: int | None = None
    trial_days: int | None = None
    incomplete: bool = False
    start_time: int | None = None
    end_time: int | None = None
    add_ons: Sequence[AddOnChoice] = ()
    quantities: Mapping[str, int] = field(default_factory=dict)
    subscription_id: str = ""
    chargeable: bool | None = None


def live_subscription(record: AccountRecord, now: int) -> Subscription | None:
    """The subscription that counts, unless it has ended."""
    subscription = record.subscription
    if subscription is None or state_at(subscription, now) is SubscriptionState.EXPIRED:
        return None
    return subscription


async def live_ones(work: UnitOfWork, account_ids: Sequence[str], *, now: int) -> dict[str, StoredSubscription]:
    """The live subscriptions of these accounts, by account."""
    if not account_ids:
        return {}
    query = SubscriptionQuery(now=now, limit=len(account_ids), account_ids=account_ids, live=True)
    return {held.account_id: held for held in await work.subscriptions.list(query)}


async def create_subscription(
    work: BillingWork, request: CreateSubscription, *, now: int, new_id: NewId
) -> StoredSubscription:
    """Subscribe an account, with its trial and add-ons.

    Raises:
        SubscriptionConflictError: it has a live subscription.
    """
    request = replace(request, subscription_id=request.subscription_id or f"sub_{new_id()}")
    record, catalog = await check_free(work, request, now=now), await work.catalog.load()
    created = await new_subscription(work, request, now=now)
    if record.subscription is not None:
        await _set_aside(work, record, created.subscription_id, now=now, longest=longest_period(catalog))
    await work.subscriptions.put(request.account_id, created)
    held = StoredSubscription(account_id=request.account_id, subscription=created, create_time=now)
    work.subscription_history.note(
        SubscriptionChange(
            account_id=request.account_id,
            subscription_id=created.subscription_id,
            method="CreateSubscription",
            before=None,
            after=held,
        )
    )
    return held


async def check_free(work: BillingWork, request: CreateSubscription, *, now: int) -> AccountRecord:
    """The account's record, where it may have the subscription that a request asks for.

    Raises:
        AccountNotFoundError: there is no such account.
        PlanNotFoundError: there is no such plan on sale.
        SubscriptionConflictError: it has a live subscription.
    """
    record = await account_record(work, request.account_id)
    plan_on_sale(await work.catalog.load(), request.plan_key, request.plan_version)
    if live_subscription(record, now) is not None:
        raise SubscriptionConflictError(account_id=request.account_id, expected="no live subscription")
    return record


async def new_subscription(work: BillingWork, request: CreateSubscription, *, now: int) -> Subscription:
    """The subscription that a request asks for, which nothing holds yet; without an account its trial is the plan's.

    Raises:
        PlanNotFoundError: there is no such plan on sale.
        AddOnNotFoundError: there is no such add-on.
        InvalidFieldError: a field cannot be so.
    """
    catalog = await work.catalog.load()
    plan = plan_on_sale(catalog, request.plan_key, request.plan_version)
    start = now if request.start_time is None else check_instant("start_time", request.start_time)
    if request.trial_days is None:
        request = replace(request, trial_days=await _trial_days(work, request.account_id, plan, now=now))
    created = _opened(catalog, plan, request, start=start, subscription_id=request.subscription_id)
    if converts_if_paid(plan) and await _is_charged(work, request, created.trial_end_time):
        created = replace(created, terms=created.terms[:1])
    created = replace(created, anchor_time=max(start, now))
    if request.quantities:
        record = await account_record(work, request.account_id) if request.account_id else None
        created = with_bookings(catalog, record, created, request.quantities)
    check_id("subscription_id", created.subscription_id)
    if request.end_time is not None:
        created = replace(created, end_time=check_instant("end_time", request.end_time, after=max(start, now)))
    else:
        created = replace(created, end_time=await given_end(work, request.account_id, created, at=max(start, now)))
    return created


async def get_subscription(
    work: UnitOfWork, account_id: str, subscription_id: str = "", *, now: int
) -> StoredSubscription:
    """One subscription of an account, the live one by default; its state reads as of now.

    Raises:
        SubscriptionNotFoundError: there is none.
    """
    await known_account(work, account_id)
    found = await work.subscriptions.list(
        SubscriptionQuery(
            now=now, limit=1, account_ids=[account_id], subscription_id=subscription_id, live=not subscription_id
        )
    )
    if not found:
        named = {"subscription_id": subscription_id} if subscription_id else {}
        raise SubscriptionNotFoundError(account_id=account_id, **named)
    return (await as_shown(work, found, now))[0]


async def list_subscriptions(
    work: UnitOfWork,
    account_id: str = "",
    page: PageRequest = FIRST_PAGE,
    *,
    plan_key: str = "",
    state: SubscriptionState | None = None,
    now: int,
) -> Page[StoredSubscription]:
    """All subscriptions of one account or of all, newest first; states read as of now."""
    if account_id:
        await known_account(work, account_id)

    async def load(before: tuple[int, str] | None, limit: int) -> Sequence[StoredSubscription]:
        accounts = [account_id] if account_id else []
        query = SubscriptionQuery(
            now=now, limit=limit, account_ids=accounts, plan_key=plan_key, state=state, before=before
        )
        return await as_shown(work, await work.subscriptions.list(query), now)

    return await newest_of(page, load, lambda held: (held.create_time, held.subscription.subscription_id))


async def list_ending(
    work: UnitOfWork, page: PageRequest = FIRST_PAGE, *, until: int | None = None, plan_key: str = "", now: int
) -> Page[StoredSubscription]:
    """Live subscriptions that end by themselves before an instant, None: within 90 days; soonest first.

    Raises:
        InvalidFieldError: the instant is not ahead.
    """
    last = now + _USUAL_DAYS * DAY if until is None else until
    if last <= now:
        raise InvalidFieldError(field="end_before_time", expected="an instant after now")

    async def load(after: tuple[int, str] | None, limit: int) -> Sequence[StoredSubscription]:
        found = await work.subscriptions.ending(now=now, until=last, after=after, limit=limit, plan_key=plan_key)
        return await as_shown(work, found, now)

    return await newest_of(
        page, load, lambda held: (held.subscription.end_time or 0, held.subscription.subscription_id)
    )


def days_left(held: StoredSubscription, now: int) -> int:
    """How many whole days a subscription that ends has left."""
    end = held.subscription.end_time
    return max(0, ((now if end is None else end) - now) // DAY)


async def as_shown(work: UnitOfWork, found: Sequence[StoredSubscription], now: int) -> list[StoredSubscription]:
    """As they read now, by what their accounts did not pay, too."""
    standings = await work.accounts.standings([held.account_id for held in found])
    return [
        replace(
            held,
            subscription=replace(
                held.subscription,
                state=shown_state(state_at(held.subscription, now), standings.get(held.account_id, Standing.GOOD)),
            ),
        )
        for held in found
    ]


def _opened(
    catalog: Catalog, plan: Plan, request: CreateSubscription, *, start: int, subscription_id: str
) -> Subscription:
    trial_end = _trial_end(request.trial_days or 0, start)
    follower = plan
    if trial_end is not None and plan.trial is not None and plan.trial.ends_in:
        follower = plan_on_sale(catalog, plan.trial.ends_in, None)
    state = SubscriptionState.ACTIVE if trial_end is None else SubscriptionState.TRIALING
    for index, choice in enumerate(request.add_ons):
        check_add_on(catalog, plan.plan_key, choice, path=f"add_ons[{index}].")
    return Subscription(
        subscription_id=subscription_id,
        state=SubscriptionState.INCOMPLETE if request.incomplete else state,
        start_time=start,
        terms=opening_terms(plan, follower, start=start, trial_end=trial_end),
        trial_end_time=trial_end,
        add_ons=holdings(catalog, request.add_ons, start=start),
    )


async def _is_charged(work: BillingWork, request: CreateSubscription, trial_end: int | None) -> bool:
    """Whether there is something to charge when a trial ends, where there is one."""
    if trial_end is None:
        return False
    if request.chargeable is not None:
        return request.chargeable
    return await can_be_charged(work, request.account_id, at=trial_end)


async def _trial_days(work: UnitOfWork, account_id: str, plan: Plan, *, now: int) -> int:
    """How long the plan's trial is for an account that may have had all that it gets."""
    if plan.trial is None:
        return 0
    if account_id and plan.trial.per is not TrialPer.SUBSCRIPTION:
        of = plan.plan_key if plan.trial.per is TrialPer.PLAN else ""
        if await work.subscriptions.list(SubscriptionQuery(now=now, limit=1, account_ids=[account_id], trial_of=of)):
            return 0
    return plan.trial.days


def _trial_end(days: int, start: int) -> int | None:
    if not 0 <= days <= MAX_TRIAL_DAYS:
        raise InvalidFieldError(field="trial_days", expected=f"0 to {MAX_TRIAL_DAYS}", got=days)
    return check_instant("trial_days", start + days * DAY) if days else None


async def _set_aside(work: UnitOfWork, record: AccountRecord, new: str, *, now: int, longest: int) -> None:
    """Keep a subscription that has ended on record, as no longer the one that counts.

    Those before it leave the account's record once no usage period hangs on them any more.
    """
    ended = record.subscription
    if ended is None:
        return
    if ended.subscription_id == new:
        raise SubscriptionConflictError(subscription_id=new, expected="a new id")
    formers = (*record.former_subscriptions, ended)
    still = kept(formers, lambda former: former.end_time or now, now=now, longest=longest)
    for former in formers:
        if former is ended or former not in still:
            query = SubscriptionQuery(
                now=now, limit=1, account_ids=[record.account_id], subscription_id=former.subscription_id
            )
            (held,) = await work.subscriptions.list(query)
            await work.subscriptions.put(
                record.account_id, former, live=False, former=former in still, cancel_time=held.cancel_time
            )
