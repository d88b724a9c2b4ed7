"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import report_service_pb2 as _pb2

class ReportServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    GetReport: grpc.UnaryUnaryMultiCallable[_pb2.GetReportRequest, _pb2.GetReportResponse]
    CompareVariants: grpc.UnaryUnaryMultiCallable[_pb2.CompareVariantsRequest, _pb2.CompareVariantsResponse]

class ReportServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    GetReport: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetReportRequest, _pb2.GetReportResponse]
    CompareVariants: grpc.aio.UnaryUnaryMultiCallable[_pb2.CompareVariantsRequest, _pb2.CompareVariantsResponse]

class ReportServiceServicer:
    def GetReport(self, request: _pb2.GetReportRequest, context: grpc.aio.ServicerContext[_pb2.GetReportRequest, _pb2.GetReportResponse]) -> Awaitable[_pb2.GetReportResponse]: ...
    def CompareVariants(self, request: _pb2.CompareVariantsRequest, context: grpc.aio.ServicerContext[_pb2.CompareVariantsRequest, _pb2.CompareVariantsResponse]) -> Awaitable[_pb2.CompareVariantsResponse]: ...

def add_ReportServiceServicer_to_server(
    servicer: ReportServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
