"""A gateway of each kind with nobody's money in it: the adapter, what its tokens do, and how its side is moved."""

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import copy
from tempfile import mkdtemp
from typing import ClassVar

from stand_ins.paypal import CLIENT_ID as PAYPAL_ID
from stand_ins.paypal import CLIENT_SECRET as PAYPAL_SECRET
from stand_ins.paypal import WEBHOOK_ID, PayPalStandIn
from stand_ins.razorpay import KEY_ID as RAZORPAY_ID
from stand_ins.razorpay import KEY_SECRET as RAZORPAY_SECRET
from stand_ins.razorpay import WEBHOOK_SECRET as RAZORPAY_SIGNING
from stand_ins.razorpay import RazorpayStandIn
from stand_ins.stripe import KEY as STRIPE_KEY
from stand_ins.stripe import WEBHOOK_SECRET as STRIPE_SECRET
from stand_ins.stripe import StripeStandIn, nested
from tallygate.billing.ports import ChargeRequest, Credentials, Gateway, GatewayAdapter
from tallygate.domain.billing.gateway_events import ChargeNews
from tallygate.domain.billing.payments import Advice, AttemptState, Outcome
from tallygate.gateways.asking import Way
from tallygate.gateways.fake import FakeAdapter
from tallygate.gateways.fake_events import HEADER, charge_event
from tallygate.gateways.paypal.adapter import PayPalAdapter
from tallygate.gateways.paypal.answers import marked as paypal_mark
from tallygate.gateways.razorpay.adapter import RazorpayAdapter
from tallygate.gateways.signed import signature
from tallygate.gateways.stripe.adapter import StripeAdapter
from tallygate.storage.sql.billing.fake_charges import SqlFakeCharges
from tallygate.storage.sql.billing.fake_refunds import SqlFakeRefunds
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.schema import migrate

DAY = 86_400_000_000
SECRET = "s3cret"
SECONDS = 3.0
BACK = "https://shop.example/paid"


TOKENS = {
    "fake": {
        "pays": "fake_ok",
        "refused": "fake_decline",
        "never": "fake_never",
        "later": "fake_later_2",
        "waits": "fake_pending",
        "silent": "fake_timeout",
        "lost": "fake_timeout_before",
        "keeps": "fake_refund_decline",
        "gives later": "fake_refund_pending",
        "gives silently": "fake_refund_timeout",
        "loses refunds": "fake_refund_timeout_before",
    },
    "stripe": {
        "pays": "cus_acme/pm_card_visa",
        "refused": "cus_acme/pm_card_chargeDeclinedExpiredCard",
        "never": "cus_acme/pm_card_chargeDeclinedStolenCard",
        "later": "cus_acme/pm_card_later_2",
        "waits": "cus_acme/pm_card_authenticationRequired",
        "takes days": "cus_acme/pm_card_processing",
        "silent": "cus_acme/pm_card_silent",
        "lost": "cus_acme/pm_card_lost",
        "hangs": "cus_acme/pm_card_hangs",
        "broken": "cus_acme/pm_card_broken",
        "busy": "cus_acme/pm_card_busy",
        "keeps": "cus_acme/pm_card_refundRefused",
        "gives later": "cus_acme/pm_card_refundPending",
        "gives silently": "cus_acme/pm_card_refundSilent",
        "loses refunds": "cus_acme/pm_card_refundLost",
    },
    "paypal": {
        "pays": "card-visa",
        "refused": "card-expired",
        "never": "card-stolen",
        "later": "card-later-2",
        "waits": "card-3ds",
        "takes days": "card-pending",
        "silent": "card-silent",
        "lost": "card-lost",
        "hangs": "card-hangs",
        "broken": "card-broken",
        "busy": "card-busy",
        "keeps": "card-refundRefused",
        "gives later": "card-refundPending",
        "gives silently": "card-refundSilent",
        "loses refunds": "card-refundLost",
    },
    "razorpay": {
        "pays": "cust_acme/token_visa",
        "refused": "cust_acme/token_expired",
        "never": "cust_acme/token_stolen",
        "later": "cust_acme/token_later_2",
        "waits": "cust_acme/token_waits",
        "takes days": "cust_acme/token_waits",
        "silent": "cust_acme/token_silent",
        "lost": "cust_acme/token_lost",
        "hangs": "cust_acme/token_hangs",
        "broken": "cust_acme/token_broken",
        "busy": "cust_acme/token_busy",
        "keeps": "cust_acme/token_refundRefused",
        "gives later": "cust_acme/token_refundPending",
        "gives silently": "cust_acme/token_refundSilent",
        "loses refunds": "cust_acme/token_refundLost",
    },
}
"""By gateway what each token stands for."""
CREDENTIALS = {
    "fake": {"webhook_secret": SECRET},
    "stripe": {"api_key": STRIPE_KEY, "webhook_secret": STRIPE_SECRET},
    "paypal": {
        "client_id": PAYPAL_ID,
        "client_secret": PAYPAL_SECRET,
        "webhook_id": WEBHOOK_ID,
        "environment": "sandbox",
    },
    "razorpay": {"key_id": RAZORPAY_ID, "key_secret": RAZORPAY_SECRET, "webhook_secret": RAZORPAY_SIGNING},
}


