"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import pricing_service_pb2 as _pb2

class PricingServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    PreviewChange: grpc.UnaryUnaryMultiCallable[_pb2.PreviewChangeRequest, _pb2.PreviewChangeResponse]
    Quote: grpc.UnaryUnaryMultiCallable[_pb2.QuoteRequest, _pb2.QuoteResponse]
    ComparePlans: grpc.UnaryUnaryMultiCallable[_pb2.ComparePlansRequest, _pb2.ComparePlansResponse]
    AssignVariant: grpc.UnaryUnaryMultiCallable[_pb2.AssignVariantRequest, _pb2.AssignVariantResponse]

class PricingServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    PreviewChange: grpc.aio.UnaryUnaryMultiCallable[_pb2.PreviewChangeRequest, _pb2.PreviewChangeResponse]
    Quote: grpc.aio.UnaryUnaryMultiCallable[_pb2.QuoteRequest, _pb2.QuoteResponse]
    ComparePlans: grpc.aio.UnaryUnaryMultiCallable[_pb2.ComparePlansRequest, _pb2.ComparePlansResponse]
    AssignVariant: grpc.aio.UnaryUnaryMultiCallable[_pb2.AssignVariantRequest, _pb2.AssignVariantResponse]

class PricingServiceServicer:
    def PreviewChange(self, request: _pb2.PreviewChangeRequest, context: grpc.aio.ServicerContext[_pb2.PreviewChangeRequest, _pb2.PreviewChangeResponse]) -> Awaitable[_pb2.PreviewChangeResponse]: ...
    def Quote(self, request: _pb2.QuoteRequest, context: grpc.aio.ServicerContext[_pb2.QuoteRequest, _pb2.QuoteResponse]) -> Awaitable[_pb2.QuoteResponse]: ...
    def ComparePlans(self, request: _pb2.ComparePlansRequest, context: grpc.aio.ServicerContext[_pb2.ComparePlansRequest, _pb2.ComparePlansResponse]) -> Awaitable[_pb2.ComparePlansResponse]: ...
    def AssignVariant(self, request: _pb2.AssignVariantRequest, context: grpc.aio.ServicerContext[_pb2.AssignVariantRequest, _pb2.AssignVariantResponse]) -> Awaitable[_pb2.AssignVariantResponse]: ...

def add_PricingServiceServicer_to_server(
    servicer: PricingServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
