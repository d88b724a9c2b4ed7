"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import invoice_service_pb2 as _pb2

class InvoiceServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    GetInvoice: grpc.UnaryUnaryMultiCallable[_pb2.GetInvoiceRequest, _pb2.GetInvoiceResponse]
    ListInvoices: grpc.UnaryUnaryMultiCallable[_pb2.ListInvoicesRequest, _pb2.ListInvoicesResponse]
    ExplainLine: grpc.UnaryUnaryMultiCallable[_pb2.ExplainLineRequest, _pb2.ExplainLineResponse]
    ListLineEvents: grpc.UnaryUnaryMultiCallable[_pb2.ListLineEventsRequest, _pb2.ListLineEventsResponse]
    VerifyInvoice: grpc.UnaryUnaryMultiCallable[_pb2.VerifyInvoiceRequest, _pb2.VerifyInvoiceResponse]
    FinalizeInvoice: grpc.UnaryUnaryMultiCallable[_pb2.FinalizeInvoiceRequest, _pb2.FinalizeInvoiceResponse]
    VoidInvoice: grpc.UnaryUnaryMultiCallable[_pb2.VoidInvoiceRequest, _pb2.VoidInvoiceResponse]
    CreateCreditNote: grpc.UnaryUnaryMultiCallable[_pb2.CreateCreditNoteRequest, _pb2.CreateCreditNoteResponse]
    DisputeLine: grpc.UnaryUnaryMultiCallable[_pb2.DisputeLineRequest, _pb2.DisputeLineResponse]
    WriteOffInvoice: grpc.UnaryUnaryMultiCallable[_pb2.WriteOffInvoiceRequest, _pb2.WriteOffInvoiceResponse]
    RenderInvoice: grpc.UnaryUnaryMultiCallable[_pb2.RenderInvoiceRequest, _pb2.RenderInvoiceResponse]

class InvoiceServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    GetInvoice: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetInvoiceRequest, _pb2.GetInvoiceResponse]
    ListInvoices: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListInvoicesRequest, _pb2.ListInvoicesResponse]
    ExplainLine: grpc.aio.UnaryUnaryMultiCallable[_pb2.ExplainLineRequest, _pb2.ExplainLineResponse]
    ListLineEvents: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListLineEventsRequest, _pb2.ListLineEventsResponse]
    VerifyInvoice: grpc.aio.UnaryUnaryMultiCallable[_pb2.VerifyInvoiceRequest, _pb2.VerifyInvoiceResponse]
    FinalizeInvoice: grpc.aio.UnaryUnaryMultiCallable[_pb2.FinalizeInvoiceRequest, _pb2.FinalizeInvoiceResponse]
    VoidInvoice: grpc.aio.UnaryUnaryMultiCallable[_pb2.VoidInvoiceRequest, _pb2.VoidInvoiceResponse]
    CreateCreditNote: grpc.aio.UnaryUnaryMultiCallable[_pb2.CreateCreditNoteRequest, _pb2.CreateCreditNoteResponse]
    DisputeLine: grpc.aio.UnaryUnaryMultiCallable[_pb2.DisputeLineRequest, _pb2.DisputeLineResponse]
    WriteOffInvoice: grpc.aio.UnaryUnaryMultiCallable[_pb2.WriteOffInvoiceRequest, _pb2.WriteOffInvoiceResponse]
    RenderInvoice: grpc.aio.UnaryUnaryMultiCallable[_pb2.RenderInvoiceRequest, _pb2.RenderInvoiceResponse]

class InvoiceServiceServicer:
    def GetInvoice(self, request: _pb2.GetInvoiceRequest, context: grpc.aio.ServicerContext[_pb2.GetInvoiceRequest, _pb2.GetInvoiceResponse]) -> Awaitable[_pb2.GetInvoiceResponse]: ...
    def ListInvoices(self, request: _pb2.ListInvoicesRequest, context: grpc.aio.ServicerContext[_pb2.ListInvoicesRequest, _pb2.ListInvoicesResponse]) -> Awaitable[_pb2.ListInvoicesResponse]: ...
    def ExplainLine(self, request: _pb2.ExplainLineRequest, context: grpc.aio.ServicerContext[_pb2.ExplainLineRequest, _pb2.ExplainLineResponse]) -> Awaitable[_pb2.ExplainLineResponse]: ...
    def ListLineEvents(self, request: _pb2.ListLineEventsRequest, context: grpc.aio.ServicerContext[_pb2.ListLineEventsRequest, _pb2.ListLineEventsResponse]) -> Awaitable[_pb2.ListLineEventsResponse]: ...
    def VerifyInvoice(self, request: _pb2.VerifyInvoiceRequest, context: grpc.aio.ServicerContext[_pb2.VerifyInvoiceRequest, _pb2.VerifyInvoiceResponse]) -> Awaitable[_pb2.VerifyInvoiceResponse]: ...
    def FinalizeInvoice(self, request: _pb2.FinalizeInvoiceRequest, context: grpc.aio.ServicerContext[_pb2.FinalizeInvoiceRequest, _pb2.FinalizeInvoiceResponse]) -> Awaitable[_pb2.FinalizeInvoiceResponse]: ...
    def VoidInvoice(self, request: _pb2.VoidInvoiceRequest, context: grpc.aio.ServicerContext[_pb2.VoidInvoiceRequest, _pb2.VoidInvoiceResponse]) -> Awaitable[_pb2.VoidInvoiceResponse]: ...
    def CreateCreditNote(self, request: _pb2.CreateCreditNoteRequest, context: grpc.aio.ServicerContext[_pb2.CreateCreditNoteRequest, _pb2.CreateCreditNoteResponse]) -> Awaitable[_pb2.CreateCreditNoteResponse]: ...
    def DisputeLine(self, request: _pb2.DisputeLineRequest, context: grpc.aio.ServicerContext[_pb2.DisputeLineRequest, _pb2.DisputeLineResponse]) -> Awaitable[_pb2.DisputeLineResponse]: ...
    def WriteOffInvoice(self, request: _pb2.WriteOffInvoiceRequest, context: grpc.aio.ServicerContext[_pb2.WriteOffInvoiceRequest, _pb2.WriteOffInvoiceResponse]) -> Awaitable[_pb2.WriteOffInvoiceResponse]: ...
    def RenderInvoice(self, request: _pb2.RenderInvoiceRequest, context: grpc.aio.ServicerContext[_pb2.RenderInvoiceRequest, _pb2.RenderInvoiceResponse]) -> Awaitable[_pb2.RenderInvoiceResponse]: ...

def add_InvoiceServiceServicer_to_server(
    servicer: InvoiceServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
