"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import subscription_service_pb2 as _pb2

class SubscriptionServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    CreateSubscription: grpc.UnaryUnaryMultiCallable[_pb2.CreateSubscriptionRequest, _pb2.CreateSubscriptionResponse]
    GetSubscription: grpc.UnaryUnaryMultiCallable[_pb2.GetSubscriptionRequest, _pb2.GetSubscriptionResponse]
    ListSubscriptions: grpc.UnaryUnaryMultiCallable[_pb2.ListSubscriptionsRequest, _pb2.ListSubscriptionsResponse]
    ListEndingSubscriptions: grpc.UnaryUnaryMultiCallable[_pb2.ListEndingSubscriptionsRequest, _pb2.ListEndingSubscriptionsResponse]
    ChangePlan: grpc.UnaryUnaryMultiCallable[_pb2.ChangePlanRequest, _pb2.ChangePlanResponse]
    SetAddOn: grpc.UnaryUnaryMultiCallable[_pb2.SetAddOnRequest, _pb2.SetAddOnResponse]
    BookQuantity: grpc.UnaryUnaryMultiCallable[_pb2.BookQuantityRequest, _pb2.BookQuantityResponse]
    ExtendTrial: grpc.UnaryUnaryMultiCallable[_pb2.ExtendTrialRequest, _pb2.ExtendTrialResponse]
    CancelSubscription: grpc.UnaryUnaryMultiCallable[_pb2.CancelSubscriptionRequest, _pb2.CancelSubscriptionResponse]
    ExtendSubscription: grpc.UnaryUnaryMultiCallable[_pb2.ExtendSubscriptionRequest, _pb2.ExtendSubscriptionResponse]
    RenewSubscription: grpc.UnaryUnaryMultiCallable[_pb2.RenewSubscriptionRequest, _pb2.RenewSubscriptionResponse]
    SetSubscriptionState: grpc.UnaryUnaryMultiCallable[_pb2.SetSubscriptionStateRequest, _pb2.SetSubscriptionStateResponse]
    PauseSubscription: grpc.UnaryUnaryMultiCallable[_pb2.PauseSubscriptionRequest, _pb2.PauseSubscriptionResponse]
    ResumeSubscription: grpc.UnaryUnaryMultiCallable[_pb2.ResumeSubscriptionRequest, _pb2.ResumeSubscriptionResponse]
    ListChanges: grpc.UnaryUnaryMultiCallable[_pb2.ListChangesRequest, _pb2.ListChangesResponse]

class SubscriptionServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    CreateSubscription: grpc.aio.UnaryUnaryMultiCallable[_pb2.CreateSubscriptionRequest, _pb2.CreateSubscriptionResponse]
    GetSubscription: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetSubscriptionRequest, _pb2.GetSubscriptionResponse]
    ListSubscriptions: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListSubscriptionsRequest, _pb2.ListSubscriptionsResponse]
    ListEndingSubscriptions: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListEndingSubscriptionsRequest, _pb2.ListEndingSubscriptionsResponse]
    ChangePlan: grpc.aio.UnaryUnaryMultiCallable[_pb2.ChangePlanRequest, _pb2.ChangePlanResponse]
    SetAddOn: grpc.aio.UnaryUnaryMultiCallable[_pb2.SetAddOnRequest, _pb2.SetAddOnResponse]
    BookQuantity: grpc.aio.UnaryUnaryMultiCallable[_pb2.BookQuantityRequest, _pb2.BookQuantityResponse]
    ExtendTrial: grpc.aio.UnaryUnaryMultiCallable[_pb2.ExtendTrialRequest, _pb2.ExtendTrialResponse]
    CancelSubscription: grpc.aio.UnaryUnaryMultiCallable[_pb2.CancelSubscriptionRequest, _pb2.CancelSubscriptionResponse]
    ExtendSubscription: grpc.aio.UnaryUnaryMultiCallable[_pb2.ExtendSubscriptionRequest, _pb2.ExtendSubscriptionResponse]
    RenewSubscription: grpc.aio.UnaryUnaryMultiCallable[_pb2.RenewSubscriptionRequest, _pb2.RenewSubscriptionResponse]
    SetSubscriptionState: grpc.aio.UnaryUnaryMultiCallable[_pb2.SetSubscriptionStateRequest, _pb2.SetSubscriptionStateResponse]
    PauseSubscription: grpc.aio.UnaryUnaryMultiCallable[_pb2.PauseSubscriptionRequest, _pb2.PauseSubscriptionResponse]
    ResumeSubscription: grpc.aio.UnaryUnaryMultiCallable[_pb2.ResumeSubscriptionRequest, _pb2.ResumeSubscriptionResponse]
    ListChanges: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListChangesRequest, _pb2.ListChangesResponse]

