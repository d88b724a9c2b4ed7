"""Tax on documents, from the catalogue and profiles to the ledger. Figures by hand."""

import io
from datetime import UTC, datetime, timedelta

import grpc
import pypdf
import pytest
from google.protobuf import json_format

from e_invoices import broken, schema_errors
from invoicing import DAY, catalog, dollars, invoices, month_ahead, run, thirty_days
from registers import BROKEN, DOWN, SILENT, UNKNOWN, VALID
from tallygate_api.v1 import invoice_pb2, party_pb2
from tenants import failure

BASE = {"recurring": {"amount": "10.01"}}
SELLER = {"name": "Tally GmbH", "address": {"country": "DE"}}
NOTE = invoice_pb2.INVOICE_KIND_CREDIT_NOTE
REVERSE_CHARGE, EXEMPT = invoice_pb2.TAX_TREATMENT_REVERSE_CHARGE, invoice_pb2.TAX_TREATMENT_EXEMPT
UNVERIFIED = invoice_pb2.TAX_NOTICE_TAX_ID_UNVERIFIED
VERIFIED, INVALID_ID = party_pb2.TAX_ID_STATUS_VERIFIED, party_pb2.TAX_ID_STATUS_INVALID
UNAVAILABLE = party_pb2.TAX_ID_STATUS_UNAVAILABLE


