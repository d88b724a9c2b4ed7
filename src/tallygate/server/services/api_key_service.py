"""ApiKeyService: keys are minted here, shown once, and kept as a digest. They live on real time."""

from collections.abc import Callable

from tallygate.control_plane.keys import CreateKey, create_key, list_keys, revoke_key
from tallygate.domain.credential import ENTROPY_BYTES, Scope, mint_key
from tallygate.records.values import StoredKey
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork, page_request
from tallygate.server.wire.scalars import WireEnum, identifier, optional_identifier, optional_instant, timestamp
from tallygate_api.v1 import api_key_service_pb2 as wire

SCOPE = WireEnum(wire.Scope, Scope)


class ApiKeyServicer:
    """Serves ApiKeyService; `entropy` answers so many random bytes."""

    def __init__(self, work: TenantWork, *, entropy: Callable[[int], bytes]) -> None:
        self._work = work
        self._entropy = entropy

    async def CreateApiKey(self, request: wire.CreateApiKeyRequest, call: Call) -> wire.CreateApiKeyResponse:  # noqa: N802 - the wire's name
        """Mint a key."""
        wanted = CreateKey(
            scopes=frozenset(SCOPE.decode(scope, f"scopes[{index}]") for index, scope in enumerate(request.scopes)),
            name=request.name,
            expire_time=optional_instant(request, "expire_time"),
            account_id=optional_identifier(request.account_id, "account_id"),
        )
        secret, now = mint_key(self._entropy(ENTROPY_BYTES)), self._work.clock()
        written = await self._work.write(call, lambda work, _: create_key(work, wanted, secret=secret, real_now=now))
        return wire.CreateApiKeyResponse(key=secret, api_key=_encode(written.value))

    async def ListApiKeys(self, request: wire.ListApiKeysRequest, call: Call) -> wire.ListApiKeysResponse:  # noqa: N802 - the wire's name
        """The tenant's keys, newest first, expired and revoked ones included."""
        page = page_request(request.page_size, request.page_token)
        found = await self._work.read(call, lambda work, _: list_keys(work, page))
        return wire.ListApiKeysResponse(api_keys=map(_encode, found.items), next_page_token=found.next_page_token)

    async def RevokeApiKey(self, request: wire.RevokeApiKeyRequest, call: Call) -> wire.RevokeApiKeyResponse:  # noqa: N802 - the wire's name
        """Revoke a key for good."""
        key_id, now = identifier(request.key_id, "key_id"), self._work.clock()
        written = await self._work.write(call, lambda work, _: revoke_key(work, key_id, real_now=now))
        return wire.RevokeApiKeyResponse(api_key=_encode(written.value))


def _encode(stored: StoredKey) -> wire.ApiKey:
    record = stored.record
    return wire.ApiKey(
        key_id=record.key_id,
        name=record.name,
        prefix=stored.shown,
        scopes=[SCOPE.encode(scope) for scope in Scope if scope in record.scopes],
        create_time=timestamp(stored.create_time),
        expire_time=timestamp(record.expire_time),
        revoke_time=timestamp(record.revoke_time),
        account_id=record.account_id,
    )
