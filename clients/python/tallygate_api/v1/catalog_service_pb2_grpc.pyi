"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import catalog_service_pb2 as _pb2

class CatalogServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    ApplyCatalog: grpc.UnaryUnaryMultiCallable[_pb2.ApplyCatalogRequest, _pb2.ApplyCatalogResponse]
    GetCatalog: grpc.UnaryUnaryMultiCallable[_pb2.GetCatalogRequest, _pb2.GetCatalogResponse]
    ListPlans: grpc.UnaryUnaryMultiCallable[_pb2.ListPlansRequest, _pb2.ListPlansResponse]
    GetPlan: grpc.UnaryUnaryMultiCallable[_pb2.GetPlanRequest, _pb2.GetPlanResponse]

class CatalogServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    ApplyCatalog: grpc.aio.UnaryUnaryMultiCallable[_pb2.ApplyCatalogRequest, _pb2.ApplyCatalogResponse]
    GetCatalog: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetCatalogRequest, _pb2.GetCatalogResponse]
    ListPlans: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListPlansRequest, _pb2.ListPlansResponse]
    GetPlan: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetPlanRequest, _pb2.GetPlanResponse]

class CatalogServiceServicer:
    def ApplyCatalog(self, request: _pb2.ApplyCatalogRequest, context: grpc.aio.ServicerContext[_pb2.ApplyCatalogRequest, _pb2.ApplyCatalogResponse]) -> Awaitable[_pb2.ApplyCatalogResponse]: ...
    def GetCatalog(self, request: _pb2.GetCatalogRequest, context: grpc.aio.ServicerContext[_pb2.GetCatalogRequest, _pb2.GetCatalogResponse]) -> Awaitable[_pb2.GetCatalogResponse]: ...
    def ListPlans(self, request: _pb2.ListPlansRequest, context: grpc.aio.ServicerContext[_pb2.ListPlansRequest, _pb2.ListPlansResponse]) -> Awaitable[_pb2.ListPlansResponse]: ...
    def GetPlan(self, request: _pb2.GetPlanRequest, context: grpc.aio.ServicerContext[_pb2.GetPlanRequest, _pb2.GetPlanResponse]) -> Awaitable[_pb2.GetPlanResponse]: ...

def add_CatalogServiceServicer_to_server(
    servicer: CatalogServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
