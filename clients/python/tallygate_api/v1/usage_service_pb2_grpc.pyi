"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import usage_service_pb2 as _pb2

class UsageServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    GetUsage: grpc.UnaryUnaryMultiCallable[_pb2.GetUsageRequest, _pb2.GetUsageResponse]
    ListEvents: grpc.UnaryUnaryMultiCallable[_pb2.ListEventsRequest, _pb2.ListEventsResponse]
    FollowEvents: grpc.UnaryStreamMultiCallable[_pb2.FollowEventsRequest, _pb2.FollowEventsResponse]
    RecordUsage: grpc.UnaryUnaryMultiCallable[_pb2.RecordUsageRequest, _pb2.RecordUsageResponse]

class UsageServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    GetUsage: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetUsageRequest, _pb2.GetUsageResponse]
    ListEvents: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListEventsRequest, _pb2.ListEventsResponse]
    FollowEvents: grpc.aio.UnaryStreamMultiCallable[_pb2.FollowEventsRequest, _pb2.FollowEventsResponse]
    RecordUsage: grpc.aio.UnaryUnaryMultiCallable[_pb2.RecordUsageRequest, _pb2.RecordUsageResponse]

class UsageServiceServicer:
    def GetUsage(self, request: _pb2.GetUsageRequest, context: grpc.aio.ServicerContext[_pb2.GetUsageRequest, _pb2.GetUsageResponse]) -> Awaitable[_pb2.GetUsageResponse]: ...
    def ListEvents(self, request: _pb2.ListEventsRequest, context: grpc.aio.ServicerContext[_pb2.ListEventsRequest, _pb2.ListEventsResponse]) -> Awaitable[_pb2.ListEventsResponse]: ...
    def FollowEvents(self, request: _pb2.FollowEventsRequest, context: grpc.aio.ServicerContext[_pb2.FollowEventsRequest, _pb2.FollowEventsResponse]) -> AsyncIterator[_pb2.FollowEventsResponse]: ...
    def RecordUsage(self, request: _pb2.RecordUsageRequest, context: grpc.aio.ServicerContext[_pb2.RecordUsageRequest, _pb2.RecordUsageResponse]) -> Awaitable[_pb2.RecordUsageResponse]: ...

def add_UsageServiceServicer_to_server(
    servicer: UsageServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
