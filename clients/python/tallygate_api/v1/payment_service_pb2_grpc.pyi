"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import payment_service_pb2 as _pb2

class PaymentServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    SetGateway: grpc.UnaryUnaryMultiCallable[_pb2.SetGatewayRequest, _pb2.SetGatewayResponse]
    ListGateways: grpc.UnaryUnaryMultiCallable[_pb2.ListGatewaysRequest, _pb2.ListGatewaysResponse]
    BeginSetup: grpc.UnaryUnaryMultiCallable[_pb2.BeginSetupRequest, _pb2.BeginSetupResponse]
    AttachMethod: grpc.UnaryUnaryMultiCallable[_pb2.AttachMethodRequest, _pb2.AttachMethodResponse]
    ListMethods: grpc.UnaryUnaryMultiCallable[_pb2.ListMethodsRequest, _pb2.ListMethodsResponse]
    SetDefaultMethod: grpc.UnaryUnaryMultiCallable[_pb2.SetDefaultMethodRequest, _pb2.SetDefaultMethodResponse]
    DetachMethod: grpc.UnaryUnaryMultiCallable[_pb2.DetachMethodRequest, _pb2.DetachMethodResponse]
    Pay: grpc.UnaryUnaryMultiCallable[_pb2.PayRequest, _pb2.PayResponse]
    TopUp: grpc.UnaryUnaryMultiCallable[_pb2.TopUpRequest, _pb2.TopUpResponse]
    RecordOffline: grpc.UnaryUnaryMultiCallable[_pb2.RecordOfflineRequest, _pb2.RecordOfflineResponse]
    SetCollection: grpc.UnaryUnaryMultiCallable[_pb2.SetCollectionRequest, _pb2.SetCollectionResponse]
    GetCollection: grpc.UnaryUnaryMultiCallable[_pb2.GetCollectionRequest, _pb2.GetCollectionResponse]
    Reconcile: grpc.UnaryUnaryMultiCallable[_pb2.ReconcileRequest, _pb2.ReconcileResponse]
    ListGatewayEvents: grpc.UnaryUnaryMultiCallable[_pb2.ListGatewayEventsRequest, _pb2.ListGatewayEventsResponse]
    RefundLine: grpc.UnaryUnaryMultiCallable[_pb2.RefundLineRequest, _pb2.RefundLineResponse]
    ListRefunds: grpc.UnaryUnaryMultiCallable[_pb2.ListRefundsRequest, _pb2.ListRefundsResponse]
    RecordDispute: grpc.UnaryUnaryMultiCallable[_pb2.RecordDisputeRequest, _pb2.RecordDisputeResponse]
    ListDisputes: grpc.UnaryUnaryMultiCallable[_pb2.ListDisputesRequest, _pb2.ListDisputesResponse]
    ListPayments: grpc.UnaryUnaryMultiCallable[_pb2.ListPaymentsRequest, _pb2.ListPaymentsResponse]
    ListAttempts: grpc.UnaryUnaryMultiCallable[_pb2.ListAttemptsRequest, _pb2.ListAttemptsResponse]

class PaymentServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    SetGateway: grpc.aio.UnaryUnaryMultiCallable[_pb2.SetGatewayRequest, _pb2.SetGatewayResponse]
    ListGateways: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListGatewaysRequest, _pb2.ListGatewaysResponse]
    BeginSetup: grpc.aio.UnaryUnaryMultiCallable[_pb2.BeginSetupRequest, _pb2.BeginSetupResponse]
    AttachMethod: grpc.aio.UnaryUnaryMultiCallable[_pb2.AttachMethodRequest, _pb2.AttachMethodResponse]
    ListMethods: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListMethodsRequest, _pb2.ListMethodsResponse]
    SetDefaultMethod: grpc.aio.UnaryUnaryMultiCallable[_pb2.SetDefaultMethodRequest, _pb2.SetDefaultMethodResponse]
    DetachMethod: grpc.aio.UnaryUnaryMultiCallable[_pb2.DetachMethodRequest, _pb2.DetachMethodResponse]
    Pay: grpc.aio.UnaryUnaryMultiCallable[_pb2.PayRequest, _pb2.PayResponse]
    TopUp: grpc.aio.UnaryUnaryMultiCallable[_pb2.TopUpRequest, _pb2.TopUpResponse]
    RecordOffline: grpc.aio.UnaryUnaryMultiCallable[_pb2.RecordOfflineRequest, _pb2.RecordOfflineResponse]
    SetCollection: grpc.aio.UnaryUnaryMultiCallable[_pb2.SetCollectionRequest, _pb2.SetCollectionResponse]
    GetCollection: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetCollectionRequest, _pb2.GetCollectionResponse]
    Reconcile: grpc.aio.UnaryUnaryMultiCallable[_pb2.ReconcileRequest, _pb2.ReconcileResponse]
    ListGatewayEvents: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListGatewayEventsRequest, _pb2.ListGatewayEventsResponse]
    RefundLine: grpc.aio.UnaryUnaryMultiCallable[_pb2.RefundLineRequest, _pb2.RefundLineResponse]
    ListRefunds: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListRefundsRequest, _pb2.ListRefundsResponse]
    RecordDispute: grpc.aio.UnaryUnaryMultiCallable[_pb2.RecordDisputeRequest, _pb2.RecordDisputeResponse]
    ListDisputes: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListDisputesRequest, _pb2.ListDisputesResponse]
    ListPayments: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListPaymentsRequest, _pb2.ListPaymentsResponse]
    ListAttempts: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListAttemptsRequest, _pb2.ListAttemptsResponse]

