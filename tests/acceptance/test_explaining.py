"""Explain my bill: how a line came about, the events behind it, and that it comes out the same once more."""

import grpc
import pytest

from invoicing import DAY, catalog, dollars, invoices, lines, month_ahead, run, thirty_days
from tallygate_api.v1.invoice_service_pb2 import LineEventMark
from tenants import failure

FREE, UNREADABLE = LineEventMark.LINE_EVENT_MARK_FREE, LineEventMark.LINE_EVENT_MARK_UNREADABLE
CARRIED_OVER = LineEventMark.LINE_EVENT_MARK_CARRIED_OVER


@pytest.fixture
async def billed(tenant):
    """An invoice with one line of usage: 30 + 40 - 5 calls in the region eu, 7 elsewhere; 10 are free, 0.50 each."""
    await month_ahead(tenant)
    price = {"usage": {"feature_key": "calls", "unit_amount": "0.50", "free_quota": "10", "where": {"region": "eu"}}}
    features = {"calls": {"kind": "metered", "dimensions": ["region"]}}
    await tenant.apply(catalog({"recurring": {"amount": "31.00"}}, price, features=features))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    for number, (quantity, region) in enumerate([(30, "eu"), (40, "eu"), (7, "us"), (-5, "eu")]):
        await tenant.consume("acme", "calls", quantity, dimensions={"region": region}, request_id=f"call-{number}")
    await tenant.advance(31 * DAY)
    await run(tenant)
    return (await invoices(tenant))[-1]


async def explained(tenant, invoice, line):
    return await tenant.call("ExplainLine", invoice_id=invoice.number, line=line)


async def usage_line(tenant, invoice):
    whole = (await tenant.call("GetInvoice", invoice_id=invoice.invoice_id)).invoice
    return next(n for n, line in enumerate(whole.lines, start=1) if line.line_key.startswith("usage/"))


async def test_a_line_of_usage_is_explained_to_the_cent(tenant, billed):
    """65 counted, 10 of them free, 55 at 0.50: 27.50."""
    answer = await explained(tenant, billed, await usage_line(tenant, billed))
    assert [(step.kind, step.quantity, step.rate, step.amount) for step in answer.line.steps] == [
        ("counted", "65", "0", "0"),
        ("free", "10", "0", "0"),
        ("charged", "55", "0.5", "27.5"),
    ]
    assert answer.line.exact_amount == "2750"
    assert answer.price.usage.unit_amount == "0.50"
    assert dict(answer.price.usage.where) == {"region": "eu"}
    assert (answer.rounding, answer.proration, answer.time_zone) == ("half_even", "day", "UTC")
    assert (answer.inputs.feature_key, answer.inputs.plan, answer.inputs.billed_before) == ("calls", "pro/1", "0")
    assert (answer.inputs.start_time, answer.inputs.end_time) == (billed.start_time, billed.end_time)


async def test_the_events_behind_a_line_are_those_it_counted(tenant, billed):
    asked = {"invoice_id": billed.invoice_id, "line": await usage_line(tenant, billed)}
    first = await tenant.call("ListLineEvents", **asked, page_size=2)
    rest = await tenant.call("ListLineEvents", **asked, page_size=2, page_token=first.next_page_token)
    found = [*first.events, *rest.events]
    assert [(event.request_id, event.quantity) for event in found] == [("call-0", 30), ("call-1", 40), ("call-3", -5)]
    assert not rest.next_page_token
    assert {event.dimensions["region"] for event in found} == {"eu"}


async def test_a_line_of_cover_counts_no_events(tenant, billed):
    answer = await explained(tenant, billed, 1)
    assert answer.price.recurring.amount == "31.00"
    assert not answer.HasField("inputs")
    assert not (await tenant.call("ListLineEvents", invoice_id=billed.invoice_id, line=1)).events


@pytest.mark.parametrize("line", [0, 3, -1])
async def test_there_is_no_such_line(tenant, billed, line):
    assert "INVALID_FIELD" in await failure(tenant.call("ExplainLine", invoice_id=billed.invoice_id, line=line))


