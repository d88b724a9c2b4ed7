"""Rows about what is told of what happened: once each, with the document as it stood then. Figures by hand."""

from google.protobuf.json_format import MessageToDict

from invoicing import DAY, catalog, dollars, month_ahead, run
from tallygate_api.v1 import message_service_pb2 as wire
from tenants import Tenant


async def open_house(tenant, *tokens, billing=None, profile=None, standing=False):
    """An account with an opening invoice of 29.00, issued on the first of a month, and methods by their tokens."""
    start = await month_ahead(tenant, standing=standing)
    await tenant.apply(catalog({"recurring": {"amount": "29.00"}}, billing=billing))
    await tenant.call("SetGateway", name="fake")
    await tenant.call("UpsertAccount", account_id="acme")
    if profile is not None:
        await tenant.call("SetBillingProfile", account_id="acme", party=profile)
    for token in tokens:
        await tenant.call("AttachMethod", account_id="acme", method_id=token, token=token)
    await tenant.call("CreateSubscription", account_id="acme", plan_key="pro")
    await run(tenant)
    return start


async def messages(tenant, **wanted):
    """All of them, page by page, two a page."""
    found, after = [], 0
    while True:
        page = await tenant.call("ListMessages", after_sequence=after, page_size=2, **wanted)
        if not page.messages:
            return found
        found += page.messages
        after = page.next_after_sequence


async def types(tenant, **wanted):
    return [message.type for message in await messages(tenant, **wanted)]


async def test_messages_come_in_order_without_gaps_and_once(tenant: Tenant):
    """Told when it happened: subscribed, invoiced, charged, paid; looking again and again tells nothing more."""
    start = await open_house(tenant, "fake_ok", standing=True)
    expected = ["subscription.created", "invoice.created", "payment.succeeded", "invoice.paid"]
    found = await messages(tenant)
    assert [one.type for one in found] == expected
    assert [one.sequence for one in found] == [1, 2, 3, 4]
    assert all(one.create_time == start for one in found)
    assert len({one.message_id for one in found}) == 4
    for _ in range(3):
        await run(tenant)
    assert await types(tenant) == expected
    assert await types(tenant, type="invoice.paid", account_id="acme") == ["invoice.paid"]
    assert await types(tenant, account_id="somebody") == []


async def test_wx_27_a_document_is_told_with_its_lines_and_as_paid_once_it_was_charged(tenant: Tenant):
    """29.00 charged: one invoice.paid with its currency, the line's key and its amount; nothing was due then."""
    await open_house(tenant, "fake_ok")
    (paid,) = await messages(tenant, type="invoice.paid")
    assert paid.invoice.total.currency_code == "USD"
    assert [dollars(line.amount) for line in paid.invoice.lines] == [29.0]
    assert all(line.line_key for line in paid.invoice.lines)
    assert (dollars(paid.invoice.paid), dollars(paid.invoice.due)) == (29.0, 0.0)


async def test_wx_27_what_was_not_charged_is_not_told_as_paid(tenant: Tenant):
    """Refused four times: invoice.created once, a failure for each attempt, and never invoice.paid."""
    await open_house(tenant, "fake_later_9")
    await tenant.advance(15 * DAY)
    await run(tenant)
    told = await types(tenant, account_id="acme")
    assert told.count("invoice.created") == 1
    assert told.count("invoice.payment_failed") == told.count("payment.failed") == 4  # days 0, 2, 7, 14
    assert "invoice.paid" not in told


async def test_mn_24_the_body_of_a_message_is_what_getinvoice_answered_then(tenant: Tenant):
    """By one serialiser: the created one as it was open, the paid one as it is now."""
    buyer = {"name": "Acme Ltd", "address": {"country": "DE"}}
    await open_house(tenant, profile=buyer)
    (number,) = {one.invoice.number for one in await messages(tenant, type="invoice.created")}
    before = MessageToDict((await tenant.call("GetInvoice", invoice_id=number)).invoice)
    await tenant.call("AttachMethod", account_id="acme", token="fake_ok")
    await run(tenant)
    now = MessageToDict((await tenant.call("GetInvoice", invoice_id=number)).invoice)
    (created,) = await messages(tenant, type="invoice.created")
    (paid,) = await messages(tenant, type="invoice.paid")
    assert MessageToDict(created.invoice) == before != now == MessageToDict(paid.invoice)


