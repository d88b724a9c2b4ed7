"""What cannot be done is refused with a status, a reason and the wrong field: never as a defect of the server."""

import re

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from tallygate_api.v1 import (
    catalog_pb2,
    subscription_service_pb2,
    usage_service_pb2,
)
from tenants import METHODS, Tenant

DOCUMENT = {
    "currency": "USD",
    "features": {
        "calls": {"kind": "metered"},
        "sso": {"kind": "boolean"},
        "seats": {"kind": "seat"},
        "visitors": {"kind": "metered", "aggregation": "unique", "unique_by": "visitor"},
    },
    "rate_limits": {"rps": {"owner": "account", "algorithm": "token_bucket"}},
    "plans": {
        "p": {
            "version": 1,
            "entitlements": {"calls": {"limit": 10}, "seats": {"limit": 1}},
            "rate_limits": {"rps": {"limit": 5, "window": "1s"}},
        },
        "q": {"version": 1, "entitlements": {"calls": {"limit": 10}}},
    },
    "products": {"app": {"name": "App"}},
    "add_ons": {
        "pack": {"version": 1, "offered_on": ["p"], "max_quantity": 2, "entitlements": {"calls": {"limit": 5}}},
        "other": {"version": 1, "offered_on": ["q"], "entitlements": {"calls": {"limit": 5}}},
    },
}
INVALID = grpc.StatusCode.INVALID_ARGUMENT
MISSING = grpc.StatusCode.NOT_FOUND
CONFLICT = grpc.StatusCode.FAILED_PRECONDITION
EXISTS = grpc.StatusCode.ALREADY_EXISTS
PAST, FAR = Timestamp(seconds=1), Timestamp(seconds=99_999_999_999)
OWN = {"key": "recurring", "recurring": {"amount": "1.00"}}
NEVER = Timestamp(seconds=-1)
ACME = {"account_id": "acme"}
CHARITY, NO_DAYS = {"reason": "Charity"}, {"since": "2026-01-01", "until": "2026-01-01"}
LIMITED = catalog_pb2.Entitlement(limit=1)


def catalog(**fields):
    return {"catalog": catalog_pb2.Catalog(**{"currency": "USD", **fields})}


def plan(**fields):
    return catalog(plans={"p": catalog_pb2.Plan(**{"version": 2, **fields})})


def invalid(method, field, **fields):
    return method, fields, INVALID, "INVALID_FIELD", field


def missing(method, reason, **fields):
    return method, fields, MISSING, f"{reason}_NOT_FOUND", None


