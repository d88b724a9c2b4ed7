"""Credit notes that somebody asks for, and lines that are disputed before they are due (MN-08). Figures by hand."""

import grpc
import pytest

from collecting import attempts, books, open_house, states
from invoicing import DAY, catalog, dollars, invoices, lines, month_ahead, run, thirty_days
from tallygate_api.v1 import invoice_pb2
from tenants import Tenant, after, failure

EXCEEDS = (grpc.StatusCode.FAILED_PRECONDITION, "CREDIT_EXCEEDS_LINE")


def usd(text):
    units, _, cents = text.partition(".")
    return {"currency_code": "USD", "units": int(units), "nanos": int(cents or 0) * 10**7}


async def credited(tenant, *wanted, invoice=None, **more):
    """Credit lines of an invoice, the last one where none is named: (line, amount) each, or all that is left."""
    invoice = invoice or (await invoices(tenant, account_id="acme"))[-1]
    asked = [{"line": line, **({"amount": usd(amount)} if amount else {})} for line, amount in wanted]
    return await tenant.call("CreateCreditNote", invoice_id=invoice.invoice_id, lines=asked, **more)


async def same(tenant):
    """Every document comes out the same when it is made once more."""
    for invoice in await invoices(tenant, account_id="acme"):
        verified = await tenant.call("VerifyInvoice", invoice_id=invoice.invoice_id)
        assert verified.same, verified


async def test_mn_08_a_line_disputed_in_the_week_of_review_is_not_charged(tenant: Tenant):
    """Issued on the 25th over 64.00, due on the 2nd: without the 15.00 that were disputed 49.00 are charged."""
    start = await month_ahead(tenant)
    await tenant.advance_to(after(start, 24 * DAY))
    prices = [{"recurring": {"amount": "49.00"}}, {"key": "help", "recurring": {"amount": "15.00", "label": "Help"}}]
    rule = {"every": "month", "anchor": "calendar", "day": 25}
    await tenant.apply(catalog(*prices, billing_rule=rule, billing={"payment": {"due": {"day_of_month": 2}}}))
    await tenant.call("SetGateway", name="fake")
    await tenant.call("UpsertAccount", account_id="acme")
    await tenant.call("AttachMethod", account_id="acme", token="fake_ok")
    await tenant.call("CreateSubscription", account_id="acme", plan_key="pro")
    await run(tenant)
    (invoice,) = await invoices(tenant, account_id="acme")
    assert dollars(invoice.due) == 64.0
    number = [text for text, _ in await lines(tenant, invoice)].index("Help") + 1
    await tenant.advance(3 * DAY)
    asked = {"invoice_id": invoice.invoice_id, "line": number, "reason": "nobody helped"}
    disputed = await tenant.call("DisputeLine", **asked)
    assert (dollars(disputed.invoice.due), dollars(disputed.invoice.credited)) == (49.0, 15.0)
    assert [line.text for line in disputed.credit_note.lines] == ["Credit: Help (nobody helped)"]
    assert await attempts(tenant) == []
    await tenant.advance(8 * DAY)
    await run(tenant)
    assert await attempts(tenant) == [("SUCCEEDED", "", 49.0)]
    refused = await failure(tenant.call("DisputeLine", invoice_id=invoice.invoice_id, line=3 - number))
    assert refused == (grpc.StatusCode.FAILED_PRECONDITION, "REVIEW_OVER")
    await books(tenant)
    await same(tenant)


async def test_a_note_takes_off_what_is_due_and_has_a_number_of_its_own(tenant: Tenant):
    await open_house(tenant)
    done = await credited(tenant, (1, "10.00"), credit_id="cn-1", reason="it was slow")
    note = done.credit_note
    assert note.kind == invoice_pb2.INVOICE_KIND_CREDIT_NOTE
    assert note.number.startswith("CN-")
    assert note.number.endswith("000001")
    assert note.credits_invoice_id == done.invoice.invoice_id
    read = (await tenant.call("GetInvoice", invoice_id=note.invoice_id)).invoice
    (message,) = (await tenant.call("ListMessages", account_id="acme", type="credit_note.created")).messages
    for told in (read, message.invoice):
        assert [one.number for one in told.credited_invoices] == [done.invoice.number]
        assert [one.invoice_id for one in told.credited_invoices] == [done.invoice.invoice_id]
    assert (dollars(note.total), dollars(note.due), dollars(note.credited)) == (-10.0, 0.0, -10.0)
    assert await states(tenant) == [("open", 19.0), ("paid", 0.0)]
    assert await books(tenant) == {"account:Receivable": 19.0, "seller:Backlog": -19.0}
    assert await credited(tenant, (1, "10.00"), invoice=done.invoice, credit_id="cn-1") == done
    for asked in ([(1, "11.00")], [(1, "10.00"), (1, "1.00")]):
        refused = await failure(credited(tenant, *asked, invoice=done.invoice, credit_id="cn-1"))
        assert refused[1] == "ALREADY_EXISTS"
    await same(tenant)


