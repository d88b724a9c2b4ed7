"""Invoices under review before they are issued. Figures by hand."""

import grpc
import pytest

from invoicing import DAY, at, catalog, dollars, invoices, lines, month_ahead, run
from tallygate_api.v1 import invoice_pb2
from tenants import Tenant, eventually, failure

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
    await run(tenant)
    assert (await drafts(tenant), len(await invoices(tenant))) == ([], 2)
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
    alone = await tenant.call("RunBilling")
    assert [(one.kind, one.subject) for one in alone.failures] == [("close", "acme")]
    assert (await failure(tenant.call("RunBilling", account_id="acme")))[1] == "DOCUMENT_INCOMPLETE"
    assert [one.invoice_id for one in await drafts(tenant)] == [draft.invoice_id]
    await tenant.call("CancelSubscription", account_id="acme", when="CHANGE_WHEN_NOW")
    await tenant.call("CreateSubscription", account_id="acme", plan_key="pro")
    (stuck,) = (await tenant.call("RunBilling")).failures
    assert (stuck.kind, stuck.subject) == ("close", "acme")
    assert "seller" in stuck.problem
    assert [dollars(one.total) for one in await invoices(tenant)] == [10.00, 10.00]  # what begins waits for no draft
    await tenant.call("SetBillingProfile", party={"name": "Tally GmbH"})
    await run(tenant)
    issued = next(one for one in await invoices(tenant) if one.invoice_id == draft.invoice_id)
    assert (issued.invoice_id, issued.seller.name) == (draft.invoice_id, "Tally GmbH")


async def test_what_a_cancelling_gives_back_is_reviewed_and_given_back_and_what_begins_meanwhile_waits_for_none(tenant):
    """Half of $10.00 comes back on 16 April and $20.00 are charged on the 17th, before anybody looked at the draft."""
    await tenant.call("SetTestClock", time=at("2031-04-01T00:00:00"), standing=True)
    await tenant.call("SetBillingProfile", party={"name": "Tally GmbH"})
    document = catalog(BASE, SMS, billing=THREE_DAYS)
    document["plans"]["big"] = {
        **document["plans"]["pro"],
        "name": "Big",
        "prices": [{"recurring": {"amount": "20.00"}}],
    }
    await tenant.apply(document)
    for account in ("acme", "globex"):
        await tenant.call("UpsertAccount", account_id=account, plan_key="pro")
    await run(tenant)
    await tenant.call("SetTestClock", time=at("2031-04-16T00:00:00"))
    for account in ("acme", "globex"):
        await tenant.call("CancelSubscription", account_id=account, when="CHANGE_WHEN_NOW")
    await run(tenant)
    notes = await drafts(tenant, kind="INVOICE_KIND_CREDIT_NOTE")
    assert {one.account_id: dollars(one.total) for one in notes} == {"acme": -5.00, "globex": -5.00}
    await tenant.call("SetTestClock", time=at("2031-04-17T00:00:00"))
    await tenant.call("CreateSubscription", account_id="acme", plan_key="big")
    await run(tenant)
    (opening,) = [one for one in await invoices(tenant) if dollars(one.total) == 20.00]
    assert (opening.kind, opening.issue_time) == (invoice_pb2.INVOICE_KIND_OPENING, at("2031-04-17T00:00:00"))
    assert (opening.start_time, opening.end_time) == (at("2031-04-17T00:00:00"), at("2031-05-17T00:00:00"))
    (acme,) = await drafts(tenant, account_id="acme")
    given = (await tenant.call("FinalizeInvoice", invoice_id=acme.invoice_id)).invoice
    assert (given.number[:3], dollars(given.total)) == ("CN-", -5.00)
    await tenant.call("SetTestClock", time=at("2031-04-19T00:00:00"))
    await run(tenant)
    assert await drafts(tenant) == []
    every = {
        account: sorted(dollars(one.total) for one in await invoices(tenant, account_id=account))
        for account in ("acme", "globex")
    }
    assert every == {"acme": [-5.00, 10.00, 20.00], "globex": [-5.00, 10.00]}
    for one in await invoices(tenant):
        assert (await tenant.call("VerifyInvoice", invoice_id=one.number)).same
    assert not (await tenant.call("AuditLedger")).differences
    assert not (await tenant.call("PreviewInvoice", account_id="globex")).HasField("cut_time")
    await tenant.call("SetTestClock", time=at("2031-05-20T00:00:00"))
    await run(tenant)
    assert [dollars(one.total) for one in await invoices(tenant, account_id="acme")][3:] == [20.00]


