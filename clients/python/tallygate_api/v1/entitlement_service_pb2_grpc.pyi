"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import entitlement_service_pb2 as _pb2

class EntitlementServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    CheckEntitlement: grpc.UnaryUnaryMultiCallable[_pb2.CheckEntitlementRequest, _pb2.CheckEntitlementResponse]
    BatchCheckEntitlements: grpc.UnaryUnaryMultiCallable[_pb2.BatchCheckEntitlementsRequest, _pb2.BatchCheckEntitlementsResponse]
    ListEntitlements: grpc.UnaryUnaryMultiCallable[_pb2.ListEntitlementsRequest, _pb2.ListEntitlementsResponse]
    ConsumeQuota: grpc.UnaryUnaryMultiCallable[_pb2.ConsumeQuotaRequest, _pb2.ConsumeQuotaResponse]
    ResetUsage: grpc.UnaryUnaryMultiCallable[_pb2.ResetUsageRequest, _pb2.ResetUsageResponse]
    RateLimit: grpc.UnaryUnaryMultiCallable[_pb2.RateLimitRequest, _pb2.RateLimitResponse]

class EntitlementServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    CheckEntitlement: grpc.aio.UnaryUnaryMultiCallable[_pb2.CheckEntitlementRequest, _pb2.CheckEntitlementResponse]
    BatchCheckEntitlements: grpc.aio.UnaryUnaryMultiCallable[_pb2.BatchCheckEntitlementsRequest, _pb2.BatchCheckEntitlementsResponse]
    ListEntitlements: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListEntitlementsRequest, _pb2.ListEntitlementsResponse]
    ConsumeQuota: grpc.aio.UnaryUnaryMultiCallable[_pb2.ConsumeQuotaRequest, _pb2.ConsumeQuotaResponse]
    ResetUsage: grpc.aio.UnaryUnaryMultiCallable[_pb2.ResetUsageRequest, _pb2.ResetUsageResponse]
    RateLimit: grpc.aio.UnaryUnaryMultiCallable[_pb2.RateLimitRequest, _pb2.RateLimitResponse]

class EntitlementServiceServicer:
    def CheckEntitlement(self, request: _pb2.CheckEntitlementRequest, context: grpc.aio.ServicerContext[_pb2.CheckEntitlementRequest, _pb2.CheckEntitlementResponse]) -> Awaitable[_pb2.CheckEntitlementResponse]: ...
    def BatchCheckEntitlements(self, request: _pb2.BatchCheckEntitlementsRequest, context: grpc.aio.ServicerContext[_pb2.BatchCheckEntitlementsRequest, _pb2.BatchCheckEntitlementsResponse]) -> Awaitable[_pb2.BatchCheckEntitlementsResponse]: ...
    def ListEntitlements(self, request: _pb2.ListEntitlementsRequest, context: grpc.aio.ServicerContext[_pb2.ListEntitlementsRequest, _pb2.ListEntitlementsResponse]) -> Awaitable[_pb2.ListEntitlementsResponse]: ...
    def ConsumeQuota(self, request: _pb2.ConsumeQuotaRequest, context: grpc.aio.ServicerContext[_pb2.ConsumeQuotaRequest, _pb2.ConsumeQuotaResponse]) -> Awaitable[_pb2.ConsumeQuotaResponse]: ...
    def ResetUsage(self, request: _pb2.ResetUsageRequest, context: grpc.aio.ServicerContext[_pb2.ResetUsageRequest, _pb2.ResetUsageResponse]) -> Awaitable[_pb2.ResetUsageResponse]: ...
    def RateLimit(self, request: _pb2.RateLimitRequest, context: grpc.aio.ServicerContext[_pb2.RateLimitRequest, _pb2.RateLimitResponse]) -> Awaitable[_pb2.RateLimitResponse]: ...

def add_EntitlementServiceServicer_to_server(
    servicer: EntitlementServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
