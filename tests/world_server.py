"""A driver of decision worlds over gRPC: a test tenant of a running server, its clock and its control plane."""

from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2

from tallygate_api.v1 import (
    account_service_pb2 as accounts,
)
from tallygate_api.v1 import (
    account_service_pb2_grpc,
    catalog_pb2,
    catalog_service_pb2_grpc,
    decision_pb2,
    entitlement_service_pb2_grpc,
    subscription_pb2,
    subscription_service_pb2_grpc,
    test_clock_service_pb2,
    test_clock_service_pb2_grpc,
    usage_service_pb2_grpc,
)
from tallygate_api.v1 import (
    catalog_service_pb2 as catalogs,
)
from tallygate_api.v1 import (
    entitlement_service_pb2 as entitlements,
)
from tallygate_api.v1 import (
    subscription_service_pb2 as subscriptions,
)
from tallygate_api.v1 import (
    usage_service_pb2 as usage,
)
from world_answers import option_text, pot_text, source_text
from worlds import SECOND, catalog_message, instant, instant_text, override_message


class ServerDriver:
    """Worlds over gRPC. Every question waits for the last write's view version; the tenant's time stands meanwhile."""

    tolerance = 0.0

    def __init__(self, channel: grpc.aio.Channel, key: str) -> None:
        self._metadata = (("authorization", f"Bearer {key}"),)
        self._entitlements = entitlement_service_pb2_grpc.EntitlementServiceStub(channel)
        self._accounts = account_service_pb2_grpc.AccountServiceStub(channel)
        self._subscriptions = subscription_service_pb2_grpc.SubscriptionServiceStub(channel)
        self._catalogs = catalog_service_pb2_grpc.CatalogServiceStub(channel)
        self._clocks = test_clock_service_pb2_grpc.TestClockServiceStub(channel)
        self._usage = usage_service_pb2_grpc.UsageServiceStub(channel)
        self._version = 0
        self._requests = 0

    async def open(self, catalog: catalog_pb2.Catalog, now: int) -> None:
        await self.move_to(now)
        await self._write(self._catalogs.ApplyCatalog, catalogs.ApplyCatalogRequest(catalog=catalog))

    async def move_to(self, now: int) -> None:
        request = test_clock_service_pb2.SetTestClockRequest(time=_timestamp(now), standing=True)
        await self._write(self._clocks.SetTestClock, request)

    async def do(self, action: str, args: dict[str, Any]) -> dict[str, Any]:
        try:
            return await getattr(self, f"_{action}")(**args) or {"error": None}
        except grpc.aio.AioRpcError as error:
            return {"error": _error_reason(error)}

    # Questions

    async def _check(self, account, feature, user="", quantity=None, values=(), at_time=None):
        request = entitlements.CheckEntitlementRequest(
            account_id=account,
            feature_key=feature,
            user_id=user,
            quantity=quantity,
            requested_values=values,
            min_view_version=self._version,
            at_time=_stamp(at_time),
        )
        return _show((await self._call(self._entitlements.CheckEntitlement, request)).decision)

    async def _consume(self, account, feature, quantity=None, request_id="", mode="ALL_OR_NOTHING", occurred=None):
        self._requests += 1
        request = entitlements.ConsumeQuotaRequest(
            account_id=account,
            feature_key=feature,
            quantity=quantity,
            request_id=request_id or f"r{self._requests}",
            mode=f"CONSUME_MODE_{mode}",
            occurred_time=_stamp(occurred),
            min_view_version=self._version,
        )
        return _show((await self._call(self._entitlements.ConsumeQuota, request)).decision)

    async def _carry_in(self, account, feature, quantity):
        self._requests += 1
        item = usage.RecordUsageItem(
            account_id=account, feature_key=feature, quantity=quantity, request_id=f"r{self._requests}", carry_in=True
        )
        request = usage.RecordUsageRequest(items=[item], min_view_version=self._version)
        (outcome,) = (await self._call(self._usage.RecordUsage, request)).outcomes
        return _show(outcome.decision)

    async def _reset(self, account, feature, request_id=""):
        self._requests += 1
        request = entitlements.ResetUsageRequest(
            account_id=account, feature_key=feature, request_id=request_id or f"r{self._requests}"
        )
        answer = await self._call(self._entitlements.ResetUsage, request)
        return {
            "error": None,
            "replayed": answer.replayed,
            "reset_time": _text(answer, "period_end_time"),
            "closed": answer.closed_quantity,
        }

    async def _ratelimit(self, account="", limit="", descriptor=None, cost=None, request_id=""):
        request = entitlements.RateLimitRequest(
            account_id=account,
            limit_key=limit,
            descriptors=[entitlements.DescriptorEntry(key=k, value=v) for k, v in (descriptor or {}).items()],
            cost=cost,
            request_id=request_id,
            min_view_version=self._version,
        )
        answer = await self._call(self._entitlements.RateLimit, request)
        return {
            "error": None,
            "allowed": answer.allowed,
            "reason": _name(decision_pb2.Reason, answer.reason, "REASON_"),
            "binding": answer.binding_limit_key,
            "retry_after": _seconds(answer, "retry_after"),
            "replayed": answer.replayed,
            "statuses": {
                status.limit_key: {
                    "allowed": status.allowed,
                    "limit": status.limit,
                    "remaining": status.remaining,
                    "source": _source(status.source) if status.HasField("source") else None,
                }
                for status in answer.statuses
            },
        }

    # Changes

    async def _account(self, account, zone=None, overrides=(), grants=(), seats=None, **subscription):
        await self._write(
            self._accounts.UpsertAccount, accounts.UpsertAccountRequest(account_id=account, time_zone=zone)
        )
        if subscription:
            await self._subscribe(account, **subscription)
        for override in overrides:
            await self._override(account, **override)
        for grant in grants:
            await self._grant(account, **grant)
        for feature, users in (seats or {}).items():
            for user in users:
                await self._assign_seat(account, feature, user)

    async def _zone(self, account, zone):
        request = accounts.UpsertAccountRequest(account_id=account, time_zone=zone)
        await self._write(self._accounts.UpsertAccount, request)

    async def _subscribe(
        self, account, plan, version=None, trial_days=None, start=None, end=None, add_ons=None, state=None
    ):
        request = subscriptions.CreateSubscriptionRequest(
            account_id=account,
            plan_key=plan,
            plan_version=version,
            start_time=_stamp(start),
            trial_days=trial_days,
            end_time=_stamp(end),
            add_ons=[subscriptions.AddOnSelection(add_on_key=k, quantity=q) for k, q in (add_ons or {}).items()],
        )
        await self._write(self._subscriptions.CreateSubscription, request)
        if state:
            await self._state(account, state)

    async def _change_plan(self, account, plan, version=None, when="now"):
        request = subscriptions.ChangePlanRequest(
            account_id=account, plan_key=plan, plan_version=version, when=f"CHANGE_WHEN_{when.upper()}"
        )
        await self._write(self._subscriptions.ChangePlan, request)

    async def _set_add_on(self, account, add_on, quantity=1):
        request = subscriptions.SetAddOnRequest(account_id=account, add_on_key=add_on, quantity=quantity)
        await self._write(self._subscriptions.SetAddOn, request)

    async def _state(self, account, state):
        value = subscription_pb2.SubscriptionState.Value(f"SUBSCRIPTION_STATE_{state.upper()}")
        request = subscriptions.SetSubscriptionStateRequest(account_id=account, state=value)
        await self._write(self._subscriptions.SetSubscriptionState, request)

    async def _cancel(self, account, at=None):
        request = subscriptions.CancelSubscriptionRequest(account_id=account, when="CHANGE_WHEN_NOW")
        if at:
            request = subscriptions.CancelSubscriptionRequest(account_id=account, end_time=_stamp(at))
        await self._write(self._subscriptions.CancelSubscription, request)

    async def _extend(self, account, to):
        request = subscriptions.ExtendSubscriptionRequest(account_id=account, end_time=_stamp(to))
        await self._write(self._subscriptions.ExtendSubscription, request)

    async def _extend_trial(self, account, to):
        request = subscriptions.ExtendTrialRequest(account_id=account, trial_end_time=_stamp(to))
        await self._write(self._subscriptions.ExtendTrial, request)

    async def _grant(self, account, id, feature, amount, priority=0, effective=None, expires=None):  # noqa: A002 - its name
        request = accounts.CreateGrantRequest(
            account_id=account,
            grant_id=id,
            feature_key=feature,
            amount=amount,
            priority=priority,
            effective_time=_stamp(effective),
            expire_time=_stamp(expires),
        )
        await self._write(self._accounts.CreateGrant, request)

    async def _revoke_grant(self, account, id):  # noqa: A002 - the document's key
        await self._write(self._accounts.RevokeGrant, accounts.RevokeGrantRequest(account_id=account, grant_id=id))

    async def _override(self, account, id, feature="", entitlement=None, limit="", rate=None, start=None, end=None):  # noqa: A002 - its name
        plan = override_message(feature=feature, entitlement=entitlement, limit=limit, rate=rate)
        request = accounts.CreateOverrideRequest(
            account_id=account,
            feature_key=feature,
            override_id=id,
            entitlement=plan.entitlements[feature] if feature else None,
            limit_key=limit,
            rate_limit=plan.rate_limits[limit] if limit else None,
            start_time=_stamp(start),
            end_time=_stamp(end),
        )
        await self._write(self._accounts.CreateOverride, request)

    async def _delete_override(self, account, id):  # noqa: A002 - the document's key
        await self._write(
            self._accounts.DeleteOverride, accounts.DeleteOverrideRequest(account_id=account, override_id=id)
        )

    async def _assign_seat(self, account, feature, user):
        request = accounts.AssignSeatRequest(account_id=account, feature_key=feature, user_id=user)
        return _show((await self._write(self._accounts.AssignSeat, request)).decision)

    async def _unassign_seat(self, account, feature, user):
        request = accounts.UnassignSeatRequest(account_id=account, feature_key=feature, user_id=user)
        await self._write(self._accounts.UnassignSeat, request)

    async def _publish(self, migrate="none", **document):
        request = catalogs.ApplyCatalogRequest(catalog=catalog_message(document), migrate=f"MIGRATE_{migrate.upper()}")
        await self._write(self._catalogs.ApplyCatalog, request)

    async def _call(self, method, request):
        return await method(request, metadata=self._metadata, timeout=60)

    async def _write(self, method, request):
        answer = await self._call(method, request)
        self._version = max(self._version, answer.view_version)
        return answer


