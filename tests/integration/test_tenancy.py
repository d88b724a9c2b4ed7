"""Every RPC that there is, with every kind of key: who may call it, and that no tenant sees or moves another."""

import asyncio
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.domain.credential import ENTROPY_BYTES, mint_key
from tallygate_api.envoy.extensions.common.ratelimit.v3.ratelimit_pb2 import RateLimitDescriptor
from tallygate_api.v1 import decision_pb2
from tenants import ENVOY, METHODS, Tenant, after, eventually, failure, metadata_of, reason_of, request_of, rpc
from worlds import catalog_message

CANARY = "canary-5f0c"
"""Stands in everything that the first tenant wrote and that the second one never sends."""
NOBODY = decision_pb2.REASON_ACCOUNT_NOT_FOUND
SCOPES = ("data", "control", "read_only", "billing", "billing_read")
STREAM_SECONDS = 0.5


def document(name):
    plan = {
        "version": 1,
        "name": name,
        "trial": {"days": 14},
        "entitlements": {"calls": {"limit": 1000}, "seats": {"limit": 10}},
        "rate_limits": {"rpd": {"limit": 50, "window": "86400s"}},
        "prices": [{"recurring": {"amount": "1.00"}}],
    }
    return {
        "currency": "USD",
        "billing": {"grace": "0s", "payment": {"due": {"days": 30}}},  # nothing is collected meanwhile
        "features": {"calls": {"kind": "metered", "name": name}, "seats": {"kind": "seat"}},
        "rate_limits": {
            "rpd": {"owner": "account", "algorithm": "fixed_window"},
            "logins": {
                "owner": "tenant",
                "algorithm": "fixed_window",
                "descriptor": [{"key": "address"}],
                "value": {"limit": 50, "window": "86400s"},
            },
        },
        "plans": {"p": plan, "renewed": {**plan, "billing": {"renewal": "repeat"}}, "q": {"version": 1, "name": name}},
        "add_ons": {"extra": {"version": 1, "name": name, "offered_on": ["p"]}},
        "products": {"app": {"name": name, "pricing_url": "https://app.example.com/pricing"}} if name == CANARY else {},
    }


def charged_by(app):
    """A plan whose app tells charges of its own."""
    document_ = document(CANARY)
    metered = {**document_["plans"]["p"], "product": "app", "usage_based": True, "charges": [{"text": "as it comes"}]}
    del metered["trial"]
    product = {**document_["products"]["app"], "business_model": "premium", "charge_service": app.address}
    return {**document_, "products": {"app": product}, "plans": {"metered": metered}}


@dataclass(frozen=True)
class Row:
    """Which scopes may call it, a valid request about the first tenant's account, and what the second one is told."""

    scopes: str
    request: Callable[["World"], dict[str, Any]]
    foreign: str | Callable[[Any], bool]
    """The reason of an error, or what must be true of the answer."""
    code: grpc.StatusCode = grpc.StatusCode.NOT_FOUND
    """With which such an error comes."""
    shows: bool = False
    """Whether the answer to the tenant itself holds what it wrote; so the canary would be seen."""
    bare: bool = False
    """Whether the account needs to be without a subscription."""


def of(**fields):
    return lambda world: {"account_id": world.account, **fields}


def anything(**fields):
    return lambda _world: fields


def denied(response):
    return not response.decision.allowed and response.decision.reason == NOBODY


def empty(field):
    return lambda response: len(getattr(response, field)) == 0


def own(_response):
    """The second tenant is answered about what is its own; the canary and the first tenant's state tell the rest."""
    return True


UNKNOWN = "ACCOUNT_NOT_FOUND"
ASK, TAKE, READ, WRITE = "data read_only", "data", "control read_only", "control"
SALES = "control read_only billing billing_read"


def card(world):
    return {"account_id": world.account, "method_id": f"card/{world.account}"}


def ordered(**fields):
    return lambda world: {"order_id": f"order/{world.account}", **fields}


CALLS = {"feature_key": "calls"}
BILL = {"provider": "maps", "text": "Maps", "price": {"units": 1}}
SEAT = {"feature_key": "seats", "user_id": "ann"}
MORE = catalog_message({"currency": "USD", "features": {"more": {"kind": "boolean"}}})
LOGIN = {"descriptors": [{"key": "address", "value": "192.0.2.1"}]}

