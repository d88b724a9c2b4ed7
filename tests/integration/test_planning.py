"""What a close writes at its end, and reads at once: when to look at what, how far it billed, a window's events."""

from contextlib import suppress

import pytest
from sqlalchemy import select

from billed_worlds import KINDS, living
from faults.crashes import DAY, DECEMBER, NOVEMBER, SECOND, TENANT, Act, a_fact, opened, published
from tallygate.domain.account import PlanTerm, Subscription, SubscriptionState
from tallygate.domain.billing.calendar import Calendar
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.timeline import Timeline
from tallygate.domain.billing.windows import usage_windows
from tallygate.records.billing import BillingAccount
from tallygate.storage.sql.billing.tables import jobs
from tallygate.storage.sql.metering.events import SqlLedger

NEVER = None


class UndoneError(Exception):
    """A part of a transaction fails."""


@pytest.fixture(scope="module", params=KINDS)
async def world(request, places):
    async with living(places.new(request.param), Act(NOVEMBER - DAY, opened), Act(NOVEMBER - DAY, published)) as found:
        yield found


async def planned(world, subject):
    async with world.engine.connect() as connection:
        row = (await connection.execute(select(jobs).where(jobs.c.kind == "look", jobs.c.subject == subject))).first()
    return None if row is None else (row.due_time, row.retry_time)


async def wishes(work, subject, *steps):
    for step, *at in steps:
        if step == "done":
            await work.jobs.done("look", subject)
        elif step == "hasten":
            await work.jobs.hasten("look", subject, due_time=NOVEMBER + at[0])
        else:
            await work.jobs.schedule("look", subject, due_time=NOVEMBER + at[0], retry_time=NOVEMBER)


WISHES = {
    "a new one": ([], [("hasten", 5)], (5, 0)),
    "the sooner of two": ([], [("hasten", 5), ("hasten", 3), ("hasten", 4)], (3, 0)),
    "no later than it was": ([("schedule", 4)], [("hasten", 9)], (4, NOVEMBER)),
    "sooner than it was": ([("schedule", 4)], [("hasten", 2)], (2, NOVEMBER)),
    "the last that was set": ([("schedule", 4)], [("hasten", 2), ("schedule", 8)], (8, NOVEMBER)),
    "sooner than was set": ([], [("schedule", 8), ("hasten", 6)], (6, NOVEMBER)),
    "none any more": ([("schedule", 4)], [("hasten", 2), ("done",)], NEVER),
    "one after all": ([("schedule", 4)], [("done",), ("hasten", 7)], (7, 0)),
}


@pytest.mark.parametrize("name", WISHES)
async def test_a_transaction_leaves_what_its_wishes_come_to_one_after_the_other(world, name):
    """The same at once as in transactions of their own."""
    before, steps, expected = WISHES[name]
    expected = None if expected is None else (NOVEMBER + expected[0], expected[1])
    for subject, parts in ((f"{name} at once", [steps]), (f"{name} apart", [[step] for step in steps])):
        for part in [before, *parts]:
            await world.write(lambda work, _, subject=subject, part=part: wishes(work, subject, *part))
        assert await planned(world, subject) == expected, subject


async def test_what_a_part_wished_that_failed_is_not_done_and_what_is_due_is_known_at_once(world):
    async def use_case(work, now):
        await wishes(work, "kept", ("hasten", 5))
        with suppress(UndoneError):
            async with work.part():
                await wishes(work, "kept", ("hasten", 1))
                await wishes(work, "undone", ("hasten", 1))
                await work.billing_accounts.put(BillingAccount(account_id="x", closed_until=NOVEMBER, zone="UTC"))
                assert len(await work.jobs.due("look", now=now + 9, limit=9, subject="undone")) == 1
                raise UndoneError
        assert await work.billing_accounts.get("x") is None
        await work.billing_accounts.put(BillingAccount(account_id="y", closed_until=NOVEMBER, zone="UTC"))
        assert (await work.billing_accounts.get("y")).closed_until == NOVEMBER
        return [
            one.subject
            for one in await work.jobs.due("look", now=now + 9, limit=9)
            if one.subject in {"kept", "undone"}
        ]

    world.now = NOVEMBER
    assert await world.write(use_case) == ["kept"]
    assert (await planned(world, "kept"), await planned(world, "undone")) == ((NOVEMBER + 5, 0), None)
    assert await world.write(lambda work, _: work.billing_accounts.get("y")) is not None


async def test_events_of_a_window_come_in_order_however_many_there_are(world):
    """450 of them, nine an instant, written in another order; and those behind one of them."""
    wanted = [a_fact("many", NOVEMBER + number // 9 * SECOND, number, number) for number in range(450)]
    async with SqlLedger(world.engine).transaction() as transaction:
        await transaction.lock({TENANT})
        await transaction.append(wanted[::-1])
    held = Subscription(
        subscription_id="sub_many",
        state=SubscriptionState.ACTIVE,
        start_time=NOVEMBER,
        terms=(PlanTerm(plan_key="pro", plan_version=1, start_time=NOVEMBER),),
    )
    calendar = Calendar(zone="UTC", account_create_time=NOVEMBER)
    order = sorted((fact.occurred_time, fact.request_id) for fact in wanted)

    async def read(work, after):
        timeline = Timeline(subscription=held, catalog=await work.catalog.load())
        (window,) = usage_windows(timeline, calendar, Policy(), since=NOVEMBER, until=DECEMBER)
        facts = work.usage_log.facts("many", window, through=10**9, after=after)
        return [(one.occurred_time, one.request_id) async for one in facts]

    assert await world.write(lambda work, _: read(work, None)) == order
    assert await world.write(lambda work, _: read(work, order[13])) == order[14:]
    assert await world.write(lambda work, _: read(work, order[-1])) == []
