"""PayPal's API as far as it is used: OAuth, orders v2, payments v2, the vault v3, reports, signed webhooks.

Written from https://developer.paypal.com/docs/api and the library's models. What a saved card does is in its id.
"""

import base64
import hashlib
import hmac
import json
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import parse_qs

from stand_ins.http import BROKEN, BUSY, HANGS, LOST, SILENT, Refused, StandIn, seconds

CLIENT_ID = "AZDxjDScFpQtjWTOUtWKbyN_bDt4OgqaF4eYXlewfBP4-8aqX3PiV8e1GWU6liB2CUXlkA59kJXE7M6R"
CLIENT_SECRET = "EGnHDxD_qRPdaLdZz8iCr8N7_MzF-YHPTkjs6NKYQvQSBngp4PTTVWkPZRbL"
WEBHOOK_ID = "8PT597110X687430LKGECATA"
SIGNING = b"what only PayPal knows"
PROCESSOR = {"card-insufficient": "5120", "card-expired": "5400", "card-stolen": "9520"}
FAULTS = {"card-silent": SILENT, "card-lost": LOST, "card-hangs": HANGS, "card-broken": BROKEN, "card-busy": BUSY}
REFUND_FAULTS = {"card-refundSilent": SILENT, "card-refundLost": LOST}
WHOLE = {"HUF", "JPY", "TWD"}


def text(at):
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def units(money):
    """Hundredths, or whole ones where there are no others."""
    value = money["value"]
    assert (money["currency_code"] in WHOLE) is ("." not in value), money
    return int(value.replace(".", ""))


