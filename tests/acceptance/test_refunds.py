"""Row DJ-35: what was paid for a line goes back as it came, once, and never more than there is. Figures by hand."""

import grpc
import pytest

from collecting import books, open_house, states
from invoicing import DAY, catalog, dollars, invoices, lines, month_ahead, run, thirty_days
from tallygate_api.v1 import payment_service_pb2 as wire
from tenants import Tenant, after, failure

EXCEEDS = (grpc.StatusCode.FAILED_PRECONDITION, "CREDIT_EXCEEDS_LINE")
HOUR = 3_600


def usd(text):
    units, _, cents = text.partition(".")
    return {"currency_code": "USD", "units": int(units), "nanos": int(cents or 0) * 10**7}


async def refunded(tenant, amount="", *, line=1, **more):
    (invoice, *_) = await invoices(tenant, account_id="acme")
    asked = {"invoice_id": invoice.invoice_id, "line": line, **({"amount": usd(amount)} if amount else {})}
    return await tenant.call("RefundLine", **asked, **more)


def told(response):
    """Each part: its kind, state and amount."""
    return [
        (
            wire.RefundKind.Name(one.kind).removeprefix("REFUND_KIND_"),
            wire.AttemptState.Name(one.state).removeprefix("ATTEMPT_STATE_"),
            dollars(one.amount),
        )
        for one in response.refunds
    ]


async def test_dj_35_a_line_is_refunded_in_part_and_never_twice(tenant: Tenant):
    """Two lines of 29.00 and 10.00: 9.00 of the first, then the rest of it; nothing is left to refund, 10.00 is."""
    await month_ahead(tenant)
    prices = [{"recurring": {"amount": "29.00"}}, {"key": "help", "recurring": {"amount": "10.00", "label": "Help"}}]
    await tenant.apply(catalog(*prices))
    await tenant.call("SetGateway", name="fake")
    await tenant.call("UpsertAccount", account_id="acme")
    await tenant.call("AttachMethod", account_id="acme", token="fake_ok")
    await tenant.call("CreateSubscription", account_id="acme", plan_key="pro")
    await run(tenant)
    (invoice,) = (await tenant.call("ListInvoices", account_id="acme")).invoices
    full = (await tenant.call("GetInvoice", invoice_id=invoice.invoice_id)).invoice
    line = [dollars(one.amount) for one in full.lines].index(29.0) + 1
    first = await refunded(tenant, "9.00", line=line, refund_id="rf-1", reason="slow")
    assert told(first) == [("GATEWAY", "SUCCEEDED", 9.0)]
    assert first.refunds[0].gateway_id
    assert (dollars(first.credit_note.total), dollars(first.invoice.returned)) == (-9.0, 9.0)
    assert await books(tenant) == {"gateway:Funds": 30.0, "seller:Backlog": -30.0}
    again = await refunded(tenant, "9.00", line=line, refund_id="rf-1")
    assert (again.credit_note, list(again.refunds)) == (first.credit_note, list(first.refunds))
    assert await failure(refunded(tenant, "20.01", line=line)) == EXCEEDS
    assert told(await refunded(tenant, line=line)) == [("GATEWAY", "SUCCEEDED", 20.0)]
    assert await failure(refunded(tenant, line=line)) == EXCEEDS, "a line was refunded twice"
    assert await failure(refunded(tenant, "9.00", line=line)) == EXCEEDS
    assert await states(tenant) == [("paid", 0.0)] * 3
    assert await books(tenant) == {"gateway:Funds": 10.0, "seller:Backlog": -10.0}
    listed = (await tenant.call("ListRefunds", account_id="acme")).refunds
    assert sorted(dollars(one.amount) for one in listed) == [9.0, 20.0]
    for one in (await tenant.call("ListInvoices", account_id="acme")).invoices:
        assert (await tenant.call("VerifyInvoice", invoice_id=one.invoice_id)).same


