"""GetUsage and RecordUsage over real events: aggregations, groups, periods, resets, trials, what was carried in."""

import random

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate_api.v1 import decision_pb2, usage_service_pb2
from tenants import Tenant, after, eventually, failure

DAY = 86_400
MARCH = Timestamp(seconds=1_930_348_800)  # 2031-03-04T00:00:00Z
MARCH_FIRST, APRIL_FIRST = Timestamp(seconds=1_930_089_600), Timestamp(seconds=1_932_768_000)
CURRENT, PREVIOUS = usage_service_pb2.PERIOD_SELECTION_CURRENT, usage_service_pb2.PERIOD_SELECTION_PREVIOUS
INCLUDED, GRANT, OVERAGE = decision_pb2.POT_KIND_INCLUDED, decision_pb2.POT_KIND_GRANT, decision_pb2.POT_KIND_OVERAGE
METERS = {
    "calls": {"kind": "metered"},
    "jobs": {"kind": "metered", "aggregation": "count"},
    "peak": {"kind": "metered", "aggregation": "max"},
    "disks": {"kind": "metered", "aggregation": "latest"},
    "visitors": {"kind": "metered", "aggregation": "unique", "unique_by": "visitor"},
    "memory": {"kind": "metered", "aggregation": "time_weighted"},
}
UNLIMITED = {"unlimited": True}
LIMITED = {"limit": 10, "overage": "allow"}
DOCUMENT = {
    "currency": "USD",
    "features": METERS,
    "plans": {
        "p": {
            "version": 1,
            "entitlements": {
                **dict.fromkeys(("calls", "jobs", "peak", "disks"), LIMITED),
                **dict.fromkeys(("visitors", "memory"), UNLIMITED),
            },
        },
        "trial": {"version": 1, "trial": {"days": 3, "ends_in": "p"}, "entitlements": {"calls": LIMITED}},
    },
}


@pytest.fixture
async def tenant(live_server):
    """A tenant on 4 March 2031 whose account `acme` holds every kind of meter."""
    async with live_server.channel() as channel:
        tenant = Tenant(channel, live_server.new_test_tenant())
        await tenant.apply(DOCUMENT)
        await tenant.advance_to(after(MARCH, -DAY))
        await tenant.call("UpsertAccount", account_id="acme", plan_key="p")
        await tenant.advance_to(MARCH)
        yield tenant


async def collected(tenant, events, **wanted):
    """Wait until so many events of the tenant can be read."""

    async def read():
        return len((await tenant.call("ListEvents", page_size=1000, **wanted)).events) == events

    await eventually(read, what=f"{events} events")


async def record(tenant, *items):
    """Record uses of `acme`: (feature, quantity, at, dimensions)."""
    made = [
        {
            "account_id": "acme",
            "feature_key": feature_key,
            "quantity": quantity,
            "request_id": f"{feature_key}-{number}",
            "occurred_time": at,
            "dimensions": dimensions,
        }
        for number, (feature_key, quantity, at, dimensions) in enumerate(items)
    ]
    answer = await tenant.call("RecordUsage", items=made)
    assert all(outcome.decision.allowed for outcome in answer.outcomes), answer
    await collected(tenant, len(items))


def told(rows, *names):
    return [tuple(getattr(row, name) for name in names) for row in rows]


