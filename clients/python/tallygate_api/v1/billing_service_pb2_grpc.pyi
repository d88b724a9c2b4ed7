"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import billing_service_pb2 as _pb2

class BillingServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    RunBilling: grpc.UnaryUnaryMultiCallable[_pb2.RunBillingRequest, _pb2.RunBillingResponse]
    CreateFee: grpc.UnaryUnaryMultiCallable[_pb2.CreateFeeRequest, _pb2.CreateFeeResponse]
    OffsetFee: grpc.UnaryUnaryMultiCallable[_pb2.OffsetFeeRequest, _pb2.OffsetFeeResponse]
    ListUninvoicedItems: grpc.UnaryUnaryMultiCallable[_pb2.ListUninvoicedItemsRequest, _pb2.ListUninvoicedItemsResponse]
    ListUnratedFacts: grpc.UnaryUnaryMultiCallable[_pb2.ListUnratedFactsRequest, _pb2.ListUnratedFactsResponse]
    PreviewInvoice: grpc.UnaryUnaryMultiCallable[_pb2.PreviewInvoiceRequest, _pb2.PreviewInvoiceResponse]
    SetPriceOverride: grpc.UnaryUnaryMultiCallable[_pb2.SetPriceOverrideRequest, _pb2.SetPriceOverrideResponse]
    EndPriceOverride: grpc.UnaryUnaryMultiCallable[_pb2.EndPriceOverrideRequest, _pb2.EndPriceOverrideResponse]
    ListPriceOverrides: grpc.UnaryUnaryMultiCallable[_pb2.ListPriceOverridesRequest, _pb2.ListPriceOverridesResponse]
    AddWalletCredit: grpc.UnaryUnaryMultiCallable[_pb2.AddWalletCreditRequest, _pb2.AddWalletCreditResponse]
    GetWallet: grpc.UnaryUnaryMultiCallable[_pb2.GetWalletRequest, _pb2.GetWalletResponse]
    SetBillingProfile: grpc.UnaryUnaryMultiCallable[_pb2.SetBillingProfileRequest, _pb2.SetBillingProfileResponse]
    GetBillingProfile: grpc.UnaryUnaryMultiCallable[_pb2.GetBillingProfileRequest, _pb2.GetBillingProfileResponse]
    VerifyTaxId: grpc.UnaryUnaryMultiCallable[_pb2.VerifyTaxIdRequest, _pb2.VerifyTaxIdResponse]

class BillingServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    RunBilling: grpc.aio.UnaryUnaryMultiCallable[_pb2.RunBillingRequest, _pb2.RunBillingResponse]
    CreateFee: grpc.aio.UnaryUnaryMultiCallable[_pb2.CreateFeeRequest, _pb2.CreateFeeResponse]
    OffsetFee: grpc.aio.UnaryUnaryMultiCallable[_pb2.OffsetFeeRequest, _pb2.OffsetFeeResponse]
    ListUninvoicedItems: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListUninvoicedItemsRequest, _pb2.ListUninvoicedItemsResponse]
    ListUnratedFacts: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListUnratedFactsRequest, _pb2.ListUnratedFactsResponse]
    PreviewInvoice: grpc.aio.UnaryUnaryMultiCallable[_pb2.PreviewInvoiceRequest, _pb2.PreviewInvoiceResponse]
    SetPriceOverride: grpc.aio.UnaryUnaryMultiCallable[_pb2.SetPriceOverrideRequest, _pb2.SetPriceOverrideResponse]
    EndPriceOverride: grpc.aio.UnaryUnaryMultiCallable[_pb2.EndPriceOverrideRequest, _pb2.EndPriceOverrideResponse]
    ListPriceOverrides: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListPriceOverridesRequest, _pb2.ListPriceOverridesResponse]
    AddWalletCredit: grpc.aio.UnaryUnaryMultiCallable[_pb2.AddWalletCreditRequest, _pb2.AddWalletCreditResponse]
    GetWallet: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetWalletRequest, _pb2.GetWalletResponse]
    SetBillingProfile: grpc.aio.UnaryUnaryMultiCallable[_pb2.SetBillingProfileRequest, _pb2.SetBillingProfileResponse]
    GetBillingProfile: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetBillingProfileRequest, _pb2.GetBillingProfileResponse]
    VerifyTaxId: grpc.aio.UnaryUnaryMultiCallable[_pb2.VerifyTaxIdRequest, _pb2.VerifyTaxIdResponse]

