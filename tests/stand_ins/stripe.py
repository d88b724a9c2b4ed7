"""Stripe's API as far as it is used: payment intents, payment methods, customers, refunds, balance transactions.

Written from https://docs.stripe.com/api and the library's types; which cards do what is said by the methods' names, as
in Stripe's own test mode.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import parse_qs

from stand_ins.http import BROKEN, BUSY, HANGS, LOST, SILENT, Refused, StandIn, seconds

KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
WEBHOOK_SECRET = "whsec_test_secret"
DECLINES = {
    "pm_card_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_chargeDeclinedExpiredCard": ("expired_card", None),
    "pm_card_chargeDeclinedStolenCard": ("card_declined", "stolen_card"),
    "pm_card_chargeDeclined": ("card_declined", "generic_decline"),
}
MINIMUM = {"usd": 50, "eur": 50, "jpy": 50, "gbp": 30, "kwd": 150}


FAULTS = {
    "pm_card_silent": SILENT,
    "pm_card_lost": LOST,
    "pm_card_hangs": HANGS,
    "pm_card_broken": BROKEN,
    "pm_card_busy": BUSY,
}
REFUND_FAULTS = {"pm_card_refundSilent": SILENT, "pm_card_refundLost": LOST}


def nested(body: bytes):
    """Stripe's form: metadata[key]=value."""
    found = {}
    for name, values in parse_qs(body.decode(), keep_blank_values=True).items():
        keys = name.replace("]", "").split("[")
        place = found
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = values[0]
    return found


