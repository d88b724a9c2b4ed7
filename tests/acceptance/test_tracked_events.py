"""The row about events that trackers send: their forms, and each once. Figures by hand."""

import asyncio
import json
import os

import pytest

from command_line import tallygate
from invoicing import at, catalog
from tallygate.cli.json_lines import LineError
from tallygate.cli.tracked_events import UntrackedError, tracked


def cloud_event(source="/shop", **more):
    event = {"specversion": "1.0", "id": "1", "source": source, "type": "calls", "subject": "acme"}
    return {**event, "time": "2024-03-01T11:00:00Z", "data": {"quantity": 3, "region": "eu"}, **more}


SEGMENT = {
    "type": "track",
    "messageId": "1",
    "event": "calls",
    "userId": "ann",
    "context": {"groupId": "acme"},
    "properties": {"quantity": 5, "region": "us"},
    "timestamp": "2024-03-01T11:00:00.123Z",
}
SNOWPLOW = {
    "event_id": "1",
    "app_id": "web",
    "event_name": "calls",
    "user_id": "acme",
    "derived_tstamp": "2024-03-01 11:00:00.123",
    "unstruct_event": {"schema": "iglu:s", "data": {"schema": "iglu:s", "data": {"quantity": 7, "region": "eu"}}},
}


async def shop(tenant):
    await tenant.call("SetTestClock", time=at("2024-03-01 10:00"), standing=True)
    await tenant.apply(catalog())
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.advance_to(at("2024-03-01 12:00"))
    assert (await tenant.check("acme", "calls")).allowed, "the server knows of it"


async def imported(tenant, server, directory, *events, code=0):
    """What the command line says of an import of these events, a line each."""
    (directory / "tracked.jsonl").write_text("\n".join(map(json.dumps, events)))
    own = {"TALLYGATE_ADDRESS": server.address, "TALLYGATE_API_KEY": tenant.key}
    environment = {**os.environ, **own}  # noqa: TID251 - a child's
    words = ("events", "import", "tracked.jsonl", "-o", "json")
    return await asyncio.to_thread(tallygate, *words, environment=environment, directory=directory, code=code)


async def test_ar_19_events_of_trackers_are_usage_and_each_source_and_id_counts_once(tenant, live_server, tmp_path):
    """3 and, of the same id by another source, 4 as CloudEvents, 5 by Segment, 7 by Snowplow: 19 in all."""
    await shop(tenant)
    other = cloud_event("/web", data={"quantity": 4})
    events = (cloud_event(), other, SEGMENT, SNOWPLOW, cloud_event(), SEGMENT, SNOWPLOW)
    first = await imported(tenant, live_server, tmp_path, *events)
    assert json.loads(first.stdout) == {"recorded": 4, "repeated": 3, "refused": 0}
    again = await imported(tenant, live_server, tmp_path, *events)
    assert json.loads(again.stdout) == {"recorded": 0, "repeated": 7, "refused": 0}
    await tenant.usage_reaches("acme", "calls", 19)
    rows = await tenant.usage("acme", "calls", group_by="region")
    assert {row.group: row.quantity for row in rows} == {"eu": 10, "us": 5, "": 4}
    kept = (await tenant.call("ListEvents", account_id="acme")).events
    assert {each.data.occurred_time.ToJsonString()[:19] for each in kept} == {"2024-03-01T11:00:00"}


async def test_what_is_no_event_is_told_with_its_line_and_the_rest_is_recorded(tenant, live_server, tmp_path):
    await shop(tenant)
    stranger = cloud_event(id="2", subject="nobody")
    done = await imported(tenant, live_server, tmp_path, {"hello": 1}, stranger, cloud_event(), code=2)
    assert json.loads(done.stdout) == {"recorded": 1, "repeated": 0, "refused": 2}
    assert "tracked.jsonl:1: expected a CloudEvent" in done.stderr
    assert "tracked.jsonl:2: denied: account_not_found" in done.stderr
    await tenant.usage_reaches("acme", "calls", 3)


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ({**SEGMENT, "type": "identify"}, "only track is a use"),
        (cloud_event(data={"quantity": 1.5}), "quantity: expected a whole number, got 1.5"),
        (cloud_event(time="yesterday"), "time: expected an instant"),
        (cloud_event(source=""), "source: expected text"),
        ({**SNOWPLOW, "unstruct_event": "x"}, "unstruct_event: expected an object"),
        ([], "expected one JSON object"),
        (cloud_event(data={"quantity": 10**25}), "a quantity of 64 bits"),
        (cloud_event(data={"region": "\ud800"}), "expected texts in UTF-8"),
    ],
)
def test_what_an_event_lacks_is_said(event, problem):
    with pytest.raises(UntrackedError, match=problem):
        tracked(json.dumps(event))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b'{"specversion": "1.0", "id": "1", "id": "2"}', "the key 'id' comes twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"specversion": NaN}', "NaN is no JSON"),
        (b'{"specversion": "\xff"}', "not UTF-8"),
        (b"{", "no JSON from column"),
    ],
)
def test_a_line_is_read_as_strictly_as_one_of_an_import_of_accounts(text, problem):
    with pytest.raises(LineError, match=problem):
        tracked(text)
