"""Rows about changes of subscriptions: what they charge and credit, and that a preview says so first. By hand."""

import asyncio

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

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


QUANTITIES = [
    pytest.param({"proration": NONE}, [], [], id="unprorated"),
    pytest.param({"invoice": AT_ONCE}, [("Users (3 @ $15.00)", 22.50)], [("Users (3 @ $15.00)", 22.50)], id="at once"),
]


@pytest.mark.parametrize("of", ["seats", "users"])
@pytest.mark.parametrize(("asked", "expected", "issued"), QUANTITIES)
async def test_bk_13_seats_and_users_are_charged_as_it_is_asked_for(tenant, of, asked, expected, issued):
    """Half of a month is over; the preview equals what is invoiced, at once or with the next period."""
    document = two_plans()
    each = {"users": True} if of == "users" else {"seats": "seats"}
    document["plans"]["pro"]["prices"].append({**SEATS, "recurring": {**SEATS["recurring"], "quantity": each}})
    await half_a_month(tenant, document)
    quantity = {**ACME, "feature_key": of.removeprefix("users"), "quantity": 3, **asked}
    preview = await tenant.call("PreviewChange", quantity=quantity)
    assert shown(preview.lines) == expected
    if of == "users":
        done = await tenant.call("AddUsers", **ACME, user_ids=["ann", "bob", "cat"], **asked)
    else:
        for user in ("ann", "bob"):
            await tenant.call("AssignSeat", **ACME, feature_key="seats", user_id=user, proration=asked.get("proration"))
        done = await tenant.call("AssignSeat", **ACME, feature_key="seats", user_id="cat", **asked)
    assert [line for one in done.invoices for line in shown((await full(tenant, one)).lines)] == issued
    again = await tenant.call("AddUsers", **ACME, user_ids=["ann"], **asked)
    assert not again.invoices
    await tenant.advance(16 * DAY)
    await run(tenant)
    assert [shown(one.lines) for one in preview.invoices] == (await amounts(tenant))[1 : 1 + len(preview.invoices)]
    last = (await amounts(tenant))[-1]
    assert ("Users (3 @ $15.00)", 45.00) in last
    assert len([one for one in last if one[0].startswith("Users")]) == 1


async def test_bk_13_users_who_go_unprorated_stay_paid_and_at_once_are_credited(tenant):
    """Two of three users go with 10 of 30 days left: one stays paid, of the other a third of $15 comes back at once."""
    document = two_plans()
    document["plans"]["pro"]["prices"].append(
        {**SEATS, "recurring": {**SEATS["recurring"], "quantity": {"users": True}}}
    )
    await half_a_month(tenant, document)
    await tenant.call("AddUsers", **ACME, user_ids=["ann", "bob", "cat"], invoice=AT_ONCE)
    await tenant.advance(5 * DAY)
    unprorated = await tenant.call("RemoveUsers", **ACME, user_ids=["ann"], proration=NONE, invoice=AT_ONCE)
    assert (unprorated.removed_count, list(unprorated.invoices)) == (1, [])
    (note,) = (await tenant.call("RemoveUsers", **ACME, user_ids=["bob"], invoice=AT_ONCE)).invoices
    assert shown((await full(tenant, note)).lines) == [("Users (-1 @ $15.00)", -5.00)]
    await tenant.advance(11 * DAY)
    await run(tenant)
    assert (await amounts(tenant))[-1] == [("Pro", 20.00), ("Users (1 @ $15.00)", 15.00)]


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
    assert change.start_time == change.end_time == change.issue_time
    await run(tenant)
    assert len(await invoices(tenant)) == 2
    await tenant.advance(16 * DAY)
    await run(tenant)
    assert await amounts(tenant) == [
        [("Pro", 20.00)],
        [("Big", 25.00), ("Credit: Pro", -10.00)],
        [("Big", 50.00), ("calls", 2.00)],
    ]


async def test_changes_of_one_instant_are_each_invoiced_at_once(tenant):
    """Up, down and up again while the clock stands: 15.00 each way, half of 30.00, and 15.00 in the end."""
    await half_a_month(tenant)
    done = [
        await tenant.call("ChangePlan", **ACME, plan_key=plan, when=NOW, invoice=AT_ONCE)
        for plan in ("big", "pro", "big", "pro", "big")
    ]
    assert [[dollars(made.total) for made in each.invoices] for each in done] == [[15], [-15], [15], [-15], [15]]
    await tenant.advance(16 * DAY)
    await run(tenant)
    assert (await amounts(tenant))[-1] == [("Big", 50.00)]


