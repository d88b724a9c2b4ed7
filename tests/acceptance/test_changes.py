"""Rows about changes of subscriptions: what they charge and credit, and that a preview says so first. By hand."""

import pytest

from invoicing import DAY, catalog, dollars, invoices, run, seat, thirty_days

PACK = {"version": 1, "name": "Pack", "offered_on": ["pro"], "prices": [{"recurring": {"amount": "12.00"}}]}
SEATS = {"key": "users", "recurring": {"amount": "15.00", "quantity": {"seats": "seats"}, "label": "Users"}}


def two_plans(*prices, big="50.00", **parts):
    document = catalog({"recurring": {"amount": "20.00"}}, *prices, **parts)
    document["plans"]["big"] = {**document["plans"]["pro"], "name": "Big", "prices": [{"recurring": {"amount": big}}]}
    return document


def shown(lines):
    return [(line.text, dollars(line.amount)) for line in lines]


async def full(tenant, invoice):
    return (await tenant.call("GetInvoice", invoice_id=invoice.invoice_id)).invoice


async def half_a_month(tenant, document=None):
    """Acme on pro at $20, in the middle of a month of 30 days whose opening invoice was issued; the clock stands."""
    start = await thirty_days(tenant)
    await tenant.apply(document or two_plans(SEATS, add_ons={"pack": PACK}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await run(tenant)
    await tenant.advance(15 * DAY)
    await tenant.call("SetTestClock", standing=True)
    return start


ACME = {"account_id": "acme"}
NOW, PERIOD_END = "CHANGE_WHEN_NOW", "CHANGE_WHEN_PERIOD_END"
CHANGES = [
    pytest.param(
        "change_plan",
        "ChangePlan",
        {"plan_key": "big", "when": NOW},
        [("Big", 25.00), ("Credit: Pro", -10.00)],
        id="another plan now",
    ),
    pytest.param(
        "change_plan", "ChangePlan", {"plan_key": "big", "when": PERIOD_END}, [("Big", 50.00)], id="another plan later"
    ),
    pytest.param(
        "set_add_on", "SetAddOn", {"add_on_key": "pack", "quantity": 2}, [("Pack (2 @ $12.00)", 12.00)], id="an add-on"
    ),
    pytest.param("cancel", "CancelSubscription", {"when": NOW}, [("Credit: Pro", -10.00)], id="an end now"),
    pytest.param("cancel", "CancelSubscription", {"when": PERIOD_END}, [], id="an end later"),
]


@pytest.mark.parametrize(("change", "method", "fields", "expected"), CHANGES)
async def test_ar_09_a_preview_of_a_change_equals_what_is_invoiced(tenant, change, method, fields, expected):
    """Half of $20 back, half of $50, of 2 x $12; the next invoice is the one that was shown."""
    await half_a_month(tenant)
    preview = await tenant.call("PreviewChange", **{change: {**ACME, **fields}})
    assert shown(preview.lines) == expected
    before = await tenant.call("GetSubscription", **ACME)
    assert before.subscription.plan_key == "pro"
    done = await tenant.call(method, **ACME, **fields)
    assert done.subscription == preview.subscription
    await tenant.advance(16 * DAY)
    await run(tenant)
    later = [await full(tenant, one) for one in (await invoices(tenant))[1:]]
    assert [list(one.lines) for one in preview.invoices] == [list(one.lines) for one in later]
    assert [one.total for one in preview.invoices] == [one.total for one in later]
    assert {line.line_key for line in preview.lines} <= {line.line_key for one in later for line in one.lines}


async def test_ar_09_a_preview_of_seats_equals_what_is_invoiced(tenant):
    """3 seats for half a month at $15, and for the next one."""
    await half_a_month(tenant)
    preview = await tenant.call("PreviewChange", quantity={**ACME, "feature_key": "seats", "quantity": 3})
    assert shown(preview.lines) == [("Users (3 @ $15.00)", 22.50)]
    await seat(tenant, "ann", "bob", "cat")
    await tenant.advance(16 * DAY)
    await run(tenant)
    later = await full(tenant, (await invoices(tenant))[-1])
    assert shown(preview.invoices[0].lines) == shown(later.lines)
    assert [line for line in shown(later.lines) if line[0].startswith("Users")] == [
        ("Users (3 @ $15.00)", 22.50),
        ("Users (3 @ $15.00)", 45.00),
    ]
