"""AR-07, AR-14: live tenants who are paid through each gateway, as users see it; the houses are stand-ins of theirs."""

import base64
from contextlib import AsyncExitStack, ExitStack

import grpc
import pytest
import pytest_asyncio

from collecting import attempts, books, states
from conftest import testing_settings
from gateway_worlds import CREDENTIALS, TOKENS
from invoicing import catalog, dollars, invoices, run
from stand_ins.http import LOST
from stand_ins.paypal import PayPalStandIn
from stand_ins.razorpay import RazorpayStandIn
from stand_ins.stripe import StripeStandIn
from tallygate.app import Application, create_key, create_tenant
from tallygate.app.gateway_watch import look_at_gateways
from tallygate.settings import BillingSettings
from tallygate_api.v1 import payment_service_pb2 as wire
from tenants import Tenant, after, eventually, failure
from webhooks import post

NAMES = ("fake", "stripe", "paypal", "razorpay")
REAL = NAMES[1:]
_MOST = 36
"""Live tenants, one a test."""


@pytest_asyncio.fixture(scope="module")
async def house(tmp_path_factory):
    """A server to which each gateway's stand-in is the gateway; a live tenant for each, who uses it."""
    directory = tmp_path_factory.mktemp("gateways")
    (directory / "master.key").write_text(base64.b64encode(bytes(32)).decode())
    with ExitStack() as houses:
        stand_ins = {
            "stripe": houses.enter_context(StripeStandIn()),
            "paypal": houses.enter_context(PayPalStandIn()),
            "razorpay": houses.enter_context(RazorpayStandIn()),
        }
        billing = BillingSettings(
            master_key_file=directory / "master.key",
            fake_on_live=True,
            gateway_timeout=8,
            return_url="https://shop.example/paid",
            **{f"{name}_url": stand_in.url for name, stand_in in stand_ins.items()},
        )
        settings = testing_settings(directory / "data", billing=billing)
        server = settings.server.model_copy(update={"http_address": "127.0.0.1:0"})
        settings = settings.model_copy(update={"server": server})
        async with Application(settings):
            pass
        keys = [await _key(settings, f"t{number:02}") for number in range(_MOST)]
        async with AsyncExitStack() as running:
            application = await running.enter_async_context(Application(settings))
            channel = await running.enter_async_context(grpc.aio.insecure_channel(application.grpc_address))
            yield [Tenant(channel, key) for key in keys], stand_ins, settings, application.http_address


async def _key(settings, tenant_id):
    """The key of a live tenant: only the operator makes one, while nothing runs."""
    await create_tenant(settings, tenant_id=tenant_id)
    _, key = await create_key(settings, tenant_id=tenant_id, name="k", scopes={"control", "billing"})
    return key


async def fresh(house):
    tenant = house[0].pop()
    await tenant.apply(catalog({"recurring": {"amount": "29.00"}}))
    return tenant


async def opened(house, name, token):
    """A tenant who uses a gateway, with an account whose first invoice of 29.00 is due to a method."""
    tenant = await fresh(house)
    await tenant.call("SetGateway", name=name, credentials=CREDENTIALS[name])
    await tenant.call("UpsertAccount", account_id="acme")
    await tenant.call("AttachMethod", account_id="acme", token=TOKENS[name][token])
    await tenant.call("CreateSubscription", account_id="acme", plan_key="pro")
    await collected(tenant, 1)
    return tenant


async def collected(tenant, count):
    """Do what is due, and wait for as many attempts to be over: a worker may be at them, too."""

    async def over():
        found = await attempts(tenant)
        return len(found) == count and not {one[0] for one in found} & {"SENDING", "UNKNOWN"}

    await run(tenant)
    await eventually(over, what="every attempt to be over")


@pytest.mark.parametrize("name", NAMES)
async def test_ar_07_an_invoice_is_charged_fails_is_retried_and_is_paid_through_any_gateway(house, name):
    """29.00: refused, tried with another card at once, paid once; the books say so. No step knows which it is."""
    tenant = await opened(house, name, "refused")
    [(state, reason, amount)] = await attempts(tenant)
    assert (state, amount) == ("FAILED", 29.0)
    assert reason
    assert await states(tenant) == [("open", 29.0)]
    assert await books(tenant) == {"account:Receivable": 29.0, "seller:Backlog": -29.0}
    await tenant.call("AttachMethod", account_id="acme", token=TOKENS[name]["pays"], default=True)
    await collected(tenant, 2)
    assert [one[0] for one in await attempts(tenant)] == ["FAILED", "SUCCEEDED"]
    assert await states(tenant) == [("paid", 0.0)]
    assert await books(tenant) == {"gateway:Funds": 29.0, "seller:Backlog": -29.0}
    (method, *_) = (await tenant.call("ListMethods", account_id="acme")).methods
    assert len(method.last4) == 4
    await run(tenant)
    assert len(await attempts(tenant)) == 2


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("fault", ["silent", "broken"])
async def test_ar_07_a_charge_without_an_answer_is_found_out_and_made_once(house, name, fault):
    tenant = await opened(house, name, fault)
    assert await attempts(tenant) == [("SUCCEEDED", "", 29.0)]
    assert await states(tenant) == [("paid", 0.0)]
    assert await books(tenant) == {"gateway:Funds": 29.0, "seller:Backlog": -29.0}


