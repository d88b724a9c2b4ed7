"""The requests of each row as framed gRPC payloads, cheap enough to be made while the load runs."""

from collections.abc import Iterator

from load.http2 import grpc_message
from load.population import account_id
from tallygate_api.v1 import entitlement_service_pb2 as pb

SERVICE = "/tallygate.v1.EntitlementService/"
CONSUMERS = 1_000
"""How many accounts the consumes of a row are spread over."""
_BATCH = 100


def check(feature_key: str, number: int = 1) -> bytes:
    return _framed(pb.CheckEntitlementRequest(account_id=account_id(number), feature_key=feature_key))


def checks_of(feature_key: str, numbers: range) -> Iterator[bytes]:
    """A check of each of these accounts in turn, again and again."""
    model, place = check(feature_key, 0), account_id(0).encode()
    while True:
        for number in numbers:
            yield model.replace(place, account_id(number).encode())


def batch(numbers: range) -> bytes:
    ids = [account_id(number) for number in numbers]
    return _framed(pb.BatchCheckEntitlementsRequest(account_ids=ids, feature_keys=["retention_days"]))


def batches_of(numbers: range) -> Iterator[bytes]:
    """A batch of 100 of these accounts after the other, again and again."""
    ready = [batch(range(n, n + _BATCH)) for n in range(numbers.start, numbers.stop - _BATCH + 1, _BATCH)]
    while True:
        yield from ready


def consumes(first: int) -> Iterator[bytes]:
    """Consumes of one unit with request ids as long as a UUID, each distinct, numbered from `first`."""
    heads = [_consume_head(number) for number in range(CONSUMERS)]
    number = first
    while True:
        yield b"%b00000000-0000-4000-8000-%012d" % (heads[number % CONSUMERS], number)
        number += 1


def consume(number: int) -> pb.ConsumeQuotaRequest:
    """The consume of this number as a message."""
    return pb.ConsumeQuotaRequest.FromString(next(consumes(number))[5:])


def rate_limit(value: str, *, limit_key: str = "", number: int = 1) -> bytes:
    """Takes from the limits that match the descriptor entry `bench` = value, or from the one named alone."""
    entry = pb.DescriptorEntry(key="bench", value=value)
    return _framed(pb.RateLimitRequest(account_id=account_id(number), limit_key=limit_key, descriptors=[entry]))


def _consume_head(number: int) -> bytes:
    request = pb.ConsumeQuotaRequest(account_id=account_id(number), feature_key="api_calls", request_id="x" * 36)
    data = _framed(request)
    assert data.endswith(b"x" * 36), "the request id is the last field on the wire"
    return data[:-36]


def _framed(message: pb.CheckEntitlementRequest | pb.BatchCheckEntitlementsRequest | pb.RateLimitRequest) -> bytes:
    return grpc_message(message.SerializeToString())