ROWS = {
    "CheckEntitlement": Row(ASK, of(**CALLS), denied, shows=True),
    "BatchCheckEntitlements": Row(
        ASK,
        lambda world: {"account_ids": [world.account], "feature_keys": ["calls"]},
        lambda response: denied(response.results[0]),
        shows=True,
    ),
    "ListEntitlements": Row(
        ASK, of(), lambda response: {NOBODY} == {each.reason for each in response.decisions}, shows=True
    ),
    "ConsumeQuota": Row(TAKE, of(**CALLS, request_id="again"), denied, shows=True),
    "ResetUsage": Row(TAKE, of(**CALLS, request_id="reset"), UNKNOWN),
    "RateLimit": Row(TAKE, of(limit_key="rpd", cost=50), lambda response: response.reason == NOBODY),
    ENVOY: Row(
        TAKE,
        lambda _: {"descriptors": [RateLimitDescriptor(entries=LOGIN["descriptors"])], "hits_addend": 50},
        lambda response: response.statuses[0].limit_remaining == 0,  # of its own 50; the first tenant's are untouched
    ),
    "ApplyCatalog": Row(WRITE, anything(catalog=MORE), own),
    "GetCatalog": Row(READ, anything(), own, shows=True),
    "ListPlans": Row(READ, anything(), own, shows=True),
    "GetPlan": Row(READ, anything(plan_key="q"), "PLAN_NOT_FOUND", shows=True),
    "UpsertAccount": Row(WRITE, of(metadata={"a": "b"}), lambda response: response.created, shows=True),
    "ImportAccounts": Row(
        WRITE,
        lambda world: {"items": [{"account": {"account_id": world.account, "metadata": {"a": "b"}}}]},
        lambda response: response.outcomes[0].created,
    ),
    "GetAccount": Row(READ, of(), UNKNOWN, shows=True),
    "ListAccounts": Row(READ, anything(), empty("accounts"), shows=True),
    "AddUsers": Row(WRITE, of(user_ids=["bob"]), UNKNOWN),
    "RemoveUsers": Row(WRITE, of(user_ids=["ann"]), UNKNOWN),
    "ListUsers": Row(READ, of(), UNKNOWN, shows=True),
    "AssignSeat": Row(WRITE, of(**{**SEAT, "user_id": "bob"}), UNKNOWN, shows=True),
    "UnassignSeat": Row(WRITE, of(**SEAT), UNKNOWN),
    "ListSeats": Row(READ, of(feature_key="seats"), UNKNOWN, shows=True),
    "CreateOverride": Row(WRITE, of(**CALLS, entitlement={"limit": 1}), UNKNOWN),
    "ListOverrides": Row(READ, of(), UNKNOWN, shows=True),
    "DeleteOverride": Row(WRITE, of(override_id="override-1"), UNKNOWN),
    "CreateGrant": Row(WRITE, of(**CALLS, amount=5), UNKNOWN),
    "ListGrants": Row(READ, of(), UNKNOWN, shows=True),
    "RevokeGrant": Row(WRITE, of(grant_id="grant-1"), UNKNOWN),
    "GetChargeLimit": Row("control billing billing_read", of(product_key="app"), UNKNOWN),
    "RaiseChargeLimit": Row("control billing", of(limit={"units": 60}), UNKNOWN),
    "ListCharges": Row("control billing billing_read", of(), UNKNOWN, shows=True),
    "ListChargeRuns": Row("control billing billing_read", of(), UNKNOWN),
    "RequestUsagePlan": Row("control billing", anything(product_key="app"), "PRODUCT_NOT_FOUND"),
    "ApproveUsagePlan": Row(WRITE, anything(product_key="app"), "PRODUCT_NOT_FOUND"),
    "GetListing": Row(SALES, anything(product_key="app"), "PRODUCT_NOT_FOUND", shows=True),
    "GetPricingPage": Row(SALES, anything(product_key="app"), "PRODUCT_NOT_FOUND"),
    "CreateCoupon": Row("control billing", anything(coupon={"code": "mine", "percent_off": "5"}), own),
    "ListCoupons": Row("control billing billing_read", anything(), empty("coupons"), shows=True),
    "CheckCoupon": Row("control billing billing_read", anything(code="half"), "COUPON_NOT_FOUND", shows=True),
    "ListMessages": Row("control billing billing_read", anything(), empty("messages")),
    "ListPaymentOptions": Row("control billing billing_read", anything(plan_key="q"), "PLAN_NOT_FOUND"),
    "GrantDiscount": Row(
        "control billing", lambda world: {"discount": {"account_id": world.account, "percent_off": "5"}}, UNKNOWN
    ),
    "EndDiscount": Row(
        "control billing",
        lambda world: {"account_id": world.account, "discount_id": f"agreed/{world.account}"},
        UNKNOWN,
        shows=True,
    ),
    "SetShare": Row("control billing", anything(share={"kind": "SHARE_KIND_LICENCE", "proposed_percent": "40"}), own),
    "ListShares": Row("control billing billing_read", anything(), empty("shares"), shows=True),
    "SubmitBill": Row(
        "control billing",
        lambda world: {"bill": {**BILL, "bill_id": f"again/{world.account}", "account_id": world.account}},
        "ACCOUNT_NOT_CHARGEABLE",
    ),
    "CancelBill": Row(
        "control billing",
        lambda world: {"provider": BILL["provider"], "bill_id": f"bill/{world.account}"},
        "BILL_NOT_FOUND",
        shows=True,
    ),
    "AssignVariant": Row("control billing billing_read", of(experiment_key="x", variants=["p", "renewed"]), UNKNOWN),
    "CompareVariants": Row(
        "control billing billing_read",
        anything(experiment_key="x", variants=["p", "renewed"], start_time=Timestamp(seconds=1)),
        lambda answer: not any(one.accounts for one in answer.outcomes),
    ),
    "ListAuditEntries": Row("control billing billing_read", anything(), own, shows=True),
    "VerifyAuditLog": Row("control billing billing_read", anything(), own),
    "GetReport": Row(
        "control billing billing_read",
        anything(start_time=Timestamp(seconds=1)),
        own,
    ),
    "ListBills": Row("control billing billing_read", anything(), empty("bills"), shows=True),
    "SubmitRecurringBill": Row(
        "control billing",
        lambda world: {"bill": {**BILL, "recurring_bill_id": f"r/{world.account}", "account_id": world.account}},
        "ACCOUNT_NOT_CHARGEABLE",
    ),
    "CancelRecurringBill": Row(
        "control billing",
        lambda world: {"provider": BILL["provider"], "recurring_bill_id": f"rbill/{world.account}"},
        "BILL_NOT_FOUND",
        shows=True,
    ),
    "ListRecurringBills": Row("control billing billing_read", anything(), empty("bills"), shows=True),
    "GetBillingTimeline": Row("control billing billing_read", anything(month="2026-02"), empty("entries")),
    "ListStatements": Row("control billing billing_read", anything(), empty("statements")),
    "ListSharedInvoices": Row("control billing billing_read", anything(), empty("invoices")),
    "ListDiscounts": Row("control billing billing_read", of(), UNKNOWN, shows=True),
    "CreateReferral": Row(
        "control billing",
        lambda world: {
            "referrer_account_id": world.account,
            "referee_account_id": f"{world.account}/new",
            "amount": {"currency_code": "USD", "units": 1},
        },
        UNKNOWN,
    ),
    "ListReferrals": Row("control billing billing_read", of(), UNKNOWN),
    "CreateOrder": Row(
        "control billing",
        of(items=[{"subscription": {"plan_key": "p", "trial_days": 0}}]),
        UNKNOWN,
        bare=True,
        shows=True,
    ),
    "CompleteOrder": Row("control billing", ordered(terms_version="1"), "ORDER_NOT_FOUND", bare=True, shows=True),
    "GetOrder": Row("control billing billing_read", ordered(), "ORDER_NOT_FOUND", bare=True, shows=True),
    "RedeemClaim": Row(
        "control billing", lambda world: {"account_id": world.account, "code": world.code}, UNKNOWN, bare=True
    ),
    "ReplaceClaimCode": Row(
        "control billing",
        lambda world: {"order_id": f"order/{world.account}/payer", "item": 0},
        "ORDER_NOT_FOUND",
        bare=True,
    ),
    "ListOrders": Row("control billing billing_read", of(), UNKNOWN, bare=True),
    "ArchiveCoupon": Row("control billing", anything(code="gone"), "COUPON_NOT_FOUND", shows=True),
    "RunBilling": Row("control billing", of(), UNKNOWN),
    "CreateFee": Row("control billing", of(text="a fee", amount={"currency_code": "USD", "units": 1}), UNKNOWN),
    "OffsetFee": Row("control billing", lambda world: {"fee_id": f"fee/{world.account}"}, "FEE_NOT_FOUND", shows=True),
    "ListUninvoicedItems": Row("control billing billing_read", of(), UNKNOWN, shows=True),
    "ListUnratedFacts": Row("control billing billing_read", of(), empty("facts")),
    "PreviewInvoice": Row("control billing billing_read", of(), UNKNOWN, shows=True),
    "SetPriceOverride": Row(
        "control billing",
        of(plan_key="p", price={"key": "recurring", "recurring": {"amount": "0.50"}}, override_id="own"),
        UNKNOWN,
    ),
    "EndPriceOverride": Row(
        "control billing", lambda world: {"account_id": world.account, "override_id": "own"}, UNKNOWN
    ),
    "ListPriceOverrides": Row("control billing billing_read", of(), UNKNOWN),
    "PreviewChange": Row(
        "control billing billing_read",
        lambda world: {"set_add_on": {"account_id": world.account, "add_on_key": "extra"}},
        UNKNOWN,
        shows=True,
    ),
    "Quote": Row(
        "control billing billing_read",
        lambda world: {"plan_key": "p", "account_id": world.account},
        UNKNOWN,
        shows=True,
    ),
    "ComparePlans": Row("control billing billing_read", of(), UNKNOWN, shows=True),
    "GetInvoice": Row(
        "control billing billing_read", lambda world: {"invoice_id": world.invoice}, "INVOICE_NOT_FOUND", shows=True
    ),
    "ListInvoices": Row("control billing billing_read", of(), empty("invoices")),
    "ExplainLine": Row(
        "control billing billing_read",
        lambda world: {"invoice_id": world.invoice, "line": 1},
        "INVOICE_NOT_FOUND",
        shows=True,
    ),
    "ListLineEvents": Row(
        "control billing billing_read",
        lambda world: {"invoice_id": world.invoice, "line": 1},
        "INVOICE_NOT_FOUND",
    ),
    "VerifyInvoice": Row(
        "control billing billing_read", lambda world: {"invoice_id": world.invoice}, "INVOICE_NOT_FOUND"
    ),
    "FinalizeInvoice": Row(
        "control billing", lambda world: {"invoice_id": world.invoice}, "INVOICE_NOT_FOUND", shows=True
    ),
    "VoidInvoice": Row("control billing", lambda world: {"invoice_id": world.invoice}, "INVOICE_NOT_FOUND", shows=True),
    "RenderInvoice": Row(
        "control billing billing_read", lambda world: {"invoice_id": world.invoice}, "INVOICE_NOT_FOUND", shows=True
    ),
    "CreateCreditNote": Row(
        "control billing", lambda world: {"invoice_id": world.invoice}, "INVOICE_NOT_FOUND", shows=True
    ),
    "DisputeLine": Row(
        "control billing", lambda world: {"invoice_id": world.invoice, "line": 1}, "INVOICE_NOT_FOUND", shows=True
    ),
    "WriteOffInvoice": Row(
        "control billing", lambda world: {"invoice_id": world.invoice}, "INVOICE_NOT_FOUND", shows=True
    ),
    "AddWalletCredit": Row("control billing", of(amount={"currency_code": "USD", "units": 1}), UNKNOWN),
    "GetWallet": Row("control billing billing_read", of(), UNKNOWN),
    "SetBillingProfile": Row("control billing", of(party={"name": "Acme"}), UNKNOWN),
    "VerifyTaxId": Row("control billing", of(tax_id="DE136695976", confirmed_by="Ada"), UNKNOWN, shows=True),
    "GetBillingProfile": Row("control billing billing_read", of(), UNKNOWN),
    "ListTransfers": Row("control billing billing_read", of(), empty("transfers")),
    "GetTrialBalance": Row("control billing billing_read", of(), empty("balances")),
    "ExportLedger": Row("control billing billing_read", of(), empty("text")),
    "CloseBooks": Row("control billing", anything(closed_time=Timestamp(seconds=1)), own),
    "AuditLedger": Row("control billing billing_read", anything(), empty("differences")),
    "SetGateway": Row("control billing", anything(name="fake"), own),
    "ListGateways": Row("control billing billing_read", anything(), own),
    "AttachMethod": Row("control billing", of(token="fake_ok"), UNKNOWN),
    "BeginSetup": Row("control billing", of(), UNKNOWN),
    "ListMethods": Row("control billing billing_read", of(), UNKNOWN),
    "SetDefaultMethod": Row("control billing", card, UNKNOWN),
    "DetachMethod": Row("control billing", card, UNKNOWN),
    "Pay": Row("control billing", lambda world: {"invoice_id": world.invoice}, "INVOICE_NOT_FOUND"),
    "RecordOffline": Row("control billing", of(amount={"currency_code": "USD", "units": 1}), UNKNOWN),
    "TopUp": Row("control billing", of(amount={"currency_code": "USD", "units": 1}), UNKNOWN),
    "RefundLine": Row(
        "control billing", lambda world: {"invoice_id": world.invoice, "line": 1}, "INVOICE_NOT_FOUND", shows=True
    ),
    "ListRefunds": Row("control billing billing_read", of(), empty("refunds")),
    "RecordDispute": Row(
        "control billing", lambda world: {"payment_id": world.payment, "dispute_id": "dp"}, "PAYMENT_NOT_FOUND"
    ),
    "ListGatewayEvents": Row("control billing billing_read", lambda _: {}, empty("events")),
    "ListDisputes": Row("control billing billing_read", of(), empty("disputes")),
    "SetCollection": Row("control billing", of(collect="COLLECTION_MANUAL"), UNKNOWN),
    "Reconcile": Row(
        "control billing billing_read",
        lambda _: {"gateway": "fake", "start_time": Timestamp(seconds=1)},
        "GATEWAY_MISSING",
        grpc.StatusCode.FAILED_PRECONDITION,
    ),
    "GetCollection": Row("control billing billing_read", of(), UNKNOWN),
    "ListPayments": Row("control billing billing_read", of(), empty("payments")),
    "ListAttempts": Row("control billing billing_read", of(), empty("attempts")),
    "CreateSubscription": Row(WRITE, of(plan_key="p"), UNKNOWN, bare=True),
    "GetSubscription": Row(READ, of(), UNKNOWN),
    "ListSubscriptions": Row(READ, of(), UNKNOWN),
    "ListEndingSubscriptions": Row(READ, anything(), own),
    "ChangePlan": Row(WRITE, of(plan_key="q"), UNKNOWN),
    "SetAddOn": Row(WRITE, of(add_on_key="extra"), UNKNOWN),
    "BookQuantity": Row(WRITE, of(quantity=0), UNKNOWN),
    "ExtendTrial": Row(WRITE, lambda world: {**of()(world), "trial_end_time": world.in_a_year}, UNKNOWN),
    "CancelSubscription": Row(WRITE, of(when="CHANGE_WHEN_NOW"), UNKNOWN),
    "ExtendSubscription": Row(WRITE, lambda world: {**of()(world), "end_time": world.in_a_year}, UNKNOWN),
    "RenewSubscription": Row(WRITE, of(), UNKNOWN),
    "PauseSubscription": Row(WRITE, of(), UNKNOWN),
    "ResumeSubscription": Row(WRITE, of(), UNKNOWN),
    "SetSubscriptionState": Row(WRITE, of(state="SUBSCRIPTION_STATE_SUSPENDED"), UNKNOWN),
    "ListChanges": Row(READ, of(), UNKNOWN),
    "GetUsage": Row(READ, of(group_by="place"), UNKNOWN, shows=True),
    "ListEvents": Row(READ, anything(), empty("events"), shows=True),
    "FollowEvents": Row(READ, anything(), lambda response: response is None, shows=True),
    "RecordUsage": Row(
        TAKE,
        lambda world: {"items": [{"account_id": world.account, **CALLS, "request_id": "recorded"}]},
        lambda response: denied(response.outcomes[0]),
        shows=True,
    ),
    "CreateApiKey": Row(WRITE, anything(name="more", scopes=["SCOPE_DATA"]), own),
    "ListApiKeys": Row(READ, anything(), lambda response: len(response.api_keys) == 1, shows=True),
    "RevokeApiKey": Row(WRITE, lambda world: {"key_id": world.key_id}, "API_KEY_NOT_FOUND"),
    "GetTestClock": Row(READ, anything(), own),
    "SetTestClock": Row(WRITE, anything(standing=False), own),
    "AdvanceTestClock": Row(WRITE, anything(duration=Duration(seconds=60)), own),
}