async def test_ar_07_who_must_confirm_is_shown_where(house):
    tenant = await opened(house, "stripe", "waits")
    (attempt,) = (await tenant.call("ListAttempts", account_id="acme")).attempts
    assert attempt.next_action_url.startswith("https://hooks.stripe.com/")
    assert await attempts(tenant) == [("PENDING", "", 29.0)]
    assert await states(tenant) == [("open", 29.0)]


@pytest.mark.parametrize("name", REAL)
async def test_a_method_that_is_detached_is_forgotten_by_its_gateway(house, name):
    """Not while it is only about to be, and not where the account pays by the same token under another id."""
    tenant = await fresh(house)
    await tenant.call("SetGateway", name=name, credentials=CREDENTIALS[name])
    await tenant.call("UpsertAccount", account_id="acme")
    token = TOKENS[name]["later"]
    for method_id in ("one", "two"):
        await tenant.call("AttachMethod", account_id="acme", method_id=method_id, token=token)
    stand_in, gone = house[1][name], token.rpartition("/")[2]
    await tenant.call("DetachMethod", account_id="acme", method_id="one")
    await run(tenant)
    assert gone not in stand_in.gone
    await tenant.call("DetachMethod", account_id="acme", method_id="two")

    async def forgotten():
        await run(tenant)
        return gone in stand_in.gone

    await eventually(forgotten, what="the gateway to forget the token")


def decided(name, stand_in):
    """The last charge is taken there after all, and told: the bytes and their headers."""
    match name:
        case "stripe":
            intent = stand_in.succeed(list(stand_in.intents)[-1])
            return stand_in.event("payment_intent.succeeded", intent, event_id=f"evt_{intent['id']}")
        case "razorpay":
            payment = list(stand_in.payments.values())[-1]
            payment["status"] = "captured"
            return stand_in.event("payment.captured", {"payment": payment})
        case _:
            capture = stand_in.get_capture(None, list(stand_in.captures)[-1]) | {"status": "COMPLETED"}
            return stand_in.event("PAYMENT.CAPTURE.COMPLETED", capture, event_id=f"WH-{capture['id']}")


@pytest.mark.parametrize("name", REAL)
async def test_ar_07_what_takes_days_is_paid_when_its_gateway_says_so_and_not_when_another_does(house, name):
    """29.00 wait; what was tampered with changes nothing; what is signed pays them, told twice once."""
    tenant = await opened(house, name, "takes days")
    assert await attempts(tenant) == [("PENDING", "", 29.0)]
    path = (await tenant.call("ListGateways")).gateways[0].webhook_path
    raw, headers = decided(name, house[1][name])
    tampered = raw.replace(b"2900", b"2901").replace(b"29.00", b"29.01")
    assert tampered != raw
    assert 400 <= (await post(house[3], path, tampered, headers))[0] < 500
    assert await attempts(tenant) == [("PENDING", "", 29.0)]
    for _ in range(2):
        assert (await post(house[3], path, raw, headers))[0] == 200
        assert await attempts(tenant) == [("SUCCEEDED", "", 29.0)]
        assert await states(tenant) == [("paid", 0.0)]
        assert await books(tenant) == {"gateway:Funds": 29.0, "seller:Backlog": -29.0}


async def test_ar_07_a_tenant_changes_its_gateway_and_nothing_else(house):
    """The second account pays through another gateway, by the same calls."""
    tenant = await opened(house, "stripe", "pays")
    await tenant.call("SetGateway", name="razorpay", credentials=CREDENTIALS["razorpay"])
    await tenant.call("UpsertAccount", account_id="other")
    token = TOKENS["razorpay"]["pays"]
    await tenant.call("AttachMethod", account_id="other", gateway="razorpay", token=token)
    await tenant.call("CreateSubscription", account_id="other", plan_key="pro")
    await run(tenant)

    async def both():
        return len((await tenant.call("ListPayments")).payments) == 2

    await eventually(both, what="both to have paid")
    paid = (await tenant.call("ListPayments")).payments
    assert sorted((one.gateway, dollars(one.amount)) for one in paid) == [("razorpay", 29.0), ("stripe", 29.0)]
    assert await books(tenant) == {"gateway:Funds": 58.0, "seller:Backlog": -58.0}


