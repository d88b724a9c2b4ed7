"""Which scope every method needs, and how large its request may be: one table, complete by test."""

from dataclasses import dataclass

from tallygate.domain.credential import Scope


@dataclass(frozen=True, slots=True)
class MethodRule:
    """Any one of `scopes` is enough; `batch` requests may be as large as the batch limit allows.

    `inline` methods work in the call's own task: all they wait for is a connection that keeps what it has sent.
    Those that answer `by_policy` while the store is away also do so to keys that were valid when it went. Those that
    `streams` answer with any number of messages. What those do that are `audited` is noted in the audit log.
    """

    scopes: tuple[Scope, ...]
    batch: bool = False
    inline: bool = False
    by_policy: bool = False
    streams: bool = False
    audited: bool = False


_ASK = MethodRule((Scope.DATA, Scope.READ_ONLY), inline=True, by_policy=True)
_ASK_MANY = MethodRule((Scope.DATA, Scope.READ_ONLY), batch=True, inline=True, by_policy=True)
_TAKE = MethodRule((Scope.DATA,), inline=True, by_policy=True)
_TAKE_DESCRIPTORS = MethodRule((Scope.DATA,), batch=True, inline=True, by_policy=True)
_TAKE_MANY = MethodRule((Scope.DATA,), batch=True)
_READ = MethodRule((Scope.CONTROL, Scope.READ_ONLY))
_FOLLOW = MethodRule((Scope.CONTROL, Scope.READ_ONLY), streams=True)
_WRITE = MethodRule((Scope.CONTROL,), batch=True, audited=True)
_READ_BILLS = MethodRule((Scope.CONTROL, Scope.BILLING, Scope.BILLING_READ))
_BILL = MethodRule((Scope.CONTROL, Scope.BILLING), audited=True)
_READ_SALES = MethodRule((Scope.CONTROL, Scope.READ_ONLY, Scope.BILLING, Scope.BILLING_READ), batch=True)
_OWN_READ = MethodRule((Scope.CONTROL, Scope.READ_ONLY, Scope.SELF_SERVICE))
_OWN_WRITE = MethodRule((Scope.CONTROL, Scope.SELF_SERVICE), batch=True, audited=True)
_OWN_READ_BILLS = MethodRule((Scope.CONTROL, Scope.BILLING, Scope.BILLING_READ, Scope.SELF_SERVICE))
_OWN_BILL = MethodRule((Scope.CONTROL, Scope.BILLING, Scope.SELF_SERVICE), audited=True)
"""With `_OWN` an account may do it for itself: `self_service.py` says what of it."""