async def test_ar_09_a_downgrade_comes_at_the_end_of_the_period_unless_it_is_asked_for_at_once(tenant):
    await half_a_month(tenant)
    start = (await tenant.call("GetSubscription", **ACME)).subscription.start_time
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


async def test_bk_16_every_change_is_on_record_newest_first_with_who_and_when(tenant):
    start = await half_a_month(tenant, two_plans(add_ons={"pack": PACK}))
    await tenant.call("ChangePlan", **ACME, plan_key="big", reason="asked by phone")
    await tenant.advance(DAY)
    await tenant.call("SetAddOn", **ACME, add_on_key="pack", quantity=0)  # changes nothing, and so is no change
    await tenant.call("SetSubscriptionState", **ACME, state="SUBSCRIPTION_STATE_PAST_DUE")
    await tenant.call("CancelSubscription", **ACME, when=NOW)
    await failure(tenant.call("ChangePlan", **ACME, plan_key="pro"))
    found = (await tenant.call("ListChanges", **ACME)).changes
    assert [(one.sequence, one.method) for one in found] == [
        (4, "CancelSubscription"),
        (3, "SetSubscriptionState"),
        (2, "ChangePlan"),
        (1, "CreateSubscription"),
    ]
    plan, created = found[2], found[3]
    assert (plan.before.plan_key, plan.after.plan_key, plan.reason) == ("pro", "big", "asked by phone")
    assert [(one.change_time.seconds - start.seconds) // DAY for one in found] == [16, 16, 15, 0]
    assert not created.HasField("before")
    (key,) = (await tenant.call("ListApiKeys")).api_keys
    assert {(one.actor_key_id, one.actor_key_name) for one in found} == {(key.key_id, key.name)}
    pages, token = [], None
    while token != "":
        page = await tenant.call("ListChanges", **ACME, page_size=3, page_token=token or "")
        pages.append([one.sequence for one in page.changes])
        token = page.next_page_token
    assert pages == [[4, 3, 2], [1]]


async def test_bk_16_three_changes_in_one_period_each_leave_a_pair_and_net_to_the_time_that_each_served(tenant):
    """$20 for 10 of 30 days, $50 for 5, $80 for 5, $50 for 10: 6.67 + 8.33 + 13.33 + 16.67 = 45.00.

    Within half a cent a line, as each of them is rounded.
    """
    document = two_plans()
    huge = {"name": "Huge", "prices": [{"recurring": {"amount": "80.00"}}]}
    document["plans"]["huge"] = {**document["plans"]["big"], **huge}
    await thirty_days(tenant)
    await tenant.apply(document)
    await tenant.call("UpsertAccount", **ACME, plan_key="pro")
    for days, plan in ((10, "big"), (5, "huge"), (5, "big")):
        await tenant.advance(days * DAY)
        await tenant.call("ChangePlan", **ACME, plan_key=plan, when=NOW)
    await tenant.advance(11 * DAY)
    await run(tenant)
    opening, second = await amounts(tenant)
    charged = [line for line in second if line != ("Big", 50.00)]
    assert (opening, len(charged), len(second)) == ([("Pro", 20.00)], 6, 7)
    assert abs(20.00 + sum(amount for _, amount in charged) - 45.00) <= 0.005 * 6


async def test_bk_14_a_version_that_is_published_for_the_next_period_is_charged_from_it_on(tenant):
    """`migrate: period_end`: version 1 at $20 to the end of the month, version 2 at $30 from there on."""
    await half_a_month(tenant, two_plans())
    document = two_plans()
    document["plans"]["pro"] |= {"version": 2, "prices": [{"recurring": {"amount": "30.00"}}]}
    await tenant.apply(document, migrate="MIGRATE_PERIOD_END")
    held = (await tenant.call("GetSubscription", **ACME)).subscription
    assert (held.plan_version, held.terms[-1].start_time.seconds - held.start_time.seconds) == (1, 30 * DAY)
    (moved, *_) = (await tenant.call("ListChanges", **ACME)).changes
    assert (moved.method, moved.after.terms[-1].plan_version) == ("ApplyCatalog", 2)
    await tenant.advance(16 * DAY)
    await run(tenant)
    assert await amounts(tenant) == [[("Pro", 20.00)], [("Pro", 30.00)]]


async def test_bk_18_an_optional_feature_is_switched_on_and_off_by_the_account(tenant):
    """$12 for the 15 days left; given up five days later: 10/30 back; Check follows at once."""
    pack = {**PACK, "entitlements": {"sso": {"enabled": True}}}
    document = two_plans(add_ons={"pack": pack}, features={"sso": {"kind": "boolean"}})
    await half_a_month(tenant, document)
    asked = {**ACME, "feature_key": "sso"}
    assert not (await tenant.call("CheckEntitlement", **asked)).decision.allowed
    await tenant.call("SetAddOn", **ACME, add_on_key="pack")
    assert (await tenant.call("CheckEntitlement", **asked)).decision.allowed
    await tenant.advance(5 * DAY)
    await tenant.call("SetAddOn", **ACME, add_on_key="pack", quantity=0)
    assert not (await tenant.call("CheckEntitlement", **asked)).decision.allowed
    await tenant.advance(11 * DAY)
    await run(tenant)
    assert await amounts(tenant) == [[("Pro", 20.00)], [("Pack", 6.00), ("Credit: Pack", -4.00), ("Pro", 20.00)]]


OWN = {"key": "recurring", "recurring": {"amount": "10.00"}}


async def test_an_own_price_holds_for_one_account_and_its_change_shows_as_lines(tenant):
    """Half of $20 back and half of $10 charged; the add-on's price of the same key, and another account's, stay."""
    await half_a_month(tenant, two_plans(add_ons={"pack": PACK}))
    await tenant.call("SetAddOn", **ACME, add_on_key="pack")
    await tenant.call("UpsertAccount", account_id="globex", plan_key="pro")
    own = (await tenant.call("SetPriceOverride", **ACME, plan_key="pro", price=OWN)).price_override
    preview = await tenant.call("PreviewInvoice", **ACME)
    await tenant.advance(16 * DAY)
    await run(tenant)
    found = [await full(tenant, one) for one in await invoices(tenant, **ACME)]
    assert list(preview.invoices[0].lines) == list(found[-1].lines)
    assert sorted(shown(found[-1].lines)) == [
        ("Credit: Pro", -10.00),
        ("Pack", 6.00),
        ("Pack", 12.00),
        ("Pro", 5.00),
        ("Pro", 10.00),
    ]
    assert [dollars(one.total) for one in await invoices(tenant, account_id="globex")] == [20.00]
    listed = (await tenant.call("ListPriceOverrides", **ACME)).price_overrides
    assert (list(listed), own.price.recurring.amount, own.HasField("end_time")) == ([own], "10.00", False)


async def test_an_own_price_ends_by_a_row_of_its_own_and_the_catalogues_is_charged_again(tenant):
    """$10 for the 15 days that are left of the month, then $20 again; said twice it is one."""
    start = await half_a_month(tenant, two_plans())
    end_of_month = Timestamp(seconds=start.seconds + 30 * DAY, nanos=start.nanos)
    fields = {**ACME, "plan_key": "pro", "price": OWN, "override_id": "deal-1"}
    await tenant.call("SetPriceOverride", **fields)
    again = await tenant.call("SetPriceOverride", **fields)  # says the same
    ended = await tenant.call("EndPriceOverride", **ACME, override_id="deal-1", end_time=end_of_month)
    assert again.price_override.override_id == ended.price_override.override_id == "deal-1"
    assert ended.price_override.end_time == end_of_month
    await tenant.advance(16 * DAY)
    await run(tenant)
    first, second = await amounts(tenant)
    assert (first, sorted(second)) == ([("Pro", 20.00)], [("Credit: Pro", -10.00), ("Pro", 5.00), ("Pro", 20.00)])
    other = {**fields, "price": {"key": "recurring", "recurring": {"amount": "9.00"}}}
    with pytest.raises(grpc.aio.AioRpcError, match=r"differs=.*price\.recurring\.amount: 10\.00 -> 9\.00") as raised:
        await tenant.call("SetPriceOverride", **other)
    assert raised.value.code() is grpc.StatusCode.ALREADY_EXISTS
    (listed,) = (await tenant.call("ListPriceOverrides", **ACME)).price_overrides
    assert listed == ended.price_override


async def test_an_own_price_of_usage_holds_for_what_comes_after_it(tenant):
    """4 calls at $0.50, and of the next period 4 at $0.10."""
    calls = {"usage": {"feature_key": "calls", "unit_amount": "0.50"}}
    await half_a_month(tenant, two_plans(calls))
    await tenant.consume("acme", "calls", 4)
    await tenant.advance(DAY)
    price = {"key": "calls", "usage": {"feature_key": "calls", "unit_amount": "0.10"}}
    await tenant.call("SetPriceOverride", **ACME, plan_key="pro", price=price)
    await tenant.advance(16 * DAY)
    await run(tenant)
    await tenant.consume("acme", "calls", 4)
    await tenant.advance(31 * DAY)
    await run(tenant)
    charged = [line for lines in await amounts(tenant) for line in lines if line[0] == "calls"]
    assert charged == [("calls", 2.00), ("calls", 0.40)]


OTHERS = [
    ("price", {"key": "recurring", "setup": {"amount": "1.00"}}),
    ("price.recurring.amount", {"key": "recurring", "recurring": {"amount": "-1"}}),
    ("price.recurring.every", {"key": "recurring", "recurring": {"amount": "1.00", "every": "PERIOD_UNIT_YEAR"}}),
    ("price.currency", {**OWN, "currency": "EUR"}),
    ("price.usage.feature_key", {"key": "calls", "usage": {"feature_key": "mails", "unit_amount": "0.10"}}),
]


@pytest.mark.parametrize(("field", "price"), OTHERS)
async def test_an_own_price_is_of_the_kind_that_it_stands_in_for(tenant, field, price):
    calls = {"usage": {"feature_key": "calls", "unit_amount": "0.50"}}
    await tenant.apply(two_plans(calls, features={"mails": {"kind": "metered"}}))
    await tenant.call("UpsertAccount", **ACME, plan_key="pro")
    with pytest.raises(grpc.aio.AioRpcError, match=f"field={field},"):
        await tenant.call("SetPriceOverride", **ACME, plan_key="pro", price=price)
    assert not (await tenant.call("ListPriceOverrides", **ACME)).price_overrides


async def test_dj_38_a_year_is_paid_in_advance_and_cancelled_with_the_rest_back(tenant):
    """$278.00 a year: cancelled after 73 of 365 days, 292/365 of it are $222.40, 293/366 $222.55."""
    await thirty_days(tenant)
    await tenant.apply(catalog({"recurring": {"amount": "278.00", "every": "year"}}))
    await tenant.call("UpsertAccount", **ACME, plan_key="pro")
    await run(tenant)
    await tenant.advance(73 * DAY)
    preview = await tenant.call("PreviewChange", cancel={**ACME, "when": NOW})
    assert shown(preview.lines) in ([("Credit: Pro", -222.40)], [("Credit: Pro", -222.55)])  # of 365 days, or of 366
    await tenant.call("CancelSubscription", **ACME, when=NOW)
    await run(tenant)
    opening, note = [await full(tenant, one) for one in await invoices(tenant)]
    assert (dollars(opening.total), note.kind) == (278.00, invoice_pb2.INVOICE_KIND_CREDIT_NOTE)
    assert shown(note.lines) == shown(preview.lines)


async def test_bk_15_an_account_manages_its_own_version(tenant):
    """What there is, what it would cost, the change, and what stands: all that a page for customers needs."""
    await half_a_month(tenant, two_plans())
    plans = {one.plan_key: one for one in (await tenant.call("ListPlans")).plans}
    assert {"pro", "big"} <= set(plans)
    preview = await tenant.call("PreviewChange", change_plan={**ACME, "plan_key": "big", "when": NOW})
    changed = await tenant.call("ChangePlan", **ACME, plan_key="big", when=NOW)
    assert changed.subscription == preview.subscription
    assert (await tenant.call("GetSubscription", **ACME)).subscription == changed.subscription


async def test_an_ended_subscription_is_changed_no_more(tenant):
    await half_a_month(tenant, two_plans())
    await tenant.call("CancelSubscription", **ACME, when=NOW)
    before = (await tenant.call("ListSubscriptions", **ACME)).subscriptions
    for method, fields in (
        ("ChangePlan", {"plan_key": "big"}),
        ("CancelSubscription", {}),
        ("SetSubscriptionState", {"state": "SUBSCRIPTION_STATE_ACTIVE"}),
    ):
        assert (await failure(tenant.call(method, **ACME, **fields)))[1] == "SUBSCRIPTION_NOT_FOUND"
    assert (await tenant.call("ListSubscriptions", **ACME)).subscriptions == before


async def test_fees_name_what_is_wrong_of_them_and_need_a_tenant_that_bills(tenant):
    document = two_plans()
    del document["billing"]
    await tenant.apply(document)
    await tenant.call("UpsertAccount", **ACME)
    fee = {**ACME, "text": "a fee"}
    for field, charge in (
        ("percent.rate", {"percent": {"rate": "0", "of": {"units": 5}}}),
        ("percent.of", {"percent": {"rate": "5", "of": {}}}),
        ("percent.of.currency_code", {"percent": {"rate": "5", "of": {"currency_code": "EUR", "units": 5}}}),
        ("quantity.unit_amount", {"quantity": {"quantity": "1", "unit_amount": "0"}}),
    ):
        with pytest.raises(grpc.aio.AioRpcError, match=f"field={field},"):
            await tenant.call("CreateFee", **fee, **charge)
    refused = await failure(tenant.call("CreateFee", **fee, amount={"units": 5}))
    assert refused == (grpc.StatusCode.FAILED_PRECONDITION, "BILLING_NOT_STARTED")


async def test_a_fee_that_comes_to_nothing_is_on_no_invoice(tenant):
    """0.1 % of $1.00 is a tenth of a cent."""
    await half_a_month(tenant, two_plans())
    await tenant.call("CreateFee", **ACME, text="a trifle", percent={"rate": "0.1", "of": {"units": 1}})
    await tenant.advance(16 * DAY)
    await run(tenant)
    assert await amounts(tenant) == [[("Pro", 20.00)], [("Pro", 20.00)]]


async def test_ar_10_runs_at_the_same_time_renew_once(tenant):
    await half_a_month(tenant, two_plans())
    await tenant.advance(16 * DAY)
    await asyncio.gather(*(run(tenant) for _ in range(4)))
    await run(tenant)
    assert await amounts(tenant) == [[("Pro", 20.00)], [("Pro", 20.00)]]


async def test_usage_has_the_own_price_of_its_time_and_counts_on(tenant):
    """10 of a month are free: 8 by then, 8 at $0.50 of which 6 are beyond, and 4 at $1 when the own price has ended."""
    usage = {"feature_key": "calls", "unit_amount": "1.00", "free_quota": "10"}
    await half_a_month(tenant, catalog({"recurring": {"amount": "20.00"}}, {"usage": usage}))
    await tenant.consume("acme", "calls", 8)
    await tenant.advance(5 * DAY)
    own = {"key": "calls", "usage": {**usage, "unit_amount": "0.50"}}
    await tenant.call("SetPriceOverride", **ACME, plan_key="pro", price=own, override_id="deal")
    await tenant.consume("acme", "calls", 8)
    await tenant.advance(5 * DAY)
    await tenant.call("EndPriceOverride", **ACME, override_id="deal")
    await tenant.consume("acme", "calls", 4)
    await tenant.usage_reaches("acme", "calls", 20)
    previewed = (await tenant.call("PreviewInvoice", **ACME)).invoices[0]
    await tenant.advance(6 * DAY)
    await run(tenant)
    later = await full(tenant, (await invoices(tenant))[-1])
    assert list(previewed.lines) == list(later.lines)
    assert shown(later.lines) == [("Pro", 20.00), ("calls", 3.00), ("calls", 4.00)]
    assert [line.quantity for line in later.lines[1:]] == ["8", "4"]
    assert (await tenant.call("VerifyInvoice", invoice_id=later.invoice_id)).same
