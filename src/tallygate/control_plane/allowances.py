"""Overrides and grants: dated exceptions and dated allowances of one account."""

from dataclasses import dataclass, replace

from tallygate.control_plane.catalog_rules import check_entitlement, check_rate
from tallygate.control_plane.formers import longest_period
from tallygate.domain.account import Grant, Override
from tallygate.domain.catalog import Aggregation, Catalog, Entitlement, Feature, FeatureKind
from tallygate.domain.errors import (
    AccountFullError,
    ConflictError,
    GrantNotFoundError,
    InvalidFieldError,
    LimitNotFoundError,
    OverrideNotFoundError,
)
from tallygate.domain.limits import LimitOwner, RateLimit
from tallygate.records.fields import check_id, check_instant, check_quantity
from tallygate.records.lookup import feature_of, known_account
from tallygate.records.paging import FIRST_PAGE, Page, PageRequest, key_of, slice_of
from tallygate.records.ports import NewId, UnitOfWork
from tallygate.records.repositories import GrantRepository, OverrideRepository
from tallygate.records.values import StoredGrant, StoredOverride
from tallygate.records.wording import differs

MAX_PRIORITY = 1_000_000
MOST_GRANTS = 1_000
MOST_OVERRIDES = 200
"""What an account's record holds at most; those that ended long ago stay in lists alone, and do not count."""

MOST_DELETED = 64
"""How many deleted overrides of an account are remembered at most: what was used longest ago is forgotten first."""