async def test_notes_of_a_line_never_give_back_more_than_it_came_to(tenant: Tenant):
    """29.00 in 10.00 and 18.99; then 0.01 is left, and after it nothing."""
    await open_house(tenant)
    (invoice,) = await invoices(tenant, account_id="acme")
    assert await failure(credited(tenant, (1, "29.01"), invoice=invoice)) == EXCEEDS
    for amount in ("10.00", "18.99"):
        await credited(tenant, (1, amount), invoice=invoice)
    assert await failure(credited(tenant, (1, "0.02"), invoice=invoice)) == EXCEEDS
    last = await credited(tenant, invoice=invoice)
    assert dollars(last.credit_note.total) == -0.01
    assert last.invoice.state == invoice_pb2.INVOICE_STATE_PAID
    assert await failure(credited(tenant, invoice=invoice)) == EXCEEDS
    for wanted in ([(2, "1.00")], [(1, "0.00")]):
        assert (await failure(credited(tenant, *wanted, invoice=invoice)))[1] == "INVALID_FIELD"
    note = (await invoices(tenant, account_id="acme"))[-1]
    assert (await failure(credited(tenant, invoice=note)))[1] == "INVOICE_FINAL"
    assert await books(tenant) == {}
    await same(tenant)


async def test_what_was_paid_is_kept_in_the_wallet_for_what_comes(tenant: Tenant):
    """10.00 of 29.00 that were paid: the next month costs 19.00."""
    await open_house(tenant, "fake_ok")
    done = await credited(tenant, (1, "10.00"))
    assert (dollars(done.credit_note.wallet), dollars(done.invoice.returned)) == (-10.0, 10.0)
    assert await books(tenant) == {"account:Liability": -10.0, "gateway:Funds": 29.0, "seller:Backlog": -19.0}
    await tenant.advance(31 * DAY)
    await run(tenant)
    assert [amount for _, _, amount in await attempts(tenant)] == [29.0, 19.0]
    await books(tenant)
    await same(tenant)


async def test_what_is_income_already_is_given_back_as_such(tenant: Tenant):
    """The month is over: 29.00 are income, and giving them back leaves that as it was."""
    await open_house(tenant)
    (invoice,) = await invoices(tenant, account_id="acme")
    await tenant.call("CancelSubscription", account_id="acme", when="CHANGE_WHEN_PERIOD_END")
    await tenant.advance(35 * DAY)
    await run(tenant)
    await credited(tenant, (1, "9.00"), invoice=invoice)
    assert await books(tenant) == {"account:Receivable": 20.0, "seller:Income": -29.0, "seller:Refund": 9.0}


@pytest.mark.parametrize(("by_hand", "left"), [("20.00", 10.0), ("10.00", 15.0), ("30.00", 0.0)])
async def test_a_change_credits_no_more_than_was_left_by_hand(tenant: Tenant, by_hand, left):
    """30.00 for 30 days, ended after 15 of them: half of it, as far as it was not given back before."""
    start = await thirty_days(tenant)
    await tenant.apply(catalog({"recurring": {"amount": "30.00"}}))
    await tenant.call("UpsertAccount", account_id="acme")
    await tenant.call("CreateSubscription", account_id="acme", plan_key="pro")
    await run(tenant)
    (invoice,) = await invoices(tenant, account_id="acme")
    await tenant.call("RecordOffline", account_id="acme", amount=usd("30.00"))
    await credited(tenant, (1, by_hand), invoice=invoice)
    await tenant.advance_to(after(start, 15 * DAY))
    await tenant.call("CancelSubscription", account_id="acme", when="CHANGE_WHEN_NOW")
    await tenant.advance(60 * DAY)
    await run(tenant)
    wallet = await tenant.call("GetWallet", account_id="acme")
    assert sum(dollars(one) for one in wallet.balances) == float(by_hand) + left
    await books(tenant)
    await same(tenant)


async def test_a_void_invoice_takes_its_notes_with_it(tenant: Tenant):
    """29.00 less 10.00 is forgiven; issued anew it is 29.00 again, of which anything may be credited."""
    await open_house(tenant)
    (invoice,) = await invoices(tenant, account_id="acme")
    await credited(tenant, (1, "10.00"), invoice=invoice)
    void = await tenant.call("VoidInvoice", invoice_id=invoice.invoice_id, reissue=True)
    assert dollars(void.reissued.due) == 29.0
    assert await states(tenant) == [("void", 0.0), ("void", 0.0), ("open", 29.0)]
    assert await books(tenant) == {"account:Receivable": 29.0, "seller:Backlog": -29.0}
    assert (await failure(credited(tenant, invoice=invoice)))[1] == "INVOICE_FINAL"
    await credited(tenant, (1, "29.00"), invoice=void.reissued)
    assert await books(tenant) == {}
    await same(tenant)


