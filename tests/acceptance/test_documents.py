"""What becomes of documents: credit notes fill the wallet, the wallet pays, an open invoice can be made void."""

import grpc
import pytest

from invoicing import DAY, catalog, dollars, invoices, month_ahead, run
from tallygate_api.v1 import billing_service_pb2, invoice_pb2
from tenants import failure

BASE = {"recurring": {"amount": "10.00", "due": "arrears"}}
CREDIT_NOTE, PERIOD = invoice_pb2.INVOICE_KIND_CREDIT_NOTE, invoice_pb2.INVOICE_KIND_PERIOD
OPEN, PAID, VOID = (invoice_pb2.INVOICE_STATE_OPEN, invoice_pb2.INVOICE_STATE_PAID, invoice_pb2.INVOICE_STATE_VOID)


@pytest.fixture
async def billed(tenant):
    """$10.00 a month in arrears."""
    await month_ahead(tenant)
    await tenant.apply(catalog(BASE))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    return tenant


async def fee(tenant, amount, text="a fee"):
    units, cents = divmod(abs(round(amount * 100)), 100)
    sign = -1 if amount < 0 else 1
    charge = {"currency_code": "USD", "units": sign * units, "nanos": sign * cents * 10_000_000}
    await tenant.call("CreateFee", account_id="acme", text=text, amount=charge)


async def month_with(tenant, *fees):
    """A month goes by, with fees in it; the document of it."""
    for amount in fees:
        await fee(tenant, amount)
    await tenant.advance(31 * DAY)
    await run(tenant)
    return (await invoices(tenant))[-1]


async def in_wallet(tenant):
    answer = await tenant.call("GetWallet", account_id="acme")
    return [dollars(each) for each in answer.balances], answer.entries


async def test_a_credit_note_pays_the_next_invoices_as_far_as_it_goes(billed):
    """10.00 - 25.00 = -15.00: the next month's 10.00 is paid, the one after has 5.00 left to pay."""
    note = await month_with(billed, -25.00)
    assert (note.kind, dollars(note.total), note.state) == (CREDIT_NOTE, -15.00, PAID)
    assert (dollars(note.wallet), dollars(note.due)) == (-15.00, 0)
    assert not note.HasField("due_time")
    assert note.number.startswith("CN-")
    assert [dollars(each.amount) for each in (await in_wallet(billed))[1]] == [15.00]
    second = await month_with(billed)
    assert (second.kind, second.state, dollars(second.wallet), dollars(second.due)) == (PERIOD, PAID, 10.00, 0)
    third = await month_with(billed)
    assert (third.state, dollars(third.total), dollars(third.wallet), dollars(third.due)) == (OPEN, 10.00, 5.00, 5.00)
    sums, entries = await in_wallet(billed)
    assert (sums, [dollars(each.amount) for each in entries]) == ([0], [-5.00, -10.00, 15.00])
    assert entries[0].invoice_id == third.invoice_id


async def test_a_credit_note_pays_open_invoices_at_once_the_oldest_first(billed):
    first, second = await month_with(billed), await month_with(billed, 2.00)
    assert [dollars(one.due) for one in (first, second)] == [10.00, 12.00]
    await month_with(billed, -25.00)  # 10.00 - 25.00
    assert [(one.state, dollars(one.due)) for one in await invoices(billed)] == [(PAID, 0), (OPEN, 7.00), (PAID, 0)]
    assert [one.invoice_id for one in await invoices(billed, state=OPEN)] == [second.invoice_id]


async def test_a_void_invoice_is_forgiven_and_gives_back_what_the_wallet_gave(billed):
    await month_with(billed, -12.00)  # 10.00 - 12.00 leaves 2.00 in the wallet
    invoice = await month_with(billed)
    assert (dollars(invoice.wallet), dollars(invoice.due)) == (2.00, 8.00)
    void = (await billed.call("VoidInvoice", invoice_id=invoice.number)).invoice
    again = (await billed.call("VoidInvoice", invoice_id=invoice.invoice_id)).invoice
    assert void == again
    assert (void.state, dollars(void.due), dollars(void.total)) == (VOID, 0, 10.00)
    sums, entries = await in_wallet(billed)
    assert (sums, entries[0].kind) == ([2.00], billing_service_pb2.WALLET_ENTRY_KIND_RETURNED)
    after = await month_with(billed)
    assert (dollars(after.total), dollars(after.wallet)) == (10.00, 2.00)  # what was forgiven is not charged again