async def test_wx_32_the_state_of_an_invoice_is_told_whenever_it_changes(tenant: Tenant):
    """{status, invoiceId, account, recurring}: open, then void; recurring, as its line is of a recurring price."""
    await open_house(tenant)
    (created,) = await messages(tenant, type="invoice.created")
    await tenant.call("VoidInvoice", invoice_id=created.invoice.invoice_id)
    await tenant.call("VoidInvoice", invoice_id=created.invoice.invoice_id)
    told = await messages(tenant, invoice_id=created.invoice.invoice_id)
    states = [(one.type, one.invoice.state, one.account_id, one.recurring) for one in told if one.type != "invoice.due"]
    assert states == [("invoice.created", 1, "acme", True), ("invoice.voided", 3, "acme", True)]


async def test_wx_32_what_is_given_up_is_told(tenant: Tenant):
    await open_house(tenant)
    (created,) = await messages(tenant, type="invoice.created")
    await tenant.call("WriteOffInvoice", invoice_id=created.invoice.invoice_id)
    (lost,) = await messages(tenant, type="invoice.uncollectible")
    assert (lost.invoice.state, dollars(lost.invoice.written_off)) == (5, 29.0)


async def test_bk_10_with_the_flag_off_it_stays_unpaid_and_what_is_due_is_told(tenant: Tenant):
    """Collected by hand, due after 8 days: nothing is charged, and one message names what is due, 29.00, once."""
    manual = {"payment": {"collect": "manual", "due": {"days": 8}}}
    start = await open_house(tenant, "fake_ok", billing=manual, standing=True)
    await tenant.advance(8 * DAY - 60)
    await run(tenant)
    assert await types(tenant, type="invoice.due") == []
    await tenant.advance(10 * DAY)
    await run(tenant)
    (due,) = await messages(tenant, type="invoice.due")
    assert due.facts["amount"] == "29.00"
    assert due.facts["due_invoices"] == due.invoice.invoice_id
    assert due.create_time.seconds == start.seconds + 8 * DAY
    assert "payment.failed" not in await types(tenant)
    assert dollars(due.invoice.due) == 29.0


async def test_bk_10_a_failure_is_told_and_so_is_the_payment_by_a_new_method(tenant: Tenant):
    await open_house(tenant, "fake_decline")
    await tenant.call("AttachMethod", account_id="acme", token="fake_ok", default=True)
    await run(tenant)
    told = await types(tenant)
    expected = ["payment.failed", "invoice.payment_failed", "payment.succeeded", "invoice.paid"]
    assert [one for one in told if one in expected] == expected
    (failed,) = await messages(tenant, type="payment.failed")
    assert (failed.facts["reason"], failed.facts["amount"]) == ("card_declined", "29.00")


async def test_a_pending_payment_is_told_with_where_to_go(tenant: Tenant):
    await open_house(tenant, "fake_pending")
    (pending,) = await messages(tenant, type="payment.pending")
    assert pending.facts["next_action_url"].startswith("https://")


async def test_money_that_came_otherwise_is_told_as_what_it_paid(tenant: Tenant):
    await open_house(tenant)
    await tenant.call("RecordOffline", account_id="acme", amount={"currency_code": "USD", "units": 29})
    (money,) = await messages(tenant, type="payment.succeeded")
    assert (money.facts["cause"], money.facts["amount"]) == ("offline", "29.00")
    assert await types(tenant, type="invoice.paid") == ["invoice.paid"]


async def test_what_is_done_to_a_subscription_is_told_where_the_tenant_bills(tenant: Tenant):
    await open_house(tenant)
    await tenant.call("CancelSubscription", account_id="acme")
    told = [one for one in await types(tenant) if one.startswith("subscription.")]
    assert told == ["subscription.created", "subscription.canceled"]


async def test_a_tenant_that_does_not_bill_has_no_messages(tenant: Tenant):
    document = catalog({"recurring": {"amount": "29.00"}})
    del document["billing"]
    await tenant.apply(document)
    await tenant.call("UpsertAccount", account_id="acme")
    await tenant.call("CreateSubscription", account_id="acme", plan_key="pro")
    assert (await tenant.call("ListMessages")).next_after_sequence == 0
    assert wire.ListMessagesResponse() == await tenant.call("ListMessages")
