"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import audit_service_pb2 as _pb2

class AuditServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    ListAuditEntries: grpc.UnaryUnaryMultiCallable[_pb2.ListAuditEntriesRequest, _pb2.ListAuditEntriesResponse]
    VerifyAuditLog: grpc.UnaryUnaryMultiCallable[_pb2.VerifyAuditLogRequest, _pb2.VerifyAuditLogResponse]

class AuditServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    ListAuditEntries: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListAuditEntriesRequest, _pb2.ListAuditEntriesResponse]
    VerifyAuditLog: grpc.aio.UnaryUnaryMultiCallable[_pb2.VerifyAuditLogRequest, _pb2.VerifyAuditLogResponse]

class AuditServiceServicer:
    def ListAuditEntries(self, request: _pb2.ListAuditEntriesRequest, context: grpc.aio.ServicerContext[_pb2.ListAuditEntriesRequest, _pb2.ListAuditEntriesResponse]) -> Awaitable[_pb2.ListAuditEntriesResponse]: ...
    def VerifyAuditLog(self, request: _pb2.VerifyAuditLogRequest, context: grpc.aio.ServicerContext[_pb2.VerifyAuditLogRequest, _pb2.VerifyAuditLogResponse]) -> Awaitable[_pb2.VerifyAuditLogResponse]: ...

def add_AuditServiceServicer_to_server(
    servicer: AuditServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