async def test_dj_35_parts_return_as_they_came(tenant: Tenant):
    """29.00: 4.00 from the wallet, 10.00 in cash, 15.00 by card. 14.50 are half of each; the rest is the other half."""
    await open_house(tenant, billing={"payment": {"collect": "manual"}})
    (invoice,) = await invoices(tenant, account_id="acme")
    await tenant.call("AddWalletCredit", account_id="acme", amount=usd("4.00"))
    await tenant.call("RecordOffline", account_id="acme", amount=usd("10.00"))
    await tenant.call("AttachMethod", account_id="acme", token="fake_ok")
    await tenant.call("Pay", invoice_id=invoice.invoice_id)
    for _ in range(2):
        half = await refunded(tenant, "14.50")
        parts = [("GATEWAY", "SUCCEEDED", 7.5), ("OFFLINE", "SUCCEEDED", 5.0), ("WALLET", "SUCCEEDED", 2.0)]
        assert sorted(told(half)) == parts
    assert await books(tenant) == {"account:Liability": -4.0, "seller:Expenses": 4.0}
    wallet = await tenant.call("GetWallet", account_id="acme")
    assert [dollars(one) for one in wallet.balances] == [4.0]


async def test_dj_35_a_refund_is_refused_where_funds_are_short(tenant: Tenant):
    """Another account's dispute has taken 29.00 and 15.00 of the 58.00: of 29.00 no more than 14.00 are there."""
    await open_house(tenant, "fake_ok")
    await tenant.call("UpsertAccount", account_id="globex")
    await tenant.call("AttachMethod", account_id="globex", token="fake_ok")
    await tenant.call("CreateSubscription", account_id="globex", plan_key="pro")
    await run(tenant)
    (payment,) = (await tenant.call("ListPayments", account_id="globex")).payments
    await tenant.call("RecordDispute", payment_id=payment.payment_id, dispute_id="dp")
    assert await failure(refunded(tenant)) == (grpc.StatusCode.FAILED_PRECONDITION, "FUNDS_SHORT")
    assert await failure(refunded(tenant, "14.01")) == (grpc.StatusCode.FAILED_PRECONDITION, "FUNDS_SHORT")
    assert told(await refunded(tenant, "14.00")) == [("GATEWAY", "SUCCEEDED", 14.0)]
    await books(tenant)


async def test_a_disputed_payment_is_not_refunded_as_well(tenant: Tenant):
    await open_house(tenant, "fake_ok")
    (payment,) = (await tenant.call("ListPayments", account_id="acme")).payments
    dispute = {"payment_id": payment.payment_id, "dispute_id": "dp", "fee": usd("0.00")}
    await tenant.call("RecordDispute", **dispute)
    assert await failure(refunded(tenant, "1.00")) == EXCEEDS
    await tenant.call("RecordDispute", **dispute, state="DISPUTE_STATE_WON")
    assert told(await refunded(tenant)) == [("GATEWAY", "SUCCEEDED", 29.0)]
    assert await books(tenant) == {}


async def test_only_what_was_paid_goes_back(tenant: Tenant):
    """9.00 of 29.00 are paid: as much can be refunded, and what is due stays."""
    await open_house(tenant)
    assert await failure(refunded(tenant, "1.00")) == EXCEEDS
    await tenant.call("RecordOffline", account_id="acme", amount=usd("9.00"))
    assert await failure(refunded(tenant, "9.01")) == EXCEEDS
    assert told(await refunded(tenant, "9.00")) == [("OFFLINE", "SUCCEEDED", 9.0)]
    assert (await states(tenant))[0] == ("open", 20.0)
    assert await books(tenant) == {"account:Receivable": 20.0, "seller:Backlog": -20.0}


async def test_what_a_gateway_does_not_give_back_is_kept_in_the_wallet(tenant: Tenant):
    """And pays the next month, of which 9.00 are left for the card."""
    await open_house(tenant, "fake_refund_decline")
    done = await refunded(tenant, "20.00")
    assert told(done) == [("GATEWAY", "FAILED", 20.0)]
    assert done.refunds[0].reason == "cannot_be_given_back"
    told_of = [one for one in (await tenant.call("ListMessages")).messages if one.type.startswith("payment.refund")]
    assert [(one.type, one.facts["amount"]) for one in told_of] == [("payment.refund_failed", "20.00")]
    assert await books(tenant) == {"account:Liability": -20.0, "gateway:Funds": 29.0, "seller:Backlog": -9.0}
    note = (await tenant.call("GetInvoice", invoice_id=done.credit_note.invoice_id)).invoice
    assert (dollars(note.wallet), dollars(note.paid), dollars(note.due)) == (-20.0, 0.0, 0.0)
    await tenant.advance(31 * DAY)
    await run(tenant)
    paid = (await tenant.call("ListPayments", account_id="acme")).payments
    assert [dollars(one.amount) for one in paid] == [9.0, 29.0]
    await books(tenant)


