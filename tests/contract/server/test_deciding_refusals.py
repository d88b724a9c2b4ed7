"""What is refused is told alike with and without a task, whatever the store says of it."""

import grpc
import pytest

from hot_server import DOCUMENT, START
from tallygate.domain.credential import Scope
from tallygate_api.v1 import decision_pb2
from tenants import failure, request_of

CHECK, CONSUME, LIMIT = "CheckEntitlement", "ConsumeQuota", "RateLimit"
CALLS = {
    CHECK: {"account_id": "acme", "feature_key": "calls"},
    CONSUME: {"account_id": "acme", "feature_key": "calls", "request_id": "r"},
    LIMIT: {"account_id": "acme", "limit_key": "bucket"},
}
LARGE = b"\x7a\xb0\x09" + b"x" * 1200
"""A field that nobody knows."""


@pytest.mark.parametrize("name", list(CALLS))
async def test_a_key_that_does_not_allow_it_is_refused(hot, name):
    server = await hot()
    await server.publish_key("control", Scope.CONTROL)
    await server.publish_key("revoked", Scope.DATA, revoke_time=START - 1)
    await server.publish_key("expired", Scope.DATA, expire_time=START)
    for key, expected in (
        (None, (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")),
        ("unknown", (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")),
        ("control", (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")),
        ("revoked", (grpc.StatusCode.UNAUTHENTICATED, "KEY_REVOKED")),
        ("expired", (grpc.StatusCode.UNAUTHENTICATED, "KEY_EXPIRED")),
    ):
        for _ in range(4):  # by then the key is known by its header
            assert await failure(server.ask(name, key=key, **CALLS[name])) == expected, key
    assert await server.facts() == []


async def test_a_key_that_is_revoked_is_refused_after_the_next_look_at_the_table(hot):
    server = await hot()
    await server.publish_key("data", Scope.DATA, revoke_time=START - 1)
    await server.serving.authenticator.refresh()
    for name, fields in CALLS.items():
        assert (await failure(server.ask(name, **fields)))[1] == "KEY_REVOKED"


@pytest.mark.parametrize("name", list(CALLS))
@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"\x0a\x02\xff\xfe", None])
async def test_what_cannot_be_read_is_the_callers_mistake(hot, name, body):
    server = await hot(server={"max_message_bytes": 1100})
    if body is None:
        body = request_of(name, **CALLS[name]).SerializeToString() + LARGE
    malformed = (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_REQUEST")
    for _ in range(2):
        assert await failure(server.raw(name, body)) == malformed
    assert (await failure(server.raw(name, body, key=None)))[1] == "UNAUTHENTICATED"
    assert (server.at_work(), await server.facts()) == (0, [])


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        (CHECK, {"quantity": -1}),
        (CHECK, {"user_id": "a\nb"}),
        (CONSUME, {"request_id": ""}),
        (CONSUME, {"request_id": "a\tb"}),
        (CONSUME, {"request_id": "x" * 256}),
        (CONSUME, {"user_id": "x" * 256}),
        (CONSUME, {"quantity": 0}),
        (CONSUME, {"quantity": 2**53}),
        (CONSUME, {"mode": 7}),
        (CONSUME, {"mode": -1}),
        (CONSUME, {"dimensions": {"": "x"}}),
        (CONSUME, {"min_view_version": -1}),
        (LIMIT, {"cost": -1}),
        (LIMIT, {"cost": 2**53}),
        (LIMIT, {"limit_key": "window"}),
    ],
    ids=str,
)
async def test_an_invalid_field_is_named(hot, name, fields):
    server = await hot()
    asked = failure(server.ask(name, **{**CALLS[name], **fields}))
    assert await asked == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert await server.facts() == []


async def test_what_is_not_known_is_told_as_ever(hot):
    server = await hot()
    assert (await failure(server.ask(CHECK, account_id="acme", feature_key="other")))[1] == "FEATURE_NOT_FOUND"
    assert (await failure(server.ask(LIMIT, account_id="acme", limit_key="other")))[1] == "LIMIT_NOT_FOUND"
    answer = await server.ask(CHECK, account_id="nobody", feature_key="calls")
    assert answer.decision.reason == decision_pb2.REASON_ACCOUNT_NOT_FOUND


async def test_a_view_that_was_replaced_is_answered_on_the_new_one(hot):
    server = await hot()
    before = [await server.ask(CONSUME, account_id="acme", feature_key="calls", request_id=f"b{n}") for n in range(2)]
    features = {**DOCUMENT["plans"]["hard"]["entitlements"], "calls": {"limit": 2}}
    plans = {"hard": {**DOCUMENT["plans"]["hard"], "version": 1, "entitlements": features}}
    await server.publish_catalog({**DOCUMENT, "plans": plans})
    after = (await server.ask(CONSUME, account_id="acme", feature_key="calls", request_id="a")).decision
    assert [answer.decision.limit for answer in before] == [10, 10]
    assert (after.allowed, after.limit, after.view_version) == (False, 2, 2)
    assert (await server.ask(CHECK, **CALLS[CHECK])).decision.limit == 2


async def test_an_epoch_that_changed_is_adopted_and_one_that_is_lost_counts_nothing(hot):
    server = await hot()
    await server.ask(CONSUME, **CALLS[CONSUME])
    await server.set_epoch("e2")
    assert (await server.ask(CONSUME, account_id="acme", feature_key="calls", request_id="x")).decision.used == 2
    assert (await server.ask(CONSUME, account_id="acme", feature_key="calls", request_id="y")).decision.used == 3
    await server.set_epoch("!e3")
    for name in (CHECK, CONSUME):
        short = await failure(server.ask(name, **CALLS[name]))
        with server.by_tasks():
            assert await failure(server.ask(name, **CALLS[name])) == short
        assert short[1] == "EPOCH_MISMATCH"
    assert (await server.ask(LIMIT, **CALLS[LIMIT])).allowed
    assert len(await server.facts()) == 3


async def test_a_period_that_ended_for_the_store_is_left_behind(hot):
    server = await hot()
    first = (await server.ask(CONSUME, **CALLS[CONSUME])).decision
    end = first.reset_time.ToMicroseconds()
    await server.set_time(end + 1)
    server.now = end - 1  # this process's clock is a little behind
    server.data.views._options = server.data.views._options.__class__(max_staleness=10**15)
    server.data.views.confirm(server.data.views.cached("t", "acme"), server.now)
    second = (await server.ask(CONSUME, account_id="acme", feature_key="calls", request_id="later")).decision
    assert (first.used, second.used) == (1, 1)
    assert second.period_start_time == first.reset_time
    server.now = end + 1
    assert (await server.ask(CHECK, **CALLS[CHECK])).decision.used == 1


async def test_a_backlog_of_events_takes_nothing(hot):
    server = await hot(data_plane={"stream_max": 2})
    for number in range(2):
        await server.ask(CONSUME, account_id="acme", feature_key="calls", request_id=f"r{number}")
    short = await failure(server.ask(CONSUME, account_id="acme", feature_key="calls", request_id="r3"))
    with server.by_tasks():
        assert await failure(server.ask(CONSUME, account_id="acme", feature_key="calls", request_id="r4")) == short
    assert short[1] == "EVENT_BACKLOG"
    replayed = (await server.ask(CONSUME, account_id="acme", feature_key="calls", request_id="r0")).decision
    assert replayed.replayed
    denied = await server.ask(CONSUME, account_id="acme", feature_key="calls", request_id="r5", quantity=11)
    assert not denied.decision.allowed
    assert (await server.ask(CHECK, **CALLS[CHECK])).decision.used == 2


async def test_an_id_that_is_used_for_something_else_is_refused(hot):
    server = await hot()
    await server.ask(CONSUME, **CALLS[CONSUME], quantity=2)
    for other in ({"quantity": 3}, {"quantity": 2, "dimensions": {"a": "b"}}, {"quantity": 11}):
        short = await failure(server.ask(CONSUME, **CALLS[CONSUME], **other))
        with server.by_tasks():
            assert await failure(server.ask(CONSUME, **CALLS[CONSUME], **other)) == short
        assert short[1] == "REQUEST_ID_REUSED"
    assert (await server.ask(CHECK, **CALLS[CHECK])).decision.used == 2


async def test_a_counter_that_would_overflow_is_refused(hot):
    server = await hot()
    await server.publish_account("free", "free")
    await server.warm("free")
    most = {"account_id": "free", "feature_key": "calls", "quantity": 2**53 - 1}
    assert (await server.ask(CONSUME, **most, request_id="a")).decision.used == 2**53 - 1
    short = await failure(server.ask(CONSUME, **{**most, "quantity": 1}, request_id="b"))
    assert short == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    checked = await server.ask(CHECK, account_id="free", feature_key="calls", quantity=0)
    assert checked.decision.used == 2**53 - 1
    with server.by_tasks():
        general = server.ask(CHECK, account_id="free", feature_key="calls", quantity=1)
        expected = await outcome(general)
    assert await outcome(server.ask(CHECK, account_id="free", feature_key="calls", quantity=1)) == expected


async def outcome(call):
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details()


async def test_what_the_store_decides_keeps_the_view_young(hot):
    server = await hot()
    counts = server.data.views.counts
    loads = counts.misses
    for name, fields in (*CALLS.items(), (CONSUME, {**CALLS[CONSUME], "request_id": "more"})):
        await server.set_time(server.now + 3_000_000)
        await server.ask(name, **fields)
    assert (counts.misses - loads, server.data.views.cached("t", "acme").verified_time) == (0, server.now)
    await server.set_time(server.now + 5_000_000)
    await server.ask(CHECK, **CALLS[CHECK])
    assert counts.misses - loads == 1


async def test_a_store_that_lost_its_scripts_learns_them_again(hot):
    server = await hot()
    await server.redis_py.script_flush()
    asked = [server.ask(CONSUME, account_id="acme", feature_key="calls", request_id=f"r{n}") for n in range(3)]
    assert sorted([(await call).decision.used for call in asked]) == [1, 2, 3]
    assert len(await server.facts()) == 3
