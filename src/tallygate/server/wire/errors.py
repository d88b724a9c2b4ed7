"""From the domain's errors to gRPC's: status code, google.rpc details, trailing metadata. Knows no transport.

Only enum codes, `str` details and tuple metadata leave this room, so that every transport can carry them.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import cycle

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from tallygate.domain.errors import (
    ConflictError,
    ErrorReason,
    InvalidError,
    InvalidFieldError,
    NotFoundError,
    OutOfRangeError,
    OverloadedError,
    PermissionError_,
    TallygateError,
    UnauthenticatedError,
    UnavailableError,
)

DOMAIN = "tallygate"
DETAILS_KEY = "grpc-status-details-bin"
PUSHBACK_KEY = "grpc-retry-pushback-ms"
_SPREAD = 32
RETRY_SECONDS = 0.1
_LONGEST_MESSAGE = 500

Trailing = tuple[tuple[str, str | bytes], ...]


class MalformedRequestError(InvalidError):
    """The request cannot be read."""

    reason = ErrorReason.MALFORMED_REQUEST


class DeadlineExceededError(TallygateError):
    """The deadline passed; it may have counted, so retry with the same request_id where there is one."""

    reason = ErrorReason.DEADLINE_EXCEEDED


class UnimplementedError(TallygateError):
    """This server does not offer the method."""

    reason = ErrorReason.UNIMPLEMENTED


class InternalError(TallygateError):
    """A defect of the server; its log has the details under this request_id."""

    reason = ErrorReason.INTERNAL


_FAMILIES: tuple[tuple[type[TallygateError], grpc.StatusCode], ...] = (
    (UnauthenticatedError, grpc.StatusCode.UNAUTHENTICATED),
    (PermissionError_, grpc.StatusCode.PERMISSION_DENIED),
    (InvalidError, grpc.StatusCode.INVALID_ARGUMENT),
    (NotFoundError, grpc.StatusCode.NOT_FOUND),
    (ConflictError, grpc.StatusCode.FAILED_PRECONDITION),
    (UnavailableError, grpc.StatusCode.UNAVAILABLE),
    (DeadlineExceededError, grpc.StatusCode.DEADLINE_EXCEEDED),
    (UnimplementedError, grpc.StatusCode.UNIMPLEMENTED),
)
_BY_REASON = {
    ErrorReason.INTERNAL: grpc.StatusCode.INTERNAL,
    ErrorReason.ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
}
"""Two reasons say more than their family."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What a failed call is answered with."""

    code: grpc.StatusCode
    message: str
    trailing: Trailing


def status_code(error: TallygateError) -> grpc.StatusCode:
    """The status code of an error's family."""
    if error.reason in _BY_REASON:
        return _BY_REASON[error.reason]
    return next((code for family, code in _FAMILIES if isinstance(error, family)), grpc.StatusCode.INTERNAL)


@cache
def _overloads() -> Iterator[Failure]:
    """Refusals under overload, made once: one that costs as much as an answer would only add to it."""
    return cycle([failure_of(OverloadedError()) for _ in range(_SPREAD)])


def overloaded() -> Failure:
    """The answer to a call for which there is no room; its delays are spread over several callers."""
    return next(_overloads())


def failure_of(error: TallygateError) -> Failure:
    """The answer to a call that failed so."""
    code = status_code(error)
    message = str(error)[:_LONGEST_MESSAGE]
    wait = _retry_seconds(error)
    status = Status(code=code.value[0], message=message, details=_details(error, wait))
    trailing: Trailing = ((DETAILS_KEY, status.SerializeToString()),)
    if wait is not None:
        trailing = (*trailing, (PUSHBACK_KEY, str(int(wait * 1000))))
    return Failure(code, message, trailing)


def _retry_seconds(error: TallygateError) -> float | None:
    """When to try again, spread so that those who were refused together do not come back together."""
    if not isinstance(error, UnavailableError):
        return None
    return RETRY_SECONDS * random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, guards nothing


def _details(error: TallygateError, wait: float | None) -> list[AnyMessage]:
    details: list[Message] = [ErrorInfo(reason=error.reason.value, domain=DOMAIN, metadata=error.metadata)]
    if isinstance(error, InvalidFieldError | OutOfRangeError):
        violation = BadRequest.FieldViolation(
            field=error.metadata["field"], description=f"expected {error.metadata['expected']}"
        )
        details.append(BadRequest(field_violations=[violation]))
    if wait is not None:
        details.append(RetryInfo(retry_delay=Duration(nanos=int(wait * 1e9))))
    return [_packed(detail) for detail in details]


def _packed(message: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(message)
    return packed