@pytest.mark.parametrize(
    ("token", "first"),
    [("fake_refund_timeout", "UNKNOWN"), ("fake_refund_timeout_before", "UNKNOWN"), ("fake_refund_pending", "PENDING")],
)
async def test_what_is_not_known_of_a_refund_is_found_out(tenant: Tenant, token, first):
    """Until then it is owed back; it arrives once, whether the gateway had heard of it or not."""
    await open_house(tenant, token)
    assert told(await refunded(tenant, "20.00", refund_id="rf")) == [("GATEWAY", first, 20.0)]
    assert await books(tenant) == {"account:Refunded": -20.0, "gateway:Funds": 29.0, "seller:Backlog": -9.0}
    assert await failure(refunded(tenant, "9.01")) == EXCEEDS, "what is on its way could be refunded again"
    await tenant.advance(2 * HOUR)
    await run(tenant)
    assert told(await refunded(tenant, "20.00", refund_id="rf")) == [("GATEWAY", "SUCCEEDED", 20.0)]
    assert await books(tenant) == {"gateway:Funds": 9.0, "seller:Backlog": -9.0}


@pytest.mark.parametrize(("token", "days", "last"), [("later", 1, "SUCCEEDED"), ("later_9", 5, "FAILED")])
async def test_what_is_refused_for_now_is_asked_for_again_by_day(tenant: Tenant, token, days, last):
    """20.00 are owed back meanwhile; refused on five more days they are the account's, in its wallet."""
    await open_house(tenant, f"fake_refund_{token}")
    done = await refunded(tenant, "20.00", refund_id="rf")
    for _ in range(days):
        assert told(done) == [("GATEWAY", "PENDING", 20.0)]
        assert done.refunds[0].reason == "insufficient_funds"
        assert (await books(tenant))["account:Refunded"] == -20.0
        await tenant.advance(DAY)
        await run(tenant)
        done = await refunded(tenant, "20.00", refund_id="rf")
    assert told(done) == [("GATEWAY", last, 20.0)]
    kept = {"gateway:Funds": 9.0} if last == "SUCCEEDED" else {"account:Liability": -20.0, "gateway:Funds": 29.0}
    assert await books(tenant) == {**kept, "seller:Backlog": -9.0}


async def half_a_month(tenant, *, method="fake_ok", given=""):
    """30.00 for 30 days, paid by card but for what was given; half of them are over."""
    start = await thirty_days(tenant)
    await tenant.apply(catalog({"recurring": {"amount": "30.00"}}))
    await tenant.call("SetGateway", name="fake")
    await tenant.call("UpsertAccount", account_id="acme")
    if given:
        await tenant.call("AddWalletCredit", account_id="acme", amount=usd(given))
    await tenant.call("AttachMethod", account_id="acme", token=method)
    await tenant.call("CreateSubscription", account_id="acme", plan_key="pro")
    await run(tenant)
    await tenant.advance_to(after(start, 15 * DAY))


NOW = {"account_id": "acme", "when": "CHANGE_WHEN_NOW", "refund": True}


