"""Decisions and what asks for them: the data plane's messages and their values."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import assert_never

from google.protobuf.message import DecodeError

from tallygate.data_plane.requests import (
    CheckRequest,
    ConsumeRequest,
    LimitStatus,
    RateLimitDecision,
    RateLimitRequest,
    ResetRequest,
)
from tallygate.domain.errors import ErrorReason, InvalidFieldError, TallygateError
from tallygate.domain.fields import is_id
from tallygate.domain.gating.decision import (
    DecidedOn,
    Decision,
    Pot,
    PotKind,
    Reason,
    Source,
    SourceKind,
    UnblockKind,
    UnblockOption,
)
from tallygate.domain.gating.quota import Mode
from tallygate.domain.limits import Algorithm
from tallygate.server.wire.catalog import ALGORITHM, LIMIT_OWNER
from tallygate.server.wire.errors import status_code
from tallygate.server.wire.scalars import (
    MAX_BATCH,
    MAX_ENTRIES,
    WireEnum,
    duration,
    entries,
    identifier,
    identifiers,
    optional_identifier,
    optional_instant,
    optional_quantity,
    quantity,
    timestamp,
)
from tallygate_api.v1 import decision_pb2 as wire
from tallygate_api.v1 import entitlement_service_pb2 as service
from tallygate_api.v1 import error_reason_pb2 as error_reason

_PAIRS_A_PLACE = 8
REASON = WireEnum(wire.Reason, Reason)
DECIDED_ON = WireEnum(wire.DecidedOn, DecidedOn)
POT_KIND = WireEnum(wire.PotKind, PotKind)
SOURCE_KIND = WireEnum(wire.SourceKind, SourceKind)
UNBLOCK_KIND = WireEnum(wire.UnblockKind, UnblockKind)
ERROR_REASON = WireEnum(error_reason.ErrorReason, ErrorReason)
MODE = WireEnum(service.ConsumeMode, Mode, default=Mode.ALL_OR_NOTHING)

_NO_DIMENSIONS: Mapping[str, str] = MappingProxyType({})


def decode_check(request: service.CheckEntitlementRequest) -> CheckRequest:
    """A question about one feature."""
    return CheckRequest(
        account_id=identifier(request.account_id, "account_id"),
        feature_key=identifier(request.feature_key, "feature_key"),
        user_id=optional_identifier(request.user_id, "user_id"),
        quantity=optional_quantity(request, "quantity", at_least=0),
        requested_values=requested_values(request.requested_values),
        min_view_version=quantity(request.min_view_version, "min_view_version", at_least=0),
        at_time=optional_instant(request, "at_time"),
    )


def weight_of_batch(data: bytes) -> int:
    """How many places a batch takes of those for work under way: one, and one more for every eight pairs."""
    try:
        request = service.BatchCheckEntitlementsRequest.FromString(data)
    except DecodeError:
        return 1
    return 1 + min(len(request.account_ids) * len(request.feature_keys), MAX_BATCH) // _PAIRS_A_PLACE


def decode_batch_check(request: service.BatchCheckEntitlementsRequest) -> list[CheckRequest]:
    """Every pair of account and feature, features of the first account first."""
    account_ids = identifiers(request.account_ids, "account_ids")
    feature_keys = identifiers(request.feature_keys, "feature_keys")
    pairs = len(account_ids) * len(feature_keys)
    if pairs > MAX_BATCH:
        raise InvalidFieldError(field="feature_keys", expected=f"accounts x features at most {MAX_BATCH}", got=pairs)
    user_id = optional_identifier(request.user_id, "user_id")
    asked = optional_quantity(request, "quantity", at_least=0)
    version = quantity(request.min_view_version, "min_view_version", at_least=0)
    at_time = optional_instant(request, "at_time")
    return [
        CheckRequest(
            account_id=account_id,
            feature_key=feature_key,
            user_id=user_id,
            quantity=asked,
            min_view_version=version,
            at_time=at_time,
        )
        for account_id in account_ids
        for feature_key in feature_keys
    ]


def decode_consume(request: service.ConsumeQuotaRequest) -> ConsumeRequest:
    """Units to take, or to return."""
    ids = request.account_id, request.feature_key, request.request_id
    if not is_id(*ids):
        for value, name in zip(ids, ("account_id", "feature_key", "request_id"), strict=True):
            identifier(value, name)
    asked = ConsumeRequest(
        account_id=ids[0],
        feature_key=ids[1],
        request_id=ids[2],
        dimensions=entries(request.dimensions, "dimensions") if request.dimensions else _NO_DIMENSIONS,
    )
    if request.HasField("quantity"):
        asked.quantity = quantity(request.quantity, "quantity")
    if request.mode:
        asked.mode = MODE.decode(request.mode, "mode")
    if request.user_id:
        asked.user_id = identifier(request.user_id, "user_id")
    if request.HasField("occurred_time"):
        asked.occurred_time = optional_instant(request, "occurred_time")
    if request.min_view_version:
        asked.min_view_version = quantity(request.min_view_version, "min_view_version", at_least=0)
    return asked


def decode_reset(request: service.ResetUsageRequest) -> ResetRequest:
    """A usage period to open."""
    return ResetRequest(
        account_id=identifier(request.account_id, "account_id"),
        feature_key=identifier(request.feature_key, "feature_key"),
        request_id=identifier(request.request_id, "request_id"),
        min_view_version=quantity(request.min_view_version, "min_view_version", at_least=0),
    )


def decode_rate_limit(request: service.RateLimitRequest) -> RateLimitRequest:
    """A call to be limited; whatever its descriptor holds came from an end user, and is counted by."""
    return RateLimitRequest(
        account_id=optional_identifier(request.account_id, "account_id"),
        limit_key=optional_identifier(request.limit_key, "limit_key"),
        descriptor=tuple((entry.key, entry.value) for entry in request.descriptors),
        cost=optional_quantity(request, "cost", at_least=0),
        request_id=optional_identifier(request.request_id, "request_id"),
        min_view_version=quantity(request.min_view_version, "min_view_version", at_least=0),
    )


def encode_decision(decision: Decision) -> wire.Decision:
    """The answer to one question."""
    return wire.Decision(
        allowed=decision.allowed,
        reason=REASON.encode(decision.reason),
        feature_key=decision.feature_key,
        value=_value(decision.value),
        unlimited=decision.unlimited,
        limit=decision.limit,
        used=decision.used,
        remaining=decision.remaining,
        granted_quantity=decision.granted_quantity,
        pots=[encode_pot(pot) for pot in decision.pots],
        hard_limit=decision.hard_limit,
        shortfall=decision.shortfall,
        grants_left=[encode_pot(pot) for pot in decision.grants_left],
        period_start_time=timestamp(decision.period_start),
        reset_time=timestamp(decision.reset_time),
        retry_after=duration(decision.retry_after),
        sources=[_source(source) for source in decision.sources],
        unblock_options=[_unblock(option) for option in decision.unblock_options],
        view_version=decision.view_version,
        decided_on=DECIDED_ON.encode(decision.decided_on),
        view_age=duration(decision.view_age),
        replayed=decision.replayed,
        request_id=decision.request_id,
    )


def encode_rate_limit(decision: RateLimitDecision) -> service.RateLimitResponse:
    """The answer over all matching limits."""
    return service.RateLimitResponse(
        allowed=decision.allowed,
        reason=REASON.encode(decision.reason),
        binding_limit_key=decision.binding_limit_key,
        statuses=[_limit_status(status) for status in decision.statuses],
        retry_after=duration(decision.retry_after),
        view_version=decision.view_version,
        decided_on=DECIDED_ON.encode(decision.decided_on),
        view_age=duration(decision.view_age),
        replayed=decision.replayed,
    )


def encode_error(error: TallygateError) -> wire.ErrorStatus:
    """Why one item of a batch could not be decided."""
    return wire.ErrorStatus(
        code=status_code(error).value[0],
        message=str(error),
        reason=ERROR_REASON.encode(error.reason),
        metadata=error.metadata,
    )


def encode_pot(pot: Pot) -> wire.Pot:
    """Units paid from one pot."""
    return wire.Pot(kind=POT_KIND.encode(pot.kind), grant_id=pot.grant_id, quantity=pot.quantity)


def requested_values(values: Sequence[str]) -> tuple[str, ...]:
    """The values that a check asks for.

    Raises:
        InvalidFieldError: they are too many, or one is no id.
    """
    return identifiers(values, "requested_values", at_most=MAX_ENTRIES) if values else ()


def _value(value: bool | int | str | tuple[str, ...] | None) -> wire.Value | None:  # noqa: FBT001 - a value that may be a truth
    match value:
        case None:
            return None
        case bool():
            return wire.Value(bool_value=value)
        case int():
            return wire.Value(number_value=value)
        case str():
            return wire.Value(text_value=value)
        case tuple():
            return wire.Value(list_value=wire.StringList(values=value))
        case _:
            assert_never(value)


def _source(source: Source) -> wire.Source:
    return wire.Source(
        kind=SOURCE_KIND.encode(source.kind), key=source.key, version=source.version, quantity=source.quantity
    )


def _unblock(option: UnblockOption) -> wire.UnblockOption:
    return wire.UnblockOption(kind=UNBLOCK_KIND.encode(option.kind), key=option.key, limit=option.limit)


def _limit_status(status: LimitStatus) -> service.LimitStatus:
    bucket = status.algorithm is Algorithm.TOKEN_BUCKET
    return service.LimitStatus(
        limit_key=status.limit_key,
        owner=LIMIT_OWNER.encode(status.owner),
        algorithm=ALGORITHM.encode(status.algorithm),
        allowed=status.allowed,
        limit=status.limit,
        remaining=status.remaining,
        window=duration(status.window),
        reset_time=timestamp(status.reset_time),
        retry_after=None if status.allowed else duration(status.retry_after),
        burst=status.burst if bucket else None,
        source=_source(status.source) if status.source is not None else None,
    )