class BillingServiceServicer:
    def RunBilling(self, request: _pb2.RunBillingRequest, context: grpc.aio.ServicerContext[_pb2.RunBillingRequest, _pb2.RunBillingResponse]) -> Awaitable[_pb2.RunBillingResponse]: ...
    def CreateFee(self, request: _pb2.CreateFeeRequest, context: grpc.aio.ServicerContext[_pb2.CreateFeeRequest, _pb2.CreateFeeResponse]) -> Awaitable[_pb2.CreateFeeResponse]: ...
    def OffsetFee(self, request: _pb2.OffsetFeeRequest, context: grpc.aio.ServicerContext[_pb2.OffsetFeeRequest, _pb2.OffsetFeeResponse]) -> Awaitable[_pb2.OffsetFeeResponse]: ...
    def ListUninvoicedItems(self, request: _pb2.ListUninvoicedItemsRequest, context: grpc.aio.ServicerContext[_pb2.ListUninvoicedItemsRequest, _pb2.ListUninvoicedItemsResponse]) -> Awaitable[_pb2.ListUninvoicedItemsResponse]: ...
    def ListUnratedFacts(self, request: _pb2.ListUnratedFactsRequest, context: grpc.aio.ServicerContext[_pb2.ListUnratedFactsRequest, _pb2.ListUnratedFactsResponse]) -> Awaitable[_pb2.ListUnratedFactsResponse]: ...
    def PreviewInvoice(self, request: _pb2.PreviewInvoiceRequest, context: grpc.aio.ServicerContext[_pb2.PreviewInvoiceRequest, _pb2.PreviewInvoiceResponse]) -> Awaitable[_pb2.PreviewInvoiceResponse]: ...
    def SetPriceOverride(self, request: _pb2.SetPriceOverrideRequest, context: grpc.aio.ServicerContext[_pb2.SetPriceOverrideRequest, _pb2.SetPriceOverrideResponse]) -> Awaitable[_pb2.SetPriceOverrideResponse]: ...
    def EndPriceOverride(self, request: _pb2.EndPriceOverrideRequest, context: grpc.aio.ServicerContext[_pb2.EndPriceOverrideRequest, _pb2.EndPriceOverrideResponse]) -> Awaitable[_pb2.EndPriceOverrideResponse]: ...
    def ListPriceOverrides(self, request: _pb2.ListPriceOverridesRequest, context: grpc.aio.ServicerContext[_pb2.ListPriceOverridesRequest, _pb2.ListPriceOverridesResponse]) -> Awaitable[_pb2.ListPriceOverridesResponse]: ...
    def AddWalletCredit(self, request: _pb2.AddWalletCreditRequest, context: grpc.aio.ServicerContext[_pb2.AddWalletCreditRequest, _pb2.AddWalletCreditResponse]) -> Awaitable[_pb2.AddWalletCreditResponse]: ...
    def GetWallet(self, request: _pb2.GetWalletRequest, context: grpc.aio.ServicerContext[_pb2.GetWalletRequest, _pb2.GetWalletResponse]) -> Awaitable[_pb2.GetWalletResponse]: ...
    def SetBillingProfile(self, request: _pb2.SetBillingProfileRequest, context: grpc.aio.ServicerContext[_pb2.SetBillingProfileRequest, _pb2.SetBillingProfileResponse]) -> Awaitable[_pb2.SetBillingProfileResponse]: ...
    def GetBillingProfile(self, request: _pb2.GetBillingProfileRequest, context: grpc.aio.ServicerContext[_pb2.GetBillingProfileRequest, _pb2.GetBillingProfileResponse]) -> Awaitable[_pb2.GetBillingProfileResponse]: ...
    def VerifyTaxId(self, request: _pb2.VerifyTaxIdRequest, context: grpc.aio.ServicerContext[_pb2.VerifyTaxIdRequest, _pb2.VerifyTaxIdResponse]) -> Awaitable[_pb2.VerifyTaxIdResponse]: ...

def add_BillingServiceServicer_to_server(
    servicer: BillingServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
