"""The requests of each row as framed gRPC payloads, cheap enough to be made while the load runs."""

from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.message import Message

from load.catalog import NEVER
from load.http2 import grpc_message
from load.population import account_id
from tallygate_api.envoy.extensions.common.ratelimit.v3.ratelimit_pb2 import RateLimitDescriptor
from tallygate_api.envoy.service.ratelimit.v3 import rls_pb2 as rls
from tallygate_api.v1 import entitlement_service_pb2 as pb

GRANTED_ACCOUNT = "acct-granted"
"""An account that holds a grant, too."""
CONSUMERS = 1_000
"""How many accounts the consumes of a row are spread over."""
_BATCH = 100
_ID = b"x" * 36


def check(feature_key: str, number: int = 1) -> bytes:
    return _framed(pb.CheckEntitlementRequest(account_id=account_id(number), feature_key=feature_key))


def checks_of(feature_key: str, numbers: range) -> Iterator[bytes]:
    """A check of each of these accounts in turn, again and again."""
    model, place = check(feature_key, 0), account_id(0).encode()
    while True:
        for number in numbers:
            yield model.replace(place, account_id(number).encode())


def checks_that_never_repeat(first: int) -> Iterator[bytes]:
    """Checks whose bytes no other has, of accounts that have been met: each of another user, numbered from `first`."""
    heads = [
        _around(
            pb.CheckEntitlementRequest(account_id=account_id(number), feature_key="retention_days", user_id="u" * 36),
            b"u" * 36,
        )
        for number in range(CONSUMERS)
    ]
    return _numbered(heads, first)


def batch(numbers: range) -> bytes:
    ids = [account_id(number) for number in numbers]
    return _framed(pb.BatchCheckEntitlementsRequest(account_ids=ids, feature_keys=["retention_days"]))


def pairs(numbers: range, feature_keys: Sequence[str]) -> bytes:
    """A batch that asks each of these features of each of these accounts."""
    ids = [account_id(number) for number in numbers]
    return _framed(pb.BatchCheckEntitlementsRequest(account_ids=ids, feature_keys=feature_keys))


def batches_of(numbers: range) -> Iterator[bytes]:
    """A batch of 100 of these accounts after the other, again and again."""
    ready = [batch(range(n, n + _BATCH)) for n in range(numbers.start, numbers.stop - _BATCH + 1, _BATCH)]
    while True:
        yield from ready


def consumes(first: int) -> Iterator[bytes]:
    """Consumes of one unit with request ids as long as a UUID, each distinct, numbered from `first`."""
    return consumes_of([account_id(number) for number in range(CONSUMERS)], first)


def consumes_of(accounts: Sequence[str], first: int, **fields: Any) -> Iterator[bytes]:
    """As `consumes`, of these accounts in turn, with whatever else the request says."""
    model = {"feature_key": "api_calls", "request_id": _ID.decode(), **fields}
    return _numbered([_around(pb.ConsumeQuotaRequest(account_id=who, **model), _ID) for who in accounts], first)


def consume_again() -> bytes:
    """The same consume each time: all but the first are replays."""
    request = pb.ConsumeQuotaRequest(account_id=account_id(1), feature_key="api_calls", request_id="again")
    return _framed(request)


def consume_too_much() -> bytes:
    """A consume that never fits."""
    return _framed(
        pb.ConsumeQuotaRequest(
            account_id=account_id(1), feature_key="api_calls", quantity=2 * NEVER, request_id="too much"
        )
    )


def consume(number: int) -> pb.ConsumeQuotaRequest:
    """The consume of this number as a message."""
    return pb.ConsumeQuotaRequest.FromString(next(consumes(number))[5:])


def rate_limits_once(value: str, limit_key: str, first: int) -> Iterator[bytes]:
    """As `rate_limit`, each with a request id of its own."""
    entry = pb.DescriptorEntry(key="bench", value=value)
    model = {"limit_key": limit_key, "descriptors": [entry], "request_id": _ID.decode()}
    accounts = [account_id(number) for number in range(CONSUMERS)]
    return _numbered([_around(pb.RateLimitRequest(account_id=who, **model), _ID) for who in accounts], first)


def descriptors(*values: str, number: int = 1) -> bytes:
    """What a proxy asks: a descriptor for each of these limits."""
    return _framed(
        rls.RateLimitRequest(
            domain="bench",
            descriptors=[
                RateLimitDescriptor(
                    entries=[
                        RateLimitDescriptor.Entry(key="account_id", value=account_id(number)),
                        RateLimitDescriptor.Entry(key="limit_key", value=f"bench_{value}"),
                        RateLimitDescriptor.Entry(key="bench", value=value),
                    ]
                )
                for value in values
            ],
        )
    )


def rate_limit(value: str, *, limit_key: str = "", number: int = 1) -> bytes:
    """Takes from the limits that match the descriptor entry `bench` = value, or from the one named alone."""
    entry = pb.DescriptorEntry(key="bench", value=value)
    return _framed(pb.RateLimitRequest(account_id=account_id(number), limit_key=limit_key, descriptors=[entry]))


def _around(message: Message, place: bytes) -> tuple[bytes, bytes]:
    """A framed message before and behind what differs from call to call."""
    head, found, tail = _framed(message).partition(place)
    assert found, f"{message} does not hold {place!r}"
    return head, tail


def _numbered(around: Sequence[tuple[bytes, bytes]], first: int) -> Iterator[bytes]:
    number = first
    while True:
        head, tail = around[number % len(around)]
        yield b"%b00000000-0000-4000-8000-%012d%b" % (head, number, tail)
        number += 1


def _framed(message: Message) -> bytes:
    return grpc_message(message.SerializeToString())