async def test_every_aggregation_says_how_many_events_stand_behind_it(tenant):
    late = after(MARCH, 10 * DAY)
    await tenant.advance_to(after(MARCH, 17 * DAY))
    await record(
        tenant,
        *(("calls", n, MARCH, {"region": r}) for n, r in [(7, "eu"), (5, "us"), (-2, "eu")]),
        *(("jobs", n, MARCH, {"region": "eu"}) for n in (1, 2)),
        *(("peak", n, at, {"region": r}) for n, at, r in [(8, MARCH, "eu"), (3, late, "us")]),
        *(("disks", n, at, {"region": r}) for n, at, r in [(8, MARCH, "eu"), (3, late, "us")]),
        *(("visitors", 1, MARCH, {"visitor": v, "region": "eu"}) for v in ("a", "b", "a")),
        *(("memory", n, at, {}) for n, at in [(31, late), (31, after(late, DAY))]),
    )
    rows = (await tenant.call("GetUsage", account_id="acme")).rows
    area = 31 * 7 // 31  # the level 31 from the 14th to the 21st, in a month of 31 days
    assert told(rows, "feature_key", "quantity", "event_count") == [
        ("calls", 10, 3),
        ("disks", 3, 2),
        ("jobs", 3, 2),
        ("memory", area, 2),
        ("peak", 8, 2),
        ("visitors", 2, 3),
    ]
    assert {(row.period_start_time.seconds, row.period_end_time.seconds) for row in rows} == {
        (MARCH_FIRST.seconds, APRIL_FIRST.seconds)
    }
    assert [(pot.kind, pot.quantity) for pot in rows[0].pots] == [(INCLUDED, 10)]
    grouped = (await tenant.call("GetUsage", account_id="acme", group_by="region")).rows
    assert [(r.feature_key, r.group, r.HasField("group"), r.quantity, r.event_count) for r in grouped] == [
        ("calls", "eu", True, 5, 2),
        ("calls", "us", True, 5, 1),
        ("disks", "eu", True, 8, 1),
        ("disks", "us", True, 3, 1),
        ("jobs", "eu", True, 3, 2),
        ("memory", "", False, area, 2),
        ("peak", "eu", True, 8, 1),
        ("peak", "us", True, 3, 1),
        ("visitors", "eu", True, 2, 3),
    ]
    assert not any(row.pots for row in grouped)


async def test_pages_of_rows_are_full_and_in_order(tenant):
    await record(tenant, *(("calls", 1, MARCH, {"region": region}) for region in "edcba"))
    seen, token = [], ""
    while True:
        page = await tenant.call(
            "GetUsage", account_id="acme", feature_key="calls", group_by="region", page_size=2, page_token=token
        )
        seen += [row.group for row in page.rows]
        token = page.next_page_token
        if not token:
            break
        assert len(page.rows) == 2
    assert seen == list("abcde")


async def test_pots_are_what_each_paid_over_the_whole_period_in_burn_order(tenant):
    for grant_id, priority in (("second", 2), ("first", 1)):
        await tenant.call(
            "CreateGrant", account_id="acme", feature_key="calls", amount=4, priority=priority, grant_id=grant_id
        )
    for quantity in (12, 9, -2, 1):
        assert (await tenant.consume("acme", "calls", quantity)).allowed
    await collected(tenant, 4)
    (row,) = (await tenant.call("GetUsage", account_id="acme", feature_key="calls")).rows
    pots = [(pot.kind, pot.grant_id, pot.quantity) for pot in row.pots]
    assert pots == [(INCLUDED, "", 10), (GRANT, "first", 4), (GRANT, "second", 4), (OVERAGE, "", 2)]
    assert (row.quantity, row.event_count) == (20, 4)


async def test_current_previous_and_a_range_of_periods(tenant):
    await record(tenant, ("calls", 3, MARCH, {}), ("peak", 6, MARCH, {}))
    await tenant.advance_to(after(APRIL_FIRST, DAY))
    assert (await tenant.consume("acme", "calls", 4)).allowed
    await collected(tenant, 3)

    async def rows(**asked):
        found = (await tenant.call("GetUsage", account_id="acme", **asked)).rows
        return told(
            [row for row in found if row.feature_key in {"calls", "peak"}], "feature_key", "quantity", "event_count"
        )

    assert await rows() == await rows(selection=CURRENT) == [("calls", 4, 1), ("peak", 6, 0)]
    assert await rows(selection=PREVIOUS) == [("calls", 3, 1), ("peak", 6, 1)]
    both = usage_service_pb2.TimeRange(start_time=MARCH, end_time=after(APRIL_FIRST, 1))
    assert await rows(range=both) == [("calls", 3, 1), ("calls", 4, 1), ("peak", 6, 1)]
    assert await rows(range=usage_service_pb2.TimeRange()) == await rows(range=both)
    assert await rows(range=usage_service_pb2.TimeRange(end_time=APRIL_FIRST)) == [("calls", 3, 1), ("peak", 6, 1)]
    assert await rows(range=usage_service_pb2.TimeRange(start_time=APRIL_FIRST)) == [("calls", 4, 1)]
    for wrong in (
        {"range": usage_service_pb2.TimeRange(start_time=MARCH, end_time=MARCH)},
        {"range": usage_service_pb2.TimeRange(end_time=Timestamp(seconds=-1))},
        {"selection": 9},
        {"feature_key": "seats/none"},
    ):
        code, _ = await failure(tenant.call("GetUsage", account_id="acme", **wrong))
        assert code in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}


