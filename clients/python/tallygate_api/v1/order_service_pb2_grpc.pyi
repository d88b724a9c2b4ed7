"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import order_service_pb2 as _pb2

class OrderServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    CreateOrder: grpc.UnaryUnaryMultiCallable[_pb2.CreateOrderRequest, _pb2.CreateOrderResponse]
    CompleteOrder: grpc.UnaryUnaryMultiCallable[_pb2.CompleteOrderRequest, _pb2.CompleteOrderResponse]
    GetOrder: grpc.UnaryUnaryMultiCallable[_pb2.GetOrderRequest, _pb2.GetOrderResponse]
    ListOrders: grpc.UnaryUnaryMultiCallable[_pb2.ListOrdersRequest, _pb2.ListOrdersResponse]
    RedeemClaim: grpc.UnaryUnaryMultiCallable[_pb2.RedeemClaimRequest, _pb2.RedeemClaimResponse]
    ReplaceClaimCode: grpc.UnaryUnaryMultiCallable[_pb2.ReplaceClaimCodeRequest, _pb2.ReplaceClaimCodeResponse]

class OrderServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    CreateOrder: grpc.aio.UnaryUnaryMultiCallable[_pb2.CreateOrderRequest, _pb2.CreateOrderResponse]
    CompleteOrder: grpc.aio.UnaryUnaryMultiCallable[_pb2.CompleteOrderRequest, _pb2.CompleteOrderResponse]
    GetOrder: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetOrderRequest, _pb2.GetOrderResponse]
    ListOrders: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListOrdersRequest, _pb2.ListOrdersResponse]
    RedeemClaim: grpc.aio.UnaryUnaryMultiCallable[_pb2.RedeemClaimRequest, _pb2.RedeemClaimResponse]
    ReplaceClaimCode: grpc.aio.UnaryUnaryMultiCallable[_pb2.ReplaceClaimCodeRequest, _pb2.ReplaceClaimCodeResponse]

class OrderServiceServicer:
    def CreateOrder(self, request: _pb2.CreateOrderRequest, context: grpc.aio.ServicerContext[_pb2.CreateOrderRequest, _pb2.CreateOrderResponse]) -> Awaitable[_pb2.CreateOrderResponse]: ...
    def CompleteOrder(self, request: _pb2.CompleteOrderRequest, context: grpc.aio.ServicerContext[_pb2.CompleteOrderRequest, _pb2.CompleteOrderResponse]) -> Awaitable[_pb2.CompleteOrderResponse]: ...
    def GetOrder(self, request: _pb2.GetOrderRequest, context: grpc.aio.ServicerContext[_pb2.GetOrderRequest, _pb2.GetOrderResponse]) -> Awaitable[_pb2.GetOrderResponse]: ...
    def ListOrders(self, request: _pb2.ListOrdersRequest, context: grpc.aio.ServicerContext[_pb2.ListOrdersRequest, _pb2.ListOrdersResponse]) -> Awaitable[_pb2.ListOrdersResponse]: ...
    def RedeemClaim(self, request: _pb2.RedeemClaimRequest, context: grpc.aio.ServicerContext[_pb2.RedeemClaimRequest, _pb2.RedeemClaimResponse]) -> Awaitable[_pb2.RedeemClaimResponse]: ...
    def ReplaceClaimCode(self, request: _pb2.ReplaceClaimCodeRequest, context: grpc.aio.ServicerContext[_pb2.ReplaceClaimCodeRequest, _pb2.ReplaceClaimCodeResponse]) -> Awaitable[_pb2.ReplaceClaimCodeResponse]: ...

def add_OrderServiceServicer_to_server(
    servicer: OrderServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
