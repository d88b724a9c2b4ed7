"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import invoice_service_pb2 as _pb2

class InvoiceServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    GetInvoice: grpc.UnaryUnaryMultiCallable[_pb2.GetInvoiceRequest, _pb2.GetInvoiceResponse]
    ListInvoices: grpc.UnaryUnaryMultiCallable[_pb2.ListInvoicesRequest, _pb2.ListInvoicesResponse]

class InvoiceServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    GetInvoice: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetInvoiceRequest, _pb2.GetInvoiceResponse]
    ListInvoices: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListInvoicesRequest, _pb2.ListInvoicesResponse]

class InvoiceServiceServicer:
    def GetInvoice(self, request: _pb2.GetInvoiceRequest, context: grpc.aio.ServicerContext[_pb2.GetInvoiceRequest, _pb2.GetInvoiceResponse]) -> Awaitable[_pb2.GetInvoiceResponse]: ...
    def ListInvoices(self, request: _pb2.ListInvoicesRequest, context: grpc.aio.ServicerContext[_pb2.ListInvoicesRequest, _pb2.ListInvoicesResponse]) -> Awaitable[_pb2.ListInvoicesResponse]: ...

def add_InvoiceServiceServicer_to_server(
    servicer: InvoiceServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
