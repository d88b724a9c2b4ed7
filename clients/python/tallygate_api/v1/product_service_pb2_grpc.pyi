"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import product_service_pb2 as _pb2

class ProductServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    RequestUsagePlan: grpc.UnaryUnaryMultiCallable[_pb2.RequestUsagePlanRequest, _pb2.RequestUsagePlanResponse]
    ApproveUsagePlan: grpc.UnaryUnaryMultiCallable[_pb2.ApproveUsagePlanRequest, _pb2.ApproveUsagePlanResponse]
    GetListing: grpc.UnaryUnaryMultiCallable[_pb2.GetListingRequest, _pb2.GetListingResponse]
    GetPricingPage: grpc.UnaryUnaryMultiCallable[_pb2.GetPricingPageRequest, _pb2.GetPricingPageResponse]

class ProductServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    RequestUsagePlan: grpc.aio.UnaryUnaryMultiCallable[_pb2.RequestUsagePlanRequest, _pb2.RequestUsagePlanResponse]
    ApproveUsagePlan: grpc.aio.UnaryUnaryMultiCallable[_pb2.ApproveUsagePlanRequest, _pb2.ApproveUsagePlanResponse]
    GetListing: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetListingRequest, _pb2.GetListingResponse]
    GetPricingPage: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetPricingPageRequest, _pb2.GetPricingPageResponse]

class ProductServiceServicer:
    def RequestUsagePlan(self, request: _pb2.RequestUsagePlanRequest, context: grpc.aio.ServicerContext[_pb2.RequestUsagePlanRequest, _pb2.RequestUsagePlanResponse]) -> Awaitable[_pb2.RequestUsagePlanResponse]: ...
    def ApproveUsagePlan(self, request: _pb2.ApproveUsagePlanRequest, context: grpc.aio.ServicerContext[_pb2.ApproveUsagePlanRequest, _pb2.ApproveUsagePlanResponse]) -> Awaitable[_pb2.ApproveUsagePlanResponse]: ...
    def GetListing(self, request: _pb2.GetListingRequest, context: grpc.aio.ServicerContext[_pb2.GetListingRequest, _pb2.GetListingResponse]) -> Awaitable[_pb2.GetListingResponse]: ...
    def GetPricingPage(self, request: _pb2.GetPricingPageRequest, context: grpc.aio.ServicerContext[_pb2.GetPricingPageRequest, _pb2.GetPricingPageResponse]) -> Awaitable[_pb2.GetPricingPageResponse]: ...

def add_ProductServiceServicer_to_server(
    servicer: ProductServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
