"""What is given back when something ends: as it was charged, in time, and nothing of what was forgiven. By hand."""

import pytest

from invoicing import DAY, catalog, dollars, invoices, run, thirty_days
from tenants import failure

ACME = {"account_id": "acme"}
NOW = "CHANGE_WHEN_NOW"
USERS = {"key": "users", "recurring": {"amount": "15.00", "quantity": {"users": True}, "label": "Users"}}
CALLS = {"usage": {"feature_key": "calls", "unit_amount": "1.00"}}


async def documents(tenant):
    whole = [(await tenant.call("GetInvoice", invoice_id=one.invoice_id)).invoice for one in await invoices(tenant)]
    return [[(line.text, dollars(line.amount)) for line in one.lines] for one in whole]


async def same(tenant):
    """Every document comes out the same once more."""
    for one in await invoices(tenant):
        answer = await tenant.call("VerifyInvoice", invoice_id=one.invoice_id)
        assert (answer.same, list(answer.differences)) == (True, [])


async def standing(tenant, *prices, users=(), **more):
    """Acme on pro at the first of a month of 30 days, its opening invoice issued; the clock stands."""
    await thirty_days(tenant)
    await tenant.call("SetTestClock", standing=True)
    await tenant.apply(catalog({"recurring": {"amount": "30.00"}}, *prices, billing={"grace": "0s"}, **more))
    await tenant.call("UpsertAccount", **ACME, plan_key="pro", user_ids=users)
    await run(tenant)


async def void(tenant, number, **more):
    invoice = (await invoices(tenant))[number]
    return (await tenant.call("VoidInvoice", invoice_id=invoice.invoice_id, **more)).invoice


@pytest.mark.parametrize("days", [0, 30])
async def test_what_ends_at_the_instant_of_a_cut_is_credited_with_it(tenant, days):
    """At the opening, and when a month ends: the next month was charged at that instant, and is given back at once."""
    await standing(tenant)
    await tenant.advance(days * DAY)
    await run(tenant)
    before = await documents(tenant)
    await tenant.call("CancelSubscription", **ACME, when=NOW)
    await run(tenant)
    credit = [("Credit: Pro", -30.00)]
    assert sorted(await documents(tenant)) == sorted([*before, credit])
    await tenant.advance(100 * DAY)
    await run(tenant)
    assert len(await invoices(tenant)) == len(before) + 1
    await same(tenant)


async def test_another_plan_at_the_instant_of_a_cut_is_charged_for_the_whole_of_it(tenant):
    """$30 of the month that begins are given back, and $60 charged, whatever the cut had charged at that instant."""
    await thirty_days(tenant)
    await tenant.call("SetTestClock", standing=True)
    document = catalog({"recurring": {"amount": "30.00"}}, billing={"grace": "0s"})
    document["plans"]["big"] = {**document["plans"]["pro"], "prices": [{"recurring": {"amount": "60.00"}}]}
    await tenant.apply(document)
    await tenant.call("UpsertAccount", **ACME, plan_key="pro")
    await run(tenant)
    await tenant.advance(30 * DAY)
    await run(tenant)
    await tenant.call("ChangePlan", **ACME, plan_key="big", when=NOW, invoice="CHANGE_INVOICE_NOW")
    await run(tenant)
    assert sum(amount for one in await documents(tenant) for _, amount in one) == 90.00
    await same(tenant)


async def test_of_a_void_invoice_nothing_is_credited_when_what_it_charged_ends(tenant):
    """$30 are forgiven; half a month later it ends, and another subscription follows: nothing comes back."""
    await standing(tenant)
    await void(tenant, 0)
    await tenant.advance(15 * DAY)
    await tenant.call("CancelSubscription", **ACME, when=NOW)
    await tenant.call("CreateSubscription", **ACME, plan_key="pro")
    await tenant.advance(20 * DAY)
    await run(tenant)
    assert await documents(tenant) == [[("Pro", 30.00)], [("Pro", 30.00)]]
    await same(tenant)


async def test_of_one_that_was_issued_anew_it_is_credited(tenant):
    await standing(tenant)
    await void(tenant, 0, reissue=True)
    await tenant.advance(15 * DAY)
    await tenant.call("CancelSubscription", **ACME, when=NOW)
    await run(tenant)
    assert (await documents(tenant))[-1] == [("Credit: Pro", -15.00)]
    await same(tenant)


