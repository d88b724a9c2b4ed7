"""Tenants: made by the operator, or in testing mode by the first call with an unknown key."""

from contextlib import suppress
from dataclasses import dataclass

from tallygate.control_plane.keys import CreateKey, create_key
from tallygate.domain.credential import Scope, key_digest
from tallygate.domain.currency import decimals_of
from tallygate.domain.errors import ConflictError
from tallygate.records.fields import check_id, check_zone
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
    await transactions.publisher.publish_soon(tenant.tenant_id)
    return tenant


async def open_test_tenant(transactions: Transactions, secret: str, *, now: int) -> StoredKey:
    """The test tenant of an unknown key, and the key with every scope; the same key always opens the same tenant."""
    tenant_id = f"test-{key_digest(secret)[:24]}"
    with suppress(ConflictError):  # another call with this key was first
        await create_tenant(transactions, CreateTenant(tenant_id=tenant_id, test=True), now=now)
    request = CreateKey(scopes=frozenset({Scope.DATA, Scope.CONTROL}), name="opened by its first use")
    written = await transactions.write(
        tenant_id, lambda work, _: create_key(work, request, secret=secret, real_now=now), now=now
    )
    return written.value