SELECTION = subscription_service_pb2.AddOnSelection
ROWS = [
    invalid("ApplyCatalog", "catalog"),
    invalid("ApplyCatalog", "catalog", prune=True),
    invalid("ApplyCatalog", "currency", **catalog(currency="dollars")),
    invalid("ApplyCatalog", "time_zone", **catalog(time_zone="Mars/Olympus")),
    invalid("ApplyCatalog", "schema", **catalog(schema="v9")),
    invalid("ApplyCatalog", "default_plan", **catalog(default_plan="gold")),
    invalid("ApplyCatalog", "migrate", migrate=9, **catalog()),
    invalid("ApplyCatalog", "features.f.kind", **catalog(features={"f": catalog_pb2.Feature()})),
    invalid(
        "ApplyCatalog",
        "features.f.usage_period.count",
        **catalog(
            features={
                "f": catalog_pb2.Feature(
                    kind=catalog_pb2.FEATURE_KIND_METERED, usage_period=catalog_pb2.UsagePeriod(count=1201)
                )
            }
        ),
    ),
    invalid(
        "ApplyCatalog",
        "features.f.name",
        **catalog(features={"f": catalog_pb2.Feature(kind=catalog_pb2.FEATURE_KIND_METERED, name="\x00")}),
    ),
    invalid(
        "ApplyCatalog", "rate_limits.r.algorithm", **catalog(rate_limits={"r": catalog_pb2.RateLimitRule(owner=1)})
    ),
    invalid("ApplyCatalog", "plans.p.version", **plan(version=0)),
    invalid("ApplyCatalog", "plans.p.entitlements.nothing", **plan(entitlements={"nothing": LIMITED})),
    invalid("ApplyCatalog", "plans.p.entitlements.sso.limit", **plan(entitlements={"sso": LIMITED})),
    invalid(
        "ApplyCatalog",
        "plans.p.prices[0].recurring.amount",
        **plan(prices=[catalog_pb2.Price(recurring=catalog_pb2.RecurringPrice(amount="1,50"))]),
    ),
    invalid(
        "ApplyCatalog",
        "plans.p.rate_limits.rps.window",
        **plan(rate_limits={"rps": catalog_pb2.RateLimitValue(limit=1)}),
    ),
    invalid("ApplyCatalog", "plans.p.trial.days", **plan(trial=catalog_pb2.Trial())),
    invalid(
        "ApplyCatalog",
        "add_ons.a.offered_on[0]",
        **catalog(add_ons={"a": catalog_pb2.AddOn(version=1, offered_on=["x"])}),
    ),
    ("ApplyCatalog", plan(version=1), CONFLICT, "VERSION_CONFLICT", None),
    invalid("ListPlans", "page_size", page_size=1001),
    invalid("ListPlans", "page_token", page_token="!"),
    invalid("GetPlan", "plan_key"),
    invalid("GetPlan", "plan_version", plan_key="p", plan_version=0),
    missing("GetPlan", "PLAN", plan_key="p", plan_version=9),
    invalid("UpsertAccount", "account_id"),
    invalid("UpsertAccount", "time_zone", time_zone="Mars/Olympus", **ACME),
    invalid("UpsertAccount", "user_ids[1]", user_ids=["a", ""], **ACME),
    invalid("UpsertAccount", "plan_key", plan_key="", **ACME),
    invalid("UpsertAccount", "metadata[a]", metadata={"a": "x" * 1025}, **ACME),
    invalid("UpsertAccount", "metadata", metadata={str(n): "x" for n in range(51)}, **ACME),
    missing("UpsertAccount", "PLAN", account_id="new", plan_key="gold"),
    ("UpsertAccount", {"plan_key": "q", **ACME}, CONFLICT, "SUBSCRIPTION_CONFLICT", None),
    invalid("ImportAccounts", "items"),
    invalid("ImportAccounts", "items.account.account_id", items=[{"account": ACME}, {"account": ACME}]),
    missing("GetAccount", "ACCOUNT", account_id="nobody"),
    invalid("ListAccounts", "page_size", page_size=-1),
    invalid("AddUsers", "user_ids", **ACME),
    invalid("AddUsers", "user_ids", user_ids=["u"] * 1001, **ACME),
    invalid("AddUsers", "proration", user_ids=["u"], proration=9, **ACME),
    invalid("RemoveUsers", "invoice", user_ids=["u"], invoice=9, **ACME),
    invalid("AssignSeat", "invoice", feature_key="seats", user_id="u", invoice=9, **ACME),
    invalid("UnassignSeat", "proration", feature_key="seats", user_id="u", proration=9, **ACME),
    missing("AddUsers", "ACCOUNT", account_id="nobody", user_ids=["a"]),
    invalid("RemoveUsers", "user_ids", **ACME),
    invalid("ListUsers", "page_token", page_token="?", **ACME),
    missing("ListUsers", "ACCOUNT", account_id="nobody"),
    invalid("AssignSeat", "feature_key", feature_key="calls", user_id="u", **ACME),
    missing("AssignSeat", "FEATURE", feature_key="nothing", user_id="u", **ACME),
    invalid("UnassignSeat", "user_id", feature_key="seats", **ACME),
    missing("UnassignSeat", "FEATURE", feature_key="nothing", user_id="u", **ACME),
    invalid("ListSeats", "feature_key", feature_key="calls", **ACME),
    invalid("ListSeats", "page_token", page_token="YQ", **ACME),
    invalid("CreateOverride", "entitlement.limit", feature_key="sso", entitlement=LIMITED, **ACME),
    invalid("CreateOverride", "entitlement.enabled", feature_key="sso", **ACME),
    invalid("CreateOverride", "start_time", feature_key="calls", entitlement=LIMITED, start_time=NEVER, **ACME),
    invalid("CreateOverride", "end_time", feature_key="calls", entitlement=LIMITED, end_time=PAST, **ACME),
    missing("CreateOverride", "FEATURE", feature_key="nothing", entitlement=LIMITED, **ACME),
    (
        "CreateOverride",
        {"feature_key": "calls", "entitlement": LIMITED, "override_id": "o", **ACME},
        EXISTS,
        "ALREADY_EXISTS",
        None,
    ),
    invalid("ListOverrides", "page_size", page_size=5000, **ACME),
    missing("DeleteOverride", "OVERRIDE", override_id="none", **ACME),
    invalid("DeleteOverride", "override_id", **ACME),
    invalid("CreateGrant", "amount", feature_key="calls", **ACME),
    invalid("CreateGrant", "feature_key", feature_key="visitors", amount=1, **ACME),
    invalid("CreateGrant", "priority", feature_key="calls", amount=1, priority=-1, **ACME),
    invalid("CreateGrant", "expire_time", feature_key="calls", amount=1, expire_time=PAST, **ACME),
    invalid("CreateGrant", "effective_time", feature_key="calls", amount=1, effective_time=FAR, **ACME),
    ("CreateGrant", {"feature_key": "calls", "amount": 2, "grant_id": "g", **ACME}, EXISTS, "ALREADY_EXISTS", None),
    invalid("ListGrants", "account_id"),
    missing("RevokeGrant", "GRANT", grant_id="none", **ACME),
    invalid("RevokeGrant", "grant_id", **ACME),
    invalid("CreateSubscription", "plan_key", **ACME),
    invalid("CreateSubscription", "trial_days", account_id="idle", plan_key="p", trial_days=3651),
    invalid("CreateSubscription", "end_time", account_id="idle", plan_key="p", end_time=PAST),
    invalid(
        "CreateSubscription",
        "add_ons[0].quantity",
        account_id="idle",
        plan_key="p",
        add_ons=[SELECTION(add_on_key="pack", quantity=3)],
    ),
    invalid(
        "CreateSubscription",
        "add_ons[0].add_on_key",
        account_id="idle",
        plan_key="p",
        add_ons=[SELECTION(add_on_key="other")],
    ),
    missing("CreateSubscription", "ADD_ON", account_id="idle", plan_key="p", add_ons=[SELECTION(add_on_key="none")]),
    missing("CreateSubscription", "ACCOUNT", account_id="nobody", plan_key="p"),
    ("CreateSubscription", {"plan_key": "p", **ACME}, CONFLICT, "SUBSCRIPTION_CONFLICT", None),
    missing("GetSubscription", "SUBSCRIPTION", account_id="idle"),
    missing("GetSubscription", "SUBSCRIPTION", subscription_id="sub_none", **ACME),
    invalid("ListSubscriptions", "state", state=99),
    invalid("ListEndingSubscriptions", "end_before_time", end_before_time=PAST),
    invalid("ListEndingSubscriptions", "page_token", page_token="YQ"),
    invalid("ListSubscriptions", "page_token", page_token="YQ"),
    missing("ListSubscriptions", "ACCOUNT", account_id="nobody"),
    invalid("ChangePlan", "when", plan_key="q", when=9, **ACME),
    invalid("ChangePlan", "proration", plan_key="q", proration=9, **ACME),
    invalid("ChangePlan", "invoice", plan_key="q", invoice=9, **ACME),
    invalid("SetAddOn", "proration", add_on_key="pack", proration=9, **ACME),
    missing("ChangePlan", "PLAN", plan_key="q", plan_version=7, **ACME),
    missing("ChangePlan", "SUBSCRIPTION", account_id="idle", plan_key="q"),
    invalid("SetAddOn", "quantity", add_on_key="pack", quantity=3, **ACME),
    invalid("SetAddOn", "add_on_key", add_on_key="other", **ACME),
    missing("SetAddOn", "ADD_ON", add_on_key="none", quantity=0, **ACME),
    invalid("BookQuantity", "quantity", quantity=3, **ACME),
    invalid("BookQuantity", "feature_key", feature_key="calls", **ACME),
    missing("BookQuantity", "FEATURE", feature_key="none", **ACME),
    missing("BookQuantity", "SUBSCRIPTION", account_id="idle"),
    invalid("CreateSubscription", "users", account_id="idle", plan_key="p", users=1),
    invalid("CreateSubscription", "seats[seats]", account_id="idle", plan_key="p", seats={"seats": -1}),
    invalid("ExtendTrial", "trial_end_time", **ACME),
    (
        "ExtendTrial",
        {"trial_end_time": Timestamp(seconds=4_000_000_000), **ACME},
        CONFLICT,
        "SUBSCRIPTION_CONFLICT",
        None,
    ),
    invalid("CancelSubscription", "end_time", end_time=PAST, **ACME),
    missing("CancelSubscription", "SUBSCRIPTION", account_id="idle"),
    invalid("ExtendSubscription", "end", **ACME),
    invalid("ExtendSubscription", "without_end", without_end=False, **ACME),
    invalid("ExtendSubscription", "end_time", end_time=PAST, **ACME),
    invalid("RenewSubscription", "account_id"),
    invalid("GetChargeLimit", "product_key", **ACME),
    missing("GetChargeLimit", "PRODUCT", product_key="none", **ACME),
    missing("GetChargeLimit", "ACCOUNT", product_key="app", account_id="nobody"),
    ("GetChargeLimit", {"product_key": "app", **ACME}, CONFLICT, "NO_CHARGE_SERVICE", None),
    invalid("RaiseChargeLimit", "limit", **ACME),
    missing("RaiseChargeLimit", "ACCOUNT", limit={"units": 5}, account_id="nobody"),
    ("RaiseChargeLimit", {"limit": {"units": 5}, **ACME}, CONFLICT, "NO_CHARGE_SERVICE", None),
    missing("ListCharges", "ACCOUNT", account_id="nobody"),
    ("ListCharges", ACME, CONFLICT, "NO_CHARGE_SERVICE", None),
    missing("ListChargeRuns", "ACCOUNT", account_id="nobody"),
    invalid("RequestUsagePlan", "product_key"),
    missing("RequestUsagePlan", "PRODUCT", product_key="none"),
    invalid("ApproveUsagePlan", "product_key"),
    missing("ApproveUsagePlan", "PRODUCT", product_key="none"),
    ("ApproveUsagePlan", {"product_key": "app"}, CONFLICT, "USAGE_PLAN_NOT_APPROVED", None),
    invalid("GetListing", "product_key"),
    invalid("GetListing", "currency", product_key="app", currency="EUR"),
    missing("GetListing", "PRODUCT", product_key="none"),
    invalid("GetPricingPage", "product_key"),
    missing("GetPricingPage", "PRODUCT", product_key="none"),
    invalid("CreateCoupon", "coupon.off"),
    invalid("CreateCoupon", "coupon.percent_off", coupon={"code": "c", "percent_off": "x"}),
    invalid("CheckCoupon", "code"),
    invalid("ArchiveCoupon", "code"),
    invalid("ListPaymentOptions", "plan_key"),
    invalid("ListCoupons", "page_size", page_size=101),
    invalid("ListMessages", "page_size", page_size=101),
    invalid("ListMessages", "type", type="invoice.payed"),
    invalid("ListMessages", "after_sequence", after_sequence=-1),
    invalid("GrantDiscount", "discount.off", discount=ACME),
    invalid("GrantDiscount", "discount.account_id", discount={"percent_off": "5"}),
    missing("GrantDiscount", "ACCOUNT", discount={"percent_off": "5", "account_id": "nobody"}),
    invalid("EndDiscount", "discount_id", **ACME),
    missing("EndDiscount", "DISCOUNT", discount_id="none", **ACME),
    missing("ListDiscounts", "ACCOUNT", account_id="nobody"),
    invalid("CreateReferral", "referee_account_id", referrer_account_id="acme"),
    invalid("CreateReferral", "amount", referrer_account_id="acme", referee_account_id="idle"),
    missing("ListReferrals", "ACCOUNT", account_id="nobody"),
    invalid("SetShare", "share.kind"),
    invalid("SetShare", "share.provider", share={"kind": "SHARE_KIND_PROVIDER"}),
    invalid("SetShare", "share.provider", share={"kind": "SHARE_KIND_LICENCE", "provider": "maps"}),
    invalid("SetShare", "share.accepted_percent", share={"kind": "SHARE_KIND_LICENCE", "accepted_percent": "100.1"}),
    missing("SetShare", "ACCOUNT", share={"kind": "SHARE_KIND_ACCOUNT", "account_id": "x", "partner_account_id": "y"}),
    invalid("SetShare", "share.rounding", share={"kind": "SHARE_KIND_PROCESSING", "provider": "m", "rounding": 2}),
    invalid("SubmitBill", "bill.provider"),
    invalid("SubmitBill", "bill.price", bill={"provider": "maps", **ACME, "text": "Maps"}),
    invalid("SubmitBill", "bill.units", bill={"provider": "maps", **ACME, "text": "Maps", "units": "0"}),
    (
        "SubmitBill",
        {"bill": {"provider": "maps", "account_id": "x", "text": "y", "price": {"units": 1}}},
        MISSING,
        "ACCOUNT_NOT_CHARGEABLE",
        None,
    ),
    invalid("CancelBill", "provider", bill_id="b"),
    missing("CancelBill", "BILL", provider="maps", bill_id="b"),
    invalid("ListBills", "page_size", page_size=101),
    invalid("ListStatements", "run_date", run_date="2026-02-16"),
    invalid("GetBillingTimeline", "month", month="2026-13"),
    invalid("SubmitRecurringBill", "bill.provider"),
    invalid("SubmitRecurringBill", "bill.price", bill={"provider": "maps", **ACME, "text": "Maps"}),
    invalid("CancelRecurringBill", "provider"),
    missing("CancelRecurringBill", "BILL", provider="maps", recurring_bill_id="none"),
    invalid("ListRecurringBills", "state", state=9),
    invalid("GetBillingTimeline", "month", month="2026-2"),
    invalid("ListSharedInvoices", "run_date", run_date="17"),
    invalid("GetReport", "start_time"),
    invalid("ListAuditEntries", "page_size", page_size=-1),
    invalid("ListAuditEntries", "page_token", page_token="x"),
    invalid("VerifyAuditLog", "after_place", after_place=-1),
    invalid("VerifyAuditLog", "after_place", after_place=10**6),
    invalid("AssignVariant", "account_id", experiment_key="x", variants=["p", "q"]),
    invalid("AssignVariant", "variants", experiment_key="x", variants=["p", "p"], **ACME),
    missing("AssignVariant", "PLAN", experiment_key="x", variants=["p", "none"], **ACME),
    missing("AssignVariant", "ACCOUNT", experiment_key="x", variants=["p", "q"], account_id="nobody"),
    invalid("CompareVariants", "start_time", experiment_key="x", variants=["p", "q"]),
    invalid("CompareVariants", "variants", experiment_key="x", variants=["p"], start_time=PAST),
    invalid("GetReport", "end_time", start_time=PAST, end_time=PAST),
    invalid("CreateOrder", "items", **ACME),
    invalid("CreateOrder", "account_id", items=[{"subscription": {"plan_key": "p"}}]),
    invalid("CreateOrder", "items[0].what", items=[{}], **ACME),
    invalid("CreateOrder", "items[0].subscription.plan_key", items=[{"subscription": {}}], **ACME),
    missing("CreateOrder", "PLAN", items=[{"subscription": {"plan_key": "none"}}], **ACME),
    invalid("CompleteOrder", "order_id", terms_version="1"),
    invalid("CompleteOrder", "terms_version", order_id="nothing"),
    missing("CompleteOrder", "ORDER", order_id="nothing", terms_version="1"),
    invalid("CreateOrder", "items[0].email", items=[{"quota": {}, "email": "a@b"}], **ACME),
    invalid("CreateOrder", "items[0].email", items=[{"subscription": {"plan_key": "p"}, "email": "a"}], **ACME),
    invalid("CreateOrder", "items[0].quota.quantity", items=[{"quota": {"feature_key": "calls"}}], **ACME),
    invalid("RedeemClaim", "code", **ACME),
    invalid("RedeemClaim", "account_id", code="x"),
    missing("RedeemClaim", "CLAIM", code="x", **ACME),
    missing("ReplaceClaimCode", "ORDER", order_id="none"),
    invalid("ReplaceClaimCode", "item", order_id="none", item=-1),
    missing("RedeemClaim", "ACCOUNT", code="x", account_id="nobody"),
    invalid("GetOrder", "order_id"),
    missing("GetOrder", "ORDER", order_id="nothing"),
    invalid("ListOrders", "page_size", page_size=101),
    invalid("ListOrders", "state", state=77),
    missing("ListOrders", "ACCOUNT", account_id="nobody"),
    invalid("CreateSubscription", "coupon_codes", account_id="idle", plan_key="p", coupon_codes=["a", "A"]),
    missing("RenewSubscription", "SUBSCRIPTION", account_id="idle"),
    missing("PauseSubscription", "SUBSCRIPTION", account_id="idle"),
    missing("ResumeSubscription", "SUBSCRIPTION", account_id="idle"),
    invalid("PauseSubscription", "resume_time", resume_time={"seconds": 1}, **ACME),
    invalid("PauseSubscription", "reason", reason="x" * 1025, **ACME),
    invalid("SetSubscriptionState", "state", **ACME),
    invalid("SetSubscriptionState", "state", state=7, **ACME),
    missing("SetSubscriptionState", "SUBSCRIPTION", account_id="idle", state=3),
    invalid("SetSubscriptionState", "reason", state=3, reason="x" * 1025, **ACME),
    invalid("ListChanges", "account_id"),
    invalid("ListChanges", "page_size", page_size=101, **ACME),
    invalid("ListChanges", "page_token", page_token="x", **ACME),
    missing("ListChanges", "ACCOUNT", account_id="nobody"),
    missing("RunBilling", "ACCOUNT", account_id="nobody"),
    invalid("RunBilling", "account_id", account_id="\0"),
    invalid("CreateFee", "charge", text="x", **ACME),
    invalid("CreateFee", "text", text="x" * 201, amount={"currency_code": "USD", "units": 1}, **ACME),
    invalid("CreateFee", "text", text="", amount={"currency_code": "USD", "units": 1}, **ACME),
    invalid("CreateFee", "amount", text="x", amount={"currency_code": "USD"}, **ACME),
    invalid("CreateFee", "amount.currency_code", text="x", amount={"currency_code": "ABC", "units": 1}, **ACME),
    invalid("CreateFee", "amount.currency_code", text="x", amount={"currency_code": "EUR", "units": 1}, **ACME),
    invalid("CreateFee", "amount.nanos", text="x", amount={"currency_code": "USD", "units": 1, "nanos": -1}, **ACME),
    invalid("CreateFee", "amount.nanos", text="x", amount={"currency_code": "USD", "nanos": 1}, **ACME),
    missing("CreateFee", "ACCOUNT", text="x", amount={"currency_code": "USD", "units": 1}, account_id="nobody"),
    invalid("OffsetFee", "fee_id"),
    missing("OffsetFee", "FEE", fee_id="nothing"),
    invalid("FinalizeInvoice", "invoice_id"),
    missing("FinalizeInvoice", "INVOICE", invoice_id="nothing"),
    invalid("ListInvoices", "text", state=4, text="seats"),
    invalid("ListInvoices", "end_time", start_time=PAST, end_time=PAST),
    invalid("VoidInvoice", "invoice_id"),
    missing("VoidInvoice", "INVOICE", invoice_id="nothing"),
    invalid("SetGateway", "name", name="nothing"),
    invalid("AttachMethod", "account_id", token="fake_ok"),
    invalid("AttachMethod", "token", token="", **ACME),
    invalid("AttachMethod", "token", token="nothing", gateway="fake", **ACME),
    missing("AttachMethod", "ACCOUNT", account_id="nobody", token="fake_ok"),
    missing("ListMethods", "ACCOUNT", account_id="nobody"),
    invalid("SetDefaultMethod", "method_id", **ACME),
    missing("SetDefaultMethod", "METHOD", method_id="nothing", **ACME),
    invalid("BeginSetup", "account_id"),
    invalid("BeginSetup", "return_url", return_url="javascript:alert(1)", **ACME),
    missing("BeginSetup", "ACCOUNT", account_id="nobody"),
    missing("DetachMethod", "METHOD", method_id="nothing", **ACME),
    invalid("Pay", "invoice_id"),
    missing("Pay", "INVOICE", invoice_id="nothing"),
    invalid("RecordOffline", "account_id", amount={"currency_code": "USD", "units": 1}),
    invalid("RecordOffline", "amount", amount={"currency_code": "USD", "units": -1}, **ACME),
    invalid("RecordOffline", "amount.nanos", amount={"currency_code": "USD", "nanos": 1}, **ACME),
    invalid("RecordOffline", "reference", amount={"currency_code": "USD", "units": 1}, reference="x" * 201, **ACME),
    missing("RecordOffline", "ACCOUNT", amount={"currency_code": "USD", "units": 1}, account_id="nobody"),
    missing("RecordOffline", "INVOICE", amount={"currency_code": "USD", "units": 1}, invoice_id="nothing", **ACME),
    invalid("SetCollection", "collect", collect=9, **ACME),
    missing("SetCollection", "ACCOUNT", account_id="nobody"),
    invalid("Reconcile", "gateway", start_time=PAST),
    invalid("Reconcile", "start_time", gateway="fake"),
    missing("GetCollection", "ACCOUNT", account_id="nobody"),
    invalid("ListPayments", "page_size", page_size=101),
    invalid("ListPayments", "page_token", page_token="x"),
    invalid("ListAttempts", "account_id", account_id="\0"),
    invalid("RenderInvoice", "invoice_id"),
    invalid("RenderInvoice", "format", invoice_id="inv_none", format=9),
    invalid("RenderInvoice", "locale", invoice_id="inv_none", locale="sv"),
    missing("RenderInvoice", "INVOICE", invoice_id="inv_none"),
    invalid("TopUp", "account_id", amount={"currency_code": "USD", "units": 1}),
    invalid("TopUp", "amount", account_id="acme"),
    missing("TopUp", "ACCOUNT", account_id="nobody", amount={"currency_code": "USD", "units": 1}),
    invalid("RefundLine", "invoice_id", line=1),
    missing("RefundLine", "INVOICE", invoice_id="nothing", line=1),
    invalid("ListRefunds", "page_size", page_size=101),
    invalid("RecordDispute", "payment_id", dispute_id="dp"),
    invalid("RecordDispute", "dispute_id", payment_id="pay"),
    invalid("RecordDispute", "state", payment_id="pay", dispute_id="dp", state=9),
    missing("RecordDispute", "PAYMENT", payment_id="nothing", dispute_id="dp"),
    invalid("ListDisputes", "page_size", page_size=101),
    invalid("ListGatewayEvents", "page_size", page_size=101),
    invalid("ListGatewayEvents", "page_token", page_token="x"),
    invalid("ListGatewayEvents", "state", state=9),
    invalid("ListGatewayEvents", "gateway", gateway="\n"),
    invalid("ListGatewayEvents", "subject", subject="\n"),
    invalid("CreateCreditNote", "invoice_id"),
    missing("CreateCreditNote", "INVOICE", invoice_id="nothing"),
    invalid("DisputeLine", "invoice_id", line=1),
    missing("DisputeLine", "INVOICE", invoice_id="nothing", line=1),
    invalid("WriteOffInvoice", "invoice_id"),
    missing("WriteOffInvoice", "INVOICE", invoice_id="nothing"),
    invalid("AddWalletCredit", "account_id", amount={"currency_code": "USD", "units": 1}),
    invalid("AddWalletCredit", "amount", amount={"currency_code": "USD", "units": -1}, **ACME),
    missing("AddWalletCredit", "ACCOUNT", amount={"currency_code": "USD", "units": 1}, account_id="nobody"),
    invalid("GetWallet", "account_id"),
    invalid("GetWallet", "page_size", page_size=101, **ACME),
    invalid("GetWallet", "page_token", page_token="x", **ACME),
    missing("GetWallet", "ACCOUNT", account_id="nobody"),
    invalid("SetBillingProfile", "party.name", **ACME),
    invalid("SetBillingProfile", "party.name", party={"name": "a\nb"}, **ACME),
    invalid("SetBillingProfile", "party.email", party={"name": "Acme", "email": "ada"}, **ACME),
    invalid("SetBillingProfile", "party.address.country", party={"name": "Acme", "address": {"country": "UK"}}),
    invalid("SetBillingProfile", "party.address.region", party={"name": "Acme", "address": {"country": "CA"}}),
    invalid("SetBillingProfile", "party.address.region", party={"name": "Acme", "address": {"region": "ON"}}),
    invalid("SetBillingProfile", "party.address.lines", party={"name": "Acme", "address": {"lines": ["x"] * 7}}),
    invalid("SetBillingProfile", "party.address.lines[0]", party={"name": "Acme", "address": {"lines": [""]}}),
    invalid(
        "SetBillingProfile", "party.address.postal_code", party={"name": "A", "address": {"postal_code": "1" * 33}}
    ),
    invalid("SetBillingProfile", "party.tax_ids", party={"name": "Acme", "tax_ids": [{"value": "x"}] * 6}),
    invalid("SetBillingProfile", "party.tax_ids[0].value", party={"name": "Acme", "tax_ids": [{}]}),
    invalid("SetBillingProfile", "tax_exemption", party={"name": "Acme"}, tax_exemption="a\nb"),
    invalid("SetBillingProfile", "party.iban", party={"name": "Acme", "iban": "DE89370400440532013001"}),
    invalid("SetBillingProfile", "party.bic", party={"name": "Acme", "bic": "COBA"}),
    invalid("SetBillingProfile", "party.locale", party={"name": "Acme", "locale": "German"}),
    invalid("SetBillingProfile", "party.electronic_scheme", party={"name": "Acme", "electronic_address": "x"}),
    invalid("SetBillingProfile", "exemptions[0].reason", party={"name": "Acme"}, exemptions=[{}]),
    invalid("SetBillingProfile", "exemptions[0].since", party={"name": "A"}, exemptions=[{**CHARITY, "since": "2026"}]),
    invalid("SetBillingProfile", "exemptions[0].until", party={"name": "A"}, exemptions=[{**CHARITY, **NO_DAYS}]),
    invalid(
        "SetBillingProfile", "exemptions[0].country", party={"name": "A"}, exemptions=[{**CHARITY, "country": "UK"}]
    ),
    invalid("SetBillingProfile", "exemptions", party={"name": "A"}, exemptions=[CHARITY] * 21),
    invalid("SetBillingProfile", "evidence[0].kind", party={"name": "A"}, evidence=[{"country": "DE"}]),
    invalid("SetBillingProfile", "evidence[0].kind", party={"name": "A"}, evidence=[{"kind": 1, "country": "DE"}]),
    invalid("SetBillingProfile", "evidence[0].country", party={"name": "A"}, evidence=[{"kind": 3}]),
    invalid("VerifyTaxId", "tax_id", tax_id="DE136695976", **ACME),
    missing("VerifyTaxId", "ACCOUNT", account_id="nobody", tax_id="DE136695976"),
    missing("SetBillingProfile", "ACCOUNT", party={"name": "Acme"}, account_id="nobody"),
    missing("GetBillingProfile", "ACCOUNT", account_id="nobody"),
    invalid("ListUninvoicedItems", "account_id"),
    missing("ListUninvoicedItems", "ACCOUNT", account_id="nobody"),
    missing("PreviewInvoice", "ACCOUNT", account_id="nobody"),
    invalid("SetPriceOverride", "account_id"),
    invalid("SetPriceOverride", "price", plan_key="q", **ACME),
    invalid("SetPriceOverride", "bundle", price=OWN, **ACME),
    invalid("SetPriceOverride", "bundle", price=OWN, plan_key="q", add_on_key="pack", **ACME),
    invalid("SetPriceOverride", "price.key", price={**OWN, "key": "nothing"}, plan_key="q", **ACME),
    missing("SetPriceOverride", "PLAN", price=OWN, plan_key="nothing", **ACME),
    missing("SetPriceOverride", "ADD_ON", price=OWN, add_on_key="nothing", **ACME),
    missing("SetPriceOverride", "ACCOUNT", price=OWN, plan_key="q", account_id="nobody"),
    invalid("EndPriceOverride", "override_id", **ACME),
    missing("EndPriceOverride", "OVERRIDE", override_id="nothing", **ACME),
    missing("ListPriceOverrides", "ACCOUNT", account_id="nobody"),
    invalid("ListPriceOverrides", "page_size", page_size=101, **ACME),
    invalid("ListPriceOverrides", "page_token", page_token="x", **ACME),
    invalid("ListUninvoicedItems", "page_size", page_size=-1, **ACME),
    invalid("ListUninvoicedItems", "page_token", page_token="x", **ACME),
    invalid("ListUnratedFacts", "page_size", page_size=101),
    invalid("ListUnratedFacts", "page_token", page_token="x"),
    invalid("ListUnratedFacts", "account_id", account_id="\0"),
    invalid("PreviewChange", "change"),
    invalid("PreviewChange", "account_id", change_plan={"plan_key": "pro"}),
    invalid("PreviewChange", "quantity", quantity={"quantity": -1, **ACME}),
    missing("PreviewChange", "PLAN", change_plan={"plan_key": "nothing", **ACME}),
    missing("PreviewChange", "FEATURE", quantity={"feature_key": "nothing", "quantity": 1, **ACME}),
    missing("PreviewChange", "SUBSCRIPTION", cancel={"account_id": "idle"}),
    invalid("Quote", "plan_key"),
    invalid("Quote", "users", plan_key="p", users=-1),
    invalid("Quote", "trial_days", plan_key="p", trial_days=4000),
    invalid("Quote", "usage[0].quantity", plan_key="p", usage=[{"feature_key": "calls", "quantity": -1}]),
    invalid("Quote", "usage[0].events", plan_key="p", usage=[{"feature_key": "calls", "events": 10_001}]),
    invalid("Quote", "usage[0].feature_key", plan_key="p", usage=[{"feature_key": "sso"}]),
    invalid("Quote", "usage[0].events", plan_key="p", usage=[{"feature_key": "visitors", "quantity": 10_001}]),
    invalid("Quote", "seats", plan_key="p", seats={"calls": 1}),
    invalid("Quote", "add_ons[0].quantity", plan_key="p", add_ons=[{"add_on_key": "pack", "quantity": 3}]),
    invalid("Quote", "country", plan_key="p", country="XX"),
    missing("Quote", "PLAN", plan_key="nothing"),
    missing("Quote", "ACCOUNT", plan_key="p", account_id="nobody"),
    missing("Quote", "ADD_ON", plan_key="p", add_ons=[{"add_on_key": "nothing"}]),
    missing("Quote", "FEATURE", plan_key="p", usage=[{"feature_key": "nothing"}]),
    missing("Quote", "FEATURE", plan_key="p", seats={"nothing": 1}),
    invalid("ComparePlans", "account_id"),
    missing("ComparePlans", "ACCOUNT", account_id="nobody"),
    missing("ComparePlans", "SUBSCRIPTION", account_id="idle"),
    invalid("GetInvoice", "invoice_id"),
    missing("GetInvoice", "INVOICE", invoice_id="inv_none"),
    invalid("ExplainLine", "invoice_id", line=1),
    missing("ExplainLine", "INVOICE", invoice_id="inv_none", line=1),
    invalid("ListLineEvents", "invoice_id", line=1),
    missing("ListLineEvents", "INVOICE", invoice_id="inv_none", line=1),
    invalid("VerifyInvoice", "invoice_id"),
    missing("VerifyInvoice", "INVOICE", invoice_id="inv_none"),
    invalid("ListInvoices", "page_size", page_size=101),
    invalid("ListInvoices", "page_size", page_size=-1),
    invalid("ListInvoices", "page_token", page_token="x"),
    invalid("ListInvoices", "state", state=9),
    invalid("ListInvoices", "kind", kind=9),
    invalid("ListInvoices", "text", text="x" * 101),
    invalid("ListInvoices", "start_time", start_time=NEVER),
    invalid("ListTransfers", "page_size", page_size=101),
    invalid("ListTransfers", "page_token", page_token="x"),
    invalid("ListTransfers", "account_id", account_id="\0"),
    invalid("ListTransfers", "ledger_account", ledger_account="Receivable"),
    invalid("ListTransfers", "start_time", start_time=NEVER),
    invalid("ListTransfers", "end_time", start_time=PAST, end_time=PAST),
    invalid("GetTrialBalance", "at_time", at_time=NEVER),
    invalid("GetTrialBalance", "account_id", account_id="\0"),
    invalid("CloseBooks", "closed_time"),
    invalid("CloseBooks", "closed_time", closed_time=FAR),
    invalid("CloseBooks", "closed_time", closed_time=NEVER),
    invalid("ExportLedger", "page_size", page_size=1_001),
    invalid("ExportLedger", "end_time", start_time=PAST, end_time=PAST),
    invalid("GetUsage", "feature_key", feature_key="sso", **ACME),
    invalid("GetUsage", "selection", selection=9, **ACME),
    invalid("GetUsage", "range.end_time", range=usage_service_pb2.TimeRange(start_time=PAST, end_time=PAST), **ACME),
    invalid("GetUsage", "range.start_time", range=usage_service_pb2.TimeRange(start_time=NEVER), **ACME),
    missing("GetUsage", "ACCOUNT", account_id="nobody"),
    missing("GetUsage", "FEATURE", feature_key="nothing", **ACME),
    invalid("ListEvents", "after_sequence", after_sequence=-1),
    invalid("ListEvents", "page_size", page_size=1001),
    invalid("RecordUsage", "items"),
    invalid("CreateApiKey", "scopes"),
    invalid("CreateApiKey", "scopes[0]", scopes=[0]),
    invalid("CreateApiKey", "name", scopes=[1], name="a\nb"),
    invalid("CreateApiKey", "expire_time", scopes=[1], expire_time=PAST),
    invalid("ListApiKeys", "page_token", page_token="YQ"),
    invalid("RevokeApiKey", "key_id"),
    missing("RevokeApiKey", "API_KEY", key_id="key_none"),
    invalid("SetTestClock", "time"),
    invalid("SetTestClock", "time", time=PAST),
    invalid("AdvanceTestClock", "target"),
    invalid("AdvanceTestClock", "duration", duration=Duration(seconds=-1)),
    invalid("AdvanceTestClock", "duration", duration=Duration(seconds=8_000_000_000)),
    invalid("AdvanceTestClock", "to_time", to_time=PAST),
    invalid("CheckEntitlement", "feature_key", **ACME),
    missing("CheckEntitlement", "FEATURE", feature_key="nothing", **ACME),
    invalid("BatchCheckEntitlements", "feature_keys", account_ids=["acme"]),
    invalid("ListEntitlements", "account_id"),
    invalid("ConsumeQuota", "request_id", feature_key="calls", **ACME),
    invalid("ConsumeQuota", "quantity", feature_key="calls", request_id="r", quantity=0, **ACME),
    invalid("ConsumeQuota", "mode", feature_key="calls", request_id="r", mode=9, **ACME),
    invalid("ResetUsage", "feature_key", feature_key="sso", request_id="r", **ACME),
    missing("RateLimit", "LIMIT", limit_key="nothing", **ACME),
]
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")


