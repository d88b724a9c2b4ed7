"""Row DJ-35: what a payer's bank takes back, what it costs, and who has the money in the end. Figures by hand."""

import grpc
import pytest

from collecting import attempts, books, open_house, states
from invoicing import DAY, dollars, run
from tallygate_api.v1 import payment_service_pb2 as wire
from tenants import Tenant, failure

USD = {"currency_code": "USD"}


async def paid(tenant, *tokens, **more):
    """An account whose invoice of 29.00 a gateway took; the payment's id."""
    await open_house(tenant, *(tokens or ("fake_ok",)), **more)
    (payment,) = (await tenant.call("ListPayments", account_id="acme")).payments
    return payment.payment_id


async def told(tenant):
    """What was told of payments, in order."""
    found = (await tenant.call("ListMessages", account_id="acme")).messages
    return [one.type for one in found if one.type.startswith("payment.")]


async def disputed(tenant, payment_id, state="OPENED", **more):
    return (
        await tenant.call(
            "RecordDispute",
            **{"payment_id": payment_id, "dispute_id": "dp_1", "state": f"DISPUTE_STATE_{state}", **more},
        )
    ).dispute


async def test_dj_35_a_chargeback_takes_the_money_and_a_fee_of_15_dollars(tenant: Tenant):
    """29.00 and 15.00 are gone from the gateway: it owes us 15.00 less than nothing. The invoice stays paid."""
    dispute = await disputed(tenant, await paid(tenant), reason="fraudulent")
    assert (dollars(dispute.amount), dollars(dispute.fee), dispute.reason) == (29.0, 15.0, "fraudulent")
    assert dispute.state == wire.DISPUTE_STATE_OPENED
    assert await states(tenant) == [("paid", 0.0)]
    assert await books(tenant) == {
        "gateway:Funds": -15.0,
        "seller:Backlog": -29.0,
        "seller:Chargeback": 29.0,
        "seller:Expenses": 15.0,
    }


async def test_a_dispute_is_of_what_did_not_go_back_unless_it_says_otherwise(tenant: Tenant):
    """9.00 of 29.00 were refunded: 20.00 are taken back, whoever says it how often."""
    payment_id = await paid(tenant)
    (invoice,) = (await tenant.call("ListInvoices", account_id="acme")).invoices
    await tenant.call("RefundLine", invoice_id=invoice.invoice_id, line=1, amount={**USD, "units": 9})
    for state in ("OPENED", "WON"):
        assert dollars((await disputed(tenant, payment_id, state)).amount) == 20.0
    assert await books(tenant) == {"gateway:Funds": 5.0, "seller:Backlog": -20.0, "seller:Expenses": 15.0}


async def test_dj_35_a_dispute_that_is_won_is_reverted_but_for_its_fee(tenant: Tenant):
    payment_id = await paid(tenant)
    await disputed(tenant, payment_id)
    won = await disputed(tenant, payment_id, "WON")
    assert won.state == wire.DISPUTE_STATE_WON
    assert won.HasField("end_time")
    assert await states(tenant) == [("paid", 0.0)]
    assert await books(tenant) == {"gateway:Funds": 14.0, "seller:Backlog": -29.0, "seller:Expenses": 15.0}


async def test_dj_35_a_dispute_that_is_lost_leaves_the_invoice_to_be_paid(tenant: Tenant):
    """The card is not charged again by itself, however often it would be tried; another one is, at once."""
    payment_id = await paid(tenant)
    lost = await disputed(tenant, payment_id, "LOST")
    (invoice,) = (await tenant.call("ListInvoices", account_id="acme")).invoices
    assert [(share.invoice_id, dollars(share.amount)) for share in lost.shares] == [(invoice.invoice_id, 29.0)]
    assert await states(tenant) == [("open", 29.0)]
    assert await told(tenant) == ["payment.succeeded", "payment.disputed", "payment.dispute_lost"]
    owed = {"gateway:Funds": -15.0, "seller:Backlog": -29.0, "seller:Expenses": 15.0, "account:Receivable": 29.0}
    assert await books(tenant) == owed
    collected = await tenant.call("GetCollection", account_id="acme")
    (case,) = collected.cases
    assert (case.retries, case.HasField("retry_time")) == (0, False), "nothing is tried by itself"
    assert case.obstacle == wire.RETRY_OBSTACLE_METHOD_REFUSED
    await tenant.advance(22 * DAY)
    await run(tenant)
    assert len(await attempts(tenant)) == 1, "a card whose holder disputed a charge was charged again"
    await tenant.call("AttachMethod", account_id="acme", method_id="other", token="fake_ok_2", default=True)
    await run(tenant)
    assert await attempts(tenant) == [("SUCCEEDED", "", 29.0)] * 2
    assert await states(tenant) == [("paid", 0.0)]
    assert list((await tenant.call("GetCollection", account_id="acme")).cases) == []


