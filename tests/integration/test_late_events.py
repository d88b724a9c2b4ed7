"""What comes after the close of its period: an adjustment on the next invoice, or a reason. Figures by hand."""

import pytest
from sqlalchemy import select

from billed_worlds import KINDS, living
from faults.crashes import (
    DAY,
    DECEMBER,
    JANUARY,
    NOVEMBER,
    SECOND,
    Act,
    billed,
    consumed,
    lived,
    opened,
    published,
    subscribed,
)
from tallygate.billing.checking import check_ledger
from tallygate.control_plane.proposals import CancelSubscription, When
from tallygate.control_plane.subscription_changes import cancel_subscription
from tallygate.storage.sql.billing.tables import invoice_lines, invoices, jobs
from tallygate.storage.sql.billing.usage_tables import late_usage, unrated_facts

FEBRUARY, MARCH = JANUARY + 31 * DAY, JANUARY + 59 * DAY
BEGUN = [Act(NOVEMBER - DAY, opened), Act(NOVEMBER - DAY, published), Act(NOVEMBER, subscribed("acme"))]


@pytest.fixture(params=KINDS)
async def world(request, places):
    async with living(places.new(request.param)) as found:
        yield found


async def run(world, *acts):
    for act in [*BEGUN, *acts]:
        await lived(world, act)


async def rows(world, table, *order):
    async with world.engine.connect() as connection:
        return (await connection.execute(select(table).order_by(*order))).all()


async def usage_lines(world):
    """Period, text, cents and the end of the document's period of each line of usage."""
    found = {one.invoice_id: one.period_end for one in await rows(world, invoices)}
    lines = [line for line in await rows(world, invoice_lines, invoice_lines.c.line_key) if line.usage_line]
    return [(line.doc["period"]["start"], line.doc["text"], line.amount, found[line.invoice_id]) for line in lines]


async def cancelled(world):
    request = CancelSubscription(account_id="acme", when=When.NOW)
    await world.write(lambda work, now: cancel_subscription(work, request, now=now))


async def test_a_late_event_is_an_adjustment_of_its_own_period(world):
    """37 calls in time, 4 that came in December: 18.50 in November's invoice, 2.00 in December's."""
    await run(
        world,
        Act(NOVEMBER + DAY, consumed("acme", 37)),
        Act(DECEMBER + SECOND, billed),
        Act(DECEMBER + 4 * DAY, consumed("acme", 4, at=NOVEMBER + 2 * DAY)),
        Act(DECEMBER + 5 * DAY, consumed("acme", 1)),
        Act(JANUARY + SECOND, billed),
        Act(FEBRUARY + SECOND, billed),
    )
    assert await usage_lines(world) == [
        (NOVEMBER, "calls", 1850, DECEMBER),
        (NOVEMBER, "Adjustment: calls", 200, JANUARY),
        (DECEMBER, "calls", 50, JANUARY),
    ]
    assert await rows(world, late_usage) == []
    assert await rows(world, unrated_facts) == []


async def test_a_late_refund_is_credited(world):
    """40 calls in November, 10 of them given back in December: 5.00 less."""
    await run(
        world,
        Act(NOVEMBER + DAY, consumed("acme", 40)),
        Act(DECEMBER + SECOND, billed),
        Act(DECEMBER + 4 * DAY, consumed("acme", -10, at=NOVEMBER + 2 * DAY)),
        Act(JANUARY + SECOND, billed),
    )
    assert (NOVEMBER, "Adjustment: calls", -500, JANUARY) in await usage_lines(world)


async def test_two_periods_back_is_charged_and_three_is_too_late(world):
    """In February, before its invoice: December and January are two periods back of the close, November is three."""
    await run(
        world,
        *(Act(month + SECOND, billed) for month in (DECEMBER, JANUARY, FEBRUARY)),
        Act(FEBRUARY + DAY, consumed("acme", 2, at=NOVEMBER + DAY)),
        Act(FEBRUARY + DAY, consumed("acme", 6, at=DECEMBER + DAY)),
        Act(MARCH + SECOND, billed),
    )
    assert await usage_lines(world) == [(DECEMBER, "Adjustment: calls", 300, MARCH)]
    (kept,) = await rows(world, unrated_facts)
    assert (kept.reason, kept.occurred_time, kept.sequence) == ("too_late", NOVEMBER + DAY, 1)
    assert await rows(world, late_usage) == []


async def test_what_comes_after_the_end_of_a_subscription_is_still_invoiced(world):
    """Cancelled on 11 December; 8 calls of November come later: 4.00 on a document of their own."""
    await run(
        world,
        Act(DECEMBER + SECOND, billed),
        Act(DECEMBER + 10 * DAY, cancelled),
        Act(DECEMBER + 10 * DAY + SECOND, billed),
        Act(DECEMBER + 20 * DAY, consumed("acme", 8, at=NOVEMBER + DAY)),
        Act(DECEMBER + 21 * DAY, subscribed("globex")),
        Act(DECEMBER + 21 * DAY, billed),
        Act(JANUARY + SECOND, billed),
    )
    assert await usage_lines(world) == [(NOVEMBER, "Adjustment: calls", 400, JANUARY)]


async def test_it_is_the_log_and_no_clock_that_says_what_is_late(world):
    """One that occurred at November's last moment and came before its close is no late one."""
    await run(
        world,
        Act(DECEMBER, consumed("acme", 2, at=DECEMBER - 1)),
        Act(DECEMBER + SECOND, billed),
        Act(JANUARY + SECOND, billed),
    )
    assert await usage_lines(world) == [(NOVEMBER, "calls", 100, DECEMBER)]


async def test_what_is_given_back_beyond_what_a_period_used_is_kept_with_its_reason(world):
    """3 calls used, 2 and then 4 given back: the last one gives back more than is left, whatever else comes later."""
    await run(
        world,
        Act(NOVEMBER + DAY, consumed("acme", 3)),
        Act(NOVEMBER + 2 * DAY, consumed("acme", -2)),
        Act(NOVEMBER + 3 * DAY, consumed("acme", -4)),
        Act(DECEMBER + SECOND, billed),
        Act(DECEMBER + DAY, consumed("acme", 1, at=NOVEMBER + DAY + SECOND)),
        Act(JANUARY + SECOND, billed),
    )
    (kept,) = await rows(world, unrated_facts)
    assert (kept.reason, kept.occurred_time) == ("refund_exceeds_period", NOVEMBER + 3 * DAY)
    assert (kept.price_key, kept.account_id, kept.feature_key) == ("calls", "acme", "calls")
    assert await usage_lines(world) == []


async def test_what_came_late_is_found_though_no_account_is_closed(world):
    """The daily look at the books finds it, and lets billing look at its account."""
    await run(
        world,
        Act(DECEMBER + SECOND, billed),
        Act(DECEMBER + DAY, consumed("acme", 8, at=NOVEMBER + DAY)),
    )
    assert await rows(world, late_usage) == []
    await world.write(lambda work, now: check_ledger(work, now=now))
    (found,) = await rows(world, late_usage)
    assert (found.account_id, found.occurred_time) == ("acme", NOVEMBER + DAY)
    assert any(job.kind == "close" and job.subject == "acme" for job in await rows(world, jobs))