@pytest.mark.parametrize(
    ("method", "field", "latest"),
    [
        ("ConsumeQuota", "occurred_time", None),
        ("CheckEntitlement", "at_time", "2255-06-05T23:47:34.740990Z"),
    ],
)
async def test_an_instant_out_of_range_is_told_its_bounds(tenant, method, field, latest):
    asked = {"feature_key": "calls", field: Timestamp(seconds=1), **ACME}
    asked |= {"request_id": "late"} if method == "ConsumeQuota" else {}
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await tenant.call(method, **asked)
    info, wrong = details_of(refused.value)
    assert (refused.value.code(), info.reason) == (INVALID, "OUT_OF_RANGE")
    assert [violation.field for violation in wrong.field_violations] == [field]
    assert (info.metadata["field"], info.metadata["got"]) == (field, "1970-01-01T00:00:01Z")
    earliest, last = info.metadata["earliest"], info.metadata["latest"]
    assert ISO.fullmatch(earliest)
    assert ISO.fullmatch(last)
    assert earliest < last
    assert latest in {None, last}
    within = Timestamp()
    within.FromJsonString(earliest)
    await tenant.call(method, **{**asked, field: within})


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("CreateOverride", {"feature_key": "calls", "entitlement": LIMITED, "end_time": PAST}),
        ("CreateGrant", {"feature_key": "calls", "amount": 1, "expire_time": PAST}),
        ("ExtendSubscription", {"end_time": PAST}),
        ("CancelSubscription", {"end_time": PAST}),
        ("CreateSubscription", {"account_id": "idle", "plan_key": "p", "end_time": PAST}),
        ("CreateSubscription", {"account_id": "idle", "plan_key": "p", "start_time": FAR}),
        ("GetUsage", {"range": usage_service_pb2.TimeRange(start_time=Timestamp(seconds=2), end_time=PAST)}),
    ],
)
async def test_instants_in_errors_are_rfc_3339(tenant, method, fields):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await tenant.call(method, **{**ACME, **fields})
    info, _ = details_of(refused.value)
    assert ISO.fullmatch(info.metadata["got"])
    assert not re.search(r"\d{9}|\d us", info.metadata["expected"])


