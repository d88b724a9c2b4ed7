"""Asks every row's question with a real gRPC client and reads the whole answer, which no load driver does."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import grpc

from load.rows import Row
from load.world import World
from tallygate_api.v1 import entitlement_service_pb2 as pb
from tallygate_api.v1 import entitlement_service_pb2_grpc as pb_grpc
from tallygate_api.v1.decision_pb2 import DecidedOn

_SECONDS = 10
_CALLS = 25
_SHOWN = 300
_DECIDED = {DecidedOn.DECIDED_ON_FRESH, DecidedOn.DECIDED_ON_CACHED}
_LIMITS = {"fixed": 1, "one": 1, "three": 3}


def verify(world: World, rows: Iterable[Row]) -> list[str]:
    """What is wrong with the answers to these rows, the first of each row; nothing when all are right."""
    with grpc.insecure_channel(world.sidecar.address) as channel:
        stub = pb_grpc.EntitlementServiceStub(channel)
        problems = [next(iter(_problems(world, stub, row)), "") for row in rows if not row.echo]
    return [" ".join(problem.split())[:_SHOWN] for problem in problems if problem]


def _problems(world: World, stub: Any, row: Row) -> list[str]:
    judge = _JUDGES[row.method]
    call = getattr(stub, row.method)
    found: set[str] = set()
    for payload in _payloads(world, row):
        try:
            request = _REQUESTS[row.method].FromString(payload[5:])
            answer = call(request, timeout=_SECONDS, metadata=list(world.headers.items()))
            found |= {f"{row.name}: {problem}" for problem in judge(request, answer)}
            if row.method == "ConsumeQuota":
                again = call(request, timeout=_SECONDS, metadata=list(world.headers.items()))
                found |= set() if again.decision.replayed else {f"{row.name}: a retry counted again"}
        except grpc.RpcError as error:
            found.add(f"{row.name}: {error.code().name}: {error.details()}")
    return sorted(found)


def _payloads(world: World, row: Row) -> list[bytes]:
    if row.payload is not None:
        return [row.payload(world)] * _CALLS
    assert row.payloads is not None
    return list(islice(row.payloads(world), _CALLS))


def _of_decision(decision: Any) -> list[str]:
    return [] if decision.allowed and decision.decided_on in _DECIDED else [f"answered {decision}"]


def _of_check(_request: Any, answer: Any) -> list[str]:
    return _of_decision(answer.decision)


def _of_consume(_request: Any, answer: Any) -> list[str]:
    right = answer.decision.granted_quantity == 1 and not answer.decision.replayed
    return _of_decision(answer.decision) + ([] if right else [f"took {answer.decision}"])


def _of_rate_limit(request: Any, answer: Any) -> list[str]:
    wanted = _LIMITS[request.descriptors[0].value]
    right = answer.allowed and len(answer.statuses) == wanted and answer.decided_on in _DECIDED
    return [] if right else [f"wanted {wanted} limits that allow, got {answer}"]


def _of_batch(request: Any, answer: Any) -> list[str]:
    if len(answer.results) != len(request.account_ids):
        return [f"{len(answer.results)} results for {len(request.account_ids)} accounts"]
    return [line for result in answer.results for line in _of_decision(result.decision)][:1]


_REQUESTS: dict[str, Any] = {
    "CheckEntitlement": pb.CheckEntitlementRequest,
    "ConsumeQuota": pb.ConsumeQuotaRequest,
    "RateLimit": pb.RateLimitRequest,
    "BatchCheckEntitlements": pb.BatchCheckEntitlementsRequest,
}
_JUDGES: dict[str, Callable[[Any, Any], list[str]]] = {
    "CheckEntitlement": _of_check,
    "ConsumeQuota": _of_consume,
    "RateLimit": _of_rate_limit,
    "BatchCheckEntitlements": _of_batch,
}