class SubscriptionServiceServicer:
    def CreateSubscription(self, request: _pb2.CreateSubscriptionRequest, context: grpc.aio.ServicerContext[_pb2.CreateSubscriptionRequest, _pb2.CreateSubscriptionResponse]) -> Awaitable[_pb2.CreateSubscriptionResponse]: ...
    def GetSubscription(self, request: _pb2.GetSubscriptionRequest, context: grpc.aio.ServicerContext[_pb2.GetSubscriptionRequest, _pb2.GetSubscriptionResponse]) -> Awaitable[_pb2.GetSubscriptionResponse]: ...
    def ListSubscriptions(self, request: _pb2.ListSubscriptionsRequest, context: grpc.aio.ServicerContext[_pb2.ListSubscriptionsRequest, _pb2.ListSubscriptionsResponse]) -> Awaitable[_pb2.ListSubscriptionsResponse]: ...
    def ListEndingSubscriptions(self, request: _pb2.ListEndingSubscriptionsRequest, context: grpc.aio.ServicerContext[_pb2.ListEndingSubscriptionsRequest, _pb2.ListEndingSubscriptionsResponse]) -> Awaitable[_pb2.ListEndingSubscriptionsResponse]: ...
    def ChangePlan(self, request: _pb2.ChangePlanRequest, context: grpc.aio.ServicerContext[_pb2.ChangePlanRequest, _pb2.ChangePlanResponse]) -> Awaitable[_pb2.ChangePlanResponse]: ...
    def SetAddOn(self, request: _pb2.SetAddOnRequest, context: grpc.aio.ServicerContext[_pb2.SetAddOnRequest, _pb2.SetAddOnResponse]) -> Awaitable[_pb2.SetAddOnResponse]: ...
    def BookQuantity(self, request: _pb2.BookQuantityRequest, context: grpc.aio.ServicerContext[_pb2.BookQuantityRequest, _pb2.BookQuantityResponse]) -> Awaitable[_pb2.BookQuantityResponse]: ...
    def ExtendTrial(self, request: _pb2.ExtendTrialRequest, context: grpc.aio.ServicerContext[_pb2.ExtendTrialRequest, _pb2.ExtendTrialResponse]) -> Awaitable[_pb2.ExtendTrialResponse]: ...
    def CancelSubscription(self, request: _pb2.CancelSubscriptionRequest, context: grpc.aio.ServicerContext[_pb2.CancelSubscriptionRequest, _pb2.CancelSubscriptionResponse]) -> Awaitable[_pb2.CancelSubscriptionResponse]: ...
    def ExtendSubscription(self, request: _pb2.ExtendSubscriptionRequest, context: grpc.aio.ServicerContext[_pb2.ExtendSubscriptionRequest, _pb2.ExtendSubscriptionResponse]) -> Awaitable[_pb2.ExtendSubscriptionResponse]: ...
    def RenewSubscription(self, request: _pb2.RenewSubscriptionRequest, context: grpc.aio.ServicerContext[_pb2.RenewSubscriptionRequest, _pb2.RenewSubscriptionResponse]) -> Awaitable[_pb2.RenewSubscriptionResponse]: ...
    def SetSubscriptionState(self, request: _pb2.SetSubscriptionStateRequest, context: grpc.aio.ServicerContext[_pb2.SetSubscriptionStateRequest, _pb2.SetSubscriptionStateResponse]) -> Awaitable[_pb2.SetSubscriptionStateResponse]: ...
    def PauseSubscription(self, request: _pb2.PauseSubscriptionRequest, context: grpc.aio.ServicerContext[_pb2.PauseSubscriptionRequest, _pb2.PauseSubscriptionResponse]) -> Awaitable[_pb2.PauseSubscriptionResponse]: ...
    def ResumeSubscription(self, request: _pb2.ResumeSubscriptionRequest, context: grpc.aio.ServicerContext[_pb2.ResumeSubscriptionRequest, _pb2.ResumeSubscriptionResponse]) -> Awaitable[_pb2.ResumeSubscriptionResponse]: ...
    def ListChanges(self, request: _pb2.ListChangesRequest, context: grpc.aio.ServicerContext[_pb2.ListChangesRequest, _pb2.ListChangesResponse]) -> Awaitable[_pb2.ListChangesResponse]: ...

def add_SubscriptionServiceServicer_to_server(
    servicer: SubscriptionServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