async def test_an_event_that_comes_later_changes_no_line_that_was_issued(tenant, billed):
    """And a new version, another rounding and another zone do not either."""
    number = await usage_line(tenant, billed)
    changed = catalog({"recurring": {"amount": "99.00"}}, billing={"proration": "second"})
    changed["plans"]["pro"]["version"] = 2
    await tenant.apply(changed, migrate="MIGRATE_NOW")
    await tenant.call("UpsertAccount", account_id="acme", time_zone="Asia/Kolkata")
    answer = await tenant.call("VerifyInvoice", invoice_id=billed.number)
    assert (answer.same, answer.lines, list(answer.differences)) == (True, 2, [])
    assert len((await tenant.call("ListLineEvents", invoice_id=billed.number, line=number)).events) == 3


async def test_a_line_is_found_by_its_key_alone(tenant, billed):
    """As what it goes back to is named on another line, or as a support agent has it."""
    number = await usage_line(tenant, billed)
    whole = (await tenant.call("GetInvoice", invoice_id=billed.invoice_id)).invoice
    key = whole.lines[number - 1].line_key
    answer = await tenant.call("ExplainLine", line_key=key)
    assert answer == await explained(tenant, billed, number)
    assert (answer.invoice_id, answer.line_number) == (billed.invoice_id, number)
    assert len((await tenant.call("ListLineEvents", line_key=key)).events) == 3
    missing = await failure(tenant.call("ExplainLine", line_key="usage/none"))
    assert missing == (grpc.StatusCode.NOT_FOUND, "INVOICE_NOT_FOUND")
    for wrong in ({"invoice_id": billed.invoice_id}, {"line": 1}):
        assert "INVALID_FIELD" in await failure(tenant.call("ExplainLine", line_key=key, **wrong))
    assert "INVALID_FIELD" in await failure(tenant.call("ExplainLine", line_key="x" * 1025))


async def last_of_a_month(tenant, price, events, **terms):
    """The usage line of a month of these events, and what is listed behind it."""
    await month_ahead(tenant)
    await tenant.apply(catalog(price, **terms))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    for number, (quantity, dimensions) in enumerate(events):
        await tenant.consume("acme", "calls", quantity, dimensions=dimensions, request_id=f"call-{number}")
    await tenant.advance(31 * DAY)
    await run(tenant)
    asked = {"invoice_id": (await invoices(tenant))[-1].number, "line": 1}
    line = (await tenant.call("ExplainLine", **asked)).line
    return line, [(event.request_id, event.quantity, event.counted) for event in await listed_events(tenant)]


async def listed_events(tenant, page_size=2):
    """What is listed behind the first line of the last document, page by page."""
    asked, found, token = {"invoice_id": (await invoices(tenant))[-1].number, "line": 1}, [], ""
    while True:
        page = await tenant.call("ListLineEvents", **asked, page_size=page_size, page_token=token)
        found += page.events
        token = page.next_page_token
        if not token:
            return found


async def test_of_what_goes_over_a_limit_only_that_is_counted(tenant):
    """100 are included: of 70 nothing is charged, of the next 50 twenty are, of the last 5 all."""
    terms = {"entitlements": {"calls": {"limit": 100, "overage": "allow"}}}
    price = {"usage": {"feature_key": "calls", "unit_amount": "0.50"}}
    line, listed = await last_of_a_month(tenant, price, [(70, {}), (50, {}), (5, {})], **terms)
    assert listed == [("call-1", 50, "20"), ("call-2", 5, "5")]
    assert line.quantity == "25"


async def test_an_event_whose_amount_cannot_be_read_is_told_and_not_counted(tenant):
    features = {"calls": {"kind": "metered", "dimensions": ["amount"]}}
    price = {"usage": {"feature_key": "calls", "model": "percentage", "of": {"dimension": "amount"}, "rate": "1"}}
    sold = [(1, {"amount": "100.00"}), (1, {"amount": "a lot"}), (1, {"amount": "45.50"})]
    line, listed = await last_of_a_month(tenant, price, sold, features=features)
    assert listed == [("call-0", 1, "100"), ("call-1", 1, "0"), ("call-2", 1, "45.5")]
    assert line.quantity == "145.5"
    found = await listed_events(tenant)
    assert [(event.amount, list(event.marks)) for event in found] == [("1", []), ("0", [UNREADABLE]), ("0.455", [])]
    answer = await tenant.call("ExplainLine", invoice_id=(await invoices(tenant))[-1].number, line=1)
    assert answer.inputs.unreadable == 1


