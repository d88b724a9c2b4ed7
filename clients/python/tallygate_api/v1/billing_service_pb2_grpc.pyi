"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import billing_service_pb2 as _pb2

class BillingServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    RunBilling: grpc.UnaryUnaryMultiCallable[_pb2.RunBillingRequest, _pb2.RunBillingResponse]

class BillingServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    RunBilling: grpc.aio.UnaryUnaryMultiCallable[_pb2.RunBillingRequest, _pb2.RunBillingResponse]

class BillingServiceServicer:
    def RunBilling(self, request: _pb2.RunBillingRequest, context: grpc.aio.ServicerContext[_pb2.RunBillingRequest, _pb2.RunBillingResponse]) -> Awaitable[_pb2.RunBillingResponse]: ...

def add_BillingServiceServicer_to_server(
    servicer: BillingServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