def settle_more(name, stand_in, more):
    """Let the last charge at a gateway be of another amount there, in minor units."""
    match name:
        case "stripe":
            record = list(stand_in.intents.values())[-1]
            record["amount"] += more
        case "razorpay":
            record = list(stand_in.payments.values())[-1]
            record["amount"] += more
        case _:
            record = list(stand_in.captures.values())[-1]
            value = round(float(record["amount"]["value"]) * 100) + more
            record["amount"] = {"currency_code": "USD", "value": f"{value / 100:.2f}"}


@pytest.mark.parametrize("name", REAL)
async def test_ar_14_a_planted_difference_of_ten_dollars_is_reported_and_equal_sets_have_none(house, name):
    tenant = await opened(house, name, "pays")
    start = after((await invoices(tenant, account_id="acme"))[0].issue_time, -60)
    equal = await tenant.call("Reconcile", gateway=name, start_time=start)
    assert (equal.booked, equal.settled, list(equal.differences)) == (1, 1, [])
    settle_more(name, house[1][name], 1_000)
    found = await tenant.call("Reconcile", gateway=name, start_time=start)
    [row] = found.differences
    assert (dollars(row.booked), dollars(row.settled)) == (29.0, 39.0)


def refund_told(name, stand_in, status):
    """What is told of the last refund, which stands so there now."""
    refund = list(stand_in.refunds.values())[-1]
    refund["status"] = status
    match name:
        case "stripe":
            return stand_in.event("refund.updated", refund, event_id=f"evt_{refund['id']}_{status}")
        case "razorpay":
            return stand_in.event(f"refund.{status}", {"refund": refund})
        case _:
            kind = "PAYMENT.REFUND.FAILED" if status == "FAILED" else "PAYMENT.CAPTURE.REFUNDED"
            return stand_in.event(kind, refund, event_id=f"WH-{refund['id']}-{status}")


def dispute_told(name, stand_in, charge_id):
    dispute = stand_in.dispute(charge_id)
    match name:
        case "stripe":
            return stand_in.event("charge.dispute.created", dispute, event_id=f"evt_{dispute['id']}")
        case "razorpay":
            return stand_in.event("payment.dispute.created", {"dispute": dispute})
        case _:
            return stand_in.event("CUSTOMER.DISPUTE.CREATED", dispute, event_id=f"WH-{dispute['dispute_id']}")


@pytest.mark.parametrize("name", REAL)
async def test_what_went_back_through_any_gateway_is_booked_told_and_reconciled(house, name):
    """9.00 of 29.00 wait and arrive when that is told; then the charge is disputed. Each difference is a row."""
    tenant = await opened(house, name, "gives later")
    (invoice,) = await invoices(tenant, account_id="acme")
    start = after(invoice.issue_time, -60)
    nine = {"currency_code": "USD", "units": 9}
    done = await tenant.call("RefundLine", invoice_id=invoice.invoice_id, line=1, amount=nine)
    assert [wire.AttemptState.Name(one.state) for one in done.refunds] == ["ATTEMPT_STATE_PENDING"]
    assert await books(tenant) == {"account:Refunded": -9.0, "gateway:Funds": 29.0, "seller:Backlog": -20.0}
    path, stand_in = (await tenant.call("ListGateways")).gateways[0].webhook_path, house[1][name]
    raw, headers = refund_told(name, stand_in, {"paypal": "COMPLETED", "razorpay": "processed"}.get(name, "succeeded"))
    [unknown] = (await tenant.call("Reconcile", gateway=name, start_time=start)).differences
    assert (unknown.kind, dollars(unknown.booked), dollars(unknown.settled)) == (wire.SETTLEMENT_KIND_REFUND, 0, 9.0)
    for _ in range(2):
        assert (await post(house[3], path, raw, headers))[0] == 200
        assert await books(tenant) == {"gateway:Funds": 20.0, "seller:Backlog": -20.0}
    equal = await tenant.call("Reconcile", gateway=name, start_time=start)
    assert (equal.booked, equal.settled, list(equal.differences)) == (2, 2, [])
    (payment,) = (await tenant.call("ListPayments", account_id="acme")).payments
    raw, headers = dispute_told(name, stand_in, payment.gateway_id)
    [unknown] = (await tenant.call("Reconcile", gateway=name, start_time=start)).differences
    assert (unknown.kind, dollars(unknown.booked), dollars(unknown.settled)) == (wire.SETTLEMENT_KIND_DISPUTE, 0, 29.0)
    assert (await post(house[3], path, raw, headers))[0] == 200
    equal = await tenant.call("Reconcile", gateway=name, start_time=start)
    assert (equal.booked, equal.settled, list(equal.differences)) == (3, 3, [])
    told = (await tenant.call("ListGatewayEvents", gateway=name)).events
    assert [wire.GatewayEventState.Name(one.state) for one in told] == ["GATEWAY_EVENT_STATE_APPLIED"] * 2
    (one,) = (await tenant.call("ListGatewayEvents", subject=done.refunds[0].refund_id)).events
    assert "refund" in one.kind.lower()
    if name == "stripe":
        list(stand_in.disputes.values())[-1]["balance_transactions"][0]["fee"] += 500
        [row] = (await tenant.call("Reconcile", gateway=name, start_time=start)).differences
        assert (dollars(row.booked_fee), dollars(row.settled_fee)) == (15.0, 20.0)


