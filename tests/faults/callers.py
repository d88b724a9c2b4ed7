"""Callers of one tenant over gRPC, as an application would be: a key, stubs, deadlines, and errors by reason."""

import time
from dataclasses import dataclass
from typing import Any, Self

import grpc
import grpc.aio
from google.rpc import error_details_pb2, status_pb2

from tallygate_api.v1 import (
    account_service_pb2,
    account_service_pb2_grpc,
    catalog_service_pb2,
    catalog_service_pb2_grpc,
    decision_pb2,
    entitlement_service_pb2,
    entitlement_service_pb2_grpc,
    subscription_service_pb2,
    subscription_service_pb2_grpc,
    usage_service_pb2,
    usage_service_pb2_grpc,
)
from worlds import catalog_message

# A killed server comes back on its address: look for it often.
_OPTIONS = [
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 250),
    ("grpc.use_local_subchannel_pool", 1),
]

CATALOG: dict[str, Any] = {
    "schema": "tallygate.catalog.v1",
    "features": {
        "sso": {"kind": "boolean"},
        "canary": {"kind": "static", "type": "number"},
        "api_calls": {"kind": "metered", "aggregation": "sum"},
    },
    "rate_limits": {
        "api_rps": {"owner": "account", "algorithm": "token_bucket"},
        "strict_rps": {
            "owner": "account",
            "algorithm": "token_bucket",
            "on_unavailable": "closed",
            "descriptor": [{"key": "strict"}],
        },
    },
    "plans": {
        "small": {
            "version": 1,
            "entitlements": {"canary": {"number": 1}, "api_calls": {"limit": 3}},
            "rate_limits": {"api_rps": {"limit": 1000, "window": "1s"}, "strict_rps": {"limit": 1000, "window": "1s"}},
        },
        "large": {
            "version": 1,
            "entitlements": {
                "sso": {"enabled": True},
                "canary": {"number": 2},
                "api_calls": {"limit": 1000},
            },
            "rate_limits": {"api_rps": {"limit": 1000, "window": "1s"}, "strict_rps": {"limit": 1000, "window": "1s"}},
        },
    },
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that ended with an error."""

    code: grpc.StatusCode
    reason: str
    message: str


class Caller:
    """Calls with one key to one server; what is refused is a value."""

    def __init__(self, address: str, key: str, *, deadline: float = 60.0) -> None:
        self.key = key
        self.deadline = deadline
        self.channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
        self._metadata = (("authorization", f"Bearer {key}"),) if key else ()
        self._entitlements = entitlement_service_pb2_grpc.EntitlementServiceStub(self.channel)
        self._accounts = account_service_pb2_grpc.AccountServiceStub(self.channel)
        self._catalogs = catalog_service_pb2_grpc.CatalogServiceStub(self.channel)
        self._subscriptions = subscription_service_pb2_grpc.SubscriptionServiceStub(self.channel)
        self._usage = usage_service_pb2_grpc.UsageServiceStub(self.channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close()

    async def check(self, account: str, feature: str, *, deadline: float | None = None) -> Any:
        request = entitlement_service_pb2.CheckEntitlementRequest(account_id=account, feature_key=feature)
        return await self._decision(self._entitlements.CheckEntitlement, request, deadline)

    async def consume(
        self,
        account: str,
        quantity: int = 1,
        *,
        request_id: str,
        deadline: float | None = None,
        version: int = 0,
        feature: str = "api_calls",
    ) -> Any:
        request = entitlement_service_pb2.ConsumeQuotaRequest(
            account_id=account,
            feature_key=feature,
            quantity=quantity,
            request_id=request_id,
            min_view_version=version,
        )
        return await self._decision(self._entitlements.ConsumeQuota, request, deadline)

    async def reset(self, account: str, feature: str, *, request_id: str) -> Any:
        request = entitlement_service_pb2.ResetUsageRequest(
            account_id=account, feature_key=feature, request_id=request_id
        )
        return await self.ask(self._entitlements.ResetUsage, request)

    async def rate_limit(self, account: str, limit: str = "api_rps", *, deadline: float | None = None) -> Any:
        entries = [entitlement_service_pb2.DescriptorEntry(key="strict", value="1")] if limit == "strict_rps" else []
        request = entitlement_service_pb2.RateLimitRequest(account_id=account, limit_key=limit, descriptors=entries)
        return await self.ask(self._entitlements.RateLimit, request, deadline)

    async def apply(self, document: dict[str, Any] | None = None) -> Any:
        request = catalog_service_pb2.ApplyCatalogRequest(catalog=catalog_message(document or CATALOG))
        return await self.ask(self._catalogs.ApplyCatalog, request)

    async def account(self, account: str, plan: str = "") -> Any:
        request = account_service_pb2.UpsertAccountRequest(account_id=account, plan_key=plan or None)
        return await self.ask(self._accounts.UpsertAccount, request)

    async def override(self, account: str, feature: str, entitlement: dict[str, Any]) -> Any:
        document = catalog_message({"plans": {"x": {"entitlements": {feature: entitlement}}}})
        request = account_service_pb2.CreateOverrideRequest(
            account_id=account, feature_key=feature, entitlement=document.plans["x"].entitlements[feature]
        )
        return await self.ask(self._accounts.CreateOverride, request)

    async def change_plan(self, account: str, plan: str) -> Any:
        request = subscription_service_pb2.ChangePlanRequest(
            account_id=account, plan_key=plan, when=subscription_service_pb2.CHANGE_WHEN_NOW
        )
        return await self.ask(self._subscriptions.ChangePlan, request)

    async def events(self, after: int = 0) -> Any:
        request = usage_service_pb2.ListEventsRequest(after_sequence=after, page_size=1000)
        return await self.ask(self._usage.ListEvents, request)

    async def usage(self, account: str) -> Any:
        request = usage_service_pb2.GetUsageRequest(account_id=account, feature_key="api_calls")
        return await self.ask(self._usage.GetUsage, request)

    async def ask(self, method: Any, request: Any, deadline: float | None = None) -> Any:
        try:
            return await method(request, metadata=self._metadata, timeout=deadline or self.deadline)
        except grpc.aio.AioRpcError as error:
            return Refusal(error.code(), _reason(error), error.details() or "")

    async def _decision(self, method: Any, request: Any, deadline: float | None) -> Any:
        answer = await self.ask(method, request, deadline)
        return answer if isinstance(answer, Refusal) else answer.decision


async def new_world(caller: Caller, *accounts: str, plan: str = "large") -> int:
    """Apply the catalogue, open accounts on a plan; the version to wait for."""
    await written(caller.apply())
    version = 0
    for account in accounts:
        version = (await written(caller.account(account, plan))).view_version
    return version


async def written(call: Any) -> Any:
    """The answer of a write, which must have been accepted."""
    answer = await call
    assert not isinstance(answer, Refusal), answer
    return answer


async def timed(call: Any) -> tuple[Any, float]:
    """A call's answer, and how long it took."""
    started = time.monotonic()
    return await call, time.monotonic() - started


def reason(answer: Any) -> str:
    """Why: of a decision or of a refusal."""
    if isinstance(answer, Refusal):
        return answer.reason
    return str(decision_pb2.Reason.Name(answer.reason)).removeprefix("REASON_")


def decided_on(answer: Any) -> str:
    return str(decision_pb2.DecidedOn.Name(answer.decided_on)).removeprefix("DECIDED_ON_")


def _reason(error: grpc.aio.AioRpcError) -> str:
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    for detail in status_pb2.Status.FromString(bytes(details)).details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason)
    return ""