async def test_what_a_lost_dispute_reopened_can_be_forgiven(tenant: Tenant):
    """The 29.00 came and went, and 15.00 with them: void, the invoice leaves nothing else."""
    await disputed(tenant, await paid(tenant), "LOST")
    (invoice,) = (await tenant.call("ListInvoices", account_id="acme")).invoices
    await tenant.call("VoidInvoice", invoice_id=invoice.invoice_id)
    assert await states(tenant) == [("void", 0.0)]
    assert await books(tenant) == {"gateway:Funds": -15.0, "seller:Expenses": 15.0}


async def test_what_is_told_again_or_late_changes_nothing(tenant: Tenant):
    payment_id = await paid(tenant)
    lost = await disputed(tenant, payment_id, "LOST")
    known = await books(tenant)
    for state in ("LOST", "OPENED"):
        assert await disputed(tenant, payment_id, state) == lost
    refused = await failure(disputed(tenant, payment_id, "WON"))
    assert refused == (grpc.StatusCode.ALREADY_EXISTS, "ALREADY_EXISTS")
    assert await books(tenant) == known
    (listed,) = (await tenant.call("ListDisputes", account_id="acme")).disputes
    assert listed == lost
    assert list((await tenant.call("ListDisputes", account_id="other")).disputes) == []


async def test_what_the_wallet_has_pays_at_once_what_a_lost_dispute_reopens(tenant: Tenant):
    """29.00 again, of which 9.00 are there: 20.00 are due."""
    payment_id = await paid(tenant)
    await tenant.call("AddWalletCredit", account_id="acme", amount={**USD, "units": 9})
    await disputed(tenant, payment_id, "LOST")
    assert await states(tenant) == [("open", 20.0)]
    await books(tenant)


@pytest.mark.parametrize(("fee", "taken"), [({**USD, "units": 0}, 0.0), ({**USD, "units": 7}, 7.0), (None, 20.0)])
async def test_the_fee_is_the_gateways_else_the_catalogues(tenant: Tenant, fee, taken):
    payment_id = await paid(tenant, billing={"payment": {"dispute_fee": "20.00"}})
    dispute = await disputed(tenant, payment_id, amount={**USD, "units": 10}, **({} if fee is None else {"fee": fee}))
    assert (dollars(dispute.amount), dollars(dispute.fee)) == (10.0, taken)
    assert (await books(tenant))["gateway:Funds"] == 29.0 - 10.0 - taken


async def test_only_what_a_gateway_took_can_be_disputed(tenant: Tenant):
    payment_id = await paid(tenant)
    offline = await tenant.call("RecordOffline", account_id="acme", amount={**USD, "units": 5}, payment_id="cash")
    for asked, reason in [
        ({"payment_id": offline.payment.payment_id}, "PAYMENT_NOT_FOUND"),
        ({"payment_id": payment_id, "amount": {**USD, "units": 30}}, "INVALID_FIELD"),
        ({"payment_id": payment_id, "amount": {**USD, "units": 0}}, "INVALID_FIELD"),
        ({"payment_id": payment_id, "fee": {**USD, "units": -1}}, "INVALID_FIELD"),
        ({"payment_id": payment_id, "amount": {"currency_code": "EUR", "units": 1}}, "CURRENCY_MISMATCH"),
        ({"payment_id": payment_id, "reason": "x" * 201}, "INVALID_FIELD"),
    ]:
        assert (await failure(disputed(tenant, **asked)))[1] == reason
    assert list((await tenant.call("ListDisputes")).disputes) == []
