"""What becomes of calls without a task when the store, the caller, the server or the code fails them."""

import asyncio
import logging

import grpc
import pytest

import patience
from hot_server import START
from tallygate.data_plane.check import Checks
from tallygate.server.services.answers import Answers
from tallygate_api.v1 import decision_pb2
from tenants import failure, reason_of

CHECK, CONSUME, LIMIT = "CheckEntitlement", "ConsumeQuota", "RateLimit"
CALLS = {
    CHECK: {"account_id": "acme", "feature_key": "calls"},
    CONSUME: {"account_id": "acme", "feature_key": "calls", "request_id": "r"},
    LIMIT: {"account_id": "acme", "limit_key": "bucket"},
}


async def until(condition, seconds=patience.SECONDS):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


def begun(server):
    return server.calls.in_flight()


def begin_all(server, **more):
    return [asyncio.ensure_future(server.ask(name, **fields, **more)) for name, fields in CALLS.items()]


async def test_more_calls_than_may_be_in_flight_are_refused(hot):
    server = await hot(server={"max_in_flight": 3})
    server.valkey.pause()
    held = begin_all(server)
    await until(lambda: begun(server) == 3)
    refused = await failure(server.ask(CHECK, **CALLS[CHECK]))
    assert refused == (grpc.StatusCode.UNAVAILABLE, "OVERLOADED")
    server.valkey.resume()
    assert [answer.ByteSize() > 0 for answer in await asyncio.gather(*held)] == [True] * 3
    assert server.at_work() == 0
    assert (await server.ask(CHECK, **CALLS[CHECK])).decision.used == 1


async def test_a_store_that_hangs_is_not_waited_for_beyond_the_default_deadline(hot):
    server = await hot(server={"default_deadline": 0.2})
    server.valkey.pause()
    for held in begin_all(server, timeout=None):
        assert await failure(held) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
    assert server.at_work() == 0
    assert {server.answered(name, "DEADLINE_EXCEEDED") for name in CALLS} == {1.0}
    server.valkey.resume()
    await until(lambda: server.redis.link.connected)
    assert (await server.ask(CONSUME, **CALLS[CONSUME])).decision.used == 1  # the first one, or its replay
    assert len(await server.facts()) == 1
    assert {server.answered(name, "OK") for name in (CONSUME,)} == {1.0}


async def test_nor_beyond_the_callers_own(hot):
    server = await hot(server={"default_deadline": 600})
    server.valkey.pause()
    for held in begin_all(server, timeout=0.3):
        assert (await failure(held))[0] is grpc.StatusCode.DEADLINE_EXCEEDED
    await until(lambda: server.at_work() == 0)
    assert {server.answered(name, "DEADLINE_EXCEEDED") for name in CALLS} <= {0.0, 1.0}
    server.valkey.resume()
    assert (await server.ask(CHECK, **CALLS[CHECK])).decision.used == 1
    assert server.at_work() == 0


async def test_deadlines_are_kept_though_one_call_could_not_be_ended(hot, monkeypatch):
    server = await hot(server={"default_deadline": 0.2, "max_deadline": 0.2})
    real, failed = server.calls.failure, []

    def broken(error, info):
        if not failed:
            failed.append(error)
            raise ZeroDivisionError
        return real(error, info)

    monkeypatch.setattr(server.calls, "failure", broken)
    monkeypatch.setattr(asyncio.get_running_loop(), "_exception_handler", lambda *_: None)
    server.valkey.pause()
    held = begin_all(server, timeout=1)
    for call in held:
        assert (await failure(call))[0] is grpc.StatusCode.DEADLINE_EXCEEDED
    assert (len(failed), begun(server)) == (1, 0)