class World:
    """The first tenant with everything in it, and keys of every kind; the second tenant with the same plans only."""

    def __init__(self, tenant, keys):
        self.tenant = tenant
        self.keys = keys
        self.account, self.key_id, self.code = "", "", "none"
        self.in_a_year = None

    async def open_second(self, key):
        """A second tenant with plans of the same keys, and nothing else."""
        plain = document("plain")
        del plain["plans"]["q"]
        await Tenant(self.tenant.channel, key).apply(plain)
        self.keys["other"] = key

    async def ask(self, name, key, *named):
        """The answer to a valid request with this key; of a stream its first item, or None where none comes."""
        method, request = METHODS[name], request_of(name, **ROWS[name].request(self))
        if not method.server_streaming:
            return await rpc(self.tenant.channel, name)(request, metadata=(*metadata_of(key), *named), timeout=10)
        call = rpc(self.tenant.channel, name)(request, metadata=(*metadata_of(key), *named))
        try:
            return await asyncio.wait_for(call.read(), STREAM_SECONDS)
        except TimeoutError:
            return None
        finally:
            call.cancel()

    async def fill(self, name, *, bare):
        """Give the first tenant an account for this RPC alone, with something of every kind."""
        self.account = account = f"acme/{name}"
        call = self.tenant.call
        now = (await call("GetTestClock")).clock.current_time
        self.in_a_year = after(now, 365 * 86_400)
        await call("UpsertAccount", account_id=account, metadata={"note": CANARY})
        for user in ("ann", CANARY):
            await call("AddUsers", account_id=account, user_ids=[user])
        if not bare:
            ends = after(now, 180 * 86_400)
            await call(
                "CreateSubscription",
                account_id=account,
                plan_key=PLANS.get(name, "p"),
                trial_days=0 if name in BILLS or name in PAUSES or name in APPS else 14,
                end_time=ends,
            )
            for user in ("ann", CANARY):
                await call("AssignSeat", account_id=account, feature_key="seats", user_id=user)
        if name in {*BILLS, *APPS}:
            await self._bill(name, account)
        await self._fill_sales(name, account)
        await self._fill_bills(name, account)
        for number in ("1", CANARY):
            grant = {"account_id": account, "grant_id": f"grant-{number}", **CALLS, "amount": 100}
            await call("CreateGrant", **grant)
        for number in ("1", CANARY):
            override = {"account_id": account, "override_id": f"override-{number}", **SEAT_OVERRIDE}
            await call("CreateOverride", **override)
        if name == "ResumeSubscription":
            await self.tenant.consume(account, "calls", 7, request_id=f"first-{name}", dimensions={"place": CANARY})
            await call("PauseSubscription", account_id=account)
            return
        await self.tenant.consume(account, "calls", 7, request_id=f"first-{name}", dimensions={"place": CANARY})

    async def _bill(self, name, account):
        await self.tenant.call("RunBilling", account_id=account)  # an app has said its limit then
        if name in BILLS:
            self.invoice = (await self.tenant.call("ListInvoices", account_id=account)).invoices[0].invoice_id

    async def _fill_claim(self, account):
        call, payer = self.tenant.call, f"{account}/payer"
        await call("UpsertAccount", account_id=payer)
        await call("SetBillingProfile", account_id=payer, party={"name": CANARY}, group_buy=True)
        items = [{"subscription": {"plan_key": "p", "trial_days": 0}, "email": "new@acme.example"}]
        order = {"account_id": payer, "order_id": f"order/{payer}"}
        await call("CreateOrder", **order, items=items)
        done = await call("CompleteOrder", order_id=order["order_id"], terms_version="1")
        self.code = done.claims[0].code

    async def _fill_sales(self, name, account):
        call = self.tenant.call
        if name in {"RedeemClaim", "ReplaceClaimCode"}:
            await self._fill_claim(account)
        if name == "ListApiKeys":  # newest first, and each test here makes one
            await call("CreateApiKey", name=CANARY, scopes=["SCOPE_DATA"])
        if name == "CreateReferral":
            await call("UpsertAccount", account_id=f"{account}/new")
        if METHODS[name].containing_service.name == "PartnerService":
            await call("SubmitBill", bill={**BILL, "bill_id": f"bill/{account}", "account_id": account, "text": CANARY})
            await call("SetShare", share={"kind": "SHARE_KIND_PROVIDER", "provider": CANARY, "accepted_percent": "70"})
        if name in {"CancelRecurringBill", "ListRecurringBills"}:
            again = {**BILL, "recurring_bill_id": f"rbill/{account}", "account_id": account, "text": CANARY}
            await call("SubmitRecurringBill", bill=again)
        if name in {"EndDiscount", "ListDiscounts"}:
            agreed = {"discount_id": f"agreed/{account}", "account_id": account, "percent_off": "5", "text": CANARY}
            await call("GrantDiscount", discount=agreed)
        elif METHODS[name].containing_service.name == "OrderService":
            items = [{"subscription": {"plan_key": "p", "trial_days": 0}}]
            await call("CreateOrder", account_id=account, order_id=f"order/{account}", items=items)

    async def _fill_bills(self, name, account):
        call = self.tenant.call
        if METHODS[name].containing_service.name == "BillingService":
            fee = {"account_id": account, "fee_id": f"fee/{account}", "text": CANARY}
            await call("CreateFee", **fee, amount={"currency_code": "USD", "units": 1})
        if METHODS[name].containing_service.name == "PaymentService":
            await call("SetGateway", name="fake")
            await call("AttachMethod", account_id=account, method_id=f"card/{account}", token="fake_ok")
        if name in PAID:
            self.payment = (await call("Pay", invoice_id=self.invoice)).attempt.attempt_id
        if name == "VerifyTaxId":
            party = {"name": CANARY, "tax_ids": [{"value": "DE136695976"}]}
            await call("SetBillingProfile", account_id=account, party=party)
        if name == "EndPriceOverride":
            price = {"key": "recurring", "recurring": {"amount": "0.50"}}
            await call("SetPriceOverride", account_id=account, plan_key="p", price=price, override_id="own")

    async def state(self):
        """Everything of the first tenant that the second one could have moved."""
        call, account = self.tenant.call, {"account_id": self.account}
        seen = [
            await call("GetAccount", **account),
            await call("ListUsers", **account),
            await call("ListSeats", **account, feature_key="seats"),
            await call("ListGrants", **account),
            await call("ListOverrides", **account),
            await call("GetCatalog"),
            await call("ListApiKeys"),
            (await call("GetTestClock")).clock.offset,
            (await call("RateLimit", **account, limit_key="rpd", cost=0)).statuses[:1],
            (await call("RateLimit", limit_key="logins", **LOGIN, cost=0)).statuses[:1],
            (await self.tenant.check(self.account, "calls")).used,
        ]
        return re.sub(r"(retry_after|view_version)[^\n]*\n", "", "\n".join(map(str, seen)))


