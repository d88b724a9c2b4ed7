"""Tenants: made by the operator, or in testing mode by the first call with an unknown key."""

from dataclasses import dataclass

from tallygate.control_plane.keys import CreateKey, new_key
from tallygate.domain.credential import Scope, key_digest
from tallygate.domain.currency import decimals_of
from tallygate.domain.errors import ConflictError, StoreUnavailableError, TenantNotFoundError
from tallygate.records.fields import check_id, check_zone
from tallygate.records.ports import UnitOfWork
from tallygate.records.transactions import Transactions
from tallygate.records.values import StoredKey, Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTenant:
    """A tenant to create; `test` gives it a clock that can be moved, for good."""

    tenant_id: str
    currency: str = "USD"
    time_zone: str = "UTC"
    test: bool = False


def tenant_of(request: CreateTenant, *, now: int) -> Tenant:
    """The tenant that a request describes.

    Raises:
        InvalidFieldError: its id, currency or time zone is none.
    """
    decimals_of(request.currency)  # a currency is one that has decimals
    return Tenant(
        tenant_id=check_id("tenant_id", request.tenant_id),
        create_time=now,
        currency=request.currency,
        time_zone=check_zone("time_zone", request.time_zone),
        test=request.test,
    )


async def create_tenant(transactions: Transactions, request: CreateTenant, *, now: int) -> Tenant:
    """Create a tenant with an empty catalogue, and publish it.

    Raises:
        ConflictError: there is one with this id.
    """
    tenant = tenant_of(request, now=now)
    await transactions.store.create_tenant(tenant)
    await transactions.publisher.publish_soon(tenant.tenant_id, tenant.view_version)
    return tenant


async def open_test_tenant(transactions: Transactions, secret: str, *, now: int) -> StoredKey:
    """The test tenant of an unknown key, and the key with every scope; the same key always opens the same tenant.

    Raises:
        StoreUnavailableError: the key is another tenant's and not published yet.
    """
    tenant_id = f"test-{key_digest(secret)[:24]}"
    tenant = tenant_of(CreateTenant(tenant_id=tenant_id, test=True), now=now)
    request = CreateKey(scopes=frozenset({Scope.DATA, Scope.CONTROL}), name="opened by its first use")
    key = new_key(request, tenant_id=tenant_id, secret=secret, real_now=now)
    try:
        await transactions.store.create_tenant(tenant, key)
    except ConflictError:
        return await _opened_before(transactions, key, now=now)
    await transactions.publisher.publish_soon(tenant_id, tenant.view_version)
    return key


async def _opened_before(transactions: Transactions, key: StoredKey, *, now: int) -> StoredKey:
    """The key as another call with it stored it."""

    async def stored(work: UnitOfWork, _now: int) -> StoredKey | None:
        return await work.keys.get(key.record.key_id)

    try:
        found = await transactions.read(key.record.tenant_id, stored, now=now)
    except TenantNotFoundError:
        found = None
    if found is None:
        raise StoreUnavailableError(missing="key table")  # a key that was just made for somebody reaches it in a second
    return found
