"""Pauses of subscriptions: nothing is granted and nothing is charged, and what was paid comes back. Figures by hand."""

import grpc
import pytest

from invoicing import DAY, at, catalog, dollars, invoices, lines, run
from tallygate_api.v1 import invoice_pb2, subscription_pb2
from tenants import failure, reason_name

ACME = {"account_id": "acme"}
FEE = {"recurring": {"amount": "30.00"}}
SETUP = {"setup": {"amount": "12.00"}}
SUSPENDED, ACTIVE = subscription_pb2.SUBSCRIPTION_STATE_SUSPENDED, subscription_pb2.SUBSCRIPTION_STATE_ACTIVE
CONFLICT = (grpc.StatusCode.FAILED_PRECONDITION, "SUBSCRIPTION_CONFLICT")


async def stand(tenant, text):
    await tenant.call("SetTestClock", time=at(text), standing=True)


async def subscribed(tenant, *prices, **more):
    """The first of April 2031, which has thirty days."""
    await stand(tenant, "2031-04-01 00:00:00")
    await tenant.apply(catalog(*prices, **more))
    await tenant.call("UpsertAccount", **ACME, plan_key="pro")
    await run(tenant)


async def charged(tenant, account=ACME):
    """The lines of every document, by document."""
    await run(tenant)
    return [await lines(tenant, one) for one in await invoices(tenant, **account)]


async def sound(tenant, account=ACME):
    for one in await invoices(tenant, **account):
        verified = await tenant.call("VerifyInvoice", invoice_id=one.invoice_id)
        assert verified.same, verified
    assert not (await tenant.call("AuditLedger")).differences


async def test_what_was_paid_for_the_time_of_a_pause_comes_back(tenant):
    """30.00 for April: paused from the 11th to the 21st, 20 days come back and 10 are charged."""
    await subscribed(tenant, FEE)
    await tenant.consume("acme", "calls", 3)
    await tenant.advance(10 * DAY)
    told = await tenant.call("PreviewChange", pause=ACME)
    assert [dollars(line.amount) for line in told.lines] == [-20.00]
    paused = (await tenant.call("PauseSubscription", **ACME, reason="winter")).subscription
    assert (paused.state, len(paused.pauses), paused.pauses[0].HasField("end_time")) == (SUSPENDED, 1, False)
    denied = await tenant.check("acme", "calls")
    assert (denied.allowed, reason_name(denied)) == (False, "SUSPENDED")
    found = await tenant.call("ListSubscriptions", state="SUBSCRIPTION_STATE_SUSPENDED")
    assert [one.account_id for one in found.subscriptions] == ["acme"]
    assert not (await tenant.call("ListSubscriptions", state="SUBSCRIPTION_STATE_ACTIVE")).subscriptions
    assert await failure(tenant.call("ChangePlan", **ACME, plan_key="pro")) == CONFLICT
    await tenant.advance(10 * DAY)
    told = await tenant.call("PreviewChange", resume=ACME)
    assert [dollars(line.amount) for line in told.lines] == [10.00]
    resumed = (await tenant.call("ResumeSubscription", **ACME)).subscription
    assert (resumed.state, resumed.pauses[0].end_time) == (ACTIVE, at("2031-04-21 00:00:00"))
    allowed = await tenant.check("acme", "calls")
    assert (allowed.allowed, allowed.used) == (True, 3)  # the usage period went on
    await tenant.advance(10 * DAY)
    opening, may = await charged(tenant)
    assert opening == [("Pro", 30.00)]
    assert sorted(may, key=lambda line: line[1]) == [("Credit: Pro", -20.00), ("Pro", 10.00), ("Pro", 30.00)]
    changes = (await tenant.call("ListChanges", **ACME)).changes
    assert [(one.method, one.reason) for one in changes[:2]] == [
        ("ResumeSubscription", ""),
        ("PauseSubscription", "winter"),
    ]
    await sound(tenant)


async def test_a_pause_over_whole_periods_has_no_invoice_and_ends_by_itself(tenant):
    await subscribed(tenant, FEE)
    await tenant.advance(10 * DAY)
    await tenant.call("PauseSubscription", **ACME, resume_time=at("2031-06-01 00:00:00"))
    await stand(tenant, "2031-05-31 23:59:59")
    await run(tenant)
    assert not (await tenant.check("acme", "calls")).allowed
    await stand(tenant, "2031-06-01 00:00:00")
    assert (await tenant.check("acme", "calls")).allowed
    documents = [(one.kind, dollars(one.total)) for one in await invoices(tenant, **ACME)]
    assert documents == [
        (invoice_pb2.INVOICE_KIND_OPENING, 30.00),
        (invoice_pb2.INVOICE_KIND_CREDIT_NOTE, -20.00),
    ]
    await tenant.advance(7200)  # the month's usage is waited for
    await run(tenant)
    first, _, last = await invoices(tenant, **ACME)
    assert [dollars(first.wallet), dollars(first.due), dollars(last.due)] == [20.00, 10.00, 30.00]
    assert await failure(tenant.call("ResumeSubscription", **ACME)) == CONFLICT
    await sound(tenant)


