"""Rows about counting: counters, quotas and their pots, aggregations, and prices as exact as they were written."""

import asyncio
import csv
import io
import json
import os

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from command_line import tallygate
from invoicing import at, catalog, dollars, invoices, run
from tallygate_api.v1 import decision_pb2, usage_service_pb2
from tenants import after, eventually, reason_name

HOUR = 3_600
INCLUDED, OVERAGE = decision_pb2.POT_KIND_INCLUDED, decision_pb2.POT_KIND_OVERAGE


def metered(feature=None, plan=None, **entitlement):
    return {
        "currency": "USD",
        "features": {"calls": {"kind": "metered", **(feature or {})}},
        "plans": {"p": {"version": 1, "entitlements": {"calls": entitlement}, **(plan or {})}},
    }


async def test_bk_23_counters_count_up_and_down_and_reset(tenant):
    await tenant.apply(metered(limit=1000))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="p")
    assert (await tenant.consume("acme", "calls", 700)).used == 700
    assert (await tenant.consume("acme", "calls", -200)).used == 500
    full = await tenant.consume("acme", "calls", 500)
    assert (full.used, full.remaining) == (1000, 0)
    over = await tenant.consume("acme", "calls", 1)
    assert (over.allowed, reason_name(over)) == (False, "QUOTA_EXHAUSTED")
    reset = await tenant.call("ResetUsage", account_id="acme", feature_key="calls", request_id="reset-1")
    again = await tenant.check("acme", "calls")
    assert (again.allowed, again.used, again.remaining) == (True, 0, 1000)
    assert again.period_start_time == reset.period_start_time
    replayed = await tenant.call("ResetUsage", account_id="acme", feature_key="calls", request_id="reset-1")
    assert (replayed.replayed, replayed.period_start_time) == (True, reset.period_start_time)
    assert (await tenant.consume("acme", "calls", 1)).used == 1
    await tenant.usage_reaches("acme", "calls", 1)
    events = (await tenant.call("ListEvents", account_id="acme")).events
    kinds = [usage_service_pb2.FactKind.Name(event.data.kind).removeprefix("FACT_KIND_") for event in events]
    assert kinds == ["CONSUME", "REFUND", "CONSUME", "RESET", "CONSUME"]
    before = [event.data for event in events if event.data.period_start_time != reset.period_start_time]
    assert sum(fact.quantity for fact in before if fact.billable) == 1000  # what is billed, then counted anew


async def test_what_is_left_of_each_grant_is_told_by_lists_decisions_and_writes(tenant):
    await tenant.apply(metered(limit=10))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="p")
    grants = {"account_id": "acme", "feature_key": "calls"}
    later = Timestamp(seconds=int(await tenant.now()) + HOUR)
    made = await tenant.call("CreateGrant", grant_id="a", amount=5, priority=1, **grants)
    assert made.grant.remaining == 5
    await tenant.call("CreateGrant", grant_id="b", amount=5, priority=2, **grants)
    await tenant.call("CreateGrant", grant_id="c", amount=5, priority=3, effective_time=later, **grants)
    taken = await tenant.consume("acme", "calls", 17)
    assert [(pot.grant_id, pot.quantity) for pot in taken.grants_left] == [("b", 3)]

    async def left():
        listed = (await tenant.call("ListGrants", account_id="acme")).grants
        return [(grant.grant_id, grant.remaining) for grant in listed if grant.HasField("remaining")]

    assert await left() == [("a", 0), ("b", 3), ("c", 5)]
    assert (await tenant.call("CreateGrant", grant_id="a", amount=5, priority=1, **grants)).grant.remaining == 0
    denied = await tenant.check("acme", "calls", quantity=9)
    assert (reason_name(denied), denied.shortfall, denied.remaining) == ("QUOTA_EXHAUSTED", 6, 3)
    assert (await tenant.call("RevokeGrant", account_id="acme", grant_id="b")).grant.remaining == 0
    assert await left() == [("a", 0), ("b", 0), ("c", 5)]