def _source(source: Any) -> str:
    kind = _name(decision_pb2.SourceKind, source.kind, "SOURCE_KIND_")
    return source_text(kind, source.key, source.version, source.quantity)


def _timestamp(at: int) -> Timestamp:
    return Timestamp(seconds=at // SECOND, nanos=at % SECOND * 1_000)


def _stamp(text: str | None) -> Timestamp | None:
    return _timestamp(instant(text)) if text else None


def _text(message: Any, field: str) -> str | None:
    """The instant in a field, to the second: what happens at a step happens a little after it."""
    stamp: Timestamp = getattr(message, field)
    return instant_text(stamp.seconds * SECOND) if message.HasField(field) else None


def _seconds(message: Any, field: str) -> float | None:
    found = getattr(message, field)
    return found.seconds + found.nanos / 1e9 if message.HasField(field) else None


def _name(enum: Any, value: int, prefix: str) -> str:
    return str(enum.Name(value)).removeprefix(prefix)


def _value(value: decision_pb2.Value) -> Any:
    which = value.WhichOneof("value")
    if which is None:
        return None
    return list(value.list_value.values) if which == "list_value" else getattr(value, which)


def _error_reason(error: grpc.aio.AioRpcError) -> str:
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    for detail in status_pb2.Status.FromString(bytes(details)).details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason)
    raise error