@dataclass
class PayPalStandIn(StandIn):
    """A PayPal business account in the sandbox."""

    clock: object = seconds
    tokens: set = field(default_factory=set)
    orders: dict = field(default_factory=dict)
    captures: dict = field(default_factory=dict)
    refunds: dict = field(default_factory=dict)
    disputes: dict = field(default_factory=dict)
    keys: dict = field(default_factory=dict)
    later: dict = field(default_factory=dict)
    gone: set = field(default_factory=set)
    too_busy: ClassVar[dict] = {"name": "RATE_LIMIT_REACHED", "message": "Too many requests.", "debug_id": "1"}

    def routes(self):
        return [
            ("POST", r"/v1/oauth2/token", self.token),
            ("POST", r"/v2/checkout/orders", self.once(self.create_order)),
            ("GET", r"/v2/checkout/orders/([\w-]+)", self.known(self.get_order)),
            ("POST", r"/v2/checkout/orders/([\w-]+)/capture", self.once(self.capture)),
            ("GET", r"/v2/payments/captures/([\w-]+)", self.known(self.get_capture)),
            ("POST", r"/v2/payments/captures/([\w-]+)/refund", self.once(self.refund)),
            ("GET", r"/v3/vault/payment-tokens/([\w-]+)", self.known(self.get_token)),
            ("DELETE", r"/v3/vault/payment-tokens/([\w-]+)", self.known(self.delete_token)),
            ("POST", r"/v3/vault/setup-tokens", self.once(self.create_setup)),
            ("GET", r"/v1/reporting/transactions", self.known(self.transactions)),
            ("GET", r"/v1/customer/disputes", self.known(self.list_disputes)),
            ("GET", r"/v1/customer/disputes/([\w-]+)", self.known(self.get_dispute)),
            ("POST", r"/v1/notifications/verify-webhook-signature", self.known(self.verify)),
        ]

    @staticmethod
    def refused(status, name, issue=None):
        details = [{"issue": issue, "description": f"{issue}, which is for people"}] if issue else []
        return Refused(
            status, {"name": name, "message": "For people.", "debug_id": "b1d1f06c7246c", "details": details}
        )

    def scripted(self, asked):
        parts = asked.path.strip("/").split("/")
        if asked.method == "POST" and parts[-1] == "capture":
            card = (asked.json.get("payment_source") or {}).get("card", {}).get("vault_id")
            return self.script(card, FAULTS[card]) if card in FAULTS else None
        if asked.method == "POST" and parts[-1] == "refund":
            card = self.captures.get(parts[-2], {}).get("card")
            return self.script(card, REFUND_FAULTS[card]) if card in REFUND_FAULTS else None
        return None

    def token(self, asked):
        assert parse_qs(asked.body.decode())["grant_type"] == ["client_credentials"]
        shown = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {shown}":
            raise Refused(401, {"error": "invalid_client", "error_description": "Client Authentication failed"})
        token = f"A21AA-{len(self.tokens)}"
        self.tokens.add(token)
        return {"access_token": token, "token_type": "Bearer", "app_id": "APP-1", "expires_in": 32_400, "scope": "x"}

    def known(self, handler):
        def handle(asked, *path):
            shown = asked.headers.get("authorization", "").removeprefix("Bearer ")
            if shown not in self.tokens:
                raise Refused(401, {"error": "invalid_token", "error_description": "The token passed in was not found"})
            return handler(asked, *path)

        return handle

    def once(self, handler):
        """Of a PayPal-Request-Id there is one answer, for six hours; a refusal is none, and decided anew."""

        def handle(asked, *path):
            key = asked.path, asked.headers["paypal-request-id"]
            assert len(key[1]) <= 108
            made, answer = self.keys.get(key, (0, None))
            if answer is None or self.clock() - made > 6 * 3_600:
                answer = handler(asked, *path)
                self.keys[key] = self.clock(), answer
            return answer

        return self.known(handle)

    def create_order(self, asked):
        wanted = asked.json
        [unit] = wanted["purchase_units"]
        assert len(unit["custom_id"]) <= 127
        if units(unit["amount"]) < 1:
            raise self.refused(422, "UNPROCESSABLE_ENTITY", "CANNOT_BE_ZERO_OR_NEGATIVE")
        order = {"id": f"5O19-{len(self.orders)}", "status": "CREATED", "intent": wanted["intent"], "links": []}
        order |= {"purchase_units": [unit], "create_time": text(self.clock())}
        self.orders[order["id"]] = order
        return order

    def get_order(self, _asked, order_id):
        return self._order(order_id)

    def _order(self, order_id):
        if order_id not in self.orders:
            raise self.refused(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
        return self.orders[order_id]

    def capture(self, asked, order_id):  # noqa: C901 - one rule of PayPal's after the other
        order = self._order(order_id)
        if order["status"] == "COMPLETED":
            raise self.refused(422, "UNPROCESSABLE_ENTITY", "ORDER_ALREADY_CAPTURED")
        source = asked.json.get("payment_source")
        if source is None and order["status"] != "APPROVED":
            raise self.refused(422, "UNPROCESSABLE_ENTITY", "ORDER_NOT_APPROVED")
        [unit] = order["purchase_units"]
        card = order.get("card") if source is None else next(iter(source.values()))["vault_id"]
        if source is not None:
            assert next(iter(source.values()))["stored_credential"]["payment_initiator"] == "MERCHANT"
        if units(unit["amount"]) < 50 and unit["amount"]["currency_code"] == "USD":
            raise self.refused(422, "UNPROCESSABLE_ENTITY", "AMOUNT_BELOW_MINIMUM")
        if card == "card-3ds" and order["status"] != "APPROVED":
            page = {
                "href": f"https://www.paypal.com/checkoutnow?token={order_id}",
                "rel": "payer-action",
                "method": "GET",
            }
            order.update(status="PAYER_ACTION_REQUIRED", links=[page], card=card)
            return order
        if card == "wallet-declined":
            raise self.refused(422, "UNPROCESSABLE_ENTITY", "INSTRUMENT_DECLINED")
        code = PROCESSOR.get(card)
        if card.startswith("card-later-"):
            self.later[card] = self.later.get(card, int(card.rpartition("-")[2])) - 1
            code = "5120" if self.later[card] >= 0 else None
        capture = {
            "id": f"2GG2-{len(self.captures)}",
            "status": "DECLINED" if code else "PENDING" if card == "card-pending" else "COMPLETED",
            "amount": unit["amount"],
            "custom_id": unit["custom_id"],
            "create_time": text(self.clock()),
            "supplementary_data": {"related_ids": {"order_id": order_id}},
        }
        if code:
            capture["processor_response"] = {"response_code": code, "avs_code": "A"}
        self.captures[capture["id"]] = capture | {"at": self.clock(), "card": card}
        unit["payments"] = {"captures": [capture], "refunds": []}
        order["status"] = "COMPLETED"
        return order

    def approve(self, order_id):
        """What its payer says yes to."""
        self.orders[order_id]["status"] = "APPROVED"

    def get_capture(self, _asked, capture_id):
        if capture_id not in self.captures:
            raise self.refused(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
        return {name: value for name, value in self.captures[capture_id].items() if name not in {"at", "card"}}

    def refund(self, asked, capture_id):
        capture = self.get_capture(asked, capture_id)
        card = self.captures[capture_id]["card"]
        wanted = asked.json
        [unit] = self.orders[capture["supplementary_data"]["related_ids"]["order_id"]]["purchase_units"]
        given = sum(units(one["amount"]) for one in unit["payments"]["refunds"])
        if card == "card-refundRefused":
            raise self.refused(422, "UNPROCESSABLE_ENTITY", "REFUND_NOT_ALLOWED")
        if given == units(capture["amount"]):
            raise self.refused(422, "UNPROCESSABLE_ENTITY", "CAPTURE_FULLY_REFUNDED")
        if given + units(wanted["amount"]) > units(capture["amount"]):
            raise self.refused(422, "UNPROCESSABLE_ENTITY", "REFUND_AMOUNT_EXCEEDED")
        refund = {
            "id": f"1JU0-{len(self.refunds)}",
            "status": "PENDING" if card == "card-refundPending" else "COMPLETED",
            "amount": wanted["amount"],
            "custom_id": wanted["custom_id"],
            "create_time": text(self.clock()),
            "links": [{"href": f"{self.url}/v2/payments/captures/{capture_id}", "rel": "up", "method": "GET"}],
        }
        self.refunds[refund["id"]] = refund
        unit["payments"]["refunds"].append(refund)
        return refund

    def get_token(self, _asked, token):
        if token in self.gone or not token.startswith(("card-", "wallet-")):
            raise self.refused(404, "RESOURCE_NOT_FOUND", "TOKEN_NOT_FOUND")
        card = {"brand": "VISA", "last_digits": "4242", "expiry": "2031-08", "name": "A"}
        source = {"card": card} if token.startswith("card-") else {"paypal": {"email_address": "payer@example.com"}}
        return {"id": token, "customer": {"id": "customer_1"}, "payment_source": source}

    def delete_token(self, _asked, token):
        self.gone.add(token)
        return {}

    def create_setup(self, asked):
        context = asked.json["payment_source"]["paypal"]["experience_context"]
        assert context["return_url"]
        page = {"href": "https://www.paypal.com/agreements/approve?approval_session_id=7", "rel": "approve"}
        return {"id": "7B1", "status": "PAYER_ACTION_REQUIRED", "links": [page]}

    def transactions(self, asked):
        since, until = asked.query["start_date"][0], asked.query["end_date"][0]
        assert datetime.fromisoformat(until).timestamp() - datetime.fromisoformat(since).timestamp() <= 31 * 86_400
        found = [
            {"transaction_info": self._reported(one)}
            for one in self.captures.values()
            if since <= one["create_time"] < until and self.clock() >= one["at"] + self.reports_after
        ]
        found += [
            {"transaction_info": self._reported_back(one)}
            for one in self.refunds.values()
            if since <= one["create_time"] < until
        ]
        page, size = int(asked.query["page"][0]), 2
        some = found[(page - 1) * size : page * size]
        return {
            "transaction_details": some,
            "page": page,
            "total_items": len(found),
            "total_pages": -(-len(found) // size),
        }

    reports_after: int = 0

    @staticmethod
    def _reported(capture):
        return {
            "transaction_id": capture["id"],
            "transaction_event_code": "T0006",
            "transaction_initiation_date": capture["create_time"],
            "transaction_amount": capture["amount"],
            "transaction_status": {"COMPLETED": "S", "PENDING": "P", "DECLINED": "D"}[capture["status"]],
            "custom_field": capture["custom_id"],
        }

    @staticmethod
    def _reported_back(refund):
        return {
            "transaction_id": refund["id"],
            "paypal_reference_id": refund["links"][0]["href"].rpartition("/")[2],
            "paypal_reference_id_type": "TXN",
            "transaction_event_code": "T1107",
            "transaction_amount": refund["amount"] | {"value": f"-{refund['amount']['value']}"},
            "transaction_status": {"COMPLETED": "S", "PENDING": "P"}[refund["status"]],
            "custom_field": refund["custom_id"],
        }

    def dispute(self, capture_id):
        """A payer has a capture taken back."""
        made = {
            "dispute_id": f"PP-D-{len(self.disputes)}",
            "disputed_transactions": [{"seller_transaction_id": capture_id}],
            "dispute_amount": self.captures[capture_id]["amount"],
            "reason": "UNAUTHORISED",
            "status": "OPEN",
            "create_time": text(self.clock()),
        }
        self.disputes[made["dispute_id"]] = made
        return made

    def list_disputes(self, asked):
        since, most = asked.query["start_time"][0], 1
        found = [one for one in self.disputes.values() if one["create_time"] >= since]
        first = int(asked.query.get("next_page_token", ["0"])[0])
        some = [{name: one[name] for name in ("dispute_id", "status")} for one in found[first : first + most]]
        following = f"{self.url}/v1/customer/disputes?next_page_token={first + most}"
        links = [{"rel": "next", "href": following}] if first + most < len(found) else []
        return {"items": some, "links": links}

    def get_dispute(self, _asked, dispute_id):
        return self.disputes[dispute_id]

    def verify(self, asked):
        wanted = asked.json
        shown = {"auth_algo", "cert_url", "transmission_id", "transmission_sig", "transmission_time"}
        assert set(wanted) == shown | {"webhook_id", "webhook_event"}
        raw = asked.body[asked.body.index(b'"webhook_event": ') + len(b'"webhook_event": ') : -1]
        good = self._signature(
            raw, wanted["transmission_id"], wanted["transmission_time"], wanted["webhook_id"], SIGNING
        )
        return {"verification_status": "SUCCESS" if good == wanted["transmission_sig"] else "FAILURE"}

    @staticmethod
    def _signature(raw, transmission_id, time, webhook_id, secret):
        """As PayPal's, over the CRC of the bytes; with a key that both sides know, where PayPal has a certificate."""
        signed = f"{transmission_id}|{time}|{webhook_id}|{zlib.crc32(raw)}"
        return base64.b64encode(hmac.new(secret, signed.encode(), hashlib.sha256).digest()).decode()

    def signed(self, raw, *, at, secret=SIGNING):
        transmission, time = "d938e770-8046-11e6-8103-6b62a8a99ac4", text(at)
        return {
            "paypal-auth-algo": "SHA256withRSA",
            "paypal-cert-url": "https://api.paypal.com/v1/notifications/certs/CERT-360caa42",
            "paypal-transmission-id": transmission,
            "paypal-transmission-sig": self._signature(raw, transmission, time, WEBHOOK_ID, secret),
            "paypal-transmission-time": time,
        }

    def event(self, kind, resource, *, secret=SIGNING, at=None, event_id="WH-1"):
        at = self.clock() if at is None else at
        told = {
            "id": event_id,
            "event_version": "1.0",
            "create_time": text(at),
            "event_type": kind,
            "resource": resource,
        }
        raw = json.dumps(told, indent=1).encode()
        return raw, self.signed(raw, at=at, secret=secret)
