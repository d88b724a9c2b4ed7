"""Tax on documents, from the catalogue and profiles to the ledger. Figures by hand."""

import grpc
import pytest
from google.protobuf import json_format

from invoicing import DAY, catalog, dollars, invoices, month_ahead, run
from tallygate_api.v1 import invoice_pb2
from tenants import failure

BASE = {"recurring": {"amount": "10.01"}}
SELLER = {"name": "Tally GmbH", "address": {"country": "DE"}}
NOTE = invoice_pb2.INVOICE_KIND_CREDIT_NOTE


async def taxed(tenant, *prices, country="DE", exemption="", tax=None, **more):
    """The buyer is known before it subscribes: a worker may issue the first invoice at once."""
    await month_ahead(tenant)
    await tenant.call("SetBillingProfile", party=SELLER)
    await tenant.apply(catalog(*prices, billing={"tax": tax or {}, **more.pop("billing", {})}, **more))
    await tenant.call("UpsertAccount", account_id="acme")
    await buyer(tenant, country, tax_exemption=exemption)
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")


async def buyer(tenant, country, **more):
    party = {"name": "Acme", "address": {"country": country}}
    await tenant.call("SetBillingProfile", account_id="acme", party=party, **more)


async def last(tenant):
    found = (await invoices(tenant))[-1]
    return (await tenant.call("GetInvoice", invoice_id=found.invoice_id)).invoice


async def verified(tenant):
    for one in await invoices(tenant):
        answer = await tenant.call("VerifyInvoice", invoice_id=one.invoice_id)
        assert answer.same, answer


async def posted(tenant):
    answer = await tenant.call("GetTrialBalance")
    assert not (await tenant.call("AuditLedger")).differences
    return {one.ledger_account: dollars(one.credits) - dollars(one.debits) for one in answer.balances}


async def test_tax_stands_on_the_document_and_in_the_ledger(tenant):
    """$10.01 at once and 37 at $0.50: 28.51 at 19 % is 5.4169, and 1.90 was 1.9019."""
    await taxed(tenant, BASE, {"usage": {"feature_key": "calls", "unit_amount": "0.50"}})
    await run(tenant)
    opening = await last(tenant)
    assert [dollars(opening.subtotal), dollars(opening.tax), dollars(opening.total)] == [10.01, 1.90, 11.91]
    assert dollars(opening.due) == 11.91
    await tenant.consume("acme", "calls", 37)
    await tenant.advance(31 * DAY)
    await run(tenant)
    second = await last(tenant)
    assert [dollars(second.subtotal), dollars(second.tax), dollars(second.total)] == [28.51, 5.42, 33.93]
    assert [dollars(line.tax.amount) for line in second.lines] == [1.90, 3.52]  # 1.9019 and 3.515 share 5.42
    (group,) = second.taxes
    assert (group.name, group.country, group.rate) == ("VAT", "DE", "19")
    assert (dollars(group.base), dollars(group.amount)) == (28.51, 5.42)
    assert (await posted(tenant))["authority:Payable"] == pytest.approx(7.32)
    await verified(tenant)


async def test_a_document_is_shown_as_a_page_and_as_json(tenant):
    await taxed(tenant, BASE)
    await run(tenant)
    invoice = await last(tenant)
    shown = await tenant.call("RenderInvoice", invoice_id=invoice.number)
    assert (shown.content_type, shown.file_name) == ("text/html; charset=utf-8", f"{invoice.number}.html")
    page = shown.content.decode()
    assert all(text in page for text in ("Tally GmbH", "Acme", "VAT DE 19 % of 10.01", "11.91 USD", invoice.number))
    assert await tenant.call("RenderInvoice", invoice_id=invoice.invoice_id, format=1) == shown
    text = (await tenant.call("RenderInvoice", invoice_id=invoice.number, format=2)).content.decode()
    assert json_format.Parse(text, invoice_pb2.Invoice()) == invoice