PAUSES = {"PauseSubscription", "ResumeSubscription"}
BILLS = {
    "RunBilling",
    "GetInvoice",
    "ListInvoices",
    "FinalizeInvoice",
    "VoidInvoice",
    "WriteOffInvoice",
    "CreateCreditNote",
    "DisputeLine",
    "RenderInvoice",
    "Pay",
    "ListPayments",
    "ListAttempts",
    "ExplainLine",
    "ListLineEvents",
    "VerifyInvoice",
}
APPS = {"GetChargeLimit", "RaiseChargeLimit", "ListCharges", "ListChargeRuns"}
PLANS = {"RenewSubscription": "renewed", **dict.fromkeys(APPS, "metered")}
PAID = {"RecordDispute", "RefundLine"}
BILLS |= PAID
SEAT_OVERRIDE = {"feature_key": "seats", "entitlement": {"limit": 20}}


@pytest.fixture(scope="module")
async def world(live_server, apps):
    async with live_server.channel() as channel:
        first = Tenant(channel, live_server.new_test_tenant())
        await first.apply(document(CANARY))
        await first.call("RequestUsagePlan", product_key="app")
        await first.call("ApproveUsagePlan", product_key="app")
        await first.apply(charged_by(apps.open(charges=[(CANARY, "1.00")])))
        for code in ("half", "gone"):
            await first.call("CreateCoupon", coupon={"code": code, "percent_off": "50", "text": CANARY})
        keys = {"own": first.key, "none": None}
        for scope in SCOPES:
            made = await first.call("CreateApiKey", name=CANARY, scopes=[f"SCOPE_{scope.upper()}"])
            keys[scope] = made.key
        everything = [f"SCOPE_{scope.upper()}" for scope in SCOPES]
        soon = datetime.now(UTC) + timedelta(seconds=1)  # noqa: TID251 - keys live on real time
        keys["expired"] = (await first.call("CreateApiKey", scopes=everything, expire_time=soon)).key
        revoked = await first.call("CreateApiKey", scopes=everything)
        await first.call("RevokeApiKey", key_id=revoked.api_key.key_id)
        keys["revoked"] = revoked.key
        keys["garbled"] = first.key[:-1] + ("0" if first.key[-1] != "0" else "1")
        keys["malformed"] = "not-a-key"

        async def has_expired():
            try:
                await Tenant(channel, keys["expired"]).call("GetCatalog")
            except grpc.aio.AioRpcError as error:
                return reason_of(error) == "KEY_EXPIRED"
            return False

        await eventually(has_expired, what="the key to expire")
        yield World(first, keys)


