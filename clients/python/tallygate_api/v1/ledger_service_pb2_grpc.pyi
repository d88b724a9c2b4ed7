"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import ledger_service_pb2 as _pb2

class LedgerServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    ListTransfers: grpc.UnaryUnaryMultiCallable[_pb2.ListTransfersRequest, _pb2.ListTransfersResponse]
    GetTrialBalance: grpc.UnaryUnaryMultiCallable[_pb2.GetTrialBalanceRequest, _pb2.GetTrialBalanceResponse]
    CloseBooks: grpc.UnaryUnaryMultiCallable[_pb2.CloseBooksRequest, _pb2.CloseBooksResponse]
    ExportLedger: grpc.UnaryUnaryMultiCallable[_pb2.ExportLedgerRequest, _pb2.ExportLedgerResponse]
    AuditLedger: grpc.UnaryUnaryMultiCallable[_pb2.AuditLedgerRequest, _pb2.AuditLedgerResponse]

class LedgerServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    ListTransfers: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListTransfersRequest, _pb2.ListTransfersResponse]
    GetTrialBalance: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetTrialBalanceRequest, _pb2.GetTrialBalanceResponse]
    CloseBooks: grpc.aio.UnaryUnaryMultiCallable[_pb2.CloseBooksRequest, _pb2.CloseBooksResponse]
    ExportLedger: grpc.aio.UnaryUnaryMultiCallable[_pb2.ExportLedgerRequest, _pb2.ExportLedgerResponse]
    AuditLedger: grpc.aio.UnaryUnaryMultiCallable[_pb2.AuditLedgerRequest, _pb2.AuditLedgerResponse]

class LedgerServiceServicer:
    def ListTransfers(self, request: _pb2.ListTransfersRequest, context: grpc.aio.ServicerContext[_pb2.ListTransfersRequest, _pb2.ListTransfersResponse]) -> Awaitable[_pb2.ListTransfersResponse]: ...
    def GetTrialBalance(self, request: _pb2.GetTrialBalanceRequest, context: grpc.aio.ServicerContext[_pb2.GetTrialBalanceRequest, _pb2.GetTrialBalanceResponse]) -> Awaitable[_pb2.GetTrialBalanceResponse]: ...
    def CloseBooks(self, request: _pb2.CloseBooksRequest, context: grpc.aio.ServicerContext[_pb2.CloseBooksRequest, _pb2.CloseBooksResponse]) -> Awaitable[_pb2.CloseBooksResponse]: ...
    def ExportLedger(self, request: _pb2.ExportLedgerRequest, context: grpc.aio.ServicerContext[_pb2.ExportLedgerRequest, _pb2.ExportLedgerResponse]) -> Awaitable[_pb2.ExportLedgerResponse]: ...
    def AuditLedger(self, request: _pb2.AuditLedgerRequest, context: grpc.aio.ServicerContext[_pb2.AuditLedgerRequest, _pb2.AuditLedgerResponse]) -> Awaitable[_pb2.AuditLedgerResponse]: ...

def add_LedgerServiceServicer_to_server(
    servicer: LedgerServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