async def test_a_reset_opens_a_row_of_its_own(tenant):
    assert (await tenant.consume("acme", "calls", 5)).allowed
    await tenant.advance(DAY)
    await tenant.call("ResetUsage", account_id="acme", feature_key="calls", request_id="reset")
    assert (await tenant.consume("acme", "calls", 2)).allowed
    await collected(tenant, 3)
    (now,) = (await tenant.call("GetUsage", account_id="acme", feature_key="calls")).rows
    (before,) = (await tenant.call("GetUsage", account_id="acme", feature_key="calls", selection=PREVIOUS)).rows
    assert told([before, now], "quantity", "event_count") == [(5, 1), (2, 1)]
    assert before.period_start_time == MARCH_FIRST
    assert before.period_end_time == now.period_start_time
    assert now.period_end_time == APRIL_FIRST
    assert [(pot.kind, pot.quantity) for pot in now.pots] == [(INCLUDED, 2)]


async def test_of_resets_at_one_instant_the_period_in_force_is_told(tenant):
    """The clock stands: 5 and 6 were counted for no time at all."""
    await tenant.call("SetTestClock", time=after(MARCH, DAY), standing=True)
    await tenant.consume("acme", "calls", 4)
    for quantity in (5, 6, 7):
        await tenant.call("ResetUsage", account_id="acme", feature_key="calls", request_id=f"reset-{quantity}")
        assert (await tenant.consume("acme", "calls", quantity)).used == quantity
    await collected(tenant, 7)
    (now,) = (await tenant.call("GetUsage", account_id="acme", feature_key="calls")).rows
    (before,) = (await tenant.call("GetUsage", account_id="acme", feature_key="calls", selection=PREVIOUS)).rows
    assert told([before, now], "quantity", "event_count") == [(4, 1), (7, 1)]
    assert [(pot.kind, pot.quantity) for pot in now.pots] == [(INCLUDED, 7)]


async def test_a_trial_is_a_period_of_its_own(tenant):
    start = (await tenant.call("UpsertAccount", account_id="hooli", plan_key="trial")).account.subscription.start_time
    assert (await tenant.consume("hooli", "calls", 4)).allowed
    await tenant.advance_to(after(start, 3 * DAY))
    assert (await tenant.consume("hooli", "calls", 2)).allowed
    await collected(tenant, 2)
    (now,) = (await tenant.call("GetUsage", account_id="hooli", feature_key="calls")).rows
    around = usage_service_pb2.TimeRange(start_time=start, end_time=APRIL_FIRST)
    month, trial = (await tenant.call("GetUsage", account_id="hooli", feature_key="calls", range=around)).rows
    assert month == now
    assert told([trial, now], "quantity", "event_count") == [(4, 1), (2, 1)]
    assert (trial.period_start_time, trial.period_end_time) == (start, after(start, 3 * DAY))
    assert (now.period_start_time, now.period_end_time) == (MARCH_FIRST, APRIL_FIRST)
    events = (await tenant.call("ListEvents", account_id="hooli")).events
    assert [(event.data.trial, event.data.billable) for event in events] == [(True, False), (False, True)]
    assert told([event.data for event in events], "quantity", "billable_quantity") == [(4, 0), (2, 2)]


async def test_what_was_carried_in_counts_and_is_not_charged(tenant):
    item = {"account_id": "acme", "feature_key": "calls", "quantity": 8, "request_id": "moved", "carry_in": True}
    answer = await tenant.call("RecordUsage", items=[item])
    assert answer.outcomes[0].decision.used == 8
    assert (await tenant.consume("acme", "calls", 3)).used == 11
    await collected(tenant, 2)
    events = (await tenant.call("ListEvents")).events
    assert [(event.data.carry_in, event.data.billable) for event in events] == [(True, False), (False, True)]
    (row,) = (await tenant.call("GetUsage", account_id="acme", feature_key="calls")).rows
    assert (row.quantity, row.event_count) == (11, 2)


