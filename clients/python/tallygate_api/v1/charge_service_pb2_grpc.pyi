"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import charge_service_pb2 as _pb2

class ChargeServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    GetChargeLimit: grpc.UnaryUnaryMultiCallable[_pb2.GetChargeLimitRequest, _pb2.GetChargeLimitResponse]
    RaiseChargeLimit: grpc.UnaryUnaryMultiCallable[_pb2.RaiseChargeLimitRequest, _pb2.RaiseChargeLimitResponse]
    ListCharges: grpc.UnaryUnaryMultiCallable[_pb2.ListChargesRequest, _pb2.ListChargesResponse]
    ListChargeRuns: grpc.UnaryUnaryMultiCallable[_pb2.ListChargeRunsRequest, _pb2.ListChargeRunsResponse]

class ChargeServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    GetChargeLimit: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetChargeLimitRequest, _pb2.GetChargeLimitResponse]
    RaiseChargeLimit: grpc.aio.UnaryUnaryMultiCallable[_pb2.RaiseChargeLimitRequest, _pb2.RaiseChargeLimitResponse]
    ListCharges: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListChargesRequest, _pb2.ListChargesResponse]
    ListChargeRuns: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListChargeRunsRequest, _pb2.ListChargeRunsResponse]

class ChargeServiceServicer:
    def GetChargeLimit(self, request: _pb2.GetChargeLimitRequest, context: grpc.aio.ServicerContext[_pb2.GetChargeLimitRequest, _pb2.GetChargeLimitResponse]) -> Awaitable[_pb2.GetChargeLimitResponse]: ...
    def RaiseChargeLimit(self, request: _pb2.RaiseChargeLimitRequest, context: grpc.aio.ServicerContext[_pb2.RaiseChargeLimitRequest, _pb2.RaiseChargeLimitResponse]) -> Awaitable[_pb2.RaiseChargeLimitResponse]: ...
    def ListCharges(self, request: _pb2.ListChargesRequest, context: grpc.aio.ServicerContext[_pb2.ListChargesRequest, _pb2.ListChargesResponse]) -> Awaitable[_pb2.ListChargesResponse]: ...
    def ListChargeRuns(self, request: _pb2.ListChargeRunsRequest, context: grpc.aio.ServicerContext[_pb2.ListChargeRunsRequest, _pb2.ListChargeRunsResponse]) -> Awaitable[_pb2.ListChargeRunsResponse]: ...

def add_ChargeServiceServicer_to_server(
    servicer: ChargeServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
