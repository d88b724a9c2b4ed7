"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import discount_service_pb2 as _pb2

class DiscountServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    CreateCoupon: grpc.UnaryUnaryMultiCallable[_pb2.CreateCouponRequest, _pb2.CreateCouponResponse]
    ListCoupons: grpc.UnaryUnaryMultiCallable[_pb2.ListCouponsRequest, _pb2.ListCouponsResponse]
    ArchiveCoupon: grpc.UnaryUnaryMultiCallable[_pb2.ArchiveCouponRequest, _pb2.ArchiveCouponResponse]
    CheckCoupon: grpc.UnaryUnaryMultiCallable[_pb2.CheckCouponRequest, _pb2.CheckCouponResponse]
    ListPaymentOptions: grpc.UnaryUnaryMultiCallable[_pb2.ListPaymentOptionsRequest, _pb2.ListPaymentOptionsResponse]
    GrantDiscount: grpc.UnaryUnaryMultiCallable[_pb2.GrantDiscountRequest, _pb2.GrantDiscountResponse]
    EndDiscount: grpc.UnaryUnaryMultiCallable[_pb2.EndDiscountRequest, _pb2.EndDiscountResponse]
    ListDiscounts: grpc.UnaryUnaryMultiCallable[_pb2.ListDiscountsRequest, _pb2.ListDiscountsResponse]
    CreateReferral: grpc.UnaryUnaryMultiCallable[_pb2.CreateReferralRequest, _pb2.CreateReferralResponse]
    ListReferrals: grpc.UnaryUnaryMultiCallable[_pb2.ListReferralsRequest, _pb2.ListReferralsResponse]

class DiscountServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    CreateCoupon: grpc.aio.UnaryUnaryMultiCallable[_pb2.CreateCouponRequest, _pb2.CreateCouponResponse]
    ListCoupons: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListCouponsRequest, _pb2.ListCouponsResponse]
    ArchiveCoupon: grpc.aio.UnaryUnaryMultiCallable[_pb2.ArchiveCouponRequest, _pb2.ArchiveCouponResponse]
    CheckCoupon: grpc.aio.UnaryUnaryMultiCallable[_pb2.CheckCouponRequest, _pb2.CheckCouponResponse]
    ListPaymentOptions: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListPaymentOptionsRequest, _pb2.ListPaymentOptionsResponse]
    GrantDiscount: grpc.aio.UnaryUnaryMultiCallable[_pb2.GrantDiscountRequest, _pb2.GrantDiscountResponse]
    EndDiscount: grpc.aio.UnaryUnaryMultiCallable[_pb2.EndDiscountRequest, _pb2.EndDiscountResponse]
    ListDiscounts: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListDiscountsRequest, _pb2.ListDiscountsResponse]
    CreateReferral: grpc.aio.UnaryUnaryMultiCallable[_pb2.CreateReferralRequest, _pb2.CreateReferralResponse]
    ListReferrals: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListReferralsRequest, _pb2.ListReferralsResponse]

class DiscountServiceServicer:
    def CreateCoupon(self, request: _pb2.CreateCouponRequest, context: grpc.aio.ServicerContext[_pb2.CreateCouponRequest, _pb2.CreateCouponResponse]) -> Awaitable[_pb2.CreateCouponResponse]: ...
    def ListCoupons(self, request: _pb2.ListCouponsRequest, context: grpc.aio.ServicerContext[_pb2.ListCouponsRequest, _pb2.ListCouponsResponse]) -> Awaitable[_pb2.ListCouponsResponse]: ...
    def ArchiveCoupon(self, request: _pb2.ArchiveCouponRequest, context: grpc.aio.ServicerContext[_pb2.ArchiveCouponRequest, _pb2.ArchiveCouponResponse]) -> Awaitable[_pb2.ArchiveCouponResponse]: ...
    def CheckCoupon(self, request: _pb2.CheckCouponRequest, context: grpc.aio.ServicerContext[_pb2.CheckCouponRequest, _pb2.CheckCouponResponse]) -> Awaitable[_pb2.CheckCouponResponse]: ...
    def ListPaymentOptions(self, request: _pb2.ListPaymentOptionsRequest, context: grpc.aio.ServicerContext[_pb2.ListPaymentOptionsRequest, _pb2.ListPaymentOptionsResponse]) -> Awaitable[_pb2.ListPaymentOptionsResponse]: ...
    def GrantDiscount(self, request: _pb2.GrantDiscountRequest, context: grpc.aio.ServicerContext[_pb2.GrantDiscountRequest, _pb2.GrantDiscountResponse]) -> Awaitable[_pb2.GrantDiscountResponse]: ...
    def EndDiscount(self, request: _pb2.EndDiscountRequest, context: grpc.aio.ServicerContext[_pb2.EndDiscountRequest, _pb2.EndDiscountResponse]) -> Awaitable[_pb2.EndDiscountResponse]: ...
    def ListDiscounts(self, request: _pb2.ListDiscountsRequest, context: grpc.aio.ServicerContext[_pb2.ListDiscountsRequest, _pb2.ListDiscountsResponse]) -> Awaitable[_pb2.ListDiscountsResponse]: ...
    def CreateReferral(self, request: _pb2.CreateReferralRequest, context: grpc.aio.ServicerContext[_pb2.CreateReferralRequest, _pb2.CreateReferralResponse]) -> Awaitable[_pb2.CreateReferralResponse]: ...
    def ListReferrals(self, request: _pb2.ListReferralsRequest, context: grpc.aio.ServicerContext[_pb2.ListReferralsRequest, _pb2.ListReferralsResponse]) -> Awaitable[_pb2.ListReferralsResponse]: ...

def add_DiscountServiceServicer_to_server(
    servicer: DiscountServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