@pytest.mark.parametrize("billing", [THREE_DAYS, {"grace": "3600s"}], ids=["review", "grace"])
async def test_a_change_that_is_invoiced_at_once_while_the_period_before_it_waits_is_charged_once(tenant, billing):
    """Half an hour into May: 10.00 of it back, 20.00 instead. In all 10.00 for April, 20.00 for May, 18.50 of calls."""
    await tenant.call("SetTestClock", time=at("2031-04-01T00:00:00"), standing=True)
    await tenant.call("SetBillingProfile", party={"name": "Tally GmbH"})
    document = catalog(BASE, SMS, billing=billing)
    twice = [{"recurring": {"amount": "20.00"}}, SMS]
    document["plans"]["big"] = {**document["plans"]["pro"], "name": "Big", "prices": twice}
    await tenant.apply(document)
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await run(tenant)
    await tenant.consume("acme", "calls", 37)
    await tenant.call("SetTestClock", time=at("2031-05-01T00:00:00"))
    await run(tenant)
    await tenant.call("SetTestClock", time=at("2031-05-01T00:30:00"))
    at_once = {"when": "CHANGE_WHEN_NOW", "invoice": "CHANGE_INVOICE_NOW"}
    await tenant.call("ChangePlan", account_id="acme", plan_key="big", **at_once)
    await run(tenant)
    assert [dollars(one.total) for one in await invoices(tenant)] == [10.00, 20.00]
    await tenant.call("SetTestClock", time=at("2031-05-05T00:00:00"))
    await run(tenant)
    assert [dollars(one.total) for one in await invoices(tenant)] == [10.00, 20.00, 18.50]
    for one in await invoices(tenant):
        assert (await tenant.call("VerifyInvoice", invoice_id=one.number)).same


@pytest.mark.parametrize("days", [14, 1], ids=["a leap", "day by day"])
async def test_what_begins_under_review_is_issued_at_its_instant_however_the_clock_goes(tenant, days):
    """Cancelled on 16 April and tried again for a day: $10.00 on the 17th, half of the first one back on the 19th."""
    await tenant.call("SetTestClock", time=at("2031-04-01T00:00:00"), standing=True)
    await tenant.call("SetBillingProfile", party={"name": "Tally GmbH"})
    await tenant.apply(catalog(BASE, billing=THREE_DAYS))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.call("SetTestClock", time=at("2031-04-16T00:00:00"))
    await tenant.call("CancelSubscription", account_id="acme", when="CHANGE_WHEN_NOW")
    await tenant.call("CreateSubscription", account_id="acme", plan_key="pro", trial_days=1)
    for passed in range(days, 15, days):
        await tenant.call("SetTestClock", time=at(f"2031-04-{16 + passed}T00:00:00"))
        await run(tenant)
    found = sorted((one.issue_time.ToDatetime().day, dollars(one.total)) for one in await invoices(tenant))
    assert found == [(1, 10.00), (17, 10.00), (19, -5.00)]
    for one in await invoices(tenant):
        assert (await tenant.call("VerifyInvoice", invoice_id=one.number)).same


async def test_when_nothing_is_reviewed_any_more_what_waited_is_issued_and_no_draft_is_left(tenant):
    await reviewed(tenant, accounts=("acme", "globex"))
    assert len(await drafts(tenant)) == 2
    await tenant.apply(catalog(BASE, SMS, billing={**THREE_DAYS, "review": "0s"}))
    await run(tenant)
    assert sorted(dollars(one.total) for one in await invoices(tenant)) == [10.00, 10.00, 28.50, 28.50]
    left = await tenant.call("ListInvoices", state=DRAFT, page_size=1)
    assert (list(left.invoices), left.next_page_token) == ([], "")


async def test_a_draft_of_another_account_is_not_there_for_a_key_bound_to_one(tenant):
    await reviewed(tenant, accounts=("acme", "other"))
    (own_draft,), (draft,) = await drafts(tenant, account_id="acme"), await drafts(tenant, account_id="other")
    key = (await tenant.call("CreateApiKey", name="p", scopes=["SCOPE_SELF_SERVICE"], account_id="acme")).key
    own = Tenant(tenant.channel, key)
    for method, beside in (("GetInvoice", {}), ("ExplainLine", {"line": 1}), ("RenderInvoice", {}), ("Pay", {})):
        refused = await failure(own.call(method, invoice_id=draft.invoice_id, **beside))
        assert refused == (grpc.StatusCode.NOT_FOUND, "INVOICE_NOT_FOUND"), method
    assert (await own.call("GetInvoice", invoice_id=own_draft.invoice_id)).invoice.account_id == "acme"
    assert (await failure(own.call("Pay", invoice_id=own_draft.invoice_id)))[1] == "INVOICE_DRAFT"
