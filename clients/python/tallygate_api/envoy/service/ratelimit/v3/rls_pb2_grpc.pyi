"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.envoy.service.ratelimit.v3 import rls_pb2 as _pb2

class RateLimitServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    ShouldRateLimit: grpc.UnaryUnaryMultiCallable[_pb2.RateLimitRequest, _pb2.RateLimitResponse]

class RateLimitServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    ShouldRateLimit: grpc.aio.UnaryUnaryMultiCallable[_pb2.RateLimitRequest, _pb2.RateLimitResponse]

class RateLimitServiceServicer:
    def ShouldRateLimit(self, request: _pb2.RateLimitRequest, context: grpc.aio.ServicerContext[_pb2.RateLimitRequest, _pb2.RateLimitResponse]) -> Awaitable[_pb2.RateLimitResponse]: ...

def add_RateLimitServiceServicer_to_server(
    servicer: RateLimitServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