@pytest.mark.parametrize("name", REAL)
async def test_a_refund_that_was_pending_and_fails_is_kept_in_the_wallet(house, name):
    tenant = await opened(house, name, "gives later")
    (invoice,) = await invoices(tenant, account_id="acme")
    await tenant.call("RefundLine", invoice_id=invoice.invoice_id, line=1)
    path = (await tenant.call("ListGateways")).gateways[0].webhook_path
    raw, headers = refund_told(name, house[1][name], "FAILED" if name == "paypal" else "failed")
    assert (await post(house[3], path, raw, headers))[0] == 200
    (refund,) = (await tenant.call("ListRefunds", account_id="acme")).refunds
    assert (refund.state, bool(refund.reason)) == (wire.ATTEMPT_STATE_FAILED, True)
    assert await books(tenant) == {"account:Liability": -29.0, "gateway:Funds": 29.0}


@pytest.mark.parametrize("name", REAL)
async def test_what_a_gateway_must_be_told_is_asked_for_by_name(house, name):
    tenant = await fresh(house)
    first = next(iter(CREDENTIALS[name]))
    code, reason = await failure(tenant.call("SetGateway", name=name))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    wrong = {**CREDENTIALS[name], first: "nothing of theirs!"}
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await tenant.call("SetGateway", name=name, credentials=wrong)
    assert f"credentials[{first}]" in str(raised.value)
    assert "nothing of theirs" not in str(raised.value)
    assert not (await tenant.call("ListGateways")).gateways


async def test_doctor_says_which_gateway_does_not_know_a_tenant(house):
    """One that knows its tenant, one that does not, one that is away; the secret is in none of what is said."""
    good, stranger, away = [await fresh(house) for _ in range(3)]
    await good.call("SetGateway", name="stripe", credentials=CREDENTIALS["stripe"])
    wrong = {"key_id": "rzp_live_5150notthekey", "key_secret": "anothersecretthatiswrong"}
    await stranger.call("SetGateway", name="razorpay", credentials=wrong)
    await away.call("SetGateway", name="paypal", credentials=CREDENTIALS["paypal"])
    stand_ins, settings = house[1], house[2]
    stand_ins["paypal"].fault(LOST, path="/v1/oauth2/token")
    told = {one.name: one for one in await look_at_gateways(settings)}
    shown = {(one.name.split()[1], one.ok, one.detail) for one in told.values()}
    assert ("stripe", True, "it knows the tenant") in shown
    assert ("razorpay", False, "it does not know the credentials") in shown
    assert ("paypal", False, "it does not answer") in shown
    assert "anothersecret" not in str(told)
    deaf = settings.model_copy(update={"server": settings.server.model_copy(update={"http_address": ""})})
    silent = await fresh(house)
    key = {"key_id": CREDENTIALS["razorpay"]["key_id"], "key_secret": CREDENTIALS["razorpay"]["key_secret"]}
    await silent.call("SetGateway", name="razorpay", credentials=key)
    for chosen, problem in ((settings, "no webhook_secret was given"), (deaf, "this process does not listen")):
        found = [one for one in await look_at_gateways(chosen) if one.name.startswith("webhooks of ")]
        assert found
        assert all(problem in one.detail and not one.ok and one.fix for one in found)