async def test_a_store_that_is_down_is_answered_by_the_policy(hot):
    server = await hot()
    server.valkey.kill()
    await until(lambda: not server.redis.link.connected)
    short = await answers_without_a_store(server)
    with server.by_tasks():
        assert await answers_without_a_store(server) == short
    unavailable = (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
    assert short[:3] == [unavailable] * 3
    assert [answer.decision.allowed for answer in short[3:5]] == [True, True]
    assert short[5].reason == decision_pb2.REASON_STORE_UNAVAILABLE
    opened, closed = (server.counted(f"tallygate_policy_{what}_total")[""] for what in ("allowed", "refused"))
    assert (opened, closed, server.at_work()) == (6, 6, 0)


async def answers_without_a_store(server):
    """First those of whose policy is `closed`, then those of whose policy is `open`."""
    strict = {"limit_key": "strict", "descriptors": [{"key": "strict", "value": "x"}]}
    lenient = {"account_id": "acme", "feature_key": "lenient"}
    return [
        await failure(server.ask(CHECK, **CALLS[CHECK])),
        await failure(server.ask(CONSUME, **CALLS[CONSUME])),
        await failure(server.ask(LIMIT, account_id="acme", **strict)),
        await server.ask(CHECK, **lenient),
        await server.ask(CONSUME, **lenient, request_id="r"),
        await server.ask(LIMIT, **CALLS[LIMIT]),
    ]


async def test_a_store_that_dies_meanwhile_is_answered_by_the_policy(hot):
    server = await hot()
    server.valkey.pause()
    held = begin_all(server)
    await until(lambda: begun(server) == 3)
    server.valkey.kill()
    assert [await failure(call) for call in held[:2]] == [(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")] * 2
    assert (await held[2]).reason == decision_pb2.REASON_STORE_UNAVAILABLE
    assert server.at_work() == 0


async def test_a_caller_who_leaves_leaves_nothing_behind_and_the_effect_happens_once(hot):
    server = await hot()
    server.valkey.pause()
    held = begin_all(server)
    await until(lambda: begun(server) == 3)
    for call in held:
        call.cancel()
    server.valkey.resume()
    await until(lambda: server.at_work() == 0)
    replayed = (await server.ask(CONSUME, **CALLS[CONSUME])).decision
    assert (replayed.replayed, replayed.used, len(await server.facts())) == (True, 1, 1)
    assert (await server.ask(LIMIT, **CALLS[LIMIT])).statuses[0].remaining == 2
    assert server.at_work() == 0


async def test_a_drain_waits_for_calls_that_were_begun_and_loses_no_answer(hot):
    server = await hot()
    server.valkey.pause()
    held = [
        asyncio.ensure_future(server.ask(CONSUME, account_id="acme", feature_key="calls", request_id=f"r{number}"))
        for number in range(12)
    ]
    await until(lambda: begun(server) == 12)
    draining = asyncio.create_task(server.transport.drain())
    await until(lambda: server.calls._refusing or getattr(server.transport, "_drained", False))
    assert not draining.done()
    server.valkey.resume()
    answers = await asyncio.gather(*held)
    assert sorted(answer.decision.used for answer in answers) == [*range(1, 11), 10, 10]
    await draining
    assert server.at_work() == 0


async def test_calls_that_begin_while_it_shuts_down_are_refused(hot):
    server = await hot()
    server.calls.refuse_new()
    for name, fields in CALLS.items():
        assert await failure(server.ask(name, **fields)) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")
    assert await server.facts() == []


@pytest.mark.parametrize(
    "place", [(Checks, "compile"), (Checks, "explained"), (Answers, "get")], ids=["begin", "answer", "fast"]
)
async def test_an_unexpected_exception_is_logged_and_says_nothing(hot, place, monkeypatch, caplog):
    right, armed = getattr(*place), []

    def broken(*args, **more):
        if armed:
            raise ZeroDivisionError("hunter2")  # noqa: EM101 - what must not be shown
        return right(*args, **more)

    monkeypatch.setattr(*place, broken)
    server = await hot()
    armed.append(True)
    with caplog.at_level(logging.ERROR), pytest.raises(grpc.aio.AioRpcError) as caught:
        await server.ask(CHECK, **CALLS[CHECK])
    told = str(caught.value.trailing_metadata()) + str(caught.value.details())
    assert (caught.value.code(), reason_of(caught.value)) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert "hunter2" not in told
    assert "ZeroDivisionError" not in told
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]
    assert (server.at_work(), server.answered(CHECK, "INTERNAL")) == (0, 1)


async def test_a_store_that_did_not_answer_confirms_nothing(hot):
    server = await hot()
    server.valkey.kill()
    await until(lambda: not server.redis.link.connected)
    server.now += 3_000_000
    await failure(server.ask(CHECK, **CALLS[CHECK]))
    assert server.data.views.cached("t", "acme").verified_time == START