async def test_dj_15_usage_within_the_quota_is_included(tenant):
    await tenant.apply(metered(limit=100, overage="allow"))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="p")
    within = await tenant.consume("acme", "calls", 100)
    assert [(pot.kind, pot.quantity) for pot in within.pots] == [(INCLUDED, 100)]
    assert reason_name(within) == "WITHIN_LIMIT"
    beyond = await tenant.consume("acme", "calls", 7)
    assert [(pot.kind, pot.quantity) for pot in beyond.pots] == [(OVERAGE, 7)]
    assert (beyond.allowed, reason_name(beyond)) == (True, "OVERAGE")
    await tenant.usage_reaches("acme", "calls", 107)
    events = (await tenant.call("ListEvents", account_id="acme")).events
    assert [(pot.kind, pot.quantity) for event in events for pot in event.data.pots] == [(INCLUDED, 100), (OVERAGE, 7)]


async def test_dj_15_usage_across_the_end_of_the_quota_is_split(tenant):
    await tenant.apply(metered(limit=100, overage="allow"))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="p")
    split = await tenant.consume("acme", "calls", 130)
    assert [(pot.kind, pot.quantity) for pot in split.pots] == [(INCLUDED, 100), (OVERAGE, 30)]


async def test_dj_14_unit_prices_below_a_cent_are_exact(tenant):
    prices = [
        {"recurring": {"amount": "49.00", "every": "month"}},
        {"usage": {"feature_key": "calls", "unit_amount": "0.0001"}},
        {"usage": {"feature_key": "calls", "unit_amount": "0.50", "per_units": 1000}},
    ]
    await tenant.apply(metered(plan={"prices": prices}, limit=100))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="p")
    catalog = (await tenant.call("GetCatalog")).catalog
    plan = (await tenant.call("GetPlan", plan_key="p")).plan.plan
    held = (await tenant.call("GetSubscription", account_id="acme")).subscription
    for returned in (catalog.plans["p"].prices, plan.prices, held.prices):
        assert [price.recurring.amount or price.usage.unit_amount for price in returned] == ["49.00", "0.0001", "0.50"]
        assert [price.usage.per_units or 1 for price in returned[1:]] == [1, 1000]


HOURLY = {"usage_period": {"every": "hour"}}
AGGREGATED = {
    # what happens at minutes of one hour (quantity, visitor), and what it amounts to
    "sum": ([(0, 3, "a"), (30, 4, "b"), (45, 5, "a")], 12),
    "count": ([(0, 1, "a"), (30, 1, "b"), (45, 1, "a")], 3),
    "max": ([(0, 5, "a"), (30, 9, "b"), (45, 7, "a")], 9),
    "latest": ([(0, 5, "a"), (30, 9, "b"), (45, 7, "a")], 7),
    "unique": ([(0, 1, "a"), (30, 1, "b"), (45, 1, "a")], 2),
    "time_weighted": ([(0, 10, "a"), (30, 20, "b"), (45, 0, "a")], 10),  # (30 x 10 + 15 x 20 + 15 x 0) / 60
}


def next_hour(now):
    return Timestamp(seconds=int(now) // HOUR * HOUR + HOUR)


@pytest.mark.parametrize("aggregation", AGGREGATED)
async def test_ar_20_metering_service_aggregates(tenant, aggregation):
    observed, amount = AGGREGATED[aggregation]
    feature = {**HOURLY, "aggregation": aggregation, **({"unique_by": "visitor"} if aggregation == "unique" else {})}
    await tenant.apply(metered(feature, unlimited=True))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="p")
    hour = next_hour(await tenant.now())
    (first, second, third) = [
        {
            "account_id": "acme",
            "feature_key": "calls",
            "quantity": quantity,
            "request_id": f"at-{minute}",
            "dimensions": {"visitor": visitor},
            "occurred_time": after(hour, minute * 60),
        }
        for minute, quantity, visitor in observed
    ]
    await tenant.advance_to(hour)
    assert (await tenant.call("ConsumeQuota", **first)).decision.allowed
    await tenant.advance_to(after(hour, 50 * 60))
    recorded = await tenant.call("RecordUsage", items=[second, third])
    assert [outcome.decision.allowed for outcome in recorded.outcomes] == [True, True]
    await tenant.advance_to(after(hour, HOUR))

    async def collected():
        return len((await tenant.call("ListEvents")).events) == 3

    await eventually(collected)
    rows = await tenant.usage("acme", "calls", selection=usage_service_pb2.PERIOD_SELECTION_PREVIOUS)
    shown = [(row.period_start_time, row.period_end_time, row.quantity) for row in rows]
    assert shown == [(hour, after(hour, HOUR), amount)]


