"""AccountService: accounts and their users; what hangs on them stands in `allowance_methods` and `seat_methods`."""

from tallygate.control_plane.accounts import (
    add_users,
    get_account,
    list_accounts,
    list_users,
    remove_users,
    upsert_account,
)
from tallygate.control_plane.imports import MOST_ITEMS, ImportItem, import_accounts
from tallygate.domain.errors import InvalidFieldError, TallygateError
from tallygate.records.ports import BillingWork
from tallygate.server.calls.method import Call
from tallygate.server.services.allowance_methods import AllowanceMethods, GrantsLeft
from tallygate.server.services.charging import charged
from tallygate.server.services.seat_methods import SeatMethods
from tallygate.server.services.tenant_work import TenantWork, page_request
from tallygate.server.wire.account import decode_import, decode_upsert, encode_account, encode_imported, encode_user
from tallygate.server.wire.invoice import encode_invoice
from tallygate.server.wire.scalars import identifier, identifiers, optional_identifier
from tallygate_api.v1 import account_service_pb2 as wire


class AccountServicer(AllowanceMethods, SeatMethods):
    """Serves AccountService."""

    def __init__(self, work: TenantWork, grants_left: GrantsLeft | None = None) -> None:
        super().__init__(work, grants_left)
        self._work = work

    async def UpsertAccount(self, request: wire.UpsertAccountRequest, call: Call) -> wire.UpsertAccountResponse:  # noqa: N802 - the wire's name
        """Create an account or change it, subscribe it and add its users, in one step."""
        wanted = decode_upsert(request)

        async def upsert(work: BillingWork, now: int) -> wire.UpsertAccountResponse:
            view = await upsert_account(work, wanted, now=now, new_id=self._work.new_id)
            account = encode_account(view, await work.catalog.load(), now)
            return wire.UpsertAccountResponse(account=account, created=view.created)

        written = await self._work.write(call, upsert)
        written.value.view_version = written.view_version
        return written.value

    async def ImportAccounts(self, request: wire.ImportAccountsRequest, call: Call) -> wire.ImportAccountsResponse:  # noqa: N802 - the wire's name
        """Create accounts or change them, many in one step, each with its own outcome."""
        if not 0 < len(request.items) <= MOST_ITEMS:
            raise InvalidFieldError(field="items", expected=f"1 to {MOST_ITEMS} of them", got=len(request.items))
        read = [_read(item) for item in request.items]
        items = [item for item in read if isinstance(item, ImportItem)]
        written = await self._work.write(
            call, lambda work, now: import_accounts(work, items, now=now, new_id=self._work.new_id)
        )
        made = iter(written.value)
        outcomes = [each if isinstance(each, TallygateError) else next(made) for each in read]
        return wire.ImportAccountsResponse(outcomes=map(encode_imported, outcomes), view_version=written.view_version)

    async def GetAccount(self, request: wire.GetAccountRequest, call: Call) -> wire.GetAccountResponse:  # noqa: N802 - the wire's name
        """An account and what it holds."""
        account_id = identifier(request.account_id, "account_id")

        async def load(work: BillingWork, now: int) -> wire.Account:
            return encode_account(await get_account(work, account_id, now=now), await work.catalog.load(), now)

        read = await self._work.read_versioned(call, load)
        return wire.GetAccountResponse(account=read.value, view_version=read.view_version)

    async def ListAccounts(self, request: wire.ListAccountsRequest, call: Call) -> wire.ListAccountsResponse:  # noqa: N802 - the wire's name
        """Accounts by id, of one plan or of all."""
        plan_key = optional_identifier(request.plan_key, "plan_key")
        page = page_request(request.page_size, request.page_token)

        async def load(work: BillingWork, now: int) -> wire.ListAccountsResponse:
            catalog = await work.catalog.load()
            found = await list_accounts(work, page, plan_key=plan_key, now=now)
            accounts = [encode_account(view, catalog, now) for view in found.items]
            return wire.ListAccountsResponse(accounts=accounts, next_page_token=found.next_page_token)

        return await self._work.read(call, load)

    async def AddUsers(self, request: wire.AddUsersRequest, call: Call) -> wire.AddUsersResponse:  # noqa: N802 - the wire's name
        """Add users; those there already stay."""
        account_id = identifier(request.account_id, "account_id")
        user_ids = identifiers(request.user_ids, "user_ids")
        change = charged(account_id, request, lambda work, now: add_users(work, account_id, user_ids, now=now))
        written = await self._work.write(call, change)
        return wire.AddUsersResponse(
            users=map(encode_user, written.value.value),
            view_version=written.view_version,
            invoices=map(encode_invoice, written.value.invoices),
        )

    async def RemoveUsers(self, request: wire.RemoveUsersRequest, call: Call) -> wire.RemoveUsersResponse:  # noqa: N802 - the wire's name
        """Remove users and free their seats; unknown ones are passed over."""
        account_id = identifier(request.account_id, "account_id")
        user_ids = identifiers(request.user_ids, "user_ids")
        change = charged(account_id, request, lambda work, _: remove_users(work, account_id, user_ids))
        written = await self._work.write(call, change)
        return wire.RemoveUsersResponse(
            removed_count=written.value.value,
            view_version=written.view_version,
            invoices=map(encode_invoice, written.value.invoices),
        )

    async def ListUsers(self, request: wire.ListUsersRequest, call: Call) -> wire.ListUsersResponse:  # noqa: N802 - the wire's name
        """Users by id."""
        account_id = identifier(request.account_id, "account_id")
        page = page_request(request.page_size, request.page_token)
        found = await self._work.read(call, lambda work, _: list_users(work, account_id, page))
        return wire.ListUsersResponse(users=map(encode_user, found.items), next_page_token=found.next_page_token)


def _read(item: wire.ImportAccountsItem) -> ImportItem | TallygateError:
    try:
        return decode_import(item)
    except TallygateError as error:
        return error