def test_every_rpc_has_its_row():
    assert set(ROWS) == set(METHODS)


@pytest.mark.parametrize("name", ROWS)
async def test_no_tenant_sees_or_moves_another(world, live_server, name):
    row = ROWS[name]
    await world.open_second(live_server.new_test_tenant())
    await world.fill(name, bare=row.bare)
    made = await world.tenant.call("CreateApiKey", name="spare", scopes=["SCOPE_DATA"])
    world.key_id = made.api_key.key_id
    if METHODS[name].containing_service.name == "UsageService":
        await world.tenant.usage_reaches(world.account, "calls", 7)
    before = await world.state()
    assert CANARY in before
    told = await foreign_answer(world, name)
    assert CANARY not in repr(told)
    assert await world.state() == before
    answer = await world.ask(name, world.keys["own"], ("x-request-id", f"own {name}"), ("x-actor", "ann@shop.example"))
    assert (CANARY in str(answer)) == row.shows
    await is_in_the_audit_log(world, name)


async def is_in_the_audit_log(world, name):
    """Every call that writes, whatever it is about, leaves one entry that says whose it was; no other leaves any."""
    service = METHODS[name].containing_service.name
    writes = service not in DATA_PLANE and (not name.startswith(READS) or name in WRITES_LIKE_READS)
    found = (await world.tenant.call("ListAuditEntries", request_id=f"own {name}")).entries
    assert [entry.method for entry in found] == ([f"{service}/{name}"] if writes else [])
    for entry in found:
        assert (entry.actor, entry.source, bool(entry.key_id)) == ("ann@shop.example", "api", True)
        assert set(json.loads(entry.details)) <= {"request", "changes", "more"}


