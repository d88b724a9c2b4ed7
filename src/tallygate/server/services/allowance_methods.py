"""The methods of AccountService about overrides and grants."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from tallygate.control_plane.allowances import (
    create_grant,
    create_override,
    delete_override,
    list_grants,
    list_overrides,
    revoke_grant,
)
from tallygate.domain.errors import UnavailableError
from tallygate.records.paging import Page
from tallygate.records.ports import UnitOfWork
from tallygate.records.values import StoredGrant
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork, page_request
from tallygate.server.wire.account import decode_grant, decode_override, encode_grant, encode_override
from tallygate.server.wire.scalars import identifier, optional_identifier
from tallygate_api.v1 import account_service_pb2 as wire

GrantsLeft = Callable[[str, str, Collection[str]], Awaitable[Mapping[str, int]]]
"""Asked for a tenant, an account and features: what each of their grants still holds, by its id."""


class AllowanceMethods:
    """Create, list, delete and revoke; what grants still hold only the counters know, which `grants_left` asks."""

    def __init__(self, work: TenantWork, grants_left: GrantsLeft | None = None) -> None:
        self._work = work
        self._grants_left = grants_left

    async def CreateOverride(self, request: wire.CreateOverrideRequest, call: Call) -> wire.CreateOverrideResponse:  # noqa: N802 - the wire's name
        """Give an account an exception."""
        wanted = decode_override(request)
        new_id = self._work.new_id
        written = await self._work.write(call, lambda work, now: create_override(work, wanted, now=now, new_id=new_id))
        override = encode_override(written.value, wanted.account_id)
        return wire.CreateOverrideResponse(override=override, view_version=written.view_version)

    async def ListOverrides(self, request: wire.ListOverridesRequest, call: Call) -> wire.ListOverridesResponse:  # noqa: N802 - the wire's name
        """Overrides, of one feature or rate limit or of all."""
        account_id = identifier(request.account_id, "account_id")
        feature_key = optional_identifier(request.feature_key, "feature_key")
        limit_key = optional_identifier(request.limit_key, "limit_key")
        page = page_request(request.page_size, request.page_token)
        found = await self._work.read(
            call,
            lambda work, _: list_overrides(
                work,
                account_id,
                page,
                feature_key=feature_key,
                limit_key=limit_key,
                show_deleted=request.show_deleted,
            ),
        )
        overrides = [encode_override(each, account_id) for each in found.items]
        return wire.ListOverridesResponse(overrides=overrides, next_page_token=found.next_page_token)

    async def DeleteOverride(self, request: wire.DeleteOverrideRequest, call: Call) -> wire.DeleteOverrideResponse:  # noqa: N802 - the wire's name
        """Take an exception back."""
        account_id = identifier(request.account_id, "account_id")
        override_id = identifier(request.override_id, "override_id")
        written = await self._work.write(
            call, lambda work, now: delete_override(work, account_id, override_id, now=now)
        )
        return wire.DeleteOverrideResponse(view_version=written.view_version)

    async def CreateGrant(self, request: wire.CreateGrantRequest, call: Call) -> wire.CreateGrantResponse:  # noqa: N802 - the wire's name
        """Give an account an allowance."""
        wanted = decode_grant(request)
        new_id = self._work.new_id
        written = await self._work.write(call, lambda work, now: create_grant(work, wanted, now=now, new_id=new_id))
        left = await self._left(call, wanted.account_id, [written.value])
        grant = encode_grant(written.value, wanted.account_id, left)
        return wire.CreateGrantResponse(grant=grant, view_version=written.view_version)

    async def ListGrants(self, request: wire.ListGrantsRequest, call: Call) -> wire.ListGrantsResponse:  # noqa: N802 - the wire's name
        """Grants, of one feature or of all."""
        account_id = identifier(request.account_id, "account_id")
        feature_key = optional_identifier(request.feature_key, "feature_key")
        page = page_request(request.page_size, request.page_token)

        async def load(work: UnitOfWork, now: int) -> tuple[Page[StoredGrant], list[StoredGrant]]:
            found = await list_grants(work, account_id, page, feature_key=feature_key)
            return found, [each for each in found.items if not _is_over(each, now)]

        found, live = await self._work.read(call, load)
        over = {each.grant.grant_id: 0 for each in found.items if each not in live}
        left = {**await self._left(call, account_id, live), **over}
        grants = [encode_grant(each, account_id, left) for each in found.items]
        return wire.ListGrantsResponse(grants=grants, next_page_token=found.next_page_token)

    async def RevokeGrant(self, request: wire.RevokeGrantRequest, call: Call) -> wire.RevokeGrantResponse:  # noqa: N802 - the wire's name
        """End a grant now."""
        account_id = identifier(request.account_id, "account_id")
        grant_id = identifier(request.grant_id, "grant_id")
        written = await self._work.write(call, lambda work, now: revoke_grant(work, account_id, grant_id, now=now))
        grant = encode_grant(written.value, account_id, {grant_id: 0})
        return wire.RevokeGrantResponse(grant=grant, view_version=written.view_version)

    async def _left(self, call: Call, account_id: str, grants: Sequence[StoredGrant]) -> Mapping[str, int]:
        """What these grants still hold; nothing is said of them while the store cannot be asked."""
        if self._grants_left is None or not grants:
            return {}
        try:
            return await self._grants_left(call.tenant_id, account_id, {each.grant.feature_key for each in grants})
        except UnavailableError:
            return {}


def _is_over(stored: StoredGrant, now: int) -> bool:
    return stored.grant.expire_time is not None and stored.grant.expire_time <= now
