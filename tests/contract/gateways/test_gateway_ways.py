"""What is one gateway's own: how it asks, what it answers beside the common, and that its library loads late."""

import asyncio
import subprocess
import sys
from dataclasses import replace

import pytest

from gateway_worlds import BACK, DAY, WORLDS
from stand_ins.http import LOST
from stand_ins.stripe import nested
from tallygate.billing.ports import (
    ChargeRequest,
    Credentials,
    NoAnswerError,
    RefundRequest,
    SetupRequest,
    UnverifiedEventError,
)
from tallygate.domain.billing.gateway_events import DisputeNews, DisputeState, RefundNews
from tallygate.domain.billing.payments import Advice, AttemptState
from tallygate.domain.errors import InvalidFieldError
from tallygate.gateways.asking import Way
from tallygate.gateways.paypal.adapter import SANDBOX_URL, URL, PayPalAdapter
from tallygate.gateways.paypal.answers import marked
from tallygate.gateways.stripe.adapter import StripeAdapter

HOUR = DAY // 24


def world_of(name):
    @pytest.fixture
    async def made(tmp_path):
        async with WORLDS[name](tmp_path) as world:
            yield world

    return made


stripe, paypal, razorpay = (world_of(name) for name in ("stripe", "paypal", "razorpay"))


def asked(token, *, key="k1", amount=2_900):
    return ChargeRequest(
        tenant_id="t",
        key=key,
        attempt_id=key,
        account_id="acme",
        currency="USD",
        amount=amount,
        token=token,
        text="INV 1",
        time=DAY,
    )


def back(charge_id, *, amount=900):
    return RefundRequest(
        tenant_id="t",
        key="r1",
        refund_id="r1",
        account_id="acme",
        payment_id="k1",
        charge_id=charge_id,
        currency="USD",
        amount=amount,
        text="CN 1",
        time=DAY,
    )