async def taxed(tenant, *prices, country="DE", exemption="", tax=None, seller=None, own=None, **more):
    """The buyer is known before it subscribes: a worker may issue the first invoice at once."""
    await month_ahead(tenant)
    await tenant.call("SetBillingProfile", party=seller or SELLER)
    await tenant.apply(catalog(*prices, billing={"tax": tax or {}, **more.pop("billing", {})}, **more))
    await tenant.call("UpsertAccount", account_id="acme")
    await buyer(tenant, country, tax_exemption=exemption, **(own or {}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")


async def buyer(tenant, country, *, place=None, tax_ids=(), locale="", **more):
    party = {"name": "Acme", "address": {"country": country, **(place or {})}, "tax_ids": tax_ids, "locale": locale}
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
    assert all(text in page for text in ("Tally GmbH", "Acme", "VAT DE 19 % of 10.01", "$11.91", invoice.number))
    assert await tenant.call("RenderInvoice", invoice_id=invoice.invoice_id, format=1) == shown
    text = (await tenant.call("RenderInvoice", invoice_id=invoice.number, format=2)).content.decode()
    assert json_format.Parse(text, invoice_pb2.Invoice()) == invoice


async def test_a_document_is_an_e_invoice_and_a_pdf_in_its_buyers_language(tenant):
    party = {**SELLER, "tax_ids": [{"value": "DE136695976"}]}
    await taxed(tenant, BASE, seller=party, own={"locale": "fr"})
    await run(tenant)
    invoice = await last(tenant)
    for form, ending in (4, "ubl.xml"), (5, "cii.xml"):
        shown = await tenant.call("RenderInvoice", invoice_id=invoice.number, format=form)
        assert (shown.content_type, shown.file_name) == ("application/xml; charset=utf-8", f"{invoice.number}.{ending}")
        assert (schema_errors(shown.content), broken(shown.content)) == ([], [])
    shown = await tenant.call("RenderInvoice", invoice_id=invoice.number, format=3)
    assert (shown.content_type, shown.file_name) == ("application/pdf", f"{invoice.number}.pdf")
    reader = pypdf.PdfReader(io.BytesIO(shown.content))
    assert reader.attachments["factur-x.xml"] == [
        (await tenant.call("RenderInvoice", invoice_id=invoice.number, format=5)).content
    ]
    assert "Facture" in reader.pages[0].extract_text()
    german = await tenant.call("RenderInvoice", invoice_id=invoice.number, locale="de-AT")
    assert '<html lang="de-AT"' in german.content.decode()


async def test_what_is_no_e_invoice_says_what_it_lacks(tenant):
    await taxed(tenant, BASE)
    await run(tenant)
    refused = await failure(tenant.call("RenderInvoice", invoice_id=(await last(tenant)).number, format=4))
    assert refused == (grpc.StatusCode.FAILED_PRECONDITION, "DOCUMENT_INCOMPLETE")


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


async def test_users_who_go_one_by_one_give_back_their_part_of_the_tax(tenant):
    """Four at 2.02: 8.08, tax 1.54. Half a month of each is 1.01, and of the tax up to then .1925, .385, .5775, .77."""
    await thirty_days(tenant)
    await tenant.call("SetBillingProfile", party=SELLER)
    users = {"key": "users", "recurring": {"amount": "2.02", "quantity": {"users": True}}}
    await tenant.apply(catalog(users, billing={"tax": {}}))
    await tenant.call("UpsertAccount", account_id="acme")
    await tenant.call("AddUsers", account_id="acme", user_ids=["a", "b", "c", "d"])
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await run(tenant)
    opening = await last(tenant)
    assert (dollars(opening.subtotal), dollars(opening.tax)) == (8.08, 1.54)
    await tenant.advance(15 * DAY)
    given_back = []
    for user in ("a", "b", "c", "d"):
        await tenant.call("RemoveUsers", account_id="acme", user_ids=[user], invoice="CHANGE_INVOICE_NOW")
        given_back += [(dollars(one.subtotal), dollars(one.tax)) for one in [await last(tenant)]]
    assert given_back == [(-1.01, -0.19), (-1.01, -0.20), (-1.01, -0.19), (-1.01, -0.19)]
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


async def test_a_fee_and_what_is_sold_outright_are_taxed_by_their_category(tenant):
    """At 7 %: 10.00 and 2.5 % of 200.00 are 15.00, 1.05 of tax; taken back -0.70; four calls in advance 2.00."""
    calls = {"usage": {"feature_key": "calls", "unit_amount": "0.50"}, "tax_category": "reduced"}
    rate = {"country": "DE", "since": "2007-01-01", "rate": "7", "category": "reduced"}
    await taxed(tenant, BASE, calls, tax={"rates": [rate]})
    await run(tenant)
    asked = {"account_id": "acme", "text": "Books", "tax_category": "reduced"}
    fee = (await tenant.call("CreateFee", **asked, fee_id="books", amount={"units": 10})).fee
    await tenant.call("CreateFee", **asked, percent={"rate": "2.5", "of": {"units": 200}})
    assert fee.tax_category == "reduced"
    for reduced in ("7", 15.00, 1.05), ("7", -10.00, -0.70):
        await tenant.advance(31 * DAY)
        await run(tenant)
        groups = (await last(tenant)).taxes
        told = {group.category: (group.rate, dollars(group.base), dollars(group.amount)) for group in groups}
        assert told == {"": ("19", 10.01, 1.90), "reduced": reduced}
        assert (await tenant.call("OffsetFee", fee_id="books")).fee.tax_category == "reduced"
    await tenant.call("CreateOrder", account_id="acme", order_id="o", items=[QUOTA])
    sold = (await tenant.call("CompleteOrder", order_id="o", terms_version="1")).invoices[0]
    assert (dollars(sold.subtotal), dollars(sold.tax)) == (2.00, 0.14)
    await verified(tenant)
    wrong = {**asked, "tax_category": "other", "amount": {"units": 1}}
    assert await failure(tenant.call("CreateFee", **wrong)) == INVALID


QUOTA = {"quota": {"feature_key": "calls", "quantity": 4}}
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


@pytest.mark.parametrize(
    ("country", "place", "price", "rates", "tax", "total"),
    [
        ("FR", {}, "35.00", [], 7.00, 42.00),  # VAT, 20 %
        ("AU", {}, "79.80", [], 7.98, 87.78),  # GST, 10 %
        ("US", {"region": "CA", "postal_code": "90001"}, "100.00", [{"region": "CA", "rate": "7.25"}], 7.25, 107.25),
        # the city's rate goes before the state's
        (
            "US",
            {"region": "CA", "postal_code": "94103"},
            "100.00",
            [{"region": "CA", "rate": "7.25"}, {"region": "CA", "postcodes": ["941"], "rate": "8.625"}],
            8.63,
            108.63,
        ),
        ("US", {"region": "OR", "postal_code": "97201"}, "100.00", [{"region": "CA", "rate": "7.25"}], 0, 100.00),
    ],
)
async def test_ar_12_tax_of_the_place(tenant, country, place, price, rates, tax, total):
    own = [{"country": "US", "since": "2026-01-01", "name": "Sales tax", **rate} for rate in rates]
    rules = {"collect_in": [country], "rates": own}
    await taxed(tenant, {"recurring": {"amount": price}}, country=country, own={"place": place}, tax=rules)
    await run(tenant)
    invoice = await last(tenant)
    assert [dollars(invoice.tax), dollars(invoice.total)] == pytest.approx([tax, total])
    await verified(tenant)


async def test_ar_12_an_exempt_buyer_pays_no_tax_while_its_certificate_holds(tenant):
    now = datetime.fromtimestamp((await month_ahead(tenant)).seconds, UTC)
    ends = (now + timedelta(days=62)).date().replace(day=1).isoformat()  # the month that it buys ends there
    exemption = {"reason": "Charity", "certificate": "4711", "country": "DE", "until": ends}
    await taxed(tenant, BASE, own={"exemptions": [exemption]})
    await run(tenant)
    invoice = await last(tenant)
    (group,) = invoice.taxes
    assert (dollars(group.amount), group.note, group.treatment) == (0, "Charity (certificate 4711)", EXEMPT)
    assert dollars(invoice.total) == 10.01
    await tenant.advance(31 * DAY)
    await run(tenant)
    assert dollars((await last(tenant)).tax) == 1.90
    await verified(tenant)


async def business(tenant, number=VALID):
    """A seller in Austria, a buyer in Germany with a tax id, 10.01 a month."""
    await month_ahead(tenant)
    await tenant.call(
        "SetBillingProfile", party={**SELLER, "address": {"country": "AT"}, "tax_ids": [{"value": "ATU12345675"}]}
    )
    await tenant.apply(catalog(BASE, billing={"tax": {}}))
    await tenant.call("UpsertAccount", account_id="acme")
    evidence = [{"kind": 4, "country": "DE", "detail": "card issued in DE"}]
    await buyer(tenant, "DE", tax_ids=[{"value": f"DE{number}"}], evidence=evidence)


async def checked(tenant, number=VALID, **more):
    return (await tenant.call("VerifyTaxId", account_id="acme", tax_id=f"DE{number}", **more)).check


async def test_ar_12_reverse_charge_with_a_verified_id(tenant):
    await business(tenant)
    check = await checked(tenant)
    assert (check.status, check.source, check.reference) == (VERIFIED, "VIES", "WAPIAAAAZ1")
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await run(tenant)
    invoice = await last(tenant)
    assert [dollars(invoice.tax), dollars(invoice.total)] == [0, 10.01]
    (group,) = invoice.taxes
    assert (group.treatment, list(invoice.tax_notices)) == (REVERSE_CHARGE, [])
    assert group.note.startswith(
        "Übergang der Steuerschuld auf den Leistungsempfänger (§ 19 Abs. 1 UStG). Reverse charge"
    )
    told = [(one.kind, one.country, one.detail) for one in invoice.tax_evidence]
    assert told == [(1, "DE", ""), (2, "DE", "VIES WAPIAAAAZ1"), (4, "DE", "card issued in DE")]
    await verified(tenant)


@pytest.mark.parametrize("number", [None, UNKNOWN, SILENT, DOWN, BROKEN])
async def test_an_id_that_is_not_verified_is_taxed_and_told(tenant, number):
    await business(tenant, number or VALID)
    if number is not None:
        assert (await checked(tenant, number)).status == (INVALID_ID if number == UNKNOWN else UNAVAILABLE)
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await run(tenant)
    invoice = await last(tenant)
    assert [dollars(invoice.tax), list(invoice.tax_notices)] == [2.00, [UNVERIFIED]]  # 20 % in Austria: 2.002
    (shown,) = (await tenant.call("PreviewInvoice", account_id="acme")).invoices
    assert list(shown.tax_notices) == [UNVERIFIED]
    await verified(tenant)


async def test_a_persons_word_verifies_an_id(tenant):
    await business(tenant, DOWN)
    assert (await checked(tenant, DOWN)).status == UNAVAILABLE
    check = await checked(tenant, DOWN, confirmed_by="Ada Ames", reference="letter of the tax office")
    assert (check.status, check.source, check.confirmed_by) == (VERIFIED, "person", "Ada Ames")
    assert check.key_id
    assert (await checked(tenant, DOWN)).status == UNAVAILABLE  # no answer, so what was known stays
    profile = (await tenant.call("GetBillingProfile", account_id="acme")).profile
    assert [one.status for one in profile.tax_id_checks] == [VERIFIED]
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await run(tenant)
    assert dollars((await last(tenant)).tax) == 0
    await buyer(tenant, "DE", tax_ids=[{"value": "DE136695976"}])  # another id, which nobody has looked at
    assert not (await tenant.call("GetBillingProfile", account_id="acme")).profile.tax_id_checks


async def test_an_id_without_the_form_of_one_is_not_asked_for(tenant):
    await business(tenant, "136695975")
    assert await failure(tenant.call("VerifyTaxId", account_id="acme", tax_id="DE136695975")) == INVALID
