"""Test tenants' clocks: set once, in the past too, then forwards only; running beside real time, or standing."""

from dataclasses import dataclass, replace

from tallygate.domain.errors import InvalidFieldError, NotATestTenantError
from tallygate.domain.instants import rfc3339
from tallygate.domain.tenant_clock import REAL_TIME
from tallygate.records.fields import check_instant
from tallygate.records.ports import UnitOfWork
from tallygate.records.values import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class TestClock:
    """What a test tenant's clock shows, how far that is ahead of real time, and whether it stands."""

    __test__ = False  # pytest takes classes called Test... for tests

    now: int
    offset: int
    standing: bool = False


async def get_clock(work: UnitOfWork, *, now: int, real: int) -> TestClock:
    """The clock, given the tenant's now and the real one.

    Raises:
        NotATestTenantError: the tenant lives on real time.
    """
    return _shown(await _test_tenant(work), now, real)


async def set_clock(work: UnitOfWork, *, now: int, real: int, to: int | None, standing: bool | None) -> TestClock:
    """Set the clock to an instant, or leave it where it is, and let it stand there or run from there (None: as before).

    Raises:
        NotATestTenantError: the tenant lives on real time.
        InvalidFieldError: the instant lies in the tenant's past, where it has accounts or its clock was set before.
    """
    tenant = await _test_tenant(work)
    target = now if to is None else check_instant("time", to)
    if target < now:
        await _check_new(work, tenant, target)
        tenant = replace(tenant, former_zones=(), former_defaults=())
    stood = tenant.clock_time is not None
    stands = stood if standing is None else standing
    ran_on = to is None and not stood
    offset = 0 if stands else tenant.clock_offset if ran_on else target - real
    moved = replace(tenant, clock_offset=offset, clock_time=target if stands else None)
    await work.tenants.update(moved)
    return _shown(moved, target, real)


async def advance_clock(work: UnitOfWork, *, now: int, real: int, by: int = 0, to: int | None = None) -> TestClock:
    """Move the clock forwards, `by` some microseconds or `to` an instant; one that stands then stands there.

    Raises:
        NotATestTenantError: the tenant lives on real time.
        InvalidFieldError: it would go backwards, or beyond what instants can be.
    """
    tenant = await _test_tenant(work)
    field, step = ("duration", by) if to is None else ("to_time", to - now)
    if step < 0:
        raise InvalidFieldError(field=field, expected="forwards only", got=step if to is None else rfc3339(to))
    check_instant(field, now + step)
    if tenant.clock_time is None:
        moved = replace(tenant, clock_offset=tenant.clock_offset + step)
    else:
        moved = replace(tenant, clock_time=tenant.clock_time + step)
    if step:
        await work.tenants.update(moved)
    return _shown(moved, now + step, real)


async def _check_new(work: UnitOfWork, tenant: Tenant, target: int) -> None:
    """Only a tenant that has done nothing yet can go back in time: else things would lie in its future."""
    if tenant.clock != REAL_TIME:
        raise InvalidFieldError(
            field="time", expected="what the clock shows or later: it was set before", got=rfc3339(target)
        )
    if await work.accounts.list(after="", limit=1):
        raise InvalidFieldError(
            field="time", expected="what the clock shows or later: there are accounts", got=rfc3339(target)
        )
    for feature in (await work.catalog.load()).features.values():
        if feature.former_rules:
            await work.catalog.put(replace(feature, former_rules=()))


def _shown(tenant: Tenant, now: int, real: int) -> TestClock:
    standing = tenant.clock_time is not None
    return TestClock(now=now, offset=now - real if standing else tenant.clock_offset, standing=standing)


async def _test_tenant(work: UnitOfWork) -> Tenant:
    tenant = await work.tenants.get()
    if not tenant.test:
        raise NotATestTenantError(tenant_id=tenant.tenant_id)
    return tenant
