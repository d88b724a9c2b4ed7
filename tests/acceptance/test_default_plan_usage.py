"""Usage on the default plan, of accounts without a subscription: charged from when its prices say so. By hand."""

from invoicing import DAY, catalog, dollars, invoices, lines, month_ahead, run

CALLS = {"usage": {"feature_key": "calls", "unit_amount": "0.50"}}


def document(*prices, version=1):
    found = catalog(*prices, billing={"grace": "0s"})
    found["plans"]["pro"]["version"] = version
    return {**found, "default_plan": "pro"}


async def test_an_account_that_nothing_brought_to_billing_is_charged_once_its_default_plan_has_prices(tenant):
    """Two calls before the plan had a price, four after it: $2.00, verified; its fee is for subscribers."""
    await month_ahead(tenant)
    await tenant.apply(document({"recurring": {"amount": "9.00"}}))
    await tenant.call("UpsertAccount", account_id="acme")
    await tenant.consume("acme", "calls", 2)
    await run(tenant)
    await tenant.advance(5 * DAY)
    applied = await tenant.apply(document({"recurring": {"amount": "9.00"}}, CALLS, version=2))
    await tenant.consume("acme", "calls", 4, min_view_version=applied.view_version)
    await tenant.advance(31 * DAY)
    await run(tenant)
    (made,) = await invoices(tenant, account_id="acme")
    assert await lines(tenant, made) == [("calls", 2.00)]
    assert dollars(made.total) == 2.00
    assert (await tenant.call("VerifyInvoice", invoice_id=made.invoice_id)).same
    events = await tenant.call("ListLineEvents", invoice_id=made.invoice_id, line=1)
    assert [each.quantity for each in events.events] == [4]
    whole = (await tenant.call("GetInvoice", invoice_id=made.invoice_id)).invoice
    assert whole.lines[0].line_key.startswith("usage/account/acme/plans/pro/calls/2/")