def _show(decision: decision_pb2.Decision) -> dict[str, Any]:
    """A decision as worlds write it."""
    wire = decision_pb2
    return {
        "error": None,
        "allowed": decision.allowed,
        "reason": _name(wire.Reason, decision.reason, "REASON_"),
        "value": _value(decision.value),
        "unlimited": decision.unlimited,
        "limit": decision.limit if decision.HasField("limit") else None,
        "used": decision.used,
        "remaining": decision.remaining if decision.HasField("remaining") else None,
        "hard_limit": decision.hard_limit if decision.HasField("hard_limit") else None,
        "shortfall": decision.shortfall if decision.HasField("shortfall") else None,
        "grants_left": [
            pot_text(_name(wire.PotKind, p.kind, "POT_KIND_"), p.grant_id, p.quantity) for p in decision.grants_left
        ],
        "granted": decision.granted_quantity,
        "pots": [pot_text(_name(wire.PotKind, p.kind, "POT_KIND_"), p.grant_id, p.quantity) for p in decision.pots],
        "period_start": _text(decision, "period_start_time"),
        "reset_time": _text(decision, "reset_time"),
        "retry_after": _seconds(decision, "retry_after"),
        "sources": [_source(source) for source in decision.sources],
        "unblock": [
            option_text(
                _name(wire.UnblockKind, o.kind, "UNBLOCK_KIND_"), o.key, o.limit if o.HasField("limit") else None
            )
            for o in decision.unblock_options
        ],
        "replayed": decision.replayed,
    }