async def test_ar_20_a_count_meter_counts_occurrences(tenant):
    await tenant.apply(metered({"aggregation": "count"}, limit=10))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="p")
    used = [(await tenant.consume("acme", "calls", quantity)).used for quantity in (None, 3, -1)]
    assert used == [1, 4, 3]


async def test_the_last_unit_of_all_grants_is_answered_as_those_before_it(tenant):
    await tenant.apply(metered(limit=10))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="p")
    await tenant.consume("acme", "calls", 10)
    for grant, amount in (("g1", 4), ("g2", 3)):
        await tenant.call("CreateGrant", account_id="acme", feature_key="calls", amount=amount, grant_id=grant)
    left = []
    for _ in range(7):
        decision = await tenant.consume("acme", "calls", 1)
        assert decision.allowed
        left.append({pot.grant_id: pot.quantity for pot in decision.grants_left})
    assert left[-1] == {}
    assert [sum(pots.values()) for pots in left] == [6, 5, 4, 3, 2, 1, 0]
    assert reason_name(await tenant.consume("acme", "calls", 1)) == "QUOTA_EXHAUSTED"


async def test_ar_21_the_log_of_usage_is_kept_whole_exported_by_day_and_charges_the_same_again(
    tenant, live_server, tmp_path
):
    """30 and 12 calls in March less 5 that were given back, at 0.50: 18.50, by the invoice and by the exported log."""
    await tenant.call("SetTestClock", time=at("2024-03-01"), standing=True)
    await tenant.apply(catalog({"usage": {"feature_key": "calls", "unit_amount": "0.50"}}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.consume("acme", "calls", 30)
    await tenant.usage_reaches("acme", "calls", 30)
    before = await exported(tenant, live_server, tmp_path)
    await tenant.advance_to(at("2024-03-02 12:00"))
    await tenant.consume("acme", "calls", 12, dimensions={"region": 'eu, "west"'})
    await tenant.consume("acme", "calls", -5)
    await tenant.usage_reaches("acme", "calls", 37)
    whole = await exported(tenant, live_server, tmp_path)
    assert whole.startswith(before), "what was recorded stays as it is: what is given back is a fact of its own"
    rows = list(csv.DictReader(io.StringIO(whole, newline="")))
    assert [(row["sequence"], row["quantity"]) for row in rows] == [("1", "30"), ("2", "12"), ("3", "-5")]
    assert json.loads(rows[1]["dimensions"]) == {"region": 'eu, "west"'}
    await exported(tenant, live_server, tmp_path, "--into", str(tmp_path / "warehouse"))
    files = sorted(each.relative_to(tmp_path).as_posix() for each in (tmp_path / "warehouse").rglob("*.csv"))
    assert files == ["warehouse/day=2024-03-01/events-1.csv", "warehouse/day=2024-03-02/events-2.csv"]
    parts = [list(csv.DictReader(io.StringIO((tmp_path / each).read_text()))) for each in files]
    assert [row for part in parts for row in part] == rows
    await tenant.advance_to(at("2024-04-01"))
    await run(tenant)
    (invoice,) = await invoices(tenant, account_id="acme")
    assert dollars(invoice.total) == 18.50 == sum(int(row["billable_quantity"]) for row in rows) * 0.50
    assert not (await tenant.call("VerifyInvoice", invoice_id=invoice.invoice_id)).differences


async def exported(tenant, server, directory, *words):
    """What the command line exports of the log, asked with the tenant's key."""
    own = {"TALLYGATE_ADDRESS": server.address, "TALLYGATE_API_KEY": tenant.key}
    environment = {**os.environ, **own}  # noqa: TID251 - a child's
    words = ("events", "export", *words)
    return (await asyncio.to_thread(tallygate, *words, environment=environment, directory=directory)).stdout
