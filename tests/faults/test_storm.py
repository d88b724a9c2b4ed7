"""Callers that give up all the time: no answer ever reaches another, and what they left behind harms nobody."""

import asyncio
import random
import re
from collections import Counter

import grpc
import pytest

from collectors import until
from faults.callers import Caller, Refusal, decided_on, new_world, reason, written
from faults.planted import fails_without
from tallygate.domain.credential import mint_key
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.link import connection
from tallygate.storage.redis.link.link import RedisLink
from tallygate_process import TallygateProcess
from thorough import some

CALLERS = 200
TRANSPORT = "TALLYGATE_SERVER__TRANSPORT"
ACCOUNTS = 40
CHANNELS = 4
REPLIES = {"native": some(20_000), "grpcio": some(5_000)}
GIVEN_UP = some(500)  # a storm in which nobody gave up proves nothing
REFUSED_STREAM = "RST_STREAM with error code 7"
DEADLINES = (0.001, 0.020)
SLOW = {"connect_seconds": 15.0, "reply_seconds": 60.0}
KEYS = (mint_key(b"storm-a".ljust(32, b".")), mint_key(b"storm-b".ljust(32, b".")))


@pytest.fixture(params=["native", "grpcio"])
def server(request):
    with TallygateProcess(environment={TRANSPORT: request.param}) as process:
        yield process


def canary(tenant, number):
    return 1_000_000 * (1 + tenant) + number


async def world_of_canaries(server):
    """Two tenants with the same accounts; every limit and value in them is the account's alone."""
    for tenant, key in enumerate(KEYS):
        async with Caller(server.address, key) as caller:
            names = [f"a{number}" for number in range(ACCOUNTS)]
            await new_world(caller, *names)
            for number, name in enumerate(names):
                await written(caller.override(name, "canary", {"number": canary(tenant, number)}))
                await written(caller.override(name, "api_calls", {"limit": canary(tenant, number)}))


class Storm:
    """Two hundred callers on a few connections, until enough answers came."""

    def __init__(self, server, seed):
        self.callers = [[Caller(server.address, key, deadline=5) for _ in range(CHANNELS // len(KEYS))] for key in KEYS]
        self.seed = seed
        self.replies = REPLIES[server.environment[TRANSPORT]]
        self.wrong = []
        self.counts = Counter()

    async def run(self):
        await asyncio.gather(*(self._call(number) for number in range(CALLERS)))

    async def close(self):
        for callers in self.callers:
            for caller in callers:
                await caller.channel.close()

    async def _call(self, number):
        dice = random.Random(self.seed * CALLERS + number)
        await asyncio.sleep(dice.random() * 0.05)
        turn = 0
        while self.counts["answered"] < self.replies or self.counts["given up"] <= GIVEN_UP:
            turn += 1
            await self._ask(dice, f"c{number}-{turn}")
            await asyncio.sleep(dice.random() * 0.2)

    async def _ask(self, dice, request_id):
        tenant, number, deadline = dice.randrange(len(KEYS)), dice.randrange(ACCOUNTS), dice.uniform(*DEADLINES)
        caller, account = dice.choice(self.callers[tenant]), f"a{number}"
        wanted = canary(tenant, number)
        if dice.random() < 0.5:
            answer = await caller.check(account, "canary", deadline=deadline)
            seen = None if isinstance(answer, Refusal) else (answer.feature_key, answer.value.number_value)
            expected = ("canary", wanted)
        else:
            answer = await caller.consume(account, request_id=request_id, deadline=deadline)
            seen = None if isinstance(answer, Refusal) else (answer.request_id, answer.limit, answer.granted_quantity)
            expected = (request_id, wanted, 1)
        if seen is None:
            self.counts[_end(answer)] += 1
            return
        self.counts["answered"] += 1
        if seen != expected:
            self.wrong.append((seen, expected))


def _end(answer):
    """How a call ended without an answer; HTTP/2 refuses streams that are opened before it knows of those given up."""
    if answer.code is grpc.StatusCode.DEADLINE_EXCEEDED or REFUSED_STREAM in answer.message:
        return "given up"
    return answer.reason or answer.message


def metric(server, name):
    found = re.search(rf"^{name}(?:_total)? ([0-9.e+]+)$", server.metrics(), re.MULTILINE)
    assert found, name
    return float(found[1])


def the_places_of_those_who_gave_up(monkeypatch, _module):
    """Who gives up takes his place in the order of replies along: the next one in it gets his answer."""

    def deliver(self):
        while (reply := self._reader.gets()) is not connection._NOT_YET:
            while self._pending and self._pending[0][0].done():
                self._pending.popleft()
            if self._pending:
                self._pending.popleft()[0].set_result(reply)
        self._batches.clear()

    monkeypatch.setattr(connection.LinkConnection, "_deliver", deliver)


@fails_without(the_places_of_those_who_gave_up)
async def test_who_waits_behind_one_that_gave_up_gets_an_answer_of_his_own(valkey):
    valkey.command("MSET", "tg:one", "one", "tg:other", "other")
    link = RedisLink(RedisAddress.parse(valkey.url), **SLOW)
    await link.connect()
    try:
        valkey.pause()
        one, other = link.call("GET", "tg:one"), link.call("GET", "tg:other")
        link.flush()
        one.cancel()
        valkey.resume()
        assert await other == b"other"
    finally:
        valkey.resume()
        await link.close()


async def test_callers_that_give_up_never_get_anothers_answer(server):
    await world_of_canaries(server)
    storm = Storm(server, seed=1)
    try:
        async with asyncio.timeout(90):
            await storm.run()
    finally:
        await storm.close()
    assert storm.wrong == []
    assert storm.counts["answered"] >= storm.replies
    given_up = storm.counts["given up"]
    assert storm.counts.total() - storm.counts["answered"] - given_up <= given_up // 20, storm.counts
    assert metric(server, "tallygate_redis_reconnects") <= given_up / 100, "a caller's leaving tore the link down"
    async with Caller(server.address, KEYS[0]) as caller:
        answer = await caller.check("a7", "canary")
        assert (reason(answer), answer.value.number_value) == ("ENTITLED", canary(0, 7))
        assert decided_on(answer) in {"FRESH", "CACHED"}
    await until(lambda: metric(server, "tallygate_calls_in_flight") == 0)
