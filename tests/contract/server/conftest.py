import contextlib
from dataclasses import dataclass, field

import grpc
import grpc.aio
import pytest

from hot_server import hot_server
from servers import ValkeyServer
from tallygate.data_plane.requests import LimitStatus, RateLimitDecision
from tallygate.domain.credential import KeyRecord, Scope, key_digest, mint_key
from tallygate.domain.gating.decision import Decision, Reason
from tallygate.domain.limits import Algorithm, LimitOwner
from tallygate.server.calls.authentication import AuthenticationOptions, Authenticator
from tallygate.server.calls.registry import service_of
from tallygate.server.calls.streams import Streams
from tallygate.server.calls.wrapper import CallOptions, Calls
from tallygate.server.listeners import parse_address
from tallygate.server.operations.metrics import Metrics
from tallygate.server.services.entitlement_service import EntitlementServicer
from tallygate.server.services.envoy_service import EnvoyRateLimitServicer
from tallygate.server.transport.selection import new_transport
from tallygate.server.transport.transports import TransportOptions
from tallygate_api.envoy.service.ratelimit.v3 import rls_pb2
from tallygate_api.v1 import entitlement_service_pb2

NOW = 1_800_000_000_000_000


def key_of(name):
    return mint_key(name.encode().ljust(32, b"."))


class FakeKeys:
    """A key table in memory that counts its reads and can be made to fail."""

    def __init__(self):
        self.records = {}
        self.version = 1
        self.reads = 0
        self.error = None

    def add(self, name, *scopes, **more):
        record = KeyRecord(key_id=name, tenant_id=more.pop("tenant_id", "demo"), scopes=frozenset(scopes), **more)
        self.records[key_digest(key_of(name))] = record
        self.version += 1
        return key_of(name)

    async def key(self, digest):
        self.reads += 1
        if self.error:
            raise self.error
        return self.records.get(digest)

    async def table_version(self):
        if self.error:
            raise self.error
        return self.version


async def allow(_tenant_id, request):
    return Decision(feature_key=request.feature_key, allowed=True, reason=Reason.WITHIN_LIMIT, view_version=1)


@dataclass
class FakeUseCases:
    """Use-cases whose answers a test sets, with what they were asked."""

    check_answer: object = allow
    consume_answer: object = allow
    asked: list = field(default_factory=list)
    remaining: int = 5

    async def check(self, tenant_id, request):
        self.asked.append((tenant_id, request))
        return await self.check_answer(tenant_id, request)

    async def check_many(self, tenant_id, requests):
        return [await self.check(tenant_id, request) for request in requests]

    async def consume(self, tenant_id, request):
        self.asked.append((tenant_id, request))
        return await self.consume_answer(tenant_id, request)

    def begin(self, *_):
        return False

    async def take_all(self, tenant_id, asked):
        left = self.remaining
        decisions = [await self.take(tenant_id, request) for request in asked.requests]
        if not all(decision.allowed for decision in decisions):
            self.remaining = left
        return decisions

    async def take(self, tenant_id, request):
        self.asked.append((tenant_id, request))
        cost = 1 if request.cost is None else request.cost
        allowed = cost <= self.remaining
        self.remaining -= cost if allowed else 0
        status = LimitStatus(
            limit_key="api_rps",
            owner=LimitOwner.ACCOUNT,
            algorithm=Algorithm.TOKEN_BUCKET,
            allowed=allowed,
            limit=5,
            burst=5,
            window=60_000_000,
            remaining=self.remaining,
            reset_time=NOW,
            reset_after=1_500_000,
            retry_after=None if allowed else 200_000,
        )
        reason = Reason.WITHIN_LIMIT if allowed else Reason.RATE_LIMITED
        return RateLimitDecision(allowed=allowed, reason=reason, statuses=(status,), binding_limit_key="api_rps")


@dataclass
class Running:
    """A started server over fakes, and a channel to it."""

    transport: object
    channel: grpc.aio.Channel
    calls: Calls
    streams: Streams
    keys: FakeKeys
    use_cases: FakeUseCases
    metrics: Metrics
    authenticator: Authenticator

    def metadata(self, name="data"):
        return (("authorization", f"Bearer {key_of(name)}"),)

    def call(self, method, request, response, **more):
        """A raw call: bytes or a message in."""
        rpc = self.channel.unary_unary(
            method,
            request_serializer=lambda sent: sent if isinstance(sent, bytes) else sent.SerializeToString(),
            response_deserializer=response.FromString,
        )
        return rpc(request, **more)


@pytest.fixture(params=["grpcio", "native"])
def kind(request):
    """Which transport: what a call means does not depend on it."""
    return request.param


@pytest.fixture
async def start(kind):
    """Starts servers over fakes; stops them after the test."""
    running = []

    async def begin(*, address="127.0.0.1:0", options=None, call_options=None, listener_key="", more=()):
        keys, use_cases, metrics = FakeKeys(), FakeUseCases(), Metrics()
        keys.add("data", Scope.DATA)
        authenticator = Authenticator(keys, clock=lambda: NOW, options=AuthenticationOptions(listener_key=listener_key))
        calls = Calls(authenticator=authenticator, metrics=metrics, options=call_options or CallOptions())
        streams = Streams(calls)
        entitlements = EntitlementServicer(
            checks=use_cases,
            consumes=use_cases,
            rate_limits=use_cases,
            metrics=metrics,
            kind_of=lambda *_: "metered",
        )
        envoy = EnvoyRateLimitServicer(limits=use_cases, metrics=metrics)
        pairs = [
            (entitlement_service_pb2.DESCRIPTOR.services_by_name["EntitlementService"], entitlements),
            (rls_pb2.DESCRIPTOR.services_by_name["RateLimitService"], envoy),
            *more,
        ]
        services = [service_of(descriptor, servicer, calls=calls, streams=streams) for descriptor, servicer in pairs]
        transport = new_transport(
            kind,
            [parse_address(address)],
            services,
            calls=calls,
            streams=streams,
            options=options or TransportOptions(),
        )
        await transport.start()
        channel = grpc.aio.insecure_channel(transport.addresses[0].target)
        server = Running(transport, channel, calls, streams, keys, use_cases, metrics, authenticator)
        running.append(server)
        return server

    yield begin
    for server in running:
        await server.channel.close()
        await server.transport.stop()


@pytest.fixture
async def hot(kind, monkeypatch):
    """Starts hot servers, each on a store of its own, whose account `acme` is loaded."""
    async with contextlib.AsyncExitStack() as running:

        async def begin(**options):
            valkey = running.enter_context(ValkeyServer())
            server = await running.enter_async_context(hot_server(valkey, monkeypatch, transport=kind, **options))
            await server.publish_account("acme")
            await server.warm("acme", "calls", "lenient")
            return server

        yield begin
