"""Explain my bill: how a line came about, the events behind it, and that it comes out the same once more."""

import pytest

from invoicing import DAY, catalog, invoices, month_ahead, run
from tenants import failure


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