@dataclass
class StripeStandIn(StandIn):
    """A Stripe account in test mode."""

    clock: object = seconds
    intents: dict = field(default_factory=dict)
    refunds: dict = field(default_factory=dict)
    disputes: dict = field(default_factory=dict)
    customers: dict = field(default_factory=dict)
    answers: dict = field(default_factory=dict)
    later: dict = field(default_factory=dict)
    gone: set = field(default_factory=set)
    available: int | None = None
    too_busy: ClassVar[dict] = {
        "error": {"type": "invalid_request_error", "code": "rate_limit", "message": "Too many requests"}
    }

    def routes(self):
        return [
            ("POST", r"/v1/payment_intents", self.once(self.create_intent)),
            ("GET", r"/v1/payment_intents", self.list_intents),
            ("POST", r"/v1/payment_intents/(\w+)/confirm", self.once(self.confirm_intent)),
            ("POST", r"/v1/payment_intents/(\w+)/cancel", self.once(self.cancel_intent)),
            ("GET", r"/v1/payment_methods/(\w+)", self.get_method),
            ("POST", r"/v1/payment_methods/(\w+)/detach", self.once(self.detach)),
            ("POST", r"/v1/customers", self.once(self.create_customer)),
            ("POST", r"/v1/setup_intents", self.once(self.create_setup)),
            ("POST", r"/v1/checkout/sessions", self.once(self.create_page)),
            ("POST", r"/v1/refunds", self.once(self.create_refund)),
            ("GET", r"/v1/refunds", self.list_refunds),
            ("GET", r"/v1/disputes", self.list_disputes),
            ("GET", r"/v1/balance_transactions", self.list_balance),
            ("GET", r"/v1/balance", self.balance),
        ]

    def scripted(self, asked):
        if asked.method == "POST" and asked.path == "/v1/payment_intents":
            method = nested(asked.body)["payment_method"]
            return self.script(method, FAULTS[method]) if method in FAULTS else None
        if asked.method == "POST" and asked.path == "/v1/refunds":
            intent = self.intents.get(nested(asked.body)["payment_intent"], {})
            method = intent.get("payment_method")
            return self.script(method, REFUND_FAULTS[method]) if method in REFUND_FAULTS else None
        return None

    def once(self, handler):
        """Of an idempotency key there is one answer, refusals too; with another body it is an error."""

        def handle(asked, *path):
            self.known(asked)
            key = asked.headers.get("idempotency-key")
            if key is None:
                return handler(asked, *path)
            sent = (asked.path, asked.body)
            if key in self.answers:
                before, answer = self.answers[key]
                if before != sent:
                    raise self.refused(400, "idempotency_error", None, "Keys for idempotent requests...")
            else:
                try:
                    answer = handler(asked, *path)
                except Refused as refused:
                    answer = refused
                self.answers[key] = sent, answer
            if isinstance(answer, Refused):
                raise answer
            return answer

        return handle

    def known(self, asked):
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            raise self.refused(401, "invalid_request_error", None, "Invalid API Key provided: sk_test_****")
        assert asked.headers["stripe-version"] == "2026-10-28.endive"

    @staticmethod
    def refused(status, kind, code, message, **more):
        return Refused(status, {"error": {"type": kind, "code": code, "message": message, **more}})

    def create_intent(self, asked):
        wanted = nested(asked.body)
        assert wanted["confirm"] == "true"
        if wanted["payment_method"] in self.gone or not wanted["payment_method"].startswith("pm_card"):
            raise self.refused(400, "invalid_request_error", "resource_missing", "No such PaymentMethod")
        if int(wanted["amount"]) < MINIMUM.get(wanted["currency"], 1):
            raise self.refused(400, "invalid_request_error", "amount_too_small", "Amount must be at least 50 cents")
        intent = {
            "id": f"pi_{len(self.intents) + 1:024}",
            "object": "payment_intent",
            "amount": int(wanted["amount"]),
            "amount_received": 0,
            "currency": wanted["currency"],
            "customer": wanted["customer"],
            "payment_method": wanted["payment_method"],
            "description": wanted["description"],
            "metadata": wanted["metadata"],
            "created": int(self.clock()),
            "next_action": None,
            "last_payment_error": None,
            "cancellation_reason": None,
        }
        self.intents[intent["id"]] = intent
        return self._tried(intent, wanted["payment_method"], with_payer=wanted.get("off_session") != "true", back="")

    def _tried(self, intent, method, *, with_payer, back):
        code, decline = DECLINES.get(method, (None, None))
        if method.startswith("pm_card_later_"):
            self.later[method] = self.later.get(method, int(method.rpartition("_")[2])) - 1
            code, decline = ("card_declined", "insufficient_funds") if self.later[method] >= 0 else (None, None)
        if method == "pm_card_authenticationRequired":
            if with_payer:
                page = {
                    "type": "redirect_to_url",
                    "redirect_to_url": {"url": f"https://hooks.stripe.com/{intent['id']}"},
                }
                assert back
                intent.update(status="requires_action", next_action=page, last_payment_error=None)
                return intent
            code = "authentication_required"
        if code is not None:
            error = {"type": "card_error", "code": code, "decline_code": decline, "message": "Your card was declined."}
            intent.update(status="requires_payment_method", last_payment_error=error)
            more = {"decline_code": decline, "payment_intent": dict(intent)}
            raise self.refused(402, "card_error", code, "Your card was declined.", **more)
        if method == "pm_card_processing":
            intent.update(status="processing")
            return intent
        return self.succeed(intent["id"])

    def succeed(self, intent_id):
        """What was pending is taken."""
        intent = self.intents[intent_id]
        intent.update(status="succeeded", next_action=None, amount_received=intent["amount"], taken=int(self.clock()))
        return intent

    def list_intents(self, asked):
        self.known(asked)
        since, customer = int(asked.query["created[gte]"][0]), asked.query["customer"][0]
        found = [one for one in self.intents.values() if one["created"] >= since and one["customer"] == customer]
        return self.page(asked, "/v1/payment_intents", found[::-1])

    @staticmethod
    def page(asked, url, found, most=2):
        """Lists come in pages, newest first, however many were asked for: small ones, so that there are several."""
        after = asked.query.get("starting_after", [""])[0]
        ids = [one["id"] for one in found]
        first = ids.index(after) + 1 if after else 0
        some = found[first : first + most]
        return {"object": "list", "url": url, "data": some, "has_more": first + most < len(found)}

    def confirm_intent(self, asked, intent_id):
        wanted = nested(asked.body)
        back = wanted.get("return_url", "")
        return self._tried(self.intents[intent_id], wanted["payment_method"], with_payer=True, back=back)

    def cancel_intent(self, asked, intent_id):
        intent = self.intents[intent_id]
        intent.update(
            status="canceled", cancellation_reason=nested(asked.body)["cancellation_reason"], next_action=None
        )
        return intent

    def get_method(self, asked, method):
        self.known(asked)
        if not method.startswith("pm_card"):
            raise self.refused(404, "invalid_request_error", "resource_missing", f"No such PaymentMethod: '{method}'")
        card = {"brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2031}
        owner = None if method in self.gone else "cus_acme"
        return {"id": method, "object": "payment_method", "type": "card", "customer": owner, "card": card}

    def detach(self, _asked, method):
        if method in self.gone:
            raise self.refused(400, "invalid_request_error", None, "The payment method you provided is not attached")
        self.gone.add(method)
        return {"id": method, "object": "payment_method", "type": "card", "customer": None, "card": {}}

    def create_customer(self, asked):
        customer = {"id": f"cus_{len(self.customers) + 1}", "object": "customer", **nested(asked.body)}
        self.customers[customer["id"]] = customer
        return customer

    def create_setup(self, asked):
        assert nested(asked.body)["customer"] in self.customers
        return {
            "id": "seti_1",
            "object": "setup_intent",
            "client_secret": "seti_1_secret_x",
            "status": "requires_payment_method",
        }

    def create_page(self, asked):
        wanted = nested(asked.body)
        assert wanted["customer"] in self.customers
        assert wanted["mode"] == "setup"
        return {"id": "cs_1", "object": "checkout.session", "url": "https://checkout.stripe.com/c/pay/cs_1"}

    def create_refund(self, asked):
        wanted = nested(asked.body)
        intent = self.intents.get(wanted["payment_intent"])
        if intent is None or intent["status"] != "succeeded":
            raise self.refused(404, "invalid_request_error", "resource_missing", "No such payment_intent")
        if intent["payment_method"] == "pm_card_refundRefused":
            raise self.refused(400, "invalid_request_error", "charge_disputed", "This charge has been charged back")
        given = sum(
            one["amount"]
            for one in self.refunds.values()
            if one["payment_intent"] == intent["id"] and one["status"] != "failed"
        )
        amount = int(wanted.get("amount", intent["amount"] - given))
        if given == intent["amount"]:
            raise self.refused(
                400, "invalid_request_error", "charge_already_refunded", "Charge has already been refunded."
            )
        if given + amount > intent["amount"]:
            raise self.refused(
                400, "invalid_request_error", None, "Refund amount is greater than unrefunded amount on charge"
            )
        if self.available is not None and amount > self.available:
            raise self.refused(400, "invalid_request_error", "balance_insufficient", "Insufficient balance")
        refund = {
            "id": f"re_{len(self.refunds) + 1:024}",
            "object": "refund",
            "amount": amount,
            "currency": intent["currency"],
            "payment_intent": intent["id"],
            "metadata": wanted["metadata"],
            "created": int(self.clock()),
            "status": "pending" if intent["payment_method"] == "pm_card_refundPending" else "succeeded",
        }
        self.refunds[refund["id"]] = refund
        return refund

    def list_refunds(self, asked):
        self.known(asked)
        intent, since = asked.query.get("payment_intent", [None])[0], int(asked.query.get("created[gte]", ["0"])[0])
        found = [one for one in self.refunds.values() if intent in {None, one["payment_intent"]}]
        return self.page(asked, "/v1/refunds", [one for one in found if one["created"] >= since][::-1])

    def list_disputes(self, asked):
        self.known(asked)
        since = int(asked.query["created[gte]"][0])
        return self.page(asked, "/v1/disputes", [one for one in self.disputes.values() if one["created"] >= since])

    def dispute(self, intent_id, *, fee=1_500):
        """A payer has their bank take a charge back."""
        intent = self.intents[intent_id]
        taken = {"amount": -intent["amount"], "fee": fee, "currency": intent["currency"]}
        made = {
            "id": f"dp_{len(self.disputes) + 1}",
            "object": "dispute",
            "amount": intent["amount"],
            "currency": intent["currency"],
            "payment_intent": intent_id,
            "reason": "fraudulent",
            "status": "needs_response",
            "balance_transactions": [taken],
            "created": int(self.clock()),
        }
        self.disputes[made["id"]] = made
        return made

    def charge_of(self, intent):
        return {
            "id": intent["id"].replace("pi_", "ch_"),
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": intent["amount"],
            "currency": intent["currency"],
            "payment_intent": intent["id"],
            "metadata": intent["metadata"],
            "status": "succeeded",
        }

    def list_balance(self, asked):
        self.known(asked)
        assert asked.query["expand[0]"] == ["data.source"]
        since, until = int(asked.query["created[gte]"][0]), int(asked.query["created[lt]"][0])
        found = [
            {
                "id": one["id"].replace("pi_", "txn_"),
                "object": "balance_transaction",
                "type": "charge",
                "amount": one["amount"],
                "currency": one["currency"],
                "fee": one["amount"] * 29 // 1000 + 30,
                "created": one["taken"],
                "source": self.charge_of(one),
            }
            for one in self.intents.values()
            if one["status"] == "succeeded" and since <= one["taken"] < until
        ]
        found += [
            {
                "id": "txn_payout",
                "object": "balance_transaction",
                "type": "payout",
                "amount": -100,
                "currency": "usd",
                "created": since,
                "source": "po_1",
            }
        ]
        return self.page(asked, "/v1/balance_transactions", found[::-1])

    def balance(self, asked):
        self.known(asked)
        return {"object": "balance", "available": [{"amount": 0, "currency": "usd"}], "livemode": False}

    def event(self, kind, record, *, event_id="evt_1", secret=WEBHOOK_SECRET, at=None):
        """An event as it is sent: the bytes and the headers."""
        at = int(self.clock() if at is None else at)
        told = {
            "id": event_id,
            "object": "event",
            "type": kind,
            "created": at,
            "api_version": "2026-10-28.endive",
            "data": {"object": record},
        }
        raw = json.dumps(told, indent=2).encode()
        return raw, self.signed(raw, secret=secret, at=at)

    def signed(self, raw, *, at, secret=WEBHOOK_SECRET):
        """The header that its bytes go with."""
        made = hmac.new(secret.encode(), f"{at}.".encode() + raw, hashlib.sha256).hexdigest()
        return {"stripe-signature": f"t={at},v1={made}"}
