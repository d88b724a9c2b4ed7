"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import test_clock_service_pb2 as _pb2

class TestClockServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    GetTestClock: grpc.UnaryUnaryMultiCallable[_pb2.GetTestClockRequest, _pb2.GetTestClockResponse]
    SetTestClock: grpc.UnaryUnaryMultiCallable[_pb2.SetTestClockRequest, _pb2.SetTestClockResponse]
    AdvanceTestClock: grpc.UnaryUnaryMultiCallable[_pb2.AdvanceTestClockRequest, _pb2.AdvanceTestClockResponse]

class TestClockServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    GetTestClock: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetTestClockRequest, _pb2.GetTestClockResponse]
    SetTestClock: grpc.aio.UnaryUnaryMultiCallable[_pb2.SetTestClockRequest, _pb2.SetTestClockResponse]
    AdvanceTestClock: grpc.aio.UnaryUnaryMultiCallable[_pb2.AdvanceTestClockRequest, _pb2.AdvanceTestClockResponse]

class TestClockServiceServicer:
    def GetTestClock(self, request: _pb2.GetTestClockRequest, context: grpc.aio.ServicerContext[_pb2.GetTestClockRequest, _pb2.GetTestClockResponse]) -> Awaitable[_pb2.GetTestClockResponse]: ...
    def SetTestClock(self, request: _pb2.SetTestClockRequest, context: grpc.aio.ServicerContext[_pb2.SetTestClockRequest, _pb2.SetTestClockResponse]) -> Awaitable[_pb2.SetTestClockResponse]: ...
    def AdvanceTestClock(self, request: _pb2.AdvanceTestClockRequest, context: grpc.aio.ServicerContext[_pb2.AdvanceTestClockRequest, _pb2.AdvanceTestClockResponse]) -> Awaitable[_pb2.AdvanceTestClockResponse]: ...

def add_TestClockServiceServicer_to_server(
    servicer: TestClockServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