NOTHING_TO_REFUSE = {"GetCatalog", "GetTestClock", "FollowEvents", "AuditLedger", "ListGateways", "ListShares"}
"""Requests that cannot be wrong, and the stream, which is tested where streams are."""


@pytest.fixture(scope="module")
async def tenant(live_server):
    """One tenant for all rows: none of them may change anything."""
    async with live_server.channel() as channel:
        tenant = Tenant(channel, live_server.new_test_tenant())
        await tenant.apply(DOCUMENT)
        await tenant.call("UpsertAccount", account_id="acme", plan_key="p")
        await tenant.call("UpsertAccount", account_id="idle")
        await tenant.call("CreateGrant", account_id="acme", feature_key="calls", amount=1, grant_id="g")
        await tenant.call("SetGateway", name="fake")
        entitlement = catalog_pb2.Entitlement(limit=9)
        await tenant.call(
            "CreateOverride", account_id="acme", feature_key="calls", entitlement=entitlement, override_id="o"
        )
        yield tenant


def details_of(error):
    """The error's google.rpc details: its ErrorInfo and its BadRequest."""
    status = Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    assert (status.code, status.message) == (error.code().value[0], error.details())
    info, wrong = ErrorInfo(), BadRequest()
    for detail in status.details:
        for message in (info, wrong):
            if detail.Is(message.DESCRIPTOR):
                detail.Unpack(message)
    return info, wrong