async def test_a_preview_shows_the_tax_that_the_invoice_has(tenant):
    await taxed(tenant, {"recurring": {"amount": "10.01", "due": "arrears"}})
    await run(tenant)
    (shown,) = (await tenant.call("PreviewInvoice", account_id="acme")).invoices
    await tenant.advance(31 * DAY)
    await run(tenant)
    made = await last(tenant)
    assert (shown.taxes, shown.tax, shown.total) == (made.taxes, made.tax, made.total)
    assert dollars(made.tax) == 1.90


async def test_what_is_credited_gives_back_its_tax_and_no_more(tenant):
    """10.01 with 1.90 is charged, the buyer moves to another country, the rest of the month is credited at once."""
    await taxed(tenant, BASE)
    await run(tenant)
    charged = await last(tenant)
    await buyer(tenant, "US")
    await tenant.call("CancelSubscription", account_id="acme", when="CHANGE_WHEN_NOW")
    await tenant.advance(31 * DAY)
    await run(tenant)
    note = await last(tenant)
    assert (note.kind, dollars(note.subtotal), dollars(note.tax), dollars(note.total)) == (NOTE, -10.01, -1.90, -11.91)
    assert [(group.country, group.rate) for group in note.taxes] == [("DE", "19")]
    assert dollars(note.total) == -dollars(charged.total)
    books = await posted(tenant)
    assert (books["authority:Payable"], books["account:Receivable"], books["account:Liability"]) == (0, 0, 0)
    await verified(tenant)


async def test_offsets_of_fees_in_other_months_sum_to_the_fee(tenant):
    await taxed(tenant, {"usage": {"feature_key": "calls", "unit_amount": "0.50"}})
    amount = {"currency_code": "USD", "nanos": 30_000_000}
    await tenant.call("CreateFee", account_id="acme", fee_id="f", text="a fee", amount=amount)
    await tenant.advance(31 * DAY)
    await run(tenant)
    assert dollars((await last(tenant)).tax) == 0.01  # 0.57 cents
    await tenant.call("OffsetFee", fee_id="f")
    await buyer(tenant, "DE", tax_exemption="Certificate 4711")
    await tenant.advance(31 * DAY)
    await run(tenant)
    assert (dollars((await last(tenant)).tax), dollars((await last(tenant)).total)) == (-0.01, -0.04)
    await verified(tenant)


@pytest.mark.parametrize(
    ("country", "exemption", "rate", "note"),
    [
        ("FR", "", "20", ""),
        ("AT", "", "19", ""),
        ("US", "", "0", "No tax is charged in US"),
        ("DE", "Certificate 4711", "0", "Certificate 4711"),
    ],
)
async def test_ar_26_a_buyers_country_decides_the_tax(tenant, country, exemption, rate, note):
    await taxed(tenant, BASE, country=country, exemption=exemption, tax={"collect_in": ["FR"]})
    await run(tenant)
    invoice = await last(tenant)
    (group,) = invoice.taxes
    assert (group.rate, group.note) == (rate, note)
    assert dollars(invoice.tax) == {"20": 2.00, "19": 1.90, "0": 0}[rate]


async def test_a_void_invoice_is_reissued_to_the_buyer_of_now(tenant):
    """A certificate came late: 11.91 is void, 10.01 stands in its place, and December is charged once."""
    await taxed(tenant, BASE)
    await run(tenant)
    first = await last(tenant)
    await buyer(tenant, "DE", tax_exemption="Certificate 4711")
    answer = await tenant.call("VoidInvoice", invoice_id=first.number, reissue=True)
    assert await tenant.call("VoidInvoice", invoice_id=first.number, reissue=True) == answer
    assert (answer.invoice.state, dollars(answer.invoice.due)) == (invoice_pb2.INVOICE_STATE_VOID, 0)
    assert (dollars(answer.reissued.total), dollars(answer.reissued.tax)) == (10.01, 0)
    assert answer.reissued.number != first.number
    assert (await posted(tenant))["account:Receivable"] == pytest.approx(-10.01)
    await tenant.advance(31 * DAY)
    await run(tenant)
    assert [dollars(one.due) for one in await invoices(tenant)] == [0, 10.01, 10.01]
    await posted(tenant)
    await verified(tenant)


