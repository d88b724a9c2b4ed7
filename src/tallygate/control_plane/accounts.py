"""Accounts and their users."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tallygate.control_plane.formers import longest_period, with_former
from tallygate.control_plane.subscription_terms import term_at
from tallygate.control_plane.subscriptions import CreateSubscription, as_shown, create_subscription, live_ones
from tallygate.domain.account import Subscription
from tallygate.domain.catalog import FormerZone
from tallygate.domain.subscription_errors import SubscriptionConflictError
from tallygate.records.fields import check_id, check_metadata, check_zone
from tallygate.records.lookup import account_record, known_account
from tallygate.records.paging import FIRST_PAGE, Page, PageRequest, page_of
from tallygate.records.ports import BillingWork, NewId, UnitOfWork
from tallygate.records.values import Account, AccountUser, StoredSubscription


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsertAccount:
    """An account by its owner's own id; what is left out stays as it is.

    `metadata` entries are set, and those with an empty value removed. With a `plan_key` the account is subscribed where
    it has no live subscription: to the newest version, with the plan's trial or with `trial_days` instead.
    """

    account_id: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    time_zone: str | None = None
    plan_key: str = ""
    trial_days: int | None = None
    user_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """An account with its live subscription; `created` says that it is new."""

    account: Account
    subscription: StoredSubscription | None = None
    created: bool = False


async def upsert_account(work: BillingWork, request: UpsertAccount, *, now: int, new_id: NewId) -> AccountView:
    """Create an account or change it, subscribe it and add its users, in one step; again it changes nothing.

    Raises:
        SubscriptionConflictError: it has a live subscription to another plan.
    """
    created = await put_account(work, request, now=now, new_id=new_id)
    return replace(await get_account(work, request.account_id, now=now), created=created)


async def put_account(work: BillingWork, request: UpsertAccount, *, now: int, new_id: NewId) -> bool:
    """As `upsert_account`, for whoever does not look at the account: whether it is new."""
    check_id("account_id", request.account_id)
    stored = await work.accounts.get(request.account_id)
    wanted = stored or Account(account_id=request.account_id, create_time=now, update_time=now)
    merged = {key: value for key, value in {**wanted.metadata, **request.metadata}.items() if value}
    wanted = replace(wanted, metadata=dict(check_metadata(merged)))
    if request.time_zone is not None:
        wanted = await _in_zone(work, wanted, check_zone("time_zone", request.time_zone), now=now, new=stored is None)
    if wanted != stored:
        await work.accounts.put(wanted)
    if request.plan_key:
        await _put_on_plan(work, request, now=now, new_id=new_id)
    if request.user_ids:
        await add_users(work, request.account_id, request.user_ids, now=now)
    return stored is None


async def get_account(work: UnitOfWork, account_id: str, *, now: int) -> AccountView:
    """An account with its live subscription.

    Raises:
        AccountNotFoundError: there is none.
    """
    return (await _views(work, [await known_account(work, account_id)], now))[0]


async def list_accounts(
    work: UnitOfWork, page: PageRequest = FIRST_PAGE, *, plan_key: str = "", now: int
) -> Page[AccountView]:
    """Accounts by id; with a `plan_key` those whom that plan serves now by a live subscription."""
    found = await page_of(
        page,
        lambda after, limit: work.accounts.list(after=after, limit=limit, plan_key=plan_key, now=now),
        lambda account: account.account_id,
    )
    return Page(items=await _views(work, found.items, now), next_page_token=found.next_page_token)


async def add_users(work: UnitOfWork, account_id: str, user_ids: Sequence[str], *, now: int) -> Sequence[AccountUser]:
    """Make people users of the account; those who are already stay as they are. Answers all of them, by id."""
    for index, user_id in enumerate(user_ids):
        check_id(f"user_ids[{index}]", user_id)
    await known_account(work, account_id)
    return await work.users.add(account_id, user_ids, now=now)


async def remove_users(work: UnitOfWork, account_id: str, user_ids: Sequence[str]) -> int:
    """Remove users, and free every seat that they hold; answers how many were there."""
    await known_account(work, account_id)
    removed = await work.users.remove(account_id, user_ids)
    await work.seats.unassign(account_id, "", user_ids)
    return removed


async def list_users(work: UnitOfWork, account_id: str, page: PageRequest = FIRST_PAGE) -> Page[AccountUser]:
    """An account's users by id."""
    await known_account(work, account_id)
    return await page_of(
        page,
        lambda after, limit: work.users.list(account_id, after=after, limit=limit),
        lambda user: user.user_id,
    )


async def _in_zone(work: UnitOfWork, account: Account, time_zone: str, *, now: int, new: bool) -> Account:
    if new or account.time_zone == time_zone:
        return replace(account, time_zone=time_zone)
    former = FormerZone(time_zone=account.time_zone, end_time=now)
    catalog, record = await work.catalog.load(), await account_record(work, account.account_id)
    served = catalog.default_plan or any(each.end_time > account.create_time for each in catalog.former_defaults)
    if not (record.subscription or record.overrides or served):
        return replace(account, time_zone=time_zone)  # nothing could be used yet
    longest = longest_period(catalog)
    formers = with_former(account.former_zones, former, longest=longest)
    return replace(account, time_zone=time_zone, former_zones=formers)


async def _views(work: UnitOfWork, accounts: Sequence[Account], now: int) -> list[AccountView]:
    live = await live_ones(work, [account.account_id for account in accounts], now=now)
    live = {held.account_id: held for held in await as_shown(work, list(live.values()), now)}
    return [AccountView(account=account, subscription=live.get(account.account_id)) for account in accounts]


async def _put_on_plan(work: BillingWork, request: UpsertAccount, *, now: int, new_id: NewId) -> None:
    held = (await live_ones(work, [request.account_id], now=now)).get(request.account_id)
    if held is None:
        wanted = CreateSubscription(
            account_id=request.account_id, plan_key=request.plan_key, trial_days=request.trial_days
        )
        await create_subscription(work, wanted, now=now, new_id=new_id)
    elif not _came_from(held.subscription, request.plan_key, now):
        serving = term_at(held.subscription, now).plan_key
        raise SubscriptionConflictError(account_id=request.account_id, plan_key=serving)


def _came_from(live: Subscription, plan_key: str, now: int) -> bool:
    """Whether this plan serves, or did until its trial ended in another one by itself."""
    term = term_at(live, now)
    ended_in = term.start_time == live.trial_end_time and live.terms[0].plan_key == plan_key
    return term.plan_key == plan_key or ended_in
