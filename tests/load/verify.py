"""Asks every row's question with a real gRPC client and reads the whole answer, which no load driver does."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import grpc

from load.rows import ENTITLEMENTS, ENVOY, Row
from load.world import World
from tallygate_api.envoy.service.ratelimit.v3 import rls_pb2 as rls
from tallygate_api.envoy.service.ratelimit.v3 import rls_pb2_grpc as rls_grpc
from tallygate_api.v1 import entitlement_service_pb2 as pb
from tallygate_api.v1 import entitlement_service_pb2_grpc as pb_grpc
from tallygate_api.v1.decision_pb2 import DecidedOn, Reason

_SECONDS = 10
_CALLS = 25
_SHOWN = 300
_DECIDED = {DecidedOn.DECIDED_ON_FRESH, DecidedOn.DECIDED_ON_CACHED}
_LIMITS = {"fixed": 1, "one": 1, "three": 3, "sliding": 1, "none": 1}


def verify(world: World, rows: Iterable[Row]) -> list[str]:
    """What is wrong with the answers to these rows, the first of each row; nothing when all are right."""
    with grpc.insecure_channel(world.sidecar.address) as channel:
        stubs = {ENTITLEMENTS: pb_grpc.EntitlementServiceStub(channel), ENVOY: rls_grpc.RateLimitServiceStub(channel)}
        problems = [next(iter(_problems(world, stubs[row.service], row)), "") for row in rows if not row.echo]
    return [" ".join(problem.split())[:_SHOWN] for problem in problems if problem]


def _problems(world: World, stub: Any, row: Row) -> list[str]:
    call = getattr(stub, row.method)
    found: set[str] = set()
    for number, payload in enumerate(_payloads(world, row)):
        try:
            request = _REQUESTS[row.method].FromString(payload[5:])
            answer = call(request, timeout=_SECONDS, metadata=list(world.headers.items()))
            found |= {f"{row.name}: {problem}" for problem in _JUDGES[row.method](row, request, answer)}
            if row.method == "ConsumeQuota" and row.allowed and answer.decision.replayed is not _is_again(row, number):
                found.add(f"{row.name}: call {number} counts wrongly")
        except grpc.RpcError as error:
            found.add(f"{row.name}: {error.code().name}: {error.details()}")
    return sorted(found)


def _is_again(row: Row, number: int) -> bool:
    return row.payload is not None and number > 0


def _payloads(world: World, row: Row) -> list[bytes]:
    if row.payload is not None:
        return [row.payload(world)] * _CALLS
    assert row.payloads is not None
    return list(islice(row.payloads(world), _CALLS))


def _of_decision(row: Row, decision: Any) -> list[str]:
    reason = Reason.Name(decision.reason).removeprefix("REASON_")
    right = decision.allowed is row.allowed and row.reason in {"", reason} and decision.decided_on in _DECIDED
    return [] if right else [f"answered {decision}"]


def _of_check(row: Row, _request: Any, answer: Any) -> list[str]:
    return _of_decision(row, answer.decision)


def _of_consume(row: Row, _request: Any, answer: Any) -> list[str]:
    right = answer.decision.granted_quantity == (1 if row.allowed else 0)
    return _of_decision(row, answer.decision) + ([] if right else [f"took {answer.decision}"])


def _of_rate_limit(row: Row, request: Any, answer: Any) -> list[str]:
    wanted = _LIMITS[request.descriptors[0].value]
    right = len(answer.statuses) == wanted and not _of_decision(row, answer)
    return [] if right else [f"wanted {wanted} limits, got {answer}"]


def _of_descriptors(row: Row, request: Any, answer: Any) -> list[str]:
    code = rls.RateLimitResponse.OK if row.allowed else rls.RateLimitResponse.OVER_LIMIT
    codes = [answer.overall_code, *(status.code for status in answer.statuses)]
    return [] if codes == [code] * (1 + len(request.descriptors)) else [f"answered {answer}"]


def _of_batch(row: Row, request: Any, answer: Any) -> list[str]:
    if len(answer.results) != len(request.account_ids):
        return [f"{len(answer.results)} results for {len(request.account_ids)} accounts"]
    return [line for result in answer.results for line in _of_decision(row, result.decision)][:1]


_REQUESTS: dict[str, Any] = {
    "CheckEntitlement": pb.CheckEntitlementRequest,
    "ConsumeQuota": pb.ConsumeQuotaRequest,
    "RateLimit": pb.RateLimitRequest,
    "ShouldRateLimit": rls.RateLimitRequest,
    "BatchCheckEntitlements": pb.BatchCheckEntitlementsRequest,
}
_JUDGES: dict[str, Callable[[Row, Any, Any], list[str]]] = {
    "CheckEntitlement": _of_check,
    "ConsumeQuota": _of_consume,
    "RateLimit": _of_rate_limit,
    "ShouldRateLimit": _of_descriptors,
    "BatchCheckEntitlements": _of_batch,
}
