"""`tallygate serve` without any settings: killed under load it loses nothing, stopped it leaves no process."""

import asyncio
import os
import random
import shutil
import signal
from itertools import count
from pathlib import Path

import grpc
import pytest

import patience
from collectors import until
from conftest import testing_settings
from faults.callers import Caller, Refusal, new_world, written
from faults.planted import BRIEF, fails_without, idle
from tallygate.app import Application
from tallygate.app.data_side import RedisSide
from tallygate.domain.credential import mint_key
from tallygate.domain.history.counted import gaps, not_exactly_once, not_replayed, overshoot
from tallygate.domain.history.records import Answered, Event, History, Invoked
from tallygate_process import TallygateProcess

KEY = mint_key(b"embedded".ljust(32, b"."))
CALLERS = 16
LIMIT = 1000


def processes_of(directory):
    """Processes that work for the installation in this directory."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").resolve().is_relative_to(directory):
                found.append(int(entry.name))
        except OSError:  # it ended meanwhile
            continue
    return found


def the_append_only_file(monkeypatch, _module):
    """What it holds in memory is all that there is of it."""
    start = TallygateProcess.start

    def emptied(self):
        for pid in processes_of(self.directory):
            os.kill(pid, signal.SIGKILL)
        for files in self.directory.rglob("appendonlydir"):
            shutil.rmtree(files)
        return start(self)

    monkeypatch.setattr(TallygateProcess, "start", emptied)


def a_stop_of_what_it_began(monkeypatch, _module):
    monkeypatch.setattr(TallygateProcess, "stop", TallygateProcess.kill)


def who_keeps_it(monkeypatch, _module):
    monkeypatch.setattr(RedisSide, "keep_embedded", idle)
    monkeypatch.setattr(patience, "SECONDS", BRIEF)


@pytest.fixture
def server():
    process = TallygateProcess(apart=True)
    try:
        yield process.start()
    finally:
        process.stop()
        for pid in processes_of(process.directory):
            os.kill(pid, signal.SIGKILL)


class Load:
    def __init__(self, caller):
        self.caller = caller
        self.history = History()
        self.stopping = False
        self._numbers = count()

    async def run(self):
        await asyncio.gather(*(self._caller(number) for number in range(CALLERS)))

    async def _caller(self, seed):
        dice = random.Random(seed)
        while not self.stopping:
            request_id = f"r{next(self._numbers)}"
            while True:
                outcome = await self._ask(request_id, 1 + seed % 2)
                await asyncio.sleep(dice.random() * 0.1)
                if outcome != "unknown":
                    break

    async def _ask(self, request_id, quantity):
        self.history.add(Invoked(account="acme", request_id=request_id, quantity=quantity))
        answer = await self.caller.consume("acme", quantity, request_id=request_id, deadline=1)
        if isinstance(answer, Refusal):
            assert answer.code.name in {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"}, answer
            record = Answered(account="acme", request_id=request_id, outcome="unknown")
        else:
            record = Answered(
                account="acme",
                request_id=request_id,
                outcome="ok" if answer.allowed else "denied",
                granted=answer.granted_quantity,
                used=answer.used,
                replayed=answer.replayed,
            )
        self.history.add(record)
        return record.outcome


async def all_events(caller):
    listed, more = [], (await written(caller.events())).events
    while more:
        listed += more
        more = (await written(caller.events(listed[-1].sequence))).events
    return [
        Event(
            account=e.data.account_id,
            request_id=e.data.request_id,
            sequence=e.sequence,
            entry=(0, 0),
            quantity=e.data.quantity,
        )
        for e in listed
    ]


@fails_without(the_append_only_file, at_length=True)
async def test_kill_9_under_load_loses_nothing_and_the_orphan_is_taken_over(server):
    async with Caller(server.address, KEY) as caller:
        await new_world(caller, "acme")
        load = Load(caller)
        running = asyncio.create_task(load.run())
        try:
            for _ in range(2):
                enough = load.history.count("ok") + 100
                await until(lambda enough=enough: load.history.count("ok") >= enough)
                await asyncio.to_thread(server.kill)
                orphans = processes_of(server.directory)
                await asyncio.to_thread(server.start)
                assert not set(orphans) & set(processes_of(server.directory))
                assert len(processes_of(server.directory)) == 3
            await until(lambda: load.history.count("denied") > 0)
        finally:
            load.stopping = True
            async with asyncio.timeout(patience.SECONDS):
                await running
        used = (await caller.check("acme", "api_calls")).used

        async def collected():
            return sum(event.quantity for event in await all_events(caller)) == used

        await until(collected)
        events = await all_events(caller)
    assert overshoot(load.history, {"acme": LIMIT}) == []
    assert not_exactly_once(load.history, events) == []
    assert not_replayed(load.history) == []
    assert gaps(events) == []
    assert load.history.count("unknown") > 0, "nobody noticed the kills"
    await asyncio.to_thread(server.stop)
    assert processes_of(server.directory) == []


@fails_without(a_stop_of_what_it_began)
async def test_sigterm_while_callers_come_leaves_no_process(server):
    async with Caller(server.address, KEY) as caller:
        await new_world(caller, "acme")
        load = Load(caller)
        running = asyncio.create_task(load.run())
        await until(lambda: load.history.count("ok") >= 20)
        await asyncio.to_thread(server.stop)
        assert processes_of(server.directory) == []
        assert server._process.popen.returncode == 0, server.log
        await asyncio.to_thread(server.start)
        await until(lambda: load.history.count("ok") >= 40)
        load.stopping = True
        async with asyncio.timeout(patience.SECONDS):
            await running
    assert not_replayed(load.history) == []


@fails_without(who_keeps_it)
async def test_an_embedded_valkey_that_dies_under_a_live_server_is_started_again(tmp_path):
    async with Application(testing_settings(tmp_path)) as running, Caller(running.grpc_address, KEY) as caller:
        await new_world(caller, "acme")
        assert (await written(caller.consume("acme", 3, request_id="before"))).used == 3
        for number in range(2):
            os.kill(running._redis.embedded.pid, signal.SIGKILL)
            async with asyncio.timeout(patience.SECONDS):
                while isinstance(answer := await caller.consume("acme", 1, request_id=f"after{number}"), Refusal):
                    assert answer.code is grpc.StatusCode.UNAVAILABLE
                    await asyncio.sleep(0.05)
            assert answer.used == 4 + number