DATA_PLANE = {"EntitlementService", "RateLimitService", "UsageService"}
READS = (
    *("Get", "List", "Check", "Preview", "Quote", "Compare", "Explain", "Export", "Render", "Audit", "Assign"),
    *("Reconcile", "VerifyInvoice", "VerifyAuditLog"),
)
WRITES_LIKE_READS = {"AssignSeat"}


async def foreign_answer(world, name):
    """What the second tenant is told, which must be what the row says."""
    expected = ROWS[name].foreign
    if not isinstance(expected, str):
        response = await world.ask(name, world.keys["other"])
        assert expected(response), response
        return response
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.ask(name, world.keys["other"])
    assert (caught.value.code(), reason_of(caught.value)) == (ROWS[name].code, expected)
    return caught.value.details(), caught.value.trailing_metadata()


@pytest.mark.parametrize("name", ROWS)
async def test_only_keys_with_the_scope_may_call(world, name):
    world.account, world.key_id = f"nobody/{secrets.token_hex(4)}", "key_of_nobody"
    world.invoice, world.payment = "inv_none", "pay_none"
    world.in_a_year = (await world.tenant.call("GetTestClock")).clock.current_time
    refusals = {
        "none": "UNAUTHENTICATED",
        "malformed": "UNAUTHENTICATED",
        "garbled": "UNAUTHENTICATED",
        "revoked": "KEY_REVOKED",
        "expired": "KEY_EXPIRED",
    }
    for kind, reason in refusals.items():
        assert await failure(world.ask(name, world.keys[kind])) == (grpc.StatusCode.UNAUTHENTICATED, reason), kind
    for scope in SCOPES:
        if scope in ROWS[name].scopes.split():
            assert await not_refused(world, name, scope), scope
        else:
            refused = await failure(world.ask(name, world.keys[scope]))
            assert refused == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING"), scope


async def not_refused(world, name, scope):
    """Whether a key with this scope gets as far as the request itself."""
    try:
        await world.ask(name, world.keys[scope])
    except grpc.aio.AioRpcError as error:
        return error.code() in {grpc.StatusCode.NOT_FOUND, ROWS[name].code}
    return True


async def test_an_unknown_key_finds_nothing(live_server, world):
    """With `--testing` it opens a tenant of its own, as empty as a new one."""
    stranger = Tenant(world.tenant.channel, mint_key(secrets.token_bytes(ENTROPY_BYTES)))
    assert not (await stranger.call("ListAccounts")).accounts
    assert not (await stranger.call("GetCatalog")).catalog.plans
    assert live_server.settings.testing
