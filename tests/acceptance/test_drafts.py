"""Invoices under review before they are issued. Figures by hand."""

import grpc

from invoicing import DAY, catalog, dollars, invoices, lines, month_ahead, run
from tallygate_api.v1 import invoice_pb2
from tenants import eventually, failure

DRAFT, OPEN = invoice_pb2.INVOICE_STATE_DRAFT, invoice_pb2.INVOICE_STATE_OPEN
BASE = {"recurring": {"amount": "10.00"}}
SMS = {"usage": {"feature_key": "calls", "unit_amount": "0.50"}}
THREE_DAYS = {"review": "259200s", "payment": {"due": {"days": 30}}}


async def reviewed(tenant, *, seller=True, accounts=("acme",), billing=None):
    """A month of 37 calls ($18.50) beside $10.00 in advance has ended an hour ago."""
    await month_ahead(tenant)
    if seller:
        await tenant.call("SetBillingProfile", party={"name": "Tally GmbH"})
    await tenant.apply(catalog(BASE, SMS, billing=billing or THREE_DAYS))
    for account in accounts:
        await tenant.call("UpsertAccount", account_id=account, plan_key="pro")
    await run(tenant)
    for account in accounts:
        await tenant.consume(account, "calls", 37)
    await tenant.advance(31 * DAY)
    await run(tenant)


async def drafts(tenant, **wanted):
    return list((await tenant.call("ListInvoices", state=DRAFT, **wanted)).invoices)


async def test_a_draft_is_made_anew_until_it_is_finalised_as_it_was_shown(tenant):
    await reviewed(tenant)
    (draft,) = await drafts(tenant)
    assert (draft.state, draft.number, dollars(draft.total)) == (DRAFT, "", 28.50)
    assert not draft.HasField("issue_time")
    assert [one.kind for one in await invoices(tenant)] == [invoice_pb2.INVOICE_KIND_OPENING]
    late = draft.end_time.ToSeconds() - 1
    await tenant.consume("acme", "calls", 3, occurred_time={"seconds": late}, mode="CONSUME_MODE_ADJUST")
    await tenant.call("CreateFee", account_id="acme", text="Too late for it", amount={"units": 5})

    async def with_late_use():
        found = (await tenant.call("GetInvoice", invoice_id=draft.invoice_id)).invoice
        return found if dollars(found.total) != 28.50 else None

    shown = await eventually(with_late_use, what="the event in the log")
    assert (dollars(shown.total), shown.seller.name, shown.buyer.name) == (30.00, "Tally GmbH", "acme")
    issued = (await tenant.call("FinalizeInvoice", invoice_id=draft.invoice_id)).invoice
    assert (issued.invoice_id, issued.state, issued.lines, issued.total) == (
        draft.invoice_id,
        OPEN,
        shown.lines,
        shown.total,
    )
    again = (await tenant.call("FinalizeInvoice", invoice_id=issued.number)).invoice
    assert again == issued
    assert (await drafts(tenant), await run(tenant)) == ([], [])
    assert (await tenant.call("VerifyInvoice", invoice_id=issued.number)).same
    assert not (await tenant.call("AuditLedger")).differences


async def test_a_draft_is_issued_by_itself_when_its_review_is_over(tenant):
    await reviewed(tenant)
    (draft,) = await drafts(tenant, account_id="acme")
    await tenant.advance(3 * DAY)
    await run(tenant)
    issued = (await invoices(tenant))[-1]
    assert (issued.invoice_id, issued.number[-6:], dollars(issued.total)) == (draft.invoice_id, "000002", 28.50)
    assert issued.issue_time.seconds == draft.end_time.seconds + 3 * DAY
    assert await drafts(tenant) == []


async def test_a_leap_over_months_under_review_issues_each_when_its_review_was_over(tenant):
    await reviewed(tenant)
    await tenant.advance(65 * DAY)
    await run(tenant)
    _, *found = await invoices(tenant)
    assert [one.issue_time.seconds - one.end_time.seconds for one in found] == [3 * DAY] * len(found)
    assert len(found) >= 2


async def test_what_comes_to_nothing_so_far_is_charged_if_it_comes_late(tenant):
    await month_ahead(tenant)
    await tenant.call("SetBillingProfile", party={"name": "Tally GmbH"})
    await tenant.apply(catalog(SMS, billing=THREE_DAYS))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await run(tenant)
    before = await tenant.now()
    await tenant.advance(31 * DAY)
    await run(tenant)
    assert await drafts(tenant) == []
    await tenant.consume("acme", "calls", 4, occurred_time={"seconds": int(before) + DAY}, mode="CONSUME_MODE_ADJUST")
    (draft,) = await eventually(lambda: drafts(tenant), what="the event in the log")
    assert await lines(tenant, draft) == [("calls", 2.00)]


async def test_drafts_have_pages_and_are_asked_for_by_account_and_kind(tenant):
    await reviewed(tenant, accounts=("acme", "globex", "initech"))
    first = await tenant.call("ListInvoices", state=DRAFT, page_size=2)
    second = await tenant.call("ListInvoices", state=DRAFT, page_size=2, page_token=first.next_page_token)
    assert [len(first.invoices), len(second.invoices), second.next_page_token] == [2, 1, ""]
    found = [*first.invoices, *second.invoices]
    assert {one.account_id for one in found} == {"acme", "globex", "initech"}
    assert [one.account_id for one in await drafts(tenant, account_id="globex")] == ["globex"]
    assert await drafts(tenant, kind="INVOICE_KIND_CREDIT_NOTE") == []
    refused = await failure(tenant.call("ListInvoices", state=DRAFT, text="calls"))
    assert refused[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")


async def test_without_a_seller_a_draft_stays_one_and_says_why(tenant):
    await reviewed(tenant, seller=False)
    (draft,) = await drafts(tenant)
    for method in ("VoidInvoice", "RenderInvoice", "VerifyInvoice"):
        refused = await failure(tenant.call(method, invoice_id=draft.invoice_id))
        assert refused == (grpc.StatusCode.FAILED_PRECONDITION, "INVOICE_DRAFT")
    refused = await failure(tenant.call("FinalizeInvoice", invoice_id=draft.invoice_id))
    assert refused[:2] == (grpc.StatusCode.FAILED_PRECONDITION, "DOCUMENT_INCOMPLETE")
    await tenant.advance(4 * DAY)
    assert (await failure(run(tenant)))[1] == "DOCUMENT_INCOMPLETE"
    assert [one.invoice_id for one in await drafts(tenant)] == [draft.invoice_id]
    await tenant.call("SetBillingProfile", party={"name": "Tally GmbH"})
    await run(tenant)
    issued = (await invoices(tenant))[-1]
    assert (issued.invoice_id, issued.seller.name) == (draft.invoice_id, "Tally GmbH")