_TIDY = 50
"""From so many on, what ended long ago is looked for."""
_MEASURED = {Aggregation.UNIQUE, Aggregation.TIME_WEIGHTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOverride:
    """An exception over [start_time, end_time), from now on by default: from a feature's entitlement or a rate limit.

    With the caller's own `override_id` it is created once, however often it is asked for.
    """

    account_id: str
    feature_key: str = ""
    entitlement: Entitlement | None = None
    limit_key: str = ""
    rate_limit: RateLimit | None = None
    start_time: int | None = None
    end_time: int | None = None
    override_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateGrant:
    """An allowance over [effective_time, expire_time), from now on by default; a lower priority burns first.

    With the caller's own `grant_id` it is created once, however often it is asked for.
    """

    account_id: str
    feature_key: str
    amount: int
    priority: int = 0
    effective_time: int | None = None
    expire_time: int | None = None
    grant_id: str = ""


async def create_override(work: UnitOfWork, request: CreateOverride, *, now: int, new_id: NewId) -> StoredOverride:
    """Give an account an exception.

    Raises:
        ConflictError: another override has this id.
        AccountFullError: the account has too many.
    """
    await known_account(work, request.account_id)
    _check_exception(await work.catalog.load(), request)
    stored = await work.overrides.get(request.account_id, request.override_id) if request.override_id else None
    start = stored.override.start_time if stored is not None else now
    start = start if request.start_time is None else check_instant("start_time", request.start_time)
    if request.end_time is not None:
        check_instant("end_time", request.end_time, after=start)
    wanted = Override(
        override_id=check_id("override_id", request.override_id or f"ovr_{new_id()}"),
        feature_key=request.feature_key,
        entitlement=request.entitlement,
        limit_key=request.limit_key,
        rate_limit=request.rate_limit,
        start_time=start,
        end_time=request.end_time,
    )
    if stored is None:
        await _make_room(work, request.account_id, work.overrides, "overrides", MOST_OVERRIDES, now=now)
        stored = StoredOverride(override=wanted, create_time=now)
        await work.overrides.put(request.account_id, stored)
    if stored.override != wanted:
        raise ConflictError(override_id=wanted.override_id, differs=differs(stored.override, wanted))
    return stored


async def delete_override(work: UnitOfWork, account_id: str, override_id: str, *, now: int) -> None:
    """Take an exception back: it ends now.

    One of a feature that began is remembered for as long as a usage period may hang on it; its id is free again.

    Raises:
        OverrideNotFoundError: the account has no such override.
    """
    await known_account(work, account_id)
    stored = await work.overrides.get(account_id, override_id)
    if stored is None:
        raise OverrideNotFoundError(account_id=account_id, override_id=override_id)
    await work.overrides.delete(account_id, override_id)
    override = stored.override
    if override.feature_key and override.start_time <= now:
        end = now if override.end_time is None else min(now, override.end_time)
        ended = replace(stored, override=replace(override, end_time=end), delete_time=now)
        await work.overrides.put(account_id, ended)
        longest = longest_period(await work.catalog.load())
        await work.overrides.forget(account_id, ended_by=now - 3 * longest, most=MOST_DELETED)


async def list_overrides(
    work: UnitOfWork,
    account_id: str,
    page: PageRequest = FIRST_PAGE,
    *,
    feature_key: str = "",
    limit_key: str = "",
    show_deleted: bool = False,
) -> Page[StoredOverride]:
    """An account's overrides by feature, rate limit and start, ended ones included, deleted ones if asked for."""
    await known_account(work, account_id)
    found = [
        each
        for each in await work.overrides.list(account_id)
        if feature_key in {"", each.override.feature_key}
        and limit_key in {"", each.override.limit_key}
        and (show_deleted or each.delete_time is None)
    ]
    return slice_of(page, found, _override_order)


async def create_grant(work: UnitOfWork, request: CreateGrant, *, now: int, new_id: NewId) -> StoredGrant:
    """Give an account an allowance.

    Raises:
        ConflictError: another grant has this id.
        AccountFullError: the account has too many.
    """
    await known_account(work, request.account_id)
    _check_grantable(feature_of(await work.catalog.load(), request.feature_key))
    check_quantity("amount", request.amount, least=1)
    _check_priority(request.priority)
    stored = await work.grants.get(request.account_id, request.grant_id) if request.grant_id else None
    effective = stored.grant.effective_time if stored is not None else now
    effective = effective if request.effective_time is None else check_instant("effective_time", request.effective_time)
    if request.expire_time is not None:
        check_instant("expire_time", request.expire_time, after=effective)
    wanted = Grant(
        grant_id=check_id("grant_id", request.grant_id or f"grt_{new_id()}"),
        feature_key=request.feature_key,
        amount=request.amount,
        priority=request.priority,
        effective_time=effective,
        expire_time=request.expire_time,
        create_time=now,
    )
    if stored is None:
        await _make_room(work, request.account_id, work.grants, "grants", MOST_GRANTS, now=now)
        stored = StoredGrant(grant=wanted)
        await work.grants.put(request.account_id, stored)
    if not _is_same(stored, wanted):
        created = replace(wanted, create_time=stored.grant.create_time)
        raise ConflictError(grant_id=wanted.grant_id, differs=differs(stored.grant, created))
    return stored


async def revoke_grant(work: UnitOfWork, account_id: str, grant_id: str, *, now: int) -> StoredGrant:
    """Let a grant expire now, where it has not yet; what was burnt of it stays burnt. Again it changes nothing.

    Raises:
        GrantNotFoundError: the account has no such grant.
    """
    await known_account(work, account_id)
    stored = await work.grants.get(account_id, grant_id)
    if stored is None:
        raise GrantNotFoundError(account_id=account_id, grant_id=grant_id)
    if stored.revoke_time is not None:
        return stored
    expire = stored.grant.expire_time
    ended = replace(stored.grant, expire_time=now if expire is None else min(expire, now))
    revoked = StoredGrant(grant=ended, revoke_time=now)
    await work.grants.put(account_id, revoked)
    return revoked


async def list_grants(
    work: UnitOfWork, account_id: str, page: PageRequest = FIRST_PAGE, *, feature_key: str = ""
) -> Page[StoredGrant]:
    """An account's grants in the order in which they burn, expired and revoked ones included."""
    await known_account(work, account_id)
    found = [each for each in await work.grants.list(account_id) if feature_key in {"", each.grant.feature_key}]
    return slice_of(page, found, lambda stored: key_of(*stored.grant.burn_order()))


def _check_exception(catalog: Catalog, request: CreateOverride) -> None:
    """Either of a feature or of a rate limit that accounts own, with a value that suits it."""
    if bool(request.feature_key) is bool(request.limit_key):
        raise InvalidFieldError(field="feature_key", expected="either a feature_key or a limit_key")
    if request.feature_key:
        feature = feature_of(catalog, request.feature_key)
        if request.rate_limit is not None:
            raise InvalidFieldError(field="rate_limit", expected="nothing: the override is of a feature")
        check_entitlement("entitlement", feature, request.entitlement or Entitlement())
        return
    rule = catalog.rate_limits.get(request.limit_key)
    if rule is None:
        raise LimitNotFoundError(limit_key=request.limit_key)
    if rule.owner is LimitOwner.TENANT:
        raise InvalidFieldError(field="limit_key", expected="a rate limit that accounts own", got=request.limit_key)
    if request.entitlement is not None:
        raise InvalidFieldError(field="entitlement", expected="nothing: the override is of a rate limit")
    if request.rate_limit is None:
        raise InvalidFieldError(field="rate_limit", expected="the figures of the rate limit")
    check_rate("rate_limit", rule.algorithm, request.rate_limit)


async def _make_room(
    work: UnitOfWork, account_id: str, held: GrantRepository | OverrideRepository, holds: str, most: int, *, now: int
) -> None:
    """See that one more fits into the account's record, which every write and every first question reads whole.

    What no usage period hangs on any more leaves the record first.
    """
    if await held.count(account_id) < min(most, _TIDY):
        return
    await held.retire(account_id, ended_by=now - 3 * longest_period(await work.catalog.load()))
    if await held.count(account_id) >= most:
        raise AccountFullError(account_id=account_id, holds=holds, limit=most)


def _check_grantable(feature: Feature) -> None:
    if feature.kind is not FeatureKind.METERED or feature.aggregation in _MEASURED:
        raise InvalidFieldError(field="feature_key", expected="a metered feature that has limits", got=feature.kind)


def _check_priority(priority: int) -> None:
    if not 0 <= priority <= MAX_PRIORITY:
        raise InvalidFieldError(field="priority", expected=f"0 to {MAX_PRIORITY}", got=priority)


def _override_order(stored: StoredOverride) -> str:
    override = stored.override
    end = override.end_time if stored.delete_time is not None and override.end_time is not None else 0
    return key_of(override.feature_key, override.limit_key, override.start_time, override.override_id, end)


def _is_same(stored: StoredGrant, wanted: Grant) -> bool:
    """Whether a grant is what was created; when a revoked one was to expire is no longer known."""
    expire_time = wanted.expire_time if stored.revoke_time is None else stored.grant.expire_time
    return stored.grant == replace(wanted, create_time=stored.grant.create_time, expire_time=expire_time)
