"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import partner_service_pb2 as _pb2

class PartnerServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    SetShare: grpc.UnaryUnaryMultiCallable[_pb2.SetShareRequest, _pb2.SetShareResponse]
    ListShares: grpc.UnaryUnaryMultiCallable[_pb2.ListSharesRequest, _pb2.ListSharesResponse]
    SubmitBill: grpc.UnaryUnaryMultiCallable[_pb2.SubmitBillRequest, _pb2.SubmitBillResponse]
    CancelBill: grpc.UnaryUnaryMultiCallable[_pb2.CancelBillRequest, _pb2.CancelBillResponse]
    SubmitRecurringBill: grpc.UnaryUnaryMultiCallable[_pb2.SubmitRecurringBillRequest, _pb2.SubmitRecurringBillResponse]
    CancelRecurringBill: grpc.UnaryUnaryMultiCallable[_pb2.CancelRecurringBillRequest, _pb2.CancelRecurringBillResponse]
    ListRecurringBills: grpc.UnaryUnaryMultiCallable[_pb2.ListRecurringBillsRequest, _pb2.ListRecurringBillsResponse]
    ListBills: grpc.UnaryUnaryMultiCallable[_pb2.ListBillsRequest, _pb2.ListBillsResponse]
    ListStatements: grpc.UnaryUnaryMultiCallable[_pb2.ListStatementsRequest, _pb2.ListStatementsResponse]
    ListSharedInvoices: grpc.UnaryUnaryMultiCallable[_pb2.ListSharedInvoicesRequest, _pb2.ListSharedInvoicesResponse]
    GetBillingTimeline: grpc.UnaryUnaryMultiCallable[_pb2.GetBillingTimelineRequest, _pb2.GetBillingTimelineResponse]

class PartnerServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    SetShare: grpc.aio.UnaryUnaryMultiCallable[_pb2.SetShareRequest, _pb2.SetShareResponse]
    ListShares: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListSharesRequest, _pb2.ListSharesResponse]
    SubmitBill: grpc.aio.UnaryUnaryMultiCallable[_pb2.SubmitBillRequest, _pb2.SubmitBillResponse]
    CancelBill: grpc.aio.UnaryUnaryMultiCallable[_pb2.CancelBillRequest, _pb2.CancelBillResponse]
    SubmitRecurringBill: grpc.aio.UnaryUnaryMultiCallable[_pb2.SubmitRecurringBillRequest, _pb2.SubmitRecurringBillResponse]
    CancelRecurringBill: grpc.aio.UnaryUnaryMultiCallable[_pb2.CancelRecurringBillRequest, _pb2.CancelRecurringBillResponse]
    ListRecurringBills: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListRecurringBillsRequest, _pb2.ListRecurringBillsResponse]
    ListBills: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListBillsRequest, _pb2.ListBillsResponse]
    ListStatements: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListStatementsRequest, _pb2.ListStatementsResponse]
    ListSharedInvoices: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListSharedInvoicesRequest, _pb2.ListSharedInvoicesResponse]
    GetBillingTimeline: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetBillingTimelineRequest, _pb2.GetBillingTimelineResponse]

class PartnerServiceServicer:
    def SetShare(self, request: _pb2.SetShareRequest, context: grpc.aio.ServicerContext[_pb2.SetShareRequest, _pb2.SetShareResponse]) -> Awaitable[_pb2.SetShareResponse]: ...
    def ListShares(self, request: _pb2.ListSharesRequest, context: grpc.aio.ServicerContext[_pb2.ListSharesRequest, _pb2.ListSharesResponse]) -> Awaitable[_pb2.ListSharesResponse]: ...
    def SubmitBill(self, request: _pb2.SubmitBillRequest, context: grpc.aio.ServicerContext[_pb2.SubmitBillRequest, _pb2.SubmitBillResponse]) -> Awaitable[_pb2.SubmitBillResponse]: ...
    def CancelBill(self, request: _pb2.CancelBillRequest, context: grpc.aio.ServicerContext[_pb2.CancelBillRequest, _pb2.CancelBillResponse]) -> Awaitable[_pb2.CancelBillResponse]: ...
    def SubmitRecurringBill(self, request: _pb2.SubmitRecurringBillRequest, context: grpc.aio.ServicerContext[_pb2.SubmitRecurringBillRequest, _pb2.SubmitRecurringBillResponse]) -> Awaitable[_pb2.SubmitRecurringBillResponse]: ...
    def CancelRecurringBill(self, request: _pb2.CancelRecurringBillRequest, context: grpc.aio.ServicerContext[_pb2.CancelRecurringBillRequest, _pb2.CancelRecurringBillResponse]) -> Awaitable[_pb2.CancelRecurringBillResponse]: ...
    def ListRecurringBills(self, request: _pb2.ListRecurringBillsRequest, context: grpc.aio.ServicerContext[_pb2.ListRecurringBillsRequest, _pb2.ListRecurringBillsResponse]) -> Awaitable[_pb2.ListRecurringBillsResponse]: ...
    def ListBills(self, request: _pb2.ListBillsRequest, context: grpc.aio.ServicerContext[_pb2.ListBillsRequest, _pb2.ListBillsResponse]) -> Awaitable[_pb2.ListBillsResponse]: ...
    def ListStatements(self, request: _pb2.ListStatementsRequest, context: grpc.aio.ServicerContext[_pb2.ListStatementsRequest, _pb2.ListStatementsResponse]) -> Awaitable[_pb2.ListStatementsResponse]: ...
    def ListSharedInvoices(self, request: _pb2.ListSharedInvoicesRequest, context: grpc.aio.ServicerContext[_pb2.ListSharedInvoicesRequest, _pb2.ListSharedInvoicesResponse]) -> Awaitable[_pb2.ListSharedInvoicesResponse]: ...
    def GetBillingTimeline(self, request: _pb2.GetBillingTimelineRequest, context: grpc.aio.ServicerContext[_pb2.GetBillingTimelineRequest, _pb2.GetBillingTimelineResponse]) -> Awaitable[_pb2.GetBillingTimelineResponse]: ...

def add_PartnerServiceServicer_to_server(
    servicer: PartnerServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