async def test_what_was_paid_and_credit_notes_are_not_made_void(billed):
    note, paid = await month_with(billed, -25.00), await month_with(billed)
    for document in (note, paid):
        refused = await failure(billed.call("VoidInvoice", invoice_id=document.invoice_id))
        assert refused == (grpc.StatusCode.FAILED_PRECONDITION, "INVOICE_FINAL")


async def test_ar_03_a_period_of_nothing_has_no_invoice(tenant):
    await month_ahead(tenant)
    await tenant.apply(catalog({"usage": {"feature_key": "calls", "unit_amount": "0.50"}}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.advance(70 * DAY)
    await run(tenant)
    assert await invoices(tenant) == []


SELLER = {
    "name": "Tally GmbH",
    "address": {"lines": ["Hauptstr. 1"], "city": "Berlin", "postal_code": "10115", "country": "DE"},
    "email": "bills@tally.example",
    "tax_ids": [{"value": "DE123456789"}],
}


async def whole(tenant, invoice):
    return (await tenant.call("GetInvoice", invoice_id=invoice.invoice_id)).invoice


async def test_a_document_keeps_its_parties_as_they_were_printed(billed):
    """Without a seller's profile there are none, as before; a buyer without one is named by its id."""
    bare = await whole(billed, await month_with(billed))
    assert not bare.HasField("seller")
    assert not bare.HasField("buyer")
    await billed.call("SetBillingProfile", party=SELLER)
    second = await whole(billed, await month_with(billed))
    assert (second.seller.name, second.seller.address.city, second.buyer.name) == ("Tally GmbH", "Berlin", "acme")
    acme = {"account_id": "acme", "party": {"name": "Acme Ltd", "address": {"country": "GB"}}}
    await billed.call("SetBillingProfile", **acme)
    third = await whole(billed, await month_with(billed))
    assert (third.buyer.name, third.buyer.address.country) == ("Acme Ltd", "GB")
    await billed.call("SetBillingProfile", party={"name": "Tally AG"})
    assert await whole(billed, third) == third  # issued documents keep what they had
    assert (await invoices(billed))[-1].seller == third.seller


async def test_documents_are_found_by_kind_time_and_text(billed):
    await billed.call("SetBillingProfile", account_id="acme", party={"name": "Ümit & Söhne 100%_x"})
    first = await month_with(billed)
    note = await month_with(billed, -25.00)
    await fee(billed, 3.00, text="Express Delivery")
    third = await month_with(billed)

    async def found(**wanted):
        return [one.invoice_id for one in await invoices(billed, **wanted)]

    assert await found(kind=CREDIT_NOTE) == [note.invoice_id]
    assert await found(start_time=note.issue_time, end_time=third.issue_time) == [note.invoice_id]
    assert await found(text="express delivery") == [third.invoice_id]
    assert await found(text=third.number.lower()) == [third.invoice_id]
    assert len(await found(text="Söhne 100%_")) == 3
    assert await found(text="100%x") == []  # % and _ stand for themselves
    assert await found(text="nobody") == []
    page = await billed.call("ListInvoices", text="acme", page_size=2)
    rest = await billed.call("ListInvoices", text="acme", page_size=2, page_token=page.next_page_token)
    assert [one.invoice_id for one in (*page.invoices, *rest.invoices)] == [
        *(third.invoice_id, note.invoice_id, first.invoice_id)
    ]


async def test_a_profile_is_replaced_as_a_whole_and_shown(billed):
    assert not (await billed.call("GetBillingProfile")).HasField("profile")
    first = (await billed.call("SetBillingProfile", party=SELLER)).profile
    assert (await billed.call("GetBillingProfile")).profile == first
    await billed.advance(60)
    assert (await billed.call("SetBillingProfile", party=SELLER)).profile == first  # repeating it changes nothing
    changed = (await billed.call("SetBillingProfile", party={"name": "Tally AG"}, tax_exemption="small")).profile
    assert (changed.party.name, list(changed.party.tax_ids), changed.tax_exemption) == ("Tally AG", [], "small")
    assert (await billed.call("GetBillingProfile", account_id="acme")) == type(await billed.call("GetBillingProfile"))()