def test_a_library_loads_when_it_is_first_asked_and_not_before():
    code = """
import sys
from tallygate.app import control_side
from tallygate.gateways.stripe import adapter, gateway
from tallygate.gateways.paypal import adapter, gateway
from tallygate.gateways.razorpay import adapter, gateway
from tallygate.app import application
late = {"stripe", "httpx", "requests", "paypalserversdk", "razorpay", "tallygate.app.tracing"}
print(sorted(late & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


async def test_where_a_library_is_not_installed_the_extra_is_named(stripe, monkeypatch):
    monkeypatch.setattr("tallygate.gateways.asking.find_spec", lambda _name: None)
    with pytest.raises(InvalidFieldError) as raised:
        StripeAdapter(way=stripe.adapter.way).open(stripe.credentials)
    assert "tallygate[stripe]" in raised.value.metadata["expected"]


async def test_the_same_credentials_are_opened_once(stripe, paypal, razorpay):
    for world in (stripe, paypal, razorpay):
        assert world.gateway is world.gateway


async def test_where_keys_are_kept_the_same_one_at_the_same_time_is_one_charge(stripe, paypal):
    for world in (stripe, paypal):
        request = asked(world.tokens["pays"])
        outcomes = await asyncio.gather(*(world.gateway.charge(request) for _ in range(4)), return_exceptions=True)
        taken = [one for one in outcomes if not isinstance(one, NoAnswerError)]
        assert taken
        assert {one.gateway_id for one in taken} == {taken[0].gateway_id}
        assert world.taken() == 1


async def test_stripe_is_asked_without_the_payer_and_once_with_them(stripe):
    waiting = await stripe.gateway.charge(asked("cus_acme/pm_card_authenticationRequired"))
    assert waiting.state is AttemptState.PENDING
    [first, second] = [one for one in stripe.stand_in.requests if one.method == "POST"]
    assert nested(first.body)["off_session"] == "true"
    assert nested(first.body)["metadata"]["tallygate_attempt"] == "k1"
    assert nested(second.body) == {"payment_method": "pm_card_authenticationRequired", "return_url": BACK}
    assert len(stripe.stand_in.intents) == 1


async def test_without_a_place_to_come_back_to_authentication_is_a_refusal(stripe):
    adapter = StripeAdapter(way=Way(url=stripe.stand_in.url, seconds=5))
    refused = await adapter.open(stripe.credentials).charge(asked("cus_acme/pm_card_authenticationRequired"))
    assert (refused.state, refused.advice) == (AttemptState.FAILED, Advice.NEW_METHOD)
    assert refused.reason == "authentication_required"


async def test_a_payer_who_does_not_come_for_a_day_is_waited_for_no_longer(stripe):
    stripe.at(DAY)
    request = asked("cus_acme/pm_card_authenticationRequired")
    waiting = await stripe.gateway.charge(request)
    assert (await stripe.gateway.find(request, now=2 * DAY)) == waiting
    gone = await stripe.gateway.find(request, now=2 * DAY + 1_000_000)
    assert (gone.state, gone.reason) == (AttemptState.FAILED, "abandoned")
    assert stripe.stand_in.intents[waiting.gateway_id]["status"] == "canceled"


async def test_what_stripe_says_while_its_payer_is_asked_is_no_failure(stripe):
    error = {"code": "authentication_required", "decline_code": "authentication_required"}
    intent = {"id": "pi_1", "amount": 1, "currency": "usd", "status": "requires_payment_method", "metadata": {}}
    raw, headers = stripe.stand_in.event("payment_intent.payment_failed", intent | {"last_payment_error": error}, at=1)
    assert (await stripe.gateway.read_event(raw, headers, tenant_id="t", now=1_000_000)).news is None


async def test_what_stripe_signed_five_minutes_ago_is_not_believed(stripe):
    _, raw, headers = stripe.event(AttemptState.SUCCEEDED)
    for late in (299, -299):
        assert (
            await stripe.gateway.read_event(raw, headers, tenant_id="t", now=DAY + late * 1_000_000)
        ).news is not None
    for late in (301, -301):
        with pytest.raises(UnverifiedEventError):
            await stripe.gateway.read_event(raw, headers, tenant_id="t", now=DAY + late * 1_000_000)


async def test_disputes_and_refunds_at_stripe_are_told(stripe):
    dispute = {
        "id": "dp_1",
        "amount": 2_900,
        "currency": "usd",
        "payment_intent": "pi_1",
        "reason": "fraudulent",
        "status": "needs_response",
        "balance_transactions": [{"amount": -2_900, "fee": 1_500, "currency": "usd"}],
    }
    told = DisputeNews(
        dispute_id="dp_1",
        charge_id="pi_1",
        currency="USD",
        amount=2_900,
        state=DisputeState.OPENED,
        fee=1_500,
        reason="fraudulent",
    )
    for kind, status, wanted in (
        ("created", "needs_response", told),
        ("closed", "won", replace(told, state=DisputeState.WON)),
        ("closed", "lost", replace(told, state=DisputeState.LOST)),
        ("created", "warning_needs_response", None),
    ):
        raw, headers = stripe.stand_in.event(f"charge.dispute.{kind}", dispute | {"status": status}, at=1)
        assert (await stripe.gateway.read_event(raw, headers, tenant_id="t", now=1_000_000)).news == wanted
    refund = {"id": "re_1", "amount": 900, "currency": "jpy", "payment_intent": "pi_1", "status": "succeeded"}
    refund |= {"metadata": {"tallygate_tenant": "t", "tallygate_refund": "r1"}}
    raw, headers = stripe.stand_in.event("refund.updated", refund, at=1)
    news = (await stripe.gateway.read_event(raw, headers, tenant_id="t", now=1_000_000)).news
    assert isinstance(news, RefundNews)
    assert (news.refund_id, news.charge_id, news.currency, news.amount) == ("r1", "pi_1", "JPY", 900)
    raw, headers = stripe.stand_in.event("refund.updated", refund | {"metadata": {}}, at=1)
    event = await stripe.gateway.read_event(raw, headers, tenant_id="t", now=1_000_000)
    assert event.news is None, "given back by a person there, it is none of ours"
    raw, headers = stripe.stand_in.event("customer.created", {"id": "cus_1"}, at=1)
    assert (await stripe.gateway.read_event(raw, headers, tenant_id="t", now=1_000_000)).news is None


async def test_a_form_of_ones_own_gets_a_secret_instead_of_a_page(stripe):
    setup = await stripe.gateway.begin_setup(SetupRequest(tenant_id="t", key="s1", account_id="acme"))
    assert (setup.url, setup.client_secret) == ("", "seti_1_secret_x")
    assert "secret" not in repr(setup)


async def test_a_wallet_that_is_refused_wants_another_method(paypal):
    refused = await paypal.gateway.charge(asked("wallet-declined"))
    assert (refused.state, refused.advice) == (AttemptState.FAILED, Advice.NEW_METHOD)
    assert refused.reason == "INSTRUMENT_DECLINED"
    assert (await paypal.gateway.describe("wallet-1")).brand == "paypal"


async def test_what_a_payer_approved_at_paypal_is_taken_when_it_is_looked_for(paypal):
    request = asked("card-3ds")
    waiting = await paypal.gateway.charge(request)
    assert await paypal.gateway.find(request, now=DAY + HOUR) == waiting
    paypal.decide(waiting.gateway_id)
    taken = await paypal.gateway.find(request, now=DAY + HOUR)
    assert taken.state is AttemptState.SUCCEEDED
    assert taken.gateway_id in paypal.stand_in.captures
    assert await paypal.gateway.find(request, now=DAY + HOUR) == taken
    assert paypal.taken() == 1


async def test_when_paypal_has_forgotten_a_key_its_reports_say_what_was_taken(paypal):
    paypal.at(DAY)
    paypal.stand_in.reports_after = 3 * 3_600
    silent, lost, more = asked("card-silent"), asked("card-lost", key="k2"), asked("card-visa", key="k3")
    for request in (silent, lost):
        with pytest.raises(NoAnswerError):
            await paypal.gateway.charge(request)
    await paypal.gateway.charge(more)
    paypal.at(DAY + 7 * HOUR)
    asked_before = len(paypal.stand_in.orders)
    found = await paypal.gateway.find(silent, now=DAY + 7 * HOUR)
    assert found.state is AttemptState.SUCCEEDED
    assert found.gateway_id == "2GG2-0"
    assert await paypal.gateway.find(lost, now=DAY + 7 * HOUR) is None
    assert len(paypal.stand_in.orders) == asked_before, "no order is made for a question"


async def test_a_token_that_paypal_takes_no_more_is_asked_for_again(paypal):
    await paypal.gateway.charge(asked("card-visa"))
    paypal.stand_in.tokens.clear()
    with pytest.raises(NoAnswerError):
        await paypal.gateway.charge(asked("card-visa", key="k2"))
    assert (await paypal.gateway.charge(asked("card-visa", key="k2"))).state is AttemptState.SUCCEEDED


async def test_long_ids_of_any_script_are_charged_and_found_everywhere(stripe, paypal, razorpay):
    key = "支払い" * 85
    for world in (stripe, paypal, razorpay):
        request = replace(asked(world.tokens["pays"], key=key), tenant_id="テナント")
        paid = await world.gateway.charge(request)
        assert paid.state is AttemptState.SUCCEEDED
        assert await world.gateway.find(request, now=DAY + HOUR) == paid
        assert await world.gateway.find(replace(request, attempt_id="k2", key="k2"), now=DAY + HOUR) is None
        refund = replace(back(paid.gateway_id), key=key, refund_id=key)
        given = await world.gateway.refund(refund)
        assert given.state is AttemptState.SUCCEEDED
        assert await world.gateway.find(refund, now=DAY + HOUR) == given


async def test_disputes_and_refunds_at_paypal_are_told(paypal):
    dispute = {
        "dispute_id": "PP-1",
        "disputed_transactions": [{"seller_transaction_id": "2GG2-0"}],
        "dispute_amount": {"currency_code": "USD", "value": "29.00"},
        "reason": "UNAUTHORISED",
        "status": "OPEN",
    }
    told = DisputeNews(
        dispute_id="PP-1",
        charge_id="2GG2-0",
        currency="USD",
        amount=2_900,
        state=DisputeState.OPENED,
        reason="UNAUTHORISED",
    )
    for kind, decided, wanted in (
        ("CREATED", {}, told),
        ("RESOLVED", "RESOLVED_SELLER_FAVOUR", replace(told, state=DisputeState.WON)),
        ("RESOLVED", "RESOLVED_BUYER_FAVOUR", replace(told, state=DisputeState.LOST)),
    ):
        more = {"status": "RESOLVED", "dispute_outcome": {"outcome_code": decided}} if decided else {}
        raw, headers = paypal.stand_in.event(f"CUSTOMER.DISPUTE.{kind}", dispute | more)
        assert (await paypal.gateway.read_event(raw, headers, tenant_id="t", now=DAY)).news == wanted
    links = [{"rel": "up", "href": "https://api-m.paypal.com/v2/payments/captures/2GG2-0"}]
    amount = {"currency_code": "JPY", "value": "900"}
    refund = {
        "id": "1JU0-0",
        "status": "COMPLETED",
        "amount": amount,
        "links": links,
        "custom_id": marked(back("2GG2-0")),
    }
    raw, headers = paypal.stand_in.event("PAYMENT.CAPTURE.REFUNDED", refund)
    news = (await paypal.gateway.read_event(raw, headers, tenant_id="t", now=DAY)).news
    assert isinstance(news, RefundNews)
    assert (news.refund_id, news.charge_id, news.currency, news.amount) == ("r1", "2GG2-0", "JPY", 900)


async def test_paypals_sandbox_is_another_house():
    adapter = PayPalAdapter(way=Way(url=URL, seconds=5))
    known = {"client_id": "A" * 20, "client_secret": "B" * 20}
    for environment, url in (("", URL), ("live", URL), ("sandbox", SANDBOX_URL)):
        client = await adapter.open(Credentials(secrets=known | {"environment": environment})).desk.client.get()
        assert client.place.get_base_uri() == url
    with pytest.raises(InvalidFieldError):
        adapter.open(Credentials(secrets=known | {"environment": "test"}))


async def test_at_razorpay_an_order_that_was_made_is_used_and_one_that_was_tried_is_not_tried_again(razorpay):
    razorpay.stand_in.fault(LOST, path="/recurring")
    request = asked("cust_acme/token_visa")
    with pytest.raises(NoAnswerError):
        await razorpay.gateway.charge(request)
    assert await razorpay.gateway.find(request, now=DAY) is None
    paid = await razorpay.gateway.charge(request)
    assert (len(razorpay.stand_in.orders), paid.state) == (1, AttemptState.SUCCEEDED)
    assert not razorpay.gateway.keeps_keys
    refused = asked("cust_acme/token_expired", key="k2")
    assert await razorpay.gateway.charge(refused) == await razorpay.gateway.charge(refused)
    assert len(razorpay.stand_in.payments) == 2


async def test_disputes_and_refunds_at_razorpay_are_told(razorpay):
    dispute = {
        "id": "disp_1",
        "payment_id": "pay_1",
        "amount": 2_900,
        "currency": "INR",
        "reason_code": "fraud",
        "phase": "chargeback",
    }
    told = DisputeNews(
        dispute_id="disp_1",
        charge_id="pay_1",
        currency="INR",
        amount=2_900,
        state=DisputeState.OPENED,
        reason="fraud",
    )
    for kind, phase, wanted in (
        ("created", "chargeback", told),
        ("won", "chargeback", replace(told, state=DisputeState.WON)),
        ("lost", "chargeback", replace(told, state=DisputeState.LOST)),
        ("created", "retrieval", None),
    ):
        raw, headers = razorpay.stand_in.event(f"payment.dispute.{kind}", {"dispute": dispute | {"phase": phase}})
        assert (await razorpay.gateway.read_event(raw, headers, tenant_id="t", now=DAY)).news == wanted
    refund = {"id": "rfnd_1", "payment_id": "pay_1", "amount": 900, "currency": "INR", "status": "processed"}
    refund |= {"notes": {"tallygate_tenant": "t", "tallygate_refund": "r1"}}
    raw, headers = razorpay.stand_in.event("refund.processed", {"refund": refund})
    event = await razorpay.gateway.read_event(raw, headers, tenant_id="t", now=DAY)
    assert isinstance(event.news, RefundNews)
    again = await razorpay.gateway.read_event(raw, headers | {"x-razorpay-event-id": "evt_2"}, tenant_id="t", now=DAY)
    assert again.event_id == event.event_id, "under another unsigned id it is the same event"
    payment = {"id": "pay_1", "amount": 1, "currency": "INR", "status": "captured", "notes": []}
    raw, headers = razorpay.stand_in.event("payment.captured", {"payment": payment})
    event = await razorpay.gateway.read_event(raw, headers, tenant_id="t", now=DAY)
    assert event.news is None, "a payment of nobody here"