@pytest.mark.parametrize(
    ("method", "fields", "code", "reason", "field"),
    ROWS,
    ids=[f"{n}-{r[0]}-{r[4] or r[3]}" for n, r in enumerate(ROWS)],
)
async def test_a_refusal_names_its_reason_and_field(tenant, method, fields, code, reason, field):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await tenant.call(method, **fields)
    info, wrong = details_of(refused.value)
    assert (refused.value.code(), info.reason, info.domain) == (code, reason, "tallygate")
    assert [violation.field for violation in wrong.field_violations] == ([field] if field else [])
    assert all(violation.description for violation in wrong.field_violations)


async def test_refusals_change_nothing(tenant):
    before = (await tenant.call("GetAccount", account_id="acme")).view_version
    for method, fields, *_ in ROWS:
        with pytest.raises(grpc.aio.AioRpcError):
            await tenant.call(method, **fields)
    assert (await tenant.call("GetAccount", account_id="acme")).view_version == before


HARMLESS = {
    "ListAuditEntries",
    "VerifyAuditLog",
    *("GetCatalog", "ListPlans", "ListAccounts", "ListSubscriptions", "ListEvents", "ListApiKeys", "GetTestClock"),
    *("FollowEvents", "RateLimit", "RunBilling", "ListInvoices", "GetBillingProfile"),
    *(
        "ListCoupons",
        "ListEndingSubscriptions",
        "ListMessages",
        "ListOrders",
        "ListTransfers",
        "GetTrialBalance",
        "ExportLedger",
        "ListPayments",
        "ListAttempts",
    ),
    "ListUnratedFacts",
    "ListDisputes",
    "ListGatewayEvents",
    "ListRecurringBills",
    "ListRefunds",
    "ListBills",
    "ListStatements",
    "ListSharedInvoices",
}
"""What can be asked with nothing named, and a call that no limit matches; whatever else comes empty is refused."""


@pytest.mark.parametrize("method", sorted({row[0] for row in ROWS} - HARMLESS))
async def test_an_empty_request_is_refused_rather_than_taken_for_a_wish(tenant, method):
    before = (await tenant.call("GetAccount", account_id="acme")).view_version
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await tenant.call(method)
    assert refused.value.code() is INVALID
    assert [violation.field for violation in details_of(refused.value)[1].field_violations]
    assert (await tenant.call("GetAccount", account_id="acme")).view_version == before


def test_every_rpc_has_a_row():
    ours = {name for name, method in METHODS.items() if method.containing_service.file.package == "tallygate.v1"}
    assert ours == {row[0] for row in ROWS} | NOTHING_TO_REFUSE
