"""Accounts and what hangs on them: users, seats, overrides, grants."""

from collections.abc import Mapping

from tallygate.control_plane.accounts import AccountView, UpsertAccount
from tallygate.control_plane.allowances import CreateGrant, CreateOverride
from tallygate.control_plane.imports import ImportItem
from tallygate.domain.catalog import Catalog
from tallygate.domain.errors import InvalidFieldError, TallygateError
from tallygate.records.values import AccountUser, SeatHolder, StoredGrant, StoredOverride
from tallygate.server.wire.catalog import time_zone
from tallygate.server.wire.decision import encode_error
from tallygate.server.wire.plan import decode_entitlement, decode_rate, encode_entitlement, encode_rate
from tallygate.server.wire.scalars import (
    entries,
    identifier,
    identifiers,
    optional_identifier,
    optional_instant,
    quantity,
    timestamp,
)
from tallygate.server.wire.subscription import decode_create, encode_subscription
from tallygate_api.v1 import account_service_pb2 as wire


def decode_upsert(request: wire.UpsertAccountRequest) -> UpsertAccount:
    """An account as it is to be."""
    return UpsertAccount(
        account_id=identifier(request.account_id, "account_id"),
        metadata=entries(request.metadata, "metadata"),
        time_zone=time_zone(request.time_zone, "time_zone") if request.HasField("time_zone") else None,
        plan_key=identifier(request.plan_key, "plan_key") if request.HasField("plan_key") else "",
        user_ids=identifiers(request.user_ids, "user_ids") if request.user_ids else (),
    )


def decode_import(item: wire.ImportAccountsItem) -> ImportItem:
    """An account as it is to be, with its subscription."""
    subscription = None
    if item.HasField("subscription"):
        if item.subscription.account_id not in {"", item.account.account_id}:
            expected = "the account's own id, or nothing"
            raise InvalidFieldError(
                field="subscription.account_id", expected=expected, got=item.subscription.account_id
            )
        item.subscription.account_id = item.account.account_id
        subscription = decode_create(item.subscription)
    return ImportItem(account=decode_upsert(item.account), subscription=subscription)


def encode_imported(outcome: bool | TallygateError) -> wire.ImportAccountsOutcome:  # noqa: FBT001 - a value, no switch
    """Whether the account is new, or why nothing of it was done."""
    if isinstance(outcome, TallygateError):
        return wire.ImportAccountsOutcome(error=encode_error(outcome))
    return wire.ImportAccountsOutcome(created=outcome)


def encode_account(view: AccountView, catalog: Catalog, now: int) -> wire.Account:
    """An account with its live subscription."""
    account, held = view.account, view.subscription
    return wire.Account(
        account_id=account.account_id,
        metadata=account.metadata,
        time_zone=account.time_zone,
        subscription=encode_subscription(held, catalog, now) if held is not None else None,
        create_time=timestamp(account.create_time),
        update_time=timestamp(account.update_time),
    )


def encode_user(user: AccountUser) -> wire.User:
    """A user."""
    return wire.User(user_id=user.user_id, create_time=timestamp(user.create_time))


def encode_seat(holder: SeatHolder) -> wire.Seat:
    """A seat and who holds it."""
    return wire.Seat(feature_key=holder.feature_key, user_id=holder.user_id, assign_time=timestamp(holder.assign_time))


def decode_override(request: wire.CreateOverrideRequest) -> CreateOverride:
    """An exception to make."""
    return CreateOverride(
        account_id=identifier(request.account_id, "account_id"),
        feature_key=optional_identifier(request.feature_key, "feature_key"),
        entitlement=decode_entitlement(request.entitlement, "entitlement") if request.HasField("entitlement") else None,
        limit_key=optional_identifier(request.limit_key, "limit_key"),
        rate_limit=decode_rate(request.rate_limit, "rate_limit") if request.HasField("rate_limit") else None,
        start_time=optional_instant(request, "start_time"),
        end_time=optional_instant(request, "end_time"),
        override_id=optional_identifier(request.override_id, "override_id"),
    )


def encode_override(stored: StoredOverride, account_id: str) -> wire.Override:
    """An exception."""
    override = stored.override
    return wire.Override(
        override_id=override.override_id,
        account_id=account_id,
        feature_key=override.feature_key,
        entitlement=encode_entitlement(override.entitlement) if override.entitlement is not None else None,
        start_time=timestamp(override.start_time),
        end_time=timestamp(override.end_time),
        create_time=timestamp(stored.create_time),
        limit_key=override.limit_key,
        rate_limit=encode_rate(override.rate_limit) if override.rate_limit is not None else None,
        delete_time=timestamp(stored.delete_time),
    )


def decode_grant(request: wire.CreateGrantRequest) -> CreateGrant:
    """An allowance to give."""
    return CreateGrant(
        account_id=identifier(request.account_id, "account_id"),
        feature_key=identifier(request.feature_key, "feature_key"),
        amount=quantity(request.amount, "amount", at_least=1),
        priority=request.priority,
        effective_time=optional_instant(request, "effective_time"),
        expire_time=optional_instant(request, "expire_time"),
        grant_id=optional_identifier(request.grant_id, "grant_id"),
    )


def encode_grant(stored: StoredGrant, account_id: str, left: Mapping[str, int]) -> wire.Grant:
    """An allowance, with what is left of it where that is known; one that was revoked expired then at the latest."""
    grant = stored.grant
    return wire.Grant(
        grant_id=grant.grant_id,
        account_id=account_id,
        feature_key=grant.feature_key,
        amount=grant.amount,
        priority=grant.priority,
        effective_time=timestamp(grant.effective_time),
        expire_time=timestamp(grant.expire_time),
        create_time=timestamp(grant.create_time),
        revoke_time=timestamp(stored.revoke_time),
        remaining=left.get(grant.grant_id),
    )
