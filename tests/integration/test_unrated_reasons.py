"""A late event has a reason not to be charged where money is missed, and none where it would have been free in time."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from billed_worlds import living
from faults.crashes import (
    DAY,
    DECEMBER,
    JANUARY,
    NOVEMBER,
    SECOND,
    TENANT,
    Act,
    a_fact,
    billed,
    lived,
    opened,
    published,
    subscribed,
)
from tallygate.control_plane.accounts import UpsertAccount, upsert_account
from tallygate.control_plane.proposals import CancelSubscription, When
from tallygate.control_plane.subscription_changes import cancel_subscription
from tallygate.metering.collector import sort_out
from tallygate.metering.ports import Delivery
from tallygate.storage.sql.billing.usage_tables import late_usage, unrated_facts
from tallygate.storage.sql.metering.events import SqlLedger

FEBRUARY, MARCH = JANUARY + 31 * DAY, JANUARY + 59 * DAY


@pytest.fixture
async def world(places):
    """An account on a plan that charges calls, and nothing else by use, since November."""
    begun = [Act(NOVEMBER - DAY, opened), Act(NOVEMBER - DAY, published), Act(NOVEMBER, subscribed("acme"))]
    async with living(places.new("sqlite"), *begun) as found:
        yield found


def used(feature_key, at):
    async def act(world):
        fact = replace(a_fact("acme", at, 0, 5), feature_key=feature_key, request_id=f"{feature_key}-{at}")
        async with SqlLedger(world.engine).transaction() as transaction:
            await transaction.lock({TENANT})
            await transaction.append(sort_out([Delivery(source=fact.source, raw=b"", fact=fact)], {}).fresh)

    return act


async def cancelled(world):
    request = CancelSubscription(account_id="acme", when=When.NOW)
    await world.write(lambda work, now: cancel_subscription(work, request, now=now))


async def again(world):
    request = UpsertAccount(account_id="acme", plan_key="pro", trial_days=0)
    await world.write(lambda work, now: upsert_account(work, request, now=now, new_id=lambda: "again"))


async def reasons(world, *acts):
    """What late facts were noted with, when none waits any more."""
    for act in acts:
        await lived(world, act)
    async with world.engine.connect() as connection:
        assert (await connection.execute(select(late_usage))).all() == []
        rows = await connection.execute(select(unrated_facts).order_by(unrated_facts.c.sequence))
        return [(row.feature_key, row.occurred_time, row.reason) for row in rows]


async def test_what_is_too_late_has_a_reason_where_its_plan_charged_it(world):
    """November is three periods back of February's close; mails are of no price."""
    found = await reasons(
        world,
        *(Act(month + SECOND, billed) for month in (DECEMBER, JANUARY, FEBRUARY)),
        Act(FEBRUARY + DAY, used("mails", NOVEMBER + DAY)),
        Act(FEBRUARY + DAY, used("calls", NOVEMBER + DAY)),
        Act(FEBRUARY + DAY, used("mails", JANUARY + DAY)),
        Act(MARCH + SECOND, billed),
    )
    assert found == [("calls", NOVEMBER + DAY, "too_late")]


async def test_what_was_used_while_nothing_was_held_has_a_reason_where_it_was_ever_charged(world):
    """Cancelled on 11 December, subscribed again on the 21st; what occurred between comes when December is closed."""
    between = DECEMBER + 15 * DAY
    found = await reasons(
        world,
        Act(DECEMBER + SECOND, billed),
        Act(DECEMBER + 10 * DAY, cancelled),
        Act(DECEMBER + 20 * DAY, again),
        Act(JANUARY + SECOND, billed),
        Act(JANUARY + DAY, used("mails", between)),
        Act(JANUARY + DAY, used("calls", between)),
        Act(JANUARY + 2 * DAY, billed),
        Act(FEBRUARY + SECOND, billed),
    )
    assert found == [("calls", between, "no_price")]
