"""Razorpay's API as far as it is used: orders, recurring payments, tokens, refunds, signed webhooks.

Written from https://razorpay.com/docs/api and the library. What a saved card does is in its token.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import ClassVar

from stand_ins.http import BROKEN, BUSY, HANGS, LOST, SILENT, Refused, StandIn, seconds

KEY_ID = "rzp_test_1DP5mmOlF5G5ag"
KEY_SECRET = "thisIsTheKeysOwnSecret"
WEBHOOK_SECRET = "told-to-nobody"
REASONS = {"token_insufficient": "insufficient_funds", "token_expired": "card_expired", "token_stolen": "card_stolen"}
FAULTS = {"token_silent": SILENT, "token_lost": LOST, "token_hangs": HANGS, "token_broken": BROKEN, "token_busy": BUSY}
REFUND_FAULTS = {"token_refundSilent": SILENT, "token_refundLost": LOST}


@dataclass
class RazorpayStandIn(StandIn):
    """A Razorpay account in test mode."""

    clock: object = seconds
    orders: dict = field(default_factory=dict)
    payments: dict = field(default_factory=dict)
    refunds: dict = field(default_factory=dict)
    disputes: dict = field(default_factory=dict)
    later: dict = field(default_factory=dict)
    gone: set = field(default_factory=set)
    too_busy: ClassVar[dict] = {"error": {"code": "BAD_REQUEST_ERROR", "description": "Too many requests"}}

    def routes(self):
        found = [
            ("POST", r"/v1/orders", self.create_order),
            ("GET", r"/v1/orders", self.list_orders),
            ("GET", r"/v1/orders/(\w+)/payments", self.payments_of),
            ("POST", r"/v1/payments/create/recurring", self.charge),
            ("GET", r"/v1/payments", self.list_payments),
            ("GET", r"/v1/payments/(\w+)", self.get_payment),
            ("POST", r"/v1/payments/(\w+)/refund", self.refund),
            ("GET", r"/v1/payments/(\w+)/refunds", self.refunds_of),
            ("GET", r"/v1/refunds", self.list_refunds),
            ("GET", r"/v1/disputes", self.list_disputes),
            ("GET", r"/v1/customers/(\w+)", self.get_customer),
            ("GET", r"/v1/customers/(\w+)/tokens/(\w+)", self.get_token),
            ("DELETE", r"/v1/customers/(\w+)/tokens/(\w+)", self.delete_token),
        ]
        return [(method, pattern, self.known(handler)) for method, pattern, handler in found]

    def known(self, handler):
        shown = "Basic " + base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()

        def handle(asked, *path):
            if asked.headers.get("authorization") != shown:
                raise Refused(401, {"error": {"code": "BAD_REQUEST_ERROR", "description": "Authentication failed"}})
            return handler(asked, *path)

        return handle

    @staticmethod
    def refused(*, description, reason="input_validation_failed", **more):
        error = {"code": "BAD_REQUEST_ERROR", "description": description, "source": "business", "reason": reason}
        return Refused(400, {"error": error | {"step": "payment_initiation", "metadata": {}} | more})

    def scripted(self, asked):
        if asked.method == "POST" and asked.path == "/v1/payments/create/recurring":
            token = asked.json["token"]
            return self.script(token, FAULTS[token]) if token in FAULTS else None
        if asked.method == "POST" and asked.path.endswith("/refund"):
            token = self.payments.get(asked.path.split("/")[3], {}).get("token_id")
            return self.script(token, REFUND_FAULTS[token]) if token in REFUND_FAULTS else None
        return None

    @staticmethod
    def collection(items):
        return {"entity": "collection", "count": len(items), "items": items}

    def create_order(self, asked):
        wanted = asked.json
        assert len(wanted["receipt"]) <= 40
        if wanted["amount"] < 100:
            raise self.refused(description="Order amount less than minimum amount allowed", field="amount")
        order = {"id": f"order_{len(self.orders):014}", "entity": "order", "status": "created", **wanted}
        self.orders[order["id"]] = order
        return order

    def list_orders(self, asked):
        receipt = asked.query["receipt"][0]
        return self.collection([one for one in self.orders.values() if one["receipt"] == receipt])

    def payments_of(self, _asked, order_id):
        return self.collection([one for one in self.payments.values() if one["order_id"] == order_id])

    def charge(self, asked):
        wanted = asked.json
        order = self.orders[wanted["order_id"]]
        assert (wanted["amount"], wanted["currency"]) == (order["amount"], order["currency"])
        assert wanted["email"]
        assert wanted["contact"]
        if order["status"] == "paid":
            raise self.refused(description="Order already paid", reason="order_already_paid")
        token = wanted["token"]
        reason = REASONS.get(token)
        if token.startswith("token_later_"):
            self.later[token] = self.later.get(token, int(token.rpartition("_")[2])) - 1
            reason = "insufficient_funds" if self.later[token] >= 0 else None
        payment = {
            "id": f"pay_{len(self.payments):014}",
            "entity": "payment",
            "amount": wanted["amount"],
            "currency": wanted["currency"],
            "status": "failed" if reason else "created" if token == "token_waits" else "captured",
            "order_id": order["id"],
            "token_id": token,
            "customer_id": wanted["customer_id"],
            "notes": wanted["notes"],
            "error_code": "BAD_REQUEST_ERROR" if reason else None,
            "error_reason": reason,
            "error_description": "For people: your payment failed" if reason else None,
            "created_at": int(self.clock()),
        }
        self.payments[payment["id"]] = payment
        if reason:
            metadata = {"payment_id": payment["id"], "order_id": order["id"]}
            raise self.refused(description="Your payment failed", reason=reason, metadata=metadata)
        order["status"] = "paid" if payment["status"] == "captured" else "attempted"
        return {"razorpay_payment_id": payment["id"], "razorpay_order_id": order["id"], "razorpay_signature": "x"}

    def get_payment(self, _asked, payment_id):
        if payment_id not in self.payments:
            raise self.refused(description="The id provided does not exist", reason="NA")
        return self.payments[payment_id]

    def list_payments(self, asked):
        return self.page(asked, self.payments)

    def list_refunds(self, asked):
        return self.page(asked, self.refunds)

    def list_disputes(self, asked):
        return self.page(asked, self.disputes)

    def page(self, asked, records):
        since, until = int(asked.query.get("from", [0])[0]), int(asked.query.get("to", [2**40])[0])
        found = [one for one in records.values() if since <= one["created_at"] <= until]
        skip, count = int(asked.query["skip"][0]), int(asked.query["count"][0])
        assert count <= 100
        return self.collection(found[::-1][skip : skip + count])

    def dispute(self, payment_id):
        """A payer has their bank take a payment back."""
        payment = self.payments[payment_id]
        made = {
            "id": f"disp_{len(self.disputes):014}",
            "payment_id": payment_id,
            "amount": payment["amount"],
            "currency": payment["currency"],
            "reason_code": "fraud",
            "phase": "chargeback",
            "status": "open",
            "created_at": int(self.clock()),
        }
        self.disputes[made["id"]] = made
        return made

    def refund(self, asked, payment_id):
        payment, wanted = self.get_payment(asked, payment_id), asked.json
        given = sum(one["amount"] for one in self.refunds.values() if one["payment_id"] == payment_id)
        if payment["token_id"] == "token_refundRefused":
            raise self.refused(description="The payment has an open dispute", reason="payment_disputed")
        if given == payment["amount"]:
            raise self.refused(
                description="The payment has been fully refunded already", reason="payment_fully_refunded"
            )
        if given + wanted["amount"] > payment["amount"]:
            raise self.refused(description="The total refund amount is greater than the refund payment amount")
        refund = {
            "id": f"rfnd_{len(self.refunds):014}",
            "entity": "refund",
            "amount": wanted["amount"],
            "currency": payment["currency"],
            "payment_id": payment_id,
            "receipt": wanted["receipt"],
            "notes": wanted["notes"],
            "created_at": int(self.clock()),
            "status": "pending" if payment["token_id"] == "token_refundPending" else "processed",
        }
        self.refunds[refund["id"]] = refund
        return refund

    def refunds_of(self, asked, payment_id):
        self.get_payment(asked, payment_id)
        return self.collection([one for one in self.refunds.values() if one["payment_id"] == payment_id])

    def get_customer(self, _asked, customer_id):
        if customer_id != "cust_acme":
            raise self.refused(description="The id provided does not exist", reason="NA")
        return {
            "id": customer_id,
            "entity": "customer",
            "email": "acme@example.com",
            "contact": "9000090000",
            "notes": [],
        }

    def get_token(self, _asked, customer_id, token):
        if customer_id != "cust_acme" or token in self.gone or not token.startswith("token_"):
            raise self.refused(description="The id provided does not exist", reason="NA")
        card = {"network": "Visa", "last4": "4242", "expiry_month": 8, "expiry_year": 2031}
        return {"id": token, "entity": "token", "method": "card", "card": card}

    def delete_token(self, asked, customer_id, token):
        self.get_token(asked, customer_id, token)
        self.gone.add(token)
        return {"deleted": True}

    def event(self, kind, entities, *, secret=WEBHOOK_SECRET, at=None):
        at = int(self.clock() if at is None else at)
        payload = {name: {"entity": entity} for name, entity in entities.items()}
        told = {"entity": "event", "account_id": "acc_1", "event": kind, "contains": list(entities), "payload": payload}
        raw = json.dumps(told | {"created_at": at}).encode()
        return raw, self.signed(raw, secret=secret)

    @staticmethod
    def signed(raw, *, secret=WEBHOOK_SECRET):
        made = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        return {"x-razorpay-signature": made, "x-razorpay-event-id": "evt_1"}
