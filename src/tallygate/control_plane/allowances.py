"""Overrides and grants: dated exceptions and dated allowances of one account."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from tallygate.control_plane.catalog_rules import check_entitlement
from tallygate.control_plane.fields import check_id, check_instant, check_quantity
from tallygate.control_plane.lookup import account_record, feature_of
from tallygate.control_plane.paging import FIRST_PAGE, Page, PageRequest, slice_of
from tallygate.control_plane.ports import NewId, UnitOfWork
from tallygate.domain.account import Grant, Override
from tallygate.domain.catalog import Aggregation, Entitlement, Feature, FeatureKind
from tallygate.domain.errors import (
    ConflictError,
    GrantNotFoundError,
    InvalidFieldError,
    OverrideNotFoundError,
)

MAX_PRIORITY = 1_000_000
_MEASURED = {Aggregation.UNIQUE, Aggregation.TIME_WEIGHTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOverride:
    """An exception over [start_time, end_time), from now on by default."""

    account_id: str
    feature_key: str
    entitlement: Entitlement
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


async def create_override(work: UnitOfWork, request: CreateOverride, *, now: int, new_id: NewId) -> Override:
    """Give an account an exception.

    Raises:
        ConflictError: another override has this id.
    """
    record = await account_record(work, request.account_id)
    check_entitlement("entitlement", feature_of(await work.catalog.load(), request.feature_key), request.entitlement)
    start = now if request.start_time is None else check_instant("start_time", request.start_time)
    if request.end_time is not None:
        check_instant("end_time", request.end_time, after=start)
    wanted = Override(
        override_id=check_id("override_id", request.override_id or f"ovr_{new_id()}"),
        feature_key=request.feature_key,
        entitlement=request.entitlement,
        start_time=start,
        end_time=request.end_time,
    )
    stored = next((each for each in record.overrides if each.override_id == wanted.override_id), None)
    if stored is not None:
        same = stored == (wanted if request.start_time is not None else replace(wanted, start_time=stored.start_time))
        return _kept(stored, same=same, override_id=stored.override_id)
    await work.allowances.put_override(request.account_id, wanted)
    return wanted


async def delete_override(work: UnitOfWork, account_id: str, override_id: str) -> None:
    """Take an exception back.

    Raises:
        OverrideNotFoundError: the account has no such override.
    """
    await account_record(work, account_id)
    if not await work.allowances.delete_override(account_id, override_id):
        raise OverrideNotFoundError(account_id=account_id, override_id=override_id)


async def list_overrides(work: UnitOfWork, account_id: str, page: PageRequest = FIRST_PAGE) -> Page[Override]:
    """An account's overrides by id."""
    record = await account_record(work, account_id)
    return slice_of(page, record.overrides, lambda override: override.override_id)


async def create_grant(work: UnitOfWork, request: CreateGrant, *, now: int, new_id: NewId) -> Grant:
    """Give an account an allowance.

    Raises:
        ConflictError: another grant has this id.
    """
    record = await account_record(work, request.account_id)
    _check_grantable(feature_of(await work.catalog.load(), request.feature_key))
    check_quantity("amount", request.amount, least=1)
    if not 0 <= request.priority <= MAX_PRIORITY:
        raise InvalidFieldError(field="priority", expected=f"0 to {MAX_PRIORITY}", got=request.priority)
    effective = now if request.effective_time is None else check_instant("effective_time", request.effective_time)
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
    stored = _find(record.grants, wanted.grant_id)
    if stored is not None:
        return _kept(stored, same=_same_grant(stored, request, now), grant_id=stored.grant_id)
    await work.allowances.put_grant(request.account_id, wanted)
    return wanted


async def revoke_grant(work: UnitOfWork, account_id: str, grant_id: str, *, now: int) -> Grant:
    """Let a grant expire now; what was burnt of it stays burnt.

    Raises:
        GrantNotFoundError: the account has no such grant.
    """
    record = await account_record(work, account_id)
    stored = _find(record.grants, grant_id)
    if stored is None:
        raise GrantNotFoundError(account_id=account_id, grant_id=grant_id)
    if stored.expire_time is not None and stored.expire_time <= now:
        return stored
    revoked = replace(stored, expire_time=now)
    await work.allowances.put_grant(account_id, revoked)
    return revoked


async def list_grants(work: UnitOfWork, account_id: str, page: PageRequest = FIRST_PAGE) -> Page[Grant]:
    """An account's grants by id, expired ones included."""
    record = await account_record(work, account_id)
    return slice_of(page, record.grants, lambda grant: grant.grant_id)


def _check_grantable(feature: Feature) -> None:
    if feature.kind is not FeatureKind.METERED or feature.aggregation in _MEASURED:
        raise InvalidFieldError(field="feature_key", expected="a metered feature that has limits", got=feature.kind)


def _find(grants: Iterable[Grant], grant_id: str) -> Grant | None:
    return next((grant for grant in grants if grant.grant_id == grant_id), None)


def _same_grant(stored: Grant, request: CreateGrant, now: int) -> bool:
    """Whether the request asks for what is stored; a revoked grant has expired sooner than it was asked to."""
    fixed = (stored.feature_key, stored.amount, stored.priority)
    if fixed != (request.feature_key, request.amount, request.priority):
        return False
    if request.effective_time not in {None, stored.effective_time}:
        return False
    revoked = stored.expire_time is not None and stored.expire_time <= now
    sooner = revoked and (request.expire_time is None or (stored.expire_time or 0) < request.expire_time)
    return sooner or stored.expire_time == request.expire_time


_Kept = TypeVar("_Kept", Override, Grant)


def _kept(stored: _Kept, *, same: bool, **name: str) -> _Kept:
    if not same:
        raise ConflictError(**name)
    return stored