async def test_what_is_free_of_a_percentage_is_so_on_every_page(tenant):
    """The first three events are free: 60 of 100, at 1 % and 0.30 each; so the last pays 0.70."""
    features = {"calls": {"kind": "metered", "dimensions": ["amount"]}}
    source = {"of": {"dimension": "amount"}, "rate": "1", "fixed_amount": "0.30", "free_events": 3}
    sold = [(1, {"amount": amount}) for amount in ("10", "20", "30", "40")]
    price = {"usage": {"feature_key": "calls", "model": "percentage", **source}}
    line, _ = await last_of_a_month(tenant, price, sold, features=features)
    found = await listed_events(tenant)
    assert [(event.amount, list(event.marks)) for event in found] == [*[("0", [FREE])] * 3, ("0.7", [])]
    assert dollars(line.amount) == 0.70


async def test_what_is_free_goes_on_from_the_price_before(tenant):
    """Two events are free: one at the catalogue's price, and one at the account's own, by which 30 at 2 % are 0.60."""
    await month_ahead(tenant)
    usage = {"feature_key": "calls", "model": "percentage", "of": {"dimension": "amount"}, "free_events": 2}
    features = {"calls": {"kind": "metered", "dimensions": ["amount"]}}
    await tenant.apply(catalog({"usage": {**usage, "rate": "1"}}, features=features))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.consume("acme", "calls", 1, dimensions={"amount": "10"})
    await tenant.advance(5 * DAY)
    own = {"key": "calls", "usage": {**usage, "model": "CHARGE_MODEL_PERCENTAGE", "rate": "2"}}
    await tenant.call("SetPriceOverride", account_id="acme", plan_key="pro", price=own)
    for amount in ("20", "30"):
        await tenant.consume("acme", "calls", 1, dimensions={"amount": amount})
    await tenant.advance(31 * DAY)
    await run(tenant)
    (invoice,) = await invoices(tenant)
    assert [amount for _, amount in await lines(tenant, invoice)] == [0.60]
    found = await listed_events(tenant)
    assert [(event.amount, list(event.marks)) for event in found] == [("0", [FREE]), ("0.6", [])]


async def test_a_level_from_before_is_told_as_carried_over(tenant):
    """5 since the month before, then 9: the last level is what both came to, 5 and 4 more."""
    await month_ahead(tenant)
    features = {"calls": {"kind": "metered", "aggregation": "latest"}}
    await tenant.apply(catalog({"usage": {"feature_key": "calls", "unit_amount": "1.00"}}, features=features))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.consume("acme", "calls", 5)
    await tenant.advance(31 * DAY)
    await run(tenant)
    await tenant.advance(5 * DAY)
    await tenant.consume("acme", "calls", 9, request_id="nine")
    await tenant.advance(31 * DAY)
    await run(tenant)
    invoice = (await invoices(tenant))[-1]
    found = await listed_events(tenant, page_size=1)
    assert [(event.request_id, event.quantity, event.counted, list(event.marks)) for event in found] == [
        ("", 5, "5", [CARRIED_OVER]),
        ("nine", 9, "4", []),
    ]
    whole = (await tenant.call("GetInvoice", invoice_id=invoice.invoice_id)).invoice
    assert found[0].occurred_time == whole.lines[0].start_time
    assert whole.lines[0].quantity == "9"


async def test_a_price_of_the_accounts_own_is_the_one_that_explains(tenant):
    """From 15 days into a month of 30 on; what is credited then goes back to the catalogue's."""
    await thirty_days(tenant)
    await tenant.apply(catalog({"recurring": {"amount": "20.00"}}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.advance(15 * DAY)
    own = {"key": "recurring", "recurring": {"amount": "10.00"}}
    await tenant.call("SetPriceOverride", account_id="acme", plan_key="pro", price=own)
    await tenant.advance(16 * DAY)
    await run(tenant)
    found = {}
    for invoice in await invoices(tenant):
        whole = (await tenant.call("GetInvoice", invoice_id=invoice.invoice_id)).invoice
        for number, line in enumerate(whole.lines, start=1):
            price = (await explained(tenant, invoice, number)).price
            found[line.text, dollars(line.amount)] = price.recurring.amount
    assert found == {
        ("Pro", 20.0): "20.00",
        ("Credit: Pro", -10.0): "20.00",
        ("Pro", 5.0): "10.00",
        ("Pro", 10.0): "10.00",
    }