async def test_an_end_with_refund_pays_back_what_it_credits(tenant: Tenant):
    """15.00 of 30.00 are on the card again; the preview had said so."""
    await half_a_month(tenant)
    shown = await tenant.call("PreviewChange", cancel=NOW)
    done = await tenant.call("CancelSubscription", **NOW)
    (note,) = done.invoices
    assert [(line.text, dollars(line.amount)) for line in shown.invoices[0].lines] == await lines(tenant, note)
    assert (dollars(note.total), dollars(note.paid), dollars(note.wallet)) == (-15.0, -15.0, 0.0)
    (refund,) = (await tenant.call("ListRefunds", account_id="acme")).refunds
    assert (dollars(refund.amount), refund.state) == (15.0, wire.ATTEMPT_STATE_SUCCEEDED)
    assert refund.credit_note_id == note.invoice_id
    assert await books(tenant) == {"gateway:Funds": 15.0, "seller:Backlog": -15.0}
    await tenant.advance(40 * DAY)
    await run(tenant)
    assert len(await invoices(tenant, account_id="acme")) == 2
    assert await failure(refunded(tenant, "15.01")) == EXCEEDS
    for one in await invoices(tenant, account_id="acme"):
        assert (await tenant.call("VerifyInvoice", invoice_id=one.invoice_id)).same


async def test_an_end_with_refund_leaves_to_the_wallet_what_it_had_given(tenant: Tenant):
    """10.00 of 30.00 were given: of 15.00 a third stays in the wallet."""
    await half_a_month(tenant, given="10.00")
    await tenant.call("CancelSubscription", **NOW)
    wallet = await tenant.call("GetWallet", account_id="acme")
    assert [dollars(one) for one in wallet.balances] == [5.0]
    (refund,) = (await tenant.call("ListRefunds", account_id="acme")).refunds
    assert dollars(refund.amount) == 10.0
    await books(tenant)


async def test_an_end_with_a_refund_that_does_not_arrive_keeps_it_in_the_wallet(tenant: Tenant):
    await half_a_month(tenant, method="fake_refund_decline")
    await tenant.call("CancelSubscription", **NOW)
    wallet = await tenant.call("GetWallet", account_id="acme")
    assert [dollars(one) for one in wallet.balances] == [15.0]
    assert await books(tenant) == {"account:Liability": -15.0, "gateway:Funds": 30.0, "seller:Backlog": -15.0}


async def test_only_an_end_now_is_paid_back(tenant: Tenant):
    await half_a_month(tenant)
    for when in ("CHANGE_WHEN_PERIOD_END", "CHANGE_WHEN_UNSPECIFIED"):
        refused = await failure(tenant.call("CancelSubscription", **{**NOW, "when": when}))
        assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")


async def test_a_wallet_is_topped_up_by_card_and_pays_what_is_open_first(tenant: Tenant):
    """50.00: 29.00 are due, 21.00 are kept; the next month costs the card 8.00."""
    await open_house(tenant, billing={"payment": {"collect": "manual"}})
    await tenant.call("AttachMethod", account_id="acme", token="fake_ok")
    for _ in range(2):
        done = await tenant.call("TopUp", account_id="acme", amount=usd("50.00"), attempt_id="top")
        assert done.attempt.state == wire.ATTEMPT_STATE_SUCCEEDED
    assert await states(tenant) == [("paid", 0.0)]
    assert await books(tenant) == {"account:Liability": -21.0, "gateway:Funds": 50.0, "seller:Backlog": -29.0}
    refused = await failure(tenant.call("TopUp", account_id="acme", amount=usd("51.00"), attempt_id="top"))
    assert refused[1] == "ALREADY_EXISTS"
    await tenant.advance(31 * DAY)
    await run(tenant)
    assert (await states(tenant))[-1] == ("open", 8.0)
    await books(tenant)


@pytest.mark.parametrize("token", ["fake_timeout", "fake_timeout_before"])
async def test_a_top_up_without_an_answer_is_found_out_and_taken_once(tenant: Tenant, token):
    await open_house(tenant, billing={"payment": {"collect": "manual"}})
    await tenant.call("AttachMethod", account_id="acme", token=token)
    done = await tenant.call("TopUp", account_id="acme", amount=usd("50.00"), attempt_id="top")
    assert done.attempt.state == wire.ATTEMPT_STATE_UNKNOWN
    refused = await failure(tenant.call("TopUp", account_id="acme", amount=usd("1.00")))
    assert refused[1] == "PAYMENT_IN_FLIGHT"
    await tenant.advance(2 * HOUR)
    await run(tenant)
    assert await books(tenant) == {"account:Liability": -21.0, "gateway:Funds": 50.0, "seller:Backlog": -29.0}