def credentials_of(name):
    return Credentials(secrets=CREDENTIALS[name])


@dataclass
class World:
    """A gateway; `stand_in` is what it speaks to."""

    name: str
    adapter: GatewayAdapter
    credentials: Credentials
    tokens: dict
    stand_in: object = None
    event_time: int = DAY

    @property
    def gateway(self) -> Gateway:
        return self.adapter.open(self.credentials)

    def decide(self, gateway_id):
        """The payer, or their bank, says yes."""

    def event(self, state, *, secret=SECRET, now=DAY, amount=2_900):
        """What it tells of the attempt k1: the news, the bytes, the headers."""
        outcome = Outcome(state=state, gateway_id="ch_k1")
        news = ChargeNews(attempt_id="k1", currency="USD", amount=amount, outcome=outcome)
        raw = charge_event("ev_1", tenant_id="t", time=DAY, news=news)
        return news, raw, {HEADER: signature(raw, secret, now=now)}

    def refund_event(self, gateway_id):
        """What it tells of the refund r1 of 900 of the charge k1: the bytes, the headers."""
        told = {"id": gateway_id, "refund_id": "r1", "charge_id": "ch_k1", "currency": "USD", "amount": 900}
        event = {"id": "ev_r1", "type": "refund.succeeded", "time": DAY, "tenant": "t", "refund": told}
        raw = json.dumps(event).encode()
        return raw, self.signed(raw)

    def at(self, time):
        """Let it be so late there."""
        self.stand_in.clock = lambda: time // 1_000_000

    def taken(self):
        """How often money was taken."""

    amounts = ()
    """Currency, minor units, and as what it is sent; None where it cannot be."""
    secret_texts = ()
    pages = True
    """Whether who waits can be sent to a page."""

    def signed(self, raw):
        """The headers of bytes that it signed."""
        return {HEADER: signature(raw, SECRET, now=DAY)}

    def without_secret(self):
        """The same, but that the tenant did not say what events are signed with."""
        return self.adapter.open(Credentials(secrets=self.credentials.secrets | {"webhook_secret": ""}))


@cache
def _empty():
    """A database with nothing in it: migrated once, then copied."""
    path = Path(mkdtemp()) / "gateway.db"
    migrate(f"sqlite:///{path}")
    return path


@asynccontextmanager
async def fake(tmp_path):
    engine = create_engine(f"sqlite:///{copy(_empty(), tmp_path)}")
    adapter = FakeAdapter(books=SqlFakeCharges(engine=engine), refunds=SqlFakeRefunds(engine=engine))
    yield World("fake", adapter, credentials_of("fake"), TOKENS["fake"])
    await engine.dispose()


