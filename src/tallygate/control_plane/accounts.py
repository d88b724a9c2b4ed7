"""Accounts and their users."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tallygate.control_plane.fields import check_id, check_metadata, check_zone
from tallygate.control_plane.lookup import account_record
from tallygate.control_plane.paging import FIRST_PAGE, Page, PageRequest, page_of
from tallygate.control_plane.ports import NewId, UnitOfWork
from tallygate.control_plane.records import Account, AccountUser
from tallygate.control_plane.subscription_changes import ChangePlan, change_plan
from tallygate.control_plane.subscription_terms import term_at
from tallygate.control_plane.subscriptions import CreateSubscription, create_subscription, live_subscription
from tallygate.domain.account import AccountRecord
from tallygate.domain.errors import AccountNotFoundError, UserNotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsertAccount:
    """An account by its owner's own id; None keeps what is there.

    With a `plan_key` the account is on that plan afterwards: it is subscribed where it has no live subscription, and
    changes at once where it is on another plan. `trial` starts that first subscription with the plan's trial; an
    account that already had a trial keeps what it has.
    """

    account_id: str
    metadata: Mapping[str, str] | None = None
    time_zone: str | None = None
    plan_key: str = ""
    plan_version: int | None = None
    trial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """An account and all that it holds."""

    account: Account
    record: AccountRecord


async def upsert_account(work: UnitOfWork, request: UpsertAccount, *, now: int, new_id: NewId) -> AccountView:
    """Create an account or change it, and put it on a plan, in one step."""
    check_id("account_id", request.account_id)
    stored = await work.accounts.get(request.account_id)
    wanted = stored or Account(account_id=request.account_id, create_time=now)
    if request.metadata is not None:
        wanted = replace(wanted, metadata=dict(check_metadata(request.metadata)))
    if request.time_zone is not None:
        wanted = replace(wanted, time_zone=check_zone("time_zone", request.time_zone))
    if wanted != stored:
        await work.accounts.put(wanted)
    if request.plan_key:
        await _put_on_plan(work, request, now=now, new_id=new_id)
    return await get_account(work, request.account_id)


async def get_account(work: UnitOfWork, account_id: str) -> AccountView:
    """An account and all that it holds.

    Raises:
        AccountNotFoundError: there is none.
    """
    account = await work.accounts.get(account_id)
    if account is None:
        raise AccountNotFoundError(account_id=account_id)
    return AccountView(account=account, record=await account_record(work, account_id))


async def list_accounts(work: UnitOfWork, page: PageRequest = FIRST_PAGE) -> Page[AccountView]:
    """Accounts by id."""
    found = await page_of(
        page,
        lambda after, limit: work.accounts.list(after=after, limit=limit),
        lambda account: account.account_id,
    )
    records = await work.accounts.records([account.account_id for account in found.items])
    by_id = {record.account_id: record for record in records}
    views = [AccountView(account=account, record=by_id[account.account_id]) for account in found.items]
    return Page(items=views, next_page_token=found.next_page_token)


async def add_user(work: UnitOfWork, account_id: str, user_id: str, *, now: int) -> AccountUser:
    """Make someone a user of the account; adding them again changes nothing."""
    check_id("user_id", user_id)
    await account_record(work, account_id)
    user = AccountUser(user_id=user_id, create_time=now)
    await work.users.add(account_id, user)
    return user


async def remove_user(work: UnitOfWork, account_id: str, user_id: str) -> None:
    """Remove a user, and free every seat that they hold.

    Raises:
        UserNotFoundError: the account has no such user.
    """
    await account_record(work, account_id)
    if not await work.users.remove(account_id, user_id):
        raise UserNotFoundError(account_id=account_id, user_id=user_id)
    await work.seats.unassign(account_id, "", user_id)


async def list_users(work: UnitOfWork, account_id: str, page: PageRequest = FIRST_PAGE) -> Page[AccountUser]:
    """An account's users by id."""
    await account_record(work, account_id)
    return await page_of(
        page,
        lambda after, limit: work.users.list(account_id, after=after, limit=limit),
        lambda user: user.user_id,
    )


async def _put_on_plan(work: UnitOfWork, request: UpsertAccount, *, now: int, new_id: NewId) -> None:
    record = await account_record(work, request.account_id)
    live = live_subscription(record, now)
    if live is None:
        wanted = CreateSubscription(
            account_id=request.account_id,
            plan_key=request.plan_key,
            plan_version=request.plan_version,
            trial=request.trial,
        )
        await create_subscription(work, wanted, now=now, new_id=new_id)
        return
    term = term_at(live, now)
    same = term.plan_key == request.plan_key and request.plan_version in {None, term.plan_version}
    kept = request.trial and live.trial_end_time is not None
    if not same and not kept:
        change = ChangePlan(
            account_id=request.account_id,
            plan_key=request.plan_key,
            plan_version=request.plan_version,
        )
        await change_plan(work, change, now=now)
