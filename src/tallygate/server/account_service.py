"""AccountService: accounts and their users; what hangs on them stands in `allowance_methods` and `seat_methods`."""

from tallygate.control_plane.accounts import (
    AccountView,
    UpsertAccount,
    add_user,
    get_account,
    list_accounts,
    list_users,
    remove_user,
    upsert_account,
)
from tallygate.control_plane.ports import UnitOfWork
from tallygate.control_plane.subscription_terms import term_at
from tallygate.control_plane.subscriptions import live_subscription
from tallygate.domain.errors import SubscriptionConflictError, UserNotFoundError
from tallygate.server.allowance_methods import AllowanceMethods
from tallygate.server.calls import Call
from tallygate.server.codec import entries, identifier, identifiers
from tallygate.server.codec_account import encode_account, encode_user
from tallygate.server.codec_catalog import time_zone
from tallygate.server.seat_methods import SeatMethods
from tallygate.server.tenant_work import TenantWork, page_request
from tallygate_api.v1 import account_service_pb2 as wire


class AccountServicer(AllowanceMethods, SeatMethods):
    """Serves AccountService."""

    def __init__(self, work: TenantWork) -> None:
        super().__init__(work)
        self._work = work

    async def UpsertAccount(self, request: wire.UpsertAccountRequest, call: Call) -> wire.UpsertAccountResponse:  # noqa: N802 - the wire's name
        """Create an account or change it, subscribe it and add its users, in one step."""
        account_id = identifier(request.account_id, "account_id")

        async def upsert(work: UnitOfWork, now: int) -> wire.UpsertAccountResponse:
            created = await work.accounts.get(account_id) is None
            wanted = await _wanted(work, request, now=now)
            view = await upsert_account(work, wanted, now=now, new_id=self._work.new_id)
            for user_id in identifiers(request.user_ids, "user_ids") if request.user_ids else ():
                await add_user(work, account_id, user_id, now=now)
            account = encode_account(view, await work.catalog.load(), now)
            return wire.UpsertAccountResponse(account=account, created=created)

        written = await self._work.write(call, upsert)
        written.value.view_version = written.view_version
        return written.value

    async def GetAccount(self, request: wire.GetAccountRequest, call: Call) -> wire.GetAccountResponse:  # noqa: N802 - the wire's name
        """An account and what it holds."""
        account_id = identifier(request.account_id, "account_id")

        async def load(work: UnitOfWork, now: int) -> wire.Account:
            return encode_account(await get_account(work, account_id), await work.catalog.load(), now)

        read = await self._work.read_versioned(call, load)
        return wire.GetAccountResponse(account=read.value, view_version=read.view_version)

    async def ListAccounts(self, request: wire.ListAccountsRequest, call: Call) -> wire.ListAccountsResponse:  # noqa: N802 - the wire's name
        """Accounts by id; a page may be shorter where it passes over those on other plans."""

        async def load(work: UnitOfWork, now: int) -> wire.ListAccountsResponse:
            catalog = await work.catalog.load()
            page = await list_accounts(work, page_request(request.page_size, request.page_token))
            wanted = [view for view in page.items if not request.plan_key or _plan(view, now) == request.plan_key]
            accounts = [encode_account(view, catalog, now) for view in wanted]
            return wire.ListAccountsResponse(accounts=accounts, next_page_token=page.next_page_token)

        return await self._work.read(call, load)

    async def AddUsers(self, request: wire.AddUsersRequest, call: Call) -> wire.AddUsersResponse:  # noqa: N802 - the wire's name
        """Add users; those there already stay."""
        account_id = identifier(request.account_id, "account_id")
        user_ids = sorted(set(identifiers(request.user_ids, "user_ids")))

        async def add(work: UnitOfWork, now: int) -> list[wire.User]:
            return [encode_user(await add_user(work, account_id, user_id, now=now)) for user_id in user_ids]

        written = await self._work.write(call, add)
        return wire.AddUsersResponse(users=written.value, view_version=written.view_version)

    async def RemoveUsers(self, request: wire.RemoveUsersRequest, call: Call) -> wire.RemoveUsersResponse:  # noqa: N802 - the wire's name
        """Remove users and free their seats; unknown ones are passed over."""
        account_id = identifier(request.account_id, "account_id")
        user_ids = identifiers(request.user_ids, "user_ids")

        async def remove(work: UnitOfWork, _now: int) -> int:
            return sum([await _removed(work, account_id, user_id) for user_id in user_ids])

        written = await self._work.write(call, remove)
        return wire.RemoveUsersResponse(removed_count=written.value, view_version=written.view_version)

    async def ListUsers(self, request: wire.ListUsersRequest, call: Call) -> wire.ListUsersResponse:  # noqa: N802 - the wire's name
        """Users by id."""
        account_id = identifier(request.account_id, "account_id")
        page = page_request(request.page_size, request.page_token)
        found = await self._work.read(call, lambda work, _: list_users(work, account_id, page))
        return wire.ListUsersResponse(users=map(encode_user, found.items), next_page_token=found.next_page_token)


async def _wanted(work: UnitOfWork, request: wire.UpsertAccountRequest, *, now: int) -> UpsertAccount:
    """What the account is to be: entries named are set or removed, the rest of the metadata stays."""
    stored = await work.accounts.get(request.account_id)
    given = entries(request.metadata, "metadata")
    metadata = {key: value for key, value in {**(stored.metadata if stored else {}), **given}.items() if value}
    plan_key = identifier(request.plan_key, "plan_key") if request.HasField("plan_key") else ""
    if stored is not None and plan_key:
        serving = _plan(await get_account(work, request.account_id), now)
        if serving not in {"", plan_key}:
            raise SubscriptionConflictError(account_id=request.account_id, plan_key=serving)
    plan = (await work.catalog.load()).plan(plan_key) if plan_key else None
    return UpsertAccount(
        account_id=request.account_id,
        metadata=metadata if given else None,
        time_zone=time_zone(request.time_zone, "time_zone") if request.HasField("time_zone") else None,
        plan_key=plan_key,
        trial=plan is not None and plan.trial is not None,
    )


def _plan(view: AccountView, now: int) -> str:
    """The plan that serves the account by a live subscription; empty where none does."""
    live = live_subscription(view.record, now)
    return term_at(live, now).plan_key if live is not None else ""


async def _removed(work: UnitOfWork, account_id: str, user_id: str) -> int:
    try:
        await remove_user(work, account_id, user_id)
    except UserNotFoundError:
        return 0
    return 1