async def test_of_forgiven_users_none_is_credited_and_of_those_charged_later_each_is(tenant):
    """Three are forgiven. Two more on day 10 are 2/3 of $30 = 20.00; four go on day 20: of the 10.00 left no more."""
    await standing(tenant, USERS, users=["a", "b", "c"])
    await void(tenant, 0)
    await tenant.advance(10 * DAY)
    await tenant.call("AddUsers", **ACME, user_ids=["d", "e"], invoice="CHANGE_INVOICE_NOW")
    await tenant.advance(10 * DAY)
    await tenant.call("RemoveUsers", **ACME, user_ids=["a", "b", "c", "d"], invoice="CHANGE_INVOICE_NOW")
    assert (await documents(tenant))[1:] == [[("Users (2 @ $15.00)", 20.00)], [("Users (-4 @ $15.00)", -10.00)]]
    await tenant.advance(5 * DAY)
    await tenant.call("CancelSubscription", **ACME, when=NOW)
    await run(tenant)
    charged = [amount for one in (await documents(tenant))[1:] for _, amount in one]
    assert sum(charged) == 10.00  # two users for ten days
    await same(tenant)


async def test_forgiven_usage_is_not_given_back_when_less_comes_to_light(tenant):
    """5 calls are forgiven and 3 of them taken back late; 6 more, late as well, make 8: $3 beyond what was forgiven."""
    yearly = {"calls": {"kind": "metered", "usage_period": {"every": "year"}}}
    await standing(tenant, CALLS, {"commitment": {"amount": "36.00"}}, features=yearly)
    occurred = (await tenant.call("GetTestClock")).clock.current_time
    await tenant.consume("acme", "calls", 5, occurred_time=occurred)
    await tenant.advance(30 * DAY)
    await run(tenant)
    assert (await documents(tenant))[1] == [("Pro: least amount", 1.00), ("Pro", 30.00), ("calls", 5.00)]
    await void(tenant, 1)
    await tenant.consume("acme", "calls", -3, occurred_time=occurred)
    await tenant.advance(31 * DAY)
    await run(tenant)
    (second,) = (await documents(tenant))[2:]
    assert [line for line in second if line[0].startswith("Adjustment")] == []
    await tenant.consume("acme", "calls", 6, occurred_time=occurred)
    await tenant.advance(31 * DAY)
    await run(tenant)
    third = (await documents(tenant))[3]
    assert [line for line in third if line[0].startswith("Adjustment")] == [("Adjustment: calls", 3.00)]
    await same(tenant)


async def test_a_fee_that_was_forgiven_is_not_taken_back_once_more(tenant):
    await standing(tenant)
    fee = {"amount": {"currency_code": "USD", "units": 5}, "text": "Once", "fee_id": "once"}
    await tenant.call("CreateFee", **ACME, **fee)
    await tenant.advance(30 * DAY)
    await run(tenant)
    await void(tenant, 1)
    assert (await failure(tenant.call("OffsetFee", fee_id="once")))[1] == "INVOICE_FINAL"


async def test_no_more_comes_back_than_was_billed_of_many_that_were_rounded_down(tenant):
    """Half of $0.05 is 2.5 cents, billed as 2. Ten are billed as 20 cents, and their 25 come back as 20."""
    pack = {"version": 1, "name": "Pack", "offered_on": ["pro"], "prices": [{"recurring": {"amount": "0.05"}}]}
    await thirty_days(tenant)
    await tenant.call("SetTestClock", standing=True)
    document = catalog({"recurring": {"amount": "30.00"}}, billing={"grace": "0s"})
    await tenant.apply({**document, "add_ons": {"pack": pack}})
    await tenant.call("UpsertAccount", **ACME, plan_key="pro")
    await run(tenant)
    await tenant.advance(15 * DAY)
    for quantity in (*range(1, 11), 0):
        await tenant.call("SetAddOn", **ACME, add_on_key="pack", quantity=quantity, invoice="CHANGE_INVOICE_NOW")
    amounts = [amount for one in (await documents(tenant))[1:] for _, amount in one]
    assert sorted(amounts) == [-0.20, *[0.02] * 10]
    await tenant.advance(16 * DAY)
    await run(tenant)
    assert (await documents(tenant))[-1] == [("Pro", 30.00)]
    await same(tenant)