class PaymentServiceServicer:
    def SetGateway(self, request: _pb2.SetGatewayRequest, context: grpc.aio.ServicerContext[_pb2.SetGatewayRequest, _pb2.SetGatewayResponse]) -> Awaitable[_pb2.SetGatewayResponse]: ...
    def ListGateways(self, request: _pb2.ListGatewaysRequest, context: grpc.aio.ServicerContext[_pb2.ListGatewaysRequest, _pb2.ListGatewaysResponse]) -> Awaitable[_pb2.ListGatewaysResponse]: ...
    def BeginSetup(self, request: _pb2.BeginSetupRequest, context: grpc.aio.ServicerContext[_pb2.BeginSetupRequest, _pb2.BeginSetupResponse]) -> Awaitable[_pb2.BeginSetupResponse]: ...
    def AttachMethod(self, request: _pb2.AttachMethodRequest, context: grpc.aio.ServicerContext[_pb2.AttachMethodRequest, _pb2.AttachMethodResponse]) -> Awaitable[_pb2.AttachMethodResponse]: ...
    def ListMethods(self, request: _pb2.ListMethodsRequest, context: grpc.aio.ServicerContext[_pb2.ListMethodsRequest, _pb2.ListMethodsResponse]) -> Awaitable[_pb2.ListMethodsResponse]: ...
    def SetDefaultMethod(self, request: _pb2.SetDefaultMethodRequest, context: grpc.aio.ServicerContext[_pb2.SetDefaultMethodRequest, _pb2.SetDefaultMethodResponse]) -> Awaitable[_pb2.SetDefaultMethodResponse]: ...
    def DetachMethod(self, request: _pb2.DetachMethodRequest, context: grpc.aio.ServicerContext[_pb2.DetachMethodRequest, _pb2.DetachMethodResponse]) -> Awaitable[_pb2.DetachMethodResponse]: ...
    def Pay(self, request: _pb2.PayRequest, context: grpc.aio.ServicerContext[_pb2.PayRequest, _pb2.PayResponse]) -> Awaitable[_pb2.PayResponse]: ...
    def TopUp(self, request: _pb2.TopUpRequest, context: grpc.aio.ServicerContext[_pb2.TopUpRequest, _pb2.TopUpResponse]) -> Awaitable[_pb2.TopUpResponse]: ...
    def RecordOffline(self, request: _pb2.RecordOfflineRequest, context: grpc.aio.ServicerContext[_pb2.RecordOfflineRequest, _pb2.RecordOfflineResponse]) -> Awaitable[_pb2.RecordOfflineResponse]: ...
    def SetCollection(self, request: _pb2.SetCollectionRequest, context: grpc.aio.ServicerContext[_pb2.SetCollectionRequest, _pb2.SetCollectionResponse]) -> Awaitable[_pb2.SetCollectionResponse]: ...
    def GetCollection(self, request: _pb2.GetCollectionRequest, context: grpc.aio.ServicerContext[_pb2.GetCollectionRequest, _pb2.GetCollectionResponse]) -> Awaitable[_pb2.GetCollectionResponse]: ...
    def Reconcile(self, request: _pb2.ReconcileRequest, context: grpc.aio.ServicerContext[_pb2.ReconcileRequest, _pb2.ReconcileResponse]) -> Awaitable[_pb2.ReconcileResponse]: ...
    def ListGatewayEvents(self, request: _pb2.ListGatewayEventsRequest, context: grpc.aio.ServicerContext[_pb2.ListGatewayEventsRequest, _pb2.ListGatewayEventsResponse]) -> Awaitable[_pb2.ListGatewayEventsResponse]: ...
    def RefundLine(self, request: _pb2.RefundLineRequest, context: grpc.aio.ServicerContext[_pb2.RefundLineRequest, _pb2.RefundLineResponse]) -> Awaitable[_pb2.RefundLineResponse]: ...
    def ListRefunds(self, request: _pb2.ListRefundsRequest, context: grpc.aio.ServicerContext[_pb2.ListRefundsRequest, _pb2.ListRefundsResponse]) -> Awaitable[_pb2.ListRefundsResponse]: ...
    def RecordDispute(self, request: _pb2.RecordDisputeRequest, context: grpc.aio.ServicerContext[_pb2.RecordDisputeRequest, _pb2.RecordDisputeResponse]) -> Awaitable[_pb2.RecordDisputeResponse]: ...
    def ListDisputes(self, request: _pb2.ListDisputesRequest, context: grpc.aio.ServicerContext[_pb2.ListDisputesRequest, _pb2.ListDisputesResponse]) -> Awaitable[_pb2.ListDisputesResponse]: ...
    def ListPayments(self, request: _pb2.ListPaymentsRequest, context: grpc.aio.ServicerContext[_pb2.ListPaymentsRequest, _pb2.ListPaymentsResponse]) -> Awaitable[_pb2.ListPaymentsResponse]: ...
    def ListAttempts(self, request: _pb2.ListAttemptsRequest, context: grpc.aio.ServicerContext[_pb2.ListAttemptsRequest, _pb2.ListAttemptsResponse]) -> Awaitable[_pb2.ListAttemptsResponse]: ...

def add_PaymentServiceServicer_to_server(
    servicer: PaymentServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
