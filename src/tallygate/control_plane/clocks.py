"""Test tenants' clocks: an offset to real time that only grows."""

from dataclasses import dataclass, replace

from tallygate.domain.errors import InvalidFieldError, NotATestTenantError
from tallygate.records.fields import check_instant
from tallygate.records.ports import UnitOfWork
from tallygate.records.values import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class TestClock:
    """What a test tenant's clock shows, and how far it runs ahead of the real one."""

    __test__ = False  # pytest takes classes called Test... for tests

    now: int
    offset: int


async def get_clock(work: UnitOfWork, *, now: int) -> TestClock:
    """The clock, given the tenant's now.

    Raises:
        NotATestTenantError: the tenant lives on real time.
    """
    return TestClock(now=now, offset=(await _test_tenant(work)).clock_offset)


async def advance_clock(work: UnitOfWork, *, now: int, by: int = 0, to: int | None = None) -> TestClock:
    """Move the clock forwards, `by` some microseconds or `to` an instant.

    Raises:
        NotATestTenantError: the tenant lives on real time.
        InvalidFieldError: it would go backwards, or beyond what instants can be.
    """
    tenant = await _test_tenant(work)
    field, step = ("duration", by) if to is None else ("to_time", to - now)
    if step < 0:
        raise InvalidFieldError(field=field, expected="forwards only", got=step)
    check_instant(field, now + step)
    if step:
        await work.tenants.update(replace(tenant, clock_offset=tenant.clock_offset + step))
    return TestClock(now=now + step, offset=tenant.clock_offset + step)


async def _test_tenant(work: UnitOfWork) -> Tenant:
    tenant = await work.tenants.get()
    if not tenant.test:
        raise NotATestTenantError(tenant_id=tenant.tenant_id)
    return tenant