async def test_a_refund_of_what_was_carried_in_is_not_charged_back(tenant):
    item = {"account_id": "acme", "feature_key": "calls", "quantity": 8, "request_id": "moved", "carry_in": True}
    await tenant.call("RecordUsage", items=[item])
    for quantity in (3, -5, -1, 2):
        await tenant.consume("acme", "calls", quantity)
    await collected(tenant, 5)
    events = [event.data for event in (await tenant.call("ListEvents")).events]
    assert told(events, "quantity", "billable_quantity") == [(8, 0), (3, 3), (-5, -3), (-1, 0), (2, 2)]
    assert [event.billable for event in events] == [False, True, True, False, True]
    assert [sum(pot.uncharged for pot in event.pots) for event in events] == [0, 0, -2, -1, 0]
    (row,) = (await tenant.call("GetUsage", account_id="acme", feature_key="calls")).rows
    assert (row.quantity, sum(pot.uncharged for pot in row.pots)) == (7, 0)


async def test_a_bad_item_fails_alone_and_outcomes_come_in_order(tenant):
    good = {"account_id": "acme", "feature_key": "calls", "quantity": 1}
    items = [
        {**good, "request_id": "a"},
        {**good, "request_id": ""},
        {**good, "request_id": "b", "account_id": "nobody"},
        {**good, "request_id": "c", "feature_key": "nothing"},
        {**good, "request_id": "d", "quantity": 0},
        {**good, "request_id": "e", "occurred_time": after(MARCH, -365 * DAY)},
        {**good, "request_id": "f", "dimensions": {"a": "\x00"}},
        {**good, "request_id": "a", "quantity": 2},
        {**good, "request_id": "g", "quantity": 50},
    ]
    outcomes = (await tenant.call("RecordUsage", items=items)).outcomes
    shown = [
        (outcome.decision.allowed, outcome.decision.used) if outcome.HasField("decision") else outcome.error.code
        for outcome in outcomes
    ]
    assert shown == [(True, 1), 3, (False, 0), 5, 3, 3, 3, 3, (True, 51)]
    assert outcomes[1].error.metadata["field"] == "request_id"
    assert outcomes[6].error.metadata["field"] == "dimensions[a]"
    for wrong in ([], [{**good, "request_id": "x"}] * 1001):
        code, reason = await failure(tenant.call("RecordUsage", items=wrong))
        assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")


async def test_repeated_request_ids_in_one_batch_are_replays(tenant):
    item = {"account_id": "acme", "feature_key": "calls", "quantity": 2}
    order = [0, 1, 0, 2, 1, 0]
    outcomes = (
        await tenant.call("RecordUsage", items=[{**item, "request_id": f"r{number}"} for number in order])
    ).outcomes
    shown = [(outcome.decision.replayed, outcome.decision.used) for outcome in outcomes]
    assert shown == [(False, 2), (False, 4), (True, 2), (False, 6), (True, 4), (True, 2)]


async def test_a_refund_in_a_batch_returns_what_came_before_it(tenant):
    quantities = [5, -5, 3, -1, 4, -6]
    items = [
        {"account_id": "acme", "feature_key": "calls", "quantity": quantity, "request_id": f"r{number}"}
        for number, quantity in enumerate(quantities)
    ]
    outcomes = (await tenant.call("RecordUsage", items=items)).outcomes
    assert [outcome.decision.used for outcome in outcomes] == [5, 0, 3, 2, 6, 0]


async def test_a_thousand_items_of_few_accounts_are_all_counted_once(tenant):
    dice = random.Random(1)
    for number in range(3):
        await tenant.call("UpsertAccount", account_id=f"a{number}", plan_key="p")
    items = [
        {"account_id": f"a{dice.randrange(3)}", "feature_key": "calls", "quantity": 1, "request_id": f"r{number}"}
        for number in range(1000)
    ]
    first = (await tenant.call("RecordUsage", items=items)).outcomes
    assert all(outcome.decision.allowed and not outcome.decision.replayed for outcome in first)
    again = (await tenant.call("RecordUsage", items=items)).outcomes
    assert all(outcome.decision.replayed for outcome in again)
    await collected(tenant, 1000)
    for number in range(3):
        mine = sum(item["account_id"] == f"a{number}" for item in items)
        (row,) = (await tenant.call("GetUsage", account_id=f"a{number}", feature_key="calls")).rows
        assert (row.quantity, row.event_count) == (mine, mine)
