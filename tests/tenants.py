"""A tenant as its own users see it: every RPC by its name, with the tenant's key, reading its own writes."""

import asyncio
import pkgutil
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

import patience
import tallygate_api
from tallygate.domain.errors import ErrorReason
from tallygate_api.v1 import decision_pb2, usage_service_pb2
from worlds import catalog_message

CALL_SECONDS = 60.0
POLL_SECONDS = 0.02
_FILES = [
    import_module(module.name).DESCRIPTOR
    for module in pkgutil.walk_packages(tallygate_api.__path__, "tallygate_api.")
    if module.name.endswith("_pb2")
]
METHODS: dict[str, MethodDescriptor] = {
    f"{service.name}/{method.name}" if service.file.package != "tallygate.v1" else method.name: method
    for file in _FILES
    for service in file.services_by_name.values()
    for method in service.methods
}
"""Every RPC that there is; those of tallygate.v1 by their own name, which is unique among them."""
ENVOY = "RateLimitService/ShouldRateLimit"


def rpc(channel: grpc.aio.Channel, name: str) -> Any:
    """The RPC of this name, as a stub would have it."""
    method = METHODS[name]
    kind = channel.unary_stream if method.server_streaming else channel.unary_unary
    return kind(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=GetMessageClass(method.input_type).SerializeToString,
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )


def request_of(name: str, /, **fields: Any) -> Message:
    """The request of the RPC of this name."""
    return GetMessageClass(METHODS[name].input_type)(**fields)


def metadata_of(key: str | None) -> tuple[tuple[str, str], ...]:
    return () if key is None else (("authorization", f"Bearer {key}"),)


class Tenant:
    """Calls with one key. Every view version that an answer tells is asked for by the questions after it."""

    def __init__(self, channel: grpc.aio.Channel, key: str) -> None:
        self.channel = channel
        self.key = key
        self.view_version = 0
        self._requests = 0

    async def call(self, name: str, /, **fields: Any) -> Any:
        """Call the RPC of this name and answer its response."""
        request = request_of(name, **fields)
        if "min_view_version" in request.DESCRIPTOR.fields_by_name:
            request.min_view_version = self.view_version
        response = await rpc(self.channel, name)(request, metadata=metadata_of(self.key), timeout=CALL_SECONDS)
        self.view_version = max(self.view_version, getattr(response, "view_version", 0))
        return response

    async def apply(self, document: dict[str, Any], **options: Any) -> Any:
        """Publish a catalogue in the document's own form."""
        return await self.call("ApplyCatalog", catalog=catalog_message(document), **options)

    async def check(self, account: str, feature: str, **more: Any) -> decision_pb2.Decision:
        return (await self.call("CheckEntitlement", account_id=account, feature_key=feature, **more)).decision

    async def consume(self, account: str, feature: str, quantity: int | None = None, **more: Any) -> Any:
        self._requests += 1
        more = {"request_id": f"r{self._requests}", **more}
        asked = {"account_id": account, "feature_key": feature, "quantity": quantity, **more}
        return (await self.call("ConsumeQuota", **asked)).decision

    async def now(self) -> float:
        """What the tenant's clock shows, in seconds since the Unix epoch."""
        return (await self.call("GetTestClock")).clock.current_time.ToMicroseconds() / 1e6

    async def advance_to(self, instant: Timestamp) -> None:
        await self.call("AdvanceTestClock", to_time=instant)

    async def advance(self, seconds: float) -> None:
        await self.call("AdvanceTestClock", duration=Duration(seconds=int(seconds)))

    async def usage(self, account: str, feature: str, **more: Any) -> Any:
        """The rows of one feature's usage in the current period."""
        asked = {"account_id": account, "feature_key": feature, "selection": usage_service_pb2.PERIOD_SELECTION_CURRENT}
        return (await self.call("GetUsage", **{**asked, **more})).rows

    async def usage_reaches(self, account: str, feature: str, quantity: int) -> Any:
        """The one row of a feature's usage, once the events behind it have been collected."""

        async def counted() -> Any:
            rows = await self.usage(account, feature)
            return rows[0] if rows and rows[0].quantity == quantity else None

        return await eventually(counted, what=f"{quantity} of {feature}")


async def eventually(ask: Callable[[], Awaitable[Any]], *, seconds: float = patience.SECONDS, what: str = "it") -> Any:
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (answer := await ask()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        await asyncio.sleep(POLL_SECONDS)
    return answer


async def failure(call: Awaitable[Any]) -> tuple[grpc.StatusCode, str]:
    """The status and reason of a call that must fail."""
    try:
        response = await call
    except grpc.aio.AioRpcError as error:
        return error.code(), reason_of(error)
    msg = f"answered {response}"
    raise AssertionError(msg)


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The ErrorReason in an error's details."""
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    found = [reason.value for reason in ErrorReason if reason.value.encode() in details]
    return max(found, key=len, default="")


def reason_name(decision: decision_pb2.Decision) -> str:
    """A decision's reason without its prefix."""
    return decision_pb2.Reason.Name(decision.reason).removeprefix("REASON_")


def after(instant: Timestamp, seconds: float) -> Timestamp:
    """The instant this much later."""
    moved = Timestamp()
    moved.FromMicroseconds(instant.ToMicroseconds() + round(seconds * 1_000_000))
    return moved