class StripeWorld(World):
    """Stripe in test mode."""

    amounts = (
        ("USD", 2_900, "2900"),
        ("JPY", 2_900, "2900"),
        ("KWD", 1_230, "1230"),
        ("KWD", 1_234, None),
        ("ISK", 500, "50000"),
        ("MGA", 500_00, "500"),
        ("MGA", 500_50, None),
    )
    strangers: ClassVar[dict] = {"api_key": "rk_live_5150thisisnotthekey"}
    secret_texts = (STRIPE_KEY, STRIPE_SECRET, "sk_live_hidden", "4111", "Your card", "No such")

    def taken(self):
        return sum(1 for one in self.stand_in.intents.values() if one["status"] == "succeeded")

    def sent(self):
        """The amount that was asked for last."""
        asked = [one for one in self.stand_in.requests if one.path == "/v1/payment_intents" and one.method == "POST"]
        return nested(asked[-1].body)["amount"] if asked else None

    def decide(self, gateway_id):
        if gateway_id.startswith("pi_"):
            self.stand_in.succeed(gateway_id)
        else:
            self.stand_in.refunds[gateway_id]["status"] = "succeeded"

    def signed(self, raw):
        return self.stand_in.signed(raw, at=DAY // 1_000_000)

    def refund_event(self, gateway_id):
        return self.stand_in.event("refund.updated", self.stand_in.refunds[gateway_id], at=DAY // 1_000_000)

    def event(self, state, *, secret=STRIPE_SECRET, now=DAY, amount=2_900):
        word, error = {
            AttemptState.SUCCEEDED: ("succeeded", None),
            AttemptState.FAILED: ("requires_payment_method", {"code": "expired_card", "decline_code": "expired_card"}),
            AttemptState.PENDING: ("processing", None),
        }[state]
        kind = "payment_failed" if error else word
        intent = {
            "id": "pi_1",
            "object": "payment_intent",
            "amount": amount,
            "currency": "usd",
            "status": word,
            "last_payment_error": error,
            "metadata": {"tallygate_attempt": "k1", "tallygate_tenant": "t", "tallygate_time": str(DAY)},
        }
        raw, headers = self.stand_in.event(f"payment_intent.{kind}", intent, secret=secret, at=now // 1_000_000)
        advice = Advice.NEW_METHOD if error else None
        outcome = Outcome(state=state, gateway_id="pi_1", advice=advice, reason="expired_card" if error else "")
        return ChargeNews(attempt_id="k1", currency="USD", amount=amount, outcome=outcome), raw, headers


@asynccontextmanager
async def stripe(_tmp_path):
    with StripeStandIn() as stand_in:
        adapter = StripeAdapter(way=Way(url=stand_in.url, seconds=SECONDS, return_url=BACK))
        yield StripeWorld("stripe", adapter, credentials_of("stripe"), TOKENS["stripe"], stand_in)


class PayPalWorld(World):
    """PayPal's sandbox."""

    amounts = (
        ("USD", 2_900, "29.00"),
        ("USD", 105, "1.05"),
        ("JPY", 2_900, "2900"),
        ("HUF", 1_000_00, "1000"),
        ("HUF", 1_000_50, None),
        ("KWD", 1_230, None),
    )
    strangers: ClassVar[dict] = {"client_id": "AnotherClientWhoIsNotKnown", "client_secret": "AnotherSecretThatIsWrong"}
    secret_texts = (PAYPAL_ID, PAYPAL_SECRET, "A21AA", "For people", "which is for people", "sk_live_hidden", "4111")

    def taken(self):
        return sum(1 for one in self.stand_in.captures.values() if one["status"] == "COMPLETED")

    def sent(self):
        asked = [one for one in self.stand_in.requests if one.path == "/v2/checkout/orders"]
        return asked[-1].json["purchase_units"][0]["amount"]["value"] if asked else None

    def decide(self, gateway_id):
        if gateway_id in self.stand_in.orders:
            self.stand_in.approve(gateway_id)
        else:
            self.stand_in.refunds[gateway_id]["status"] = "COMPLETED"

    def signed(self, raw):
        return self.stand_in.signed(raw, at=DAY // 1_000_000)

    def refund_event(self, gateway_id):
        return self.stand_in.event("PAYMENT.CAPTURE.REFUNDED", self.stand_in.refunds[gateway_id])

    def without_secret(self):
        return self.adapter.open(Credentials(secrets=self.credentials.secrets | {"webhook_id": ""}))

    def event(self, state, *, secret=None, now=DAY, amount=2_900):
        status, kind, code = {
            AttemptState.SUCCEEDED: ("COMPLETED", "COMPLETED", None),
            AttemptState.FAILED: ("DECLINED", "DENIED", "5400"),
            AttemptState.PENDING: ("PENDING", "PENDING", None),
        }[state]
        request = ChargeRequest(
            tenant_id="t",
            key="k1",
            attempt_id="k1",
            account_id="acme",
            currency="USD",
            amount=amount,
            token="x",
            text="x",
            time=DAY,
        )
        capture = {
            "id": "2GG2-1",
            "status": status,
            "amount": {"currency_code": "USD", "value": f"{amount // 100}.{amount % 100:02}"},
            "custom_id": paypal_mark(request),
        }
        if code:
            capture["processor_response"] = {"response_code": code}
        more = {} if secret is None else {"secret": secret.encode()}
        raw, headers = self.stand_in.event(f"PAYMENT.CAPTURE.{kind}", capture, at=now // 1_000_000, **more)
        advice = Advice.NEW_METHOD if code else None
        outcome = Outcome(state=state, gateway_id="2GG2-1", advice=advice, reason=code or "")
        return ChargeNews(attempt_id="k1", currency="USD", amount=amount, outcome=outcome), raw, headers


@asynccontextmanager
async def paypal(_tmp_path):
    with PayPalStandIn() as stand_in:
        adapter = PayPalAdapter(way=Way(url=stand_in.url, seconds=SECONDS, return_url=BACK))
        yield PayPalWorld("paypal", adapter, credentials_of("paypal"), TOKENS["paypal"], stand_in)


class RazorpayWorld(World):
    """Razorpay in test mode."""

    pages = False
    amounts = (
        ("INR", 2_900, 2_900),
        ("USD", 2_900, 2_900),
        ("JPY", 2_900, 2_900),
        ("KWD", 1_230, 1_230),
        ("KWD", 1_234, None),
    )
    strangers: ClassVar[dict] = {"key_id": "rzp_live_5150notthekey", "key_secret": "anothersecretthatiswrong"}
    secret_texts = (
        RAZORPAY_SECRET,
        RAZORPAY_SIGNING,
        "Your payment",
        "For people",
        "does not exist",
        "sk_live_hidden",
        "4111",
    )

    def taken(self):
        return sum(1 for one in self.stand_in.payments.values() if one["status"] == "captured")

    def sent(self):
        asked = [one for one in self.stand_in.requests if one.path == "/v1/payments/create/recurring"]
        return asked[-1].json["amount"] if asked else None

    def decide(self, gateway_id):
        if gateway_id in self.stand_in.payments:
            self.stand_in.payments[gateway_id]["status"] = "captured"
        else:
            self.stand_in.refunds[gateway_id]["status"] = "processed"

    def signed(self, raw):
        return self.stand_in.signed(raw)

    def refund_event(self, gateway_id):
        return self.stand_in.event("refund.processed", {"refund": self.stand_in.refunds[gateway_id]})

    def event(self, state, *, secret=RAZORPAY_SIGNING, now=DAY, amount=2_900):
        status, reason = {
            AttemptState.SUCCEEDED: ("captured", None),
            AttemptState.FAILED: ("failed", "card_expired"),
            AttemptState.PENDING: ("authorized", None),
        }[state]
        notes = {"tallygate_attempt": "k1", "tallygate_tenant": "t", "tallygate_time": str(DAY)}
        payment = {
            "id": "pay_1",
            "amount": amount,
            "currency": "USD",
            "status": status,
            "error_reason": reason,
            "notes": notes,
        }
        raw, headers = self.stand_in.event(
            f"payment.{status}", {"payment": payment}, secret=secret, at=now // 1_000_000
        )
        advice = Advice.NEW_METHOD if reason else None
        outcome = Outcome(state=state, gateway_id="pay_1", advice=advice, reason=reason or "")
        return ChargeNews(attempt_id="k1", currency="USD", amount=amount, outcome=outcome), raw, headers


@asynccontextmanager
async def razorpay(_tmp_path):
    with RazorpayStandIn() as stand_in:
        adapter = RazorpayAdapter(way=Way(url=stand_in.url, seconds=SECONDS))
        yield RazorpayWorld("razorpay", adapter, credentials_of("razorpay"), TOKENS["razorpay"], stand_in)


WORLDS = {"fake": fake, "stripe": stripe, "paypal": paypal, "razorpay": razorpay}
