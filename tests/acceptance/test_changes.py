"""Rows about changes of subscriptions: what they charge and credit, and that a preview says so first. By hand."""

import grpc
import pytest

from invoicing import DAY, catalog, dollars, invoices, run, seat, thirty_days
from tallygate_api.v1 import invoice_pb2
from tenants import failure

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
NONE, AT_ONCE = "CHANGE_PRORATION_NONE", "CHANGE_INVOICE_NOW"
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
    pytest.param(
        "change_plan",
        "ChangePlan",
        {"plan_key": "big", "when": NOW, "proration": NONE},
        [],
        id="another plan unprorated",
    ),
    pytest.param(
        "set_add_on",
        "SetAddOn",
        {"add_on_key": "pack", "quantity": 2, "proration": NONE},
        [],
        id="an add-on unprorated",
    ),
    pytest.param(
        "change_plan",
        "ChangePlan",
        {"plan_key": "big", "when": NOW, "invoice": AT_ONCE},
        [("Big", 25.00), ("Credit: Pro", -10.00)],
        id="another plan invoiced at once",
    ),
    pytest.param(
        "set_add_on",
        "SetAddOn",
        {"add_on_key": "pack", "quantity": 1, "invoice": AT_ONCE},
        [("Pack", 6.00)],
        id="an add-on invoiced at once",
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
    if fields.get("invoice") == AT_ONCE:
        assert [one.invoice_id for one in done.invoices] == [one.invoice_id for one in preview.invoices]
    await tenant.advance(16 * DAY)
    await run(tenant)
    later = [await full(tenant, one) for one in (await invoices(tenant))[1:]]
    later = later[: max(len(preview.invoices), len(later) - 1)] if fields.get("invoice") == AT_ONCE else later
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


async def amounts(tenant):
    """Every line of every invoice, by invoice."""
    return [shown((await full(tenant, one)).lines) for one in await invoices(tenant)]


async def test_ar_09_without_proration_a_change_costs_nothing_before_the_period_ends(tenant):
    """The new plan serves at once; $20 stay paid, and $50 come with the next period."""
    await half_a_month(tenant, two_plans(add_ons={"pack": PACK}))
    done = await tenant.call("ChangePlan", **ACME, plan_key="big", when=NOW, proration=NONE)
    assert done.subscription.plan_key == "big"
    await tenant.advance(16 * DAY)
    await run(tenant)
    assert await amounts(tenant) == [[("Pro", 20.00)], [("Big", 50.00)]]


async def test_ar_09_a_change_after_an_unprorated_one_credits_what_was_paid(tenant):
    """Pro is paid; big for ten days is not charged; with five of 30 days left: 1/6 of $20 back, 1/6 of $80."""
    document = two_plans()
    document["plans"]["huge"] = {
        **document["plans"]["big"],
        "name": "Huge",
        "prices": [{"recurring": {"amount": "80.00"}}],
    }
    await half_a_month(tenant, document)
    await tenant.call("ChangePlan", **ACME, plan_key="big", when=NOW, proration=NONE)
    await tenant.advance(10 * DAY)
    await tenant.call("ChangePlan", **ACME, plan_key="huge", when=NOW)
    await tenant.advance(6 * DAY)
    await run(tenant)
    assert await amounts(tenant) == [
        [("Pro", 20.00)],
        [("Huge", 13.33), ("Credit: Pro", -3.33), ("Huge", 80.00)],
    ]


async def test_ar_09_an_add_on_given_up_unprorated_stays_paid(tenant):
    await half_a_month(tenant, two_plans(add_ons={"pack": PACK}))
    await tenant.call("SetAddOn", **ACME, add_on_key="pack")
    await tenant.advance(5 * DAY)
    await tenant.call("SetAddOn", **ACME, add_on_key="pack", quantity=0, proration=NONE)
    await tenant.advance(11 * DAY)
    await run(tenant)
    assert await amounts(tenant) == [[("Pro", 20.00)], [("Pack", 6.00), ("Pro", 20.00)]]


async def test_ar_09_an_invoice_at_once_is_followed_by_none_for_the_same(tenant):
    """Upgraded at once, $15 are invoiced at once; the next invoice has the next period alone, and usage."""
    calls = {"usage": {"feature_key": "calls", "unit_amount": "0.50"}}
    document = two_plans(calls)
    document["plans"]["big"]["prices"].append(calls)
    await half_a_month(tenant, document)
    await tenant.consume("acme", "calls", 4)
    done = await tenant.call("ChangePlan", **ACME, plan_key="big", invoice=AT_ONCE)
    (change,) = done.invoices
    assert (change.kind, dollars(change.total), shown(change.lines)) == (
        invoice_pb2.INVOICE_KIND_CHANGE,
        15.00,
        [("Big", 25.00), ("Credit: Pro", -10.00)],
    )
    assert list(await run(tenant)) == []
    await tenant.advance(16 * DAY)
    await run(tenant)
    assert await amounts(tenant) == [
        [("Pro", 20.00)],
        [("Big", 25.00), ("Credit: Pro", -10.00)],
        [("Big", 50.00), ("calls", 2.00)],
    ]


async def test_ar_09_a_downgrade_comes_at_the_end_of_the_period_unless_it_is_asked_for_at_once(tenant):
    start = await half_a_month(tenant)
    document = two_plans(SEATS, big="10.00", add_ons={"pack": PACK})
    document["plans"]["big"]["version"] = 2
    await tenant.apply(document)
    later = await tenant.call("ChangePlan", **ACME, plan_key="big")
    assert later.subscription.plan_key == "pro"
    assert later.subscription.terms[-1].start_time.seconds == start.seconds + 30 * DAY
    at_once = await tenant.call("ChangePlan", **ACME, plan_key="big", when=NOW)
    assert at_once.subscription.plan_key == "big"


async def test_the_period_of_a_plan_that_is_invoiced_by_the_calendar_ends_with_its_month(tenant):
    """From the 16th on: a change at the period's end comes on the 1st, not on the 16th."""
    start = await thirty_days(tenant)
    document = two_plans()
    for plan in document["plans"].values():
        plan["billing"] = {"every": "month", "anchor": "calendar"}
    await tenant.apply(document)
    await tenant.advance(15 * DAY)
    await tenant.call("UpsertAccount", **ACME, plan_key="pro")
    changed = await tenant.call("ChangePlan", **ACME, plan_key="big", when=PERIOD_END)
    assert changed.subscription.terms[-1].start_time.seconds == start.seconds + 30 * DAY


async def test_what_a_change_cannot_do_names_the_field_and_changes_nothing(tenant):
    document = two_plans()
    document["plans"]["big"]["prices"] = [{"recurring": {"amount": "500.00", "every": "year"}}]
    await half_a_month(tenant, document)
    before = await tenant.call("GetSubscription", **ACME)
    with pytest.raises(grpc.aio.AioRpcError, match="field=proration"):
        await tenant.call("ChangePlan", **ACME, plan_key="big", when=NOW, proration=NONE)
    assert await tenant.call("GetSubscription", **ACME) == before


async def test_without_billing_nothing_is_invoiced_at_once_and_nothing_changes(tenant):
    document = two_plans()
    del document["billing"]
    await tenant.apply(document)
    await tenant.call("UpsertAccount", **ACME, plan_key="pro")
    before = await tenant.call("GetSubscription", **ACME)
    refused = await failure(tenant.call("ChangePlan", **ACME, plan_key="big", invoice=AT_ONCE))
    assert refused[1] == "BILLING_NOT_STARTED"
    assert await tenant.call("GetSubscription", **ACME) == before