async def test_by_line_each_line_is_rounded(tenant):
    """Three of 0.02 at 19 %: 0.38 cents each are nothing, 1.14 together are one."""
    setups = [{"key": f"s{number}", "setup": {"amount": "0.02"}} for number in range(3)]
    await taxed(tenant, *setups, billing={"rounding": {"tax_per": "line"}})
    await run(tenant)
    assert dollars((await last(tenant)).tax) == 0
    await verified(tenant)


async def test_without_tax_in_the_catalogue_nothing_is_taxed(tenant):
    await month_ahead(tenant)
    await tenant.call("SetBillingProfile", party=SELLER)
    await tenant.apply(catalog(BASE))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await run(tenant)
    invoice = await last(tenant)
    assert (dollars(invoice.tax), list(invoice.taxes), invoice.lines[0].HasField("tax")) == (0, [], False)


async def test_a_price_is_taxed_by_its_category(tenant):
    """10.01 at 19 % and 10.00 at 7 %; an own price as what it stands in for: -10.00 + 20.00 + 20.00."""
    book = {"key": "book", "recurring": {"amount": "10.00"}, "tax_category": "reduced"}
    rate = {"country": "DE", "since": "2007-01-01", "rate": "7", "category": "reduced"}
    await taxed(tenant, BASE, book, tax={"rates": [rate]})
    own = {"key": "book", "recurring": {"amount": "20.00"}}
    await tenant.call("SetPriceOverride", account_id="acme", plan_key="pro", price=own, override_id="own")
    for reduced in ("7", 10.00, 0.70), ("7", 30.00, 2.10):
        await run(tenant)
        groups = (await last(tenant)).taxes
        told = {group.category: (group.rate, dollars(group.base), dollars(group.amount)) for group in groups}
        assert told == {"": ("19", 10.01, 1.90), "reduced": reduced}
        await tenant.advance(31 * DAY)
    assert (await tenant.call("GetCatalog")).catalog.plans["pro"].prices[1].tax_category == "reduced"
    await verified(tenant)
    wrong = {**own, "tax_category": "other"}
    assert await failure(tenant.call("SetPriceOverride", account_id="acme", plan_key="pro", price=wrong)) == INVALID
    unknown = catalog(BASE, {**book, "tax_category": "other"}, billing={"tax": {"rates": [rate]}}, version=2)
    assert await failure(tenant.apply(unknown)) == INVALID


INVALID = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
RATE = {"country": "US", "since": "2026-01-01", "rate": "8.875", "name": "Sales tax"}


async def test_tax_needs_a_seller_whose_country_is_known(tenant):
    assert await failure(tenant.apply(catalog(BASE, billing={"tax": {}}))) == INVALID
    await tenant.call("SetBillingProfile", party={"name": "Tally GmbH"})
    assert await failure(tenant.apply(catalog(BASE, billing={"tax": {}}))) == INVALID
    await tenant.call("SetBillingProfile", party=SELLER)
    assert await failure(tenant.apply(catalog(BASE, billing={"tax": {"collect_in": ["US"]}}))) == INVALID
    await tenant.apply(catalog(BASE, billing={"tax": {"collect_in": ["US"], "rates": [RATE]}}))
    applied = (await tenant.call("GetCatalog")).catalog.billing.tax
    assert (list(applied.collect_in), applied.rates[0].rate) == (["US"], "8.875")
    assert await failure(tenant.call("SetBillingProfile", party={"name": "Tally GmbH"})) == INVALID