async def test_what_was_given_up_is_not_given_back(tenant: Tenant):
    """9.00 of 29.00 were paid, the rest was given up: no more than 9.00 can be credited."""
    await open_house(tenant)
    await tenant.call("RecordOffline", account_id="acme", amount=usd("9.00"))
    (invoice,) = await invoices(tenant, account_id="acme")
    await tenant.call("WriteOffInvoice", invoice_id=invoice.invoice_id)
    assert await failure(credited(tenant, invoice=invoice)) == EXCEEDS
    await credited(tenant, (1, "9.00"), invoice=invoice)
    assert await failure(credited(tenant, (1, "0.01"), invoice=invoice)) == EXCEEDS
    await books(tenant)


async def test_tax_is_given_back_in_parts_that_sum_to_it(tenant: Tenant):
    """19 % of 10.00 are 1.90: of 3.33, 3.33 and 3.34 it is 0.63, 0.64 and 0.63."""
    await month_ahead(tenant)
    german = {"address": {"country": "DE"}}
    await tenant.call("SetBillingProfile", party={"name": "Seller", **german})
    await tenant.apply(catalog({"recurring": {"amount": "10.00"}}, billing={"tax": {}}))
    await tenant.call("UpsertAccount", account_id="acme")
    await tenant.call("SetBillingProfile", account_id="acme", party={"name": "Acme", **german})
    await tenant.call("CreateSubscription", account_id="acme", plan_key="pro")
    await run(tenant)
    (invoice,) = await invoices(tenant, account_id="acme")
    assert (dollars(invoice.total), dollars(invoice.tax)) == (11.9, 1.9)
    taxes = [
        dollars((await credited(tenant, (1, amount), invoice=invoice)).credit_note.tax)
        for amount in ("3.33", "3.33", "3.34")
    ]
    assert taxes == [-0.63, -0.64, -0.63]
    assert await books(tenant) == {}
    await same(tenant)


async def test_mn_26_an_invoice_tells_how_its_account_stands(tenant: Tenant):
    """79.80 were due, less 50.00 paid; with 100.00 of this month and 20.00 of credit 109.80 are payable."""
    await open_house(tenant, amount="79.80", gateway=False)
    await tenant.call("RecordOffline", account_id="acme", amount=usd("50.00"))
    await tenant.call("AddWalletCredit", account_id="acme", amount=usd("20.00"))
    await tenant.call("CreateFee", account_id="acme", text="Set-up on site", amount=usd("20.20"))
    await tenant.advance(32 * DAY)
    await run(tenant)
    first, second = [
        (await tenant.call("GetInvoice", invoice_id=one.invoice_id)).invoice
        for one in await invoices(tenant, account_id="acme")
    ]
    assert dollars(second.total) == 100.0
    stood = second.situation
    assert [dollars(one) for one in (stood.previous_due, stood.paid, stood.credit)] == [79.8, 50.0, 20.0]
    assert dollars(stood.payable) == 109.8
    assert [dollars(one) for one in (first.situation.previous_due, first.situation.payable)] == [0.0, 79.8]
    await tenant.call("RecordOffline", account_id="acme", amount=usd("109.80"))
    later = (await tenant.call("GetInvoice", invoice_id=second.invoice_id)).invoice
    assert later.situation == stood, "what was is not what is"
    page = await tenant.call("RenderInvoice", invoice_id=second.invoice_id)
    assert "109.80" in page.content.decode()


async def test_bk_11_an_invoice_is_credited_or_void_and_never_gone(tenant: Tenant):
    """What is not invoiced is listed until it is; what was issued reads as before, whatever corrects it."""
    await open_house(tenant, gateway=False)
    await tenant.call("CreateFee", account_id="acme", fee_id="extra", text="Extra", amount=usd("5.00"))
    listed = await tenant.call("ListUninvoicedItems", account_id="acme")
    assert [(one.text, dollars(one.amount)) for one in listed.lines] == [("Extra", 5.0)]
    (invoice,) = await invoices(tenant, account_id="acme")
    before = await lines(tenant, invoice)
    await credited(tenant, (1, "9.00"), invoice=invoice)
    assert await lines(tenant, invoice) == before
    await tenant.call("VoidInvoice", invoice_id=invoice.invoice_id)
    assert await lines(tenant, invoice) == before
    assert [one.number for one in await invoices(tenant, account_id="acme")] == [
        invoice.number,
        f"CN-{invoice.number}",
    ]
    await tenant.call("OffsetFee", fee_id="extra")
    await tenant.advance(32 * DAY)
    await run(tenant)
    assert list((await tenant.call("ListUninvoicedItems", account_id="acme")).lines) == []
    await books(tenant)