async def test_a_pause_and_its_end_on_one_day_cost_nothing(tenant):
    await subscribed(tenant, FEE)
    await tenant.advance(10 * DAY)
    await tenant.call("PauseSubscription", **ACME)
    await tenant.advance(3600)
    await tenant.call("ResumeSubscription", **ACME)
    await stand(tenant, "2031-05-01 00:00:00")
    assert sum(amount for _, amount in (await charged(tenant))[-1]) == pytest.approx(30.00)
    await sound(tenant)


async def test_arrears_and_commitments_are_for_the_days_that_were_not_paused_and_usage_for_what_it_was(tenant):
    """20 of 30 days of 30.00 and of the 60.00 that were agreed on, less 20.00 and five calls at 0.50."""
    arrears = {"recurring": {"amount": "30.00", "due": "arrears"}}
    usage = {"usage": {"feature_key": "calls", "unit_amount": "0.50"}}
    await subscribed(tenant, arrears, usage, {"commitment": {"amount": "60.00"}})
    await tenant.consume("acme", "calls", 2)
    await tenant.advance(10 * DAY)
    await tenant.call("PauseSubscription", **ACME)
    await tenant.advance(10 * DAY)
    await tenant.call("ResumeSubscription", **ACME)
    await tenant.consume("acme", "calls", 3)
    await tenant.advance(10 * DAY + 7200)
    (april,) = await charged(tenant)
    assert sum(amount for _, amount in april) == pytest.approx(40.00)
    assert sum(amount for text, amount in april if text == "Pro") == pytest.approx(20.00)
    await sound(tenant)


async def test_what_is_not_running_is_not_paused(tenant):
    await subscribed(tenant, FEE, trial={"days": 14})
    assert await failure(tenant.call("PauseSubscription", **ACME)) == CONFLICT
    await tenant.advance(14 * DAY)
    await tenant.call("PauseSubscription", **ACME)
    again = (await tenant.call("PauseSubscription", **ACME, resume_time=at("2031-05-01 00:00:00"))).subscription
    assert [pause.end_time for pause in again.pauses] == [at("2031-05-01 00:00:00")]
    ended = (await tenant.call("CancelSubscription", **ACME)).subscription
    assert ended.end_time == at("2031-04-15 00:00:00")  # it grants nothing, so it ends at once
    assert await failure(tenant.call("PauseSubscription", **ACME)) == (
        grpc.StatusCode.NOT_FOUND,
        "SUBSCRIPTION_NOT_FOUND",
    )


async def paused_before_it_was_invoiced(tenant):
    """An account, and what the pause was told to bring: of some the server's own worker is faster."""
    for number in range(50):
        account = {"account_id": f"acme-{number}"}
        await tenant.call("UpsertAccount", **account, plan_key="pro")
        told = await tenant.call("PreviewChange", pause=account)
        await tenant.call("PauseSubscription", **account)
        if not await invoices(tenant, **account):
            return account, told
    pytest.fail("each of fifty accounts was invoiced before it was paused")


async def test_a_pause_from_the_first_instant_on_costs_nothing_until_it_ends(tenant):
    """Nothing was issued: of April's 30.00 and 12.00 to begin with, ten days and the 12.00 once it goes on."""
    await stand(tenant, "2031-04-01 00:00:00")
    await tenant.apply(catalog(FEE, SETUP))
    account, told = await paused_before_it_was_invoiced(tenant)
    assert not told.lines
    assert await charged(tenant, account) == []
    assert not (await tenant.call("PreviewInvoice", **account)).invoices
    assert not (await tenant.call("ListUninvoicedItems", **account)).lines
    await tenant.advance(20 * DAY)
    await tenant.call("ResumeSubscription", **account)
    await tenant.advance(10 * DAY)
    found = [line for one in await charged(tenant, account) for line in one]
    assert sorted(found) == [("Pro", 10.00), ("Pro", 12.00), ("Pro", 30.00)]
    await sound(tenant, account)


async def test_a_pause_at_the_instant_of_the_opening_invoice_gives_all_of_it_back_at_the_next_cut(tenant):
    await subscribed(tenant, FEE, SETUP)
    told = await tenant.call("PreviewChange", pause=ACME)
    assert sorted((line.text, dollars(line.amount)) for line in told.lines) == [
        ("Credit: Pro", -30.00),
        ("Credit: Pro", -12.00),
    ]
    await tenant.call("PauseSubscription", **ACME)
    await tenant.advance(30 * DAY)
    opening, note = await charged(tenant)
    assert sorted(opening) == [("Pro", 12.00), ("Pro", 30.00)]
    assert sorted(note) == [("Credit: Pro", -30.00), ("Credit: Pro", -12.00)]
    await sound(tenant)