METHOD_RULES: dict[str, MethodRule] = {
    "tallygate.v1.EntitlementService/CheckEntitlement": _ASK,
    "tallygate.v1.EntitlementService/BatchCheckEntitlements": _ASK_MANY,
    "tallygate.v1.EntitlementService/ListEntitlements": _ASK,
    "tallygate.v1.EntitlementService/ConsumeQuota": _TAKE,
    "tallygate.v1.EntitlementService/ResetUsage": _TAKE,
    "tallygate.v1.EntitlementService/RateLimit": _TAKE,
    "envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit": _TAKE_DESCRIPTORS,
    "tallygate.v1.CatalogService/ApplyCatalog": _WRITE,
    "tallygate.v1.CatalogService/GetCatalog": _READ,
    "tallygate.v1.CatalogService/ListPlans": _READ,
    "tallygate.v1.CatalogService/GetPlan": _READ,
    "tallygate.v1.ProductService/RequestUsagePlan": _BILL,
    "tallygate.v1.ProductService/ApproveUsagePlan": _WRITE,
    "tallygate.v1.ProductService/GetListing": _READ_SALES,
    "tallygate.v1.ProductService/GetPricingPage": _READ_SALES,
    "tallygate.v1.AccountService/UpsertAccount": _WRITE,
    "tallygate.v1.AccountService/ImportAccounts": _WRITE,
    "tallygate.v1.AccountService/GetAccount": _OWN_READ,
    "tallygate.v1.AccountService/ListAccounts": _READ,
    "tallygate.v1.AccountService/AddUsers": _WRITE,
    "tallygate.v1.AccountService/RemoveUsers": _WRITE,
    "tallygate.v1.AccountService/ListUsers": _READ,
    "tallygate.v1.AccountService/AssignSeat": _WRITE,
    "tallygate.v1.AccountService/UnassignSeat": _WRITE,
    "tallygate.v1.AccountService/ListSeats": _READ,
    "tallygate.v1.AccountService/CreateOverride": _WRITE,
    "tallygate.v1.AccountService/ListOverrides": _READ,
    "tallygate.v1.AccountService/DeleteOverride": _WRITE,
    "tallygate.v1.AccountService/CreateGrant": _WRITE,
    "tallygate.v1.AccountService/ListGrants": _READ,
    "tallygate.v1.AccountService/RevokeGrant": _WRITE,
    "tallygate.v1.SubscriptionService/CreateSubscription": _WRITE,
    "tallygate.v1.SubscriptionService/GetSubscription": _OWN_READ,
    "tallygate.v1.SubscriptionService/ListSubscriptions": _OWN_READ,
    "tallygate.v1.SubscriptionService/ListEndingSubscriptions": _READ,
    "tallygate.v1.SubscriptionService/ChangePlan": _OWN_WRITE,
    "tallygate.v1.SubscriptionService/SetAddOn": _OWN_WRITE,
    "tallygate.v1.SubscriptionService/BookQuantity": _OWN_WRITE,
    "tallygate.v1.SubscriptionService/ExtendTrial": _WRITE,
    "tallygate.v1.SubscriptionService/CancelSubscription": _OWN_WRITE,
    "tallygate.v1.SubscriptionService/ExtendSubscription": _WRITE,
    "tallygate.v1.SubscriptionService/RenewSubscription": _OWN_WRITE,
    "tallygate.v1.SubscriptionService/SetSubscriptionState": _WRITE,
    "tallygate.v1.SubscriptionService/PauseSubscription": _WRITE,
    "tallygate.v1.SubscriptionService/ResumeSubscription": _WRITE,
    "tallygate.v1.SubscriptionService/ListChanges": _READ,
    "tallygate.v1.UsageService/GetUsage": _READ,
    "tallygate.v1.UsageService/ListEvents": _READ,
    "tallygate.v1.UsageService/FollowEvents": _FOLLOW,
    "tallygate.v1.UsageService/RecordUsage": _TAKE_MANY,
    "tallygate.v1.ApiKeyService/CreateApiKey": _WRITE,
    "tallygate.v1.ApiKeyService/ListApiKeys": _READ,
    "tallygate.v1.ApiKeyService/RevokeApiKey": _WRITE,
    "tallygate.v1.ChargeService/GetChargeLimit": _OWN_READ_BILLS,
    "tallygate.v1.ChargeService/RaiseChargeLimit": _OWN_BILL,
    "tallygate.v1.ChargeService/ListCharges": _OWN_READ_BILLS,
    "tallygate.v1.ChargeService/ListChargeRuns": _OWN_READ_BILLS,
    "tallygate.v1.BillingService/RunBilling": _BILL,
    "tallygate.v1.BillingService/CreateFee": _BILL,
    "tallygate.v1.BillingService/OffsetFee": _BILL,
    "tallygate.v1.BillingService/ListUninvoicedItems": _READ_BILLS,
    "tallygate.v1.BillingService/ListUnratedFacts": _READ_BILLS,
    "tallygate.v1.BillingService/PreviewInvoice": _OWN_READ_BILLS,
    "tallygate.v1.BillingService/SetPriceOverride": _BILL,
    "tallygate.v1.BillingService/EndPriceOverride": _BILL,
    "tallygate.v1.BillingService/ListPriceOverrides": _READ_BILLS,
    "tallygate.v1.PricingService/PreviewChange": _OWN_READ_BILLS,
    "tallygate.v1.PricingService/Quote": _OWN_READ_BILLS,
    "tallygate.v1.PricingService/ComparePlans": _OWN_READ_BILLS,
    "tallygate.v1.PricingService/AssignVariant": _READ_BILLS,
    "tallygate.v1.InvoiceService/GetInvoice": _OWN_READ_BILLS,
    "tallygate.v1.InvoiceService/ListInvoices": _OWN_READ_BILLS,
    "tallygate.v1.InvoiceService/ExplainLine": _OWN_READ_BILLS,
    "tallygate.v1.InvoiceService/ListLineEvents": _READ_BILLS,
    "tallygate.v1.InvoiceService/VerifyInvoice": _READ_BILLS,
    "tallygate.v1.InvoiceService/FinalizeInvoice": _BILL,
    "tallygate.v1.InvoiceService/VoidInvoice": _BILL,
    "tallygate.v1.InvoiceService/WriteOffInvoice": _BILL,
    "tallygate.v1.InvoiceService/CreateCreditNote": _BILL,
    "tallygate.v1.InvoiceService/DisputeLine": _BILL,
    "tallygate.v1.BillingService/AddWalletCredit": _BILL,
    "tallygate.v1.InvoiceService/RenderInvoice": _OWN_READ_BILLS,
    "tallygate.v1.BillingService/GetWallet": _OWN_READ_BILLS,
    "tallygate.v1.BillingService/SetBillingProfile": _BILL,
    "tallygate.v1.BillingService/GetBillingProfile": _OWN_READ_BILLS,
    "tallygate.v1.BillingService/VerifyTaxId": _BILL,
    "tallygate.v1.AuditService/ListAuditEntries": _READ_BILLS,
    "tallygate.v1.AuditService/VerifyAuditLog": _READ_BILLS,
    "tallygate.v1.LedgerService/ListTransfers": _READ_BILLS,
    "tallygate.v1.LedgerService/GetTrialBalance": _READ_BILLS,
    "tallygate.v1.LedgerService/ExportLedger": _READ_BILLS,
    "tallygate.v1.LedgerService/AuditLedger": _READ_BILLS,
    "tallygate.v1.LedgerService/CloseBooks": _BILL,
    "tallygate.v1.MessageService/ListMessages": _READ_BILLS,
    "tallygate.v1.DiscountService/CreateCoupon": _BILL,
    "tallygate.v1.DiscountService/ArchiveCoupon": _BILL,
    "tallygate.v1.DiscountService/GrantDiscount": _BILL,
    "tallygate.v1.DiscountService/EndDiscount": _BILL,
    "tallygate.v1.DiscountService/ListDiscounts": _READ_BILLS,
    "tallygate.v1.DiscountService/CreateReferral": _BILL,
    "tallygate.v1.DiscountService/ListReferrals": _READ_BILLS,
    "tallygate.v1.DiscountService/ListCoupons": _READ_BILLS,
    "tallygate.v1.DiscountService/CheckCoupon": _OWN_READ_BILLS,
    "tallygate.v1.DiscountService/ListPaymentOptions": _OWN_READ_BILLS,
    "tallygate.v1.PartnerService/SetShare": _BILL,
    "tallygate.v1.PartnerService/ListShares": _READ_BILLS,
    "tallygate.v1.PartnerService/SubmitBill": _BILL,
    "tallygate.v1.PartnerService/CancelBill": _BILL,
    "tallygate.v1.PartnerService/ListBills": _READ_BILLS,
    "tallygate.v1.PartnerService/ListStatements": _READ_BILLS,
    "tallygate.v1.PartnerService/SubmitRecurringBill": _BILL,
    "tallygate.v1.PartnerService/CancelRecurringBill": _BILL,
    "tallygate.v1.PartnerService/ListRecurringBills": _READ_BILLS,
    "tallygate.v1.PartnerService/GetBillingTimeline": _READ_BILLS,
    "tallygate.v1.PartnerService/ListSharedInvoices": _READ_BILLS,
    "tallygate.v1.ReportService/GetReport": _READ_BILLS,
    "tallygate.v1.ReportService/CompareVariants": _READ_BILLS,
    "tallygate.v1.OrderService/CreateOrder": _OWN_BILL,
    "tallygate.v1.OrderService/CompleteOrder": _OWN_BILL,
    "tallygate.v1.OrderService/RedeemClaim": _OWN_BILL,
    "tallygate.v1.OrderService/ReplaceClaimCode": _BILL,
    "tallygate.v1.OrderService/GetOrder": _OWN_READ_BILLS,
    "tallygate.v1.OrderService/ListOrders": _OWN_READ_BILLS,
    "tallygate.v1.PaymentService/SetGateway": _BILL,
    "tallygate.v1.PaymentService/AttachMethod": _OWN_BILL,
    "tallygate.v1.PaymentService/BeginSetup": _OWN_BILL,
    "tallygate.v1.PaymentService/SetDefaultMethod": _OWN_BILL,
    "tallygate.v1.PaymentService/DetachMethod": _OWN_BILL,
    "tallygate.v1.PaymentService/Pay": _OWN_BILL,
    "tallygate.v1.PaymentService/RecordOffline": _BILL,
    "tallygate.v1.PaymentService/ListGateways": _READ_BILLS,
    "tallygate.v1.PaymentService/ListMethods": _OWN_READ_BILLS,
    "tallygate.v1.PaymentService/SetCollection": _BILL,
    "tallygate.v1.PaymentService/GetCollection": _READ_BILLS,
    "tallygate.v1.PaymentService/Reconcile": _READ_BILLS,
    "tallygate.v1.PaymentService/ListGatewayEvents": _READ_BILLS,
    "tallygate.v1.PaymentService/TopUp": _BILL,
    "tallygate.v1.PaymentService/RefundLine": _BILL,
    "tallygate.v1.PaymentService/ListRefunds": _READ_BILLS,
    "tallygate.v1.PaymentService/RecordDispute": _BILL,
    "tallygate.v1.PaymentService/ListDisputes": _READ_BILLS,
    "tallygate.v1.PaymentService/ListPayments": _OWN_READ_BILLS,
    "tallygate.v1.PaymentService/ListAttempts": _READ_BILLS,
    "tallygate.v1.TestClockService/GetTestClock": _READ,
    "tallygate.v1.TestClockService/SetTestClock": _WRITE,
    "tallygate.v1.TestClockService/AdvanceTestClock": _WRITE,
}
"""By `service/method`, as in the call's path."""
