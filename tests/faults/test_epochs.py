"""Redis is emptied under a running server: views come back by themselves, lost counters are never taken for zero."""

import asyncio
import itertools

import pytest

from collectors import until
from faults.callers import Caller, Refusal, new_world, reason
from faults.installations import PARTITIONS
from faults.planted import fails_without, the_epoch
from tallygate.storage.redis import keys
from tallygate.storage.redis.canary import RedisCanary
from tallygate.storage.redis.link.connection import LinkConnection, fail
from tallygate.storage.redis.link.errors import ReplyError
from tallygate.storage.redis.views import RedisViews

LIMIT = 1000


def the_script_s_text_sent_again(monkeypatch, _module):
    """A server that has learnt a script is taken to know it for ever."""
    taught, teach = set(), LinkConnection._load_and_resend

    def forgotten(self, waiter, script, command):
        if script.sha1 in taught:
            fail(waiter, ReplyError("NOSCRIPT"))
            return
        taught.add(script.sha1)
        teach(self, waiter, script, command)

    monkeypatch.setattr(LinkConnection, "_load_and_resend", forgotten)


def the_canary(monkeypatch, _module):
    async def never(_):
        return False

    monkeypatch.setattr(RedisCanary, "outran", never)


def the_look_at_the_whole_table(monkeypatch, _module):
    """Whether all keys were published, before one that is not there is called unknown."""

    async def some(*_):
        return "all"

    versions = itertools.count(1)

    async def another(_):
        return next(versions)

    monkeypatch.setattr(RedisViews, "_published", some)
    monkeypatch.setattr(RedisViews, "table_version", another)


@pytest.fixture
async def application(installation):
    async with installation.role("all") as application:
        yield application


@pytest.fixture
async def caller(application, key):
    async with Caller(application.grpc_address, key) as caller:
        await new_world(caller, "acme", "globex")
        assert (await caller.consume("acme", LIMIT, request_id="all")).allowed
        yield caller


async def lost(caller):
    answer = await caller.consume("acme", 1, request_id="more")
    assert isinstance(answer, Refusal), "a lost counter was taken for zero"
    return answer.reason == "EPOCH_MISMATCH"


@fails_without(the_epoch)
@pytest.mark.usefixtures("without_rebuilds")
async def test_after_flushall_views_return_and_hard_limits_refuse(caller, valkey, installation):
    await until(lambda: installation.waiting() == 0)
    valkey.command("FLUSHALL")
    refusals = []
    for turn in range(200):
        answer = await caller.consume("acme", 1, request_id=f"r{turn}")
        assert isinstance(answer, Refusal), "a lost counter was taken for zero"
        refusals.append((answer.code.name, answer.reason))
    assert {code for code, _ in refusals} == {"UNAVAILABLE"}, set(refusals)
    await until(lambda: lost(caller))
    metered = await caller.check("acme", "api_calls")
    assert metered.reason == "EPOCH_MISMATCH"

    async def answers():
        answer = await caller.check("globex", "sso")
        return not isinstance(answer, Refusal) and reason(answer) == "ENTITLED"

    await until(answers)
    assert (await caller.rate_limit("acme")).allowed, "rate limits begin anew"
    await until(lambda: (valkey.command("GET", keys.epoch(0)) or b"").startswith(b"!"))


@pytest.mark.usefixtures("without_rebuilds")
async def test_only_the_epoch_stands_between_a_lost_counter_and_zero_usage(application, caller, valkey, installation):
    """With the loss accepted the same question is answered from zero: nothing else would have refused it."""
    await until(lambda: installation.waiting() == 0)
    valkey.command("FLUSHALL")
    await until(lambda: (valkey.command("GET", keys.epoch(PARTITIONS - 1)) or b"").startswith(b"!"))
    assert await lost(caller)
    await application._control.collecting.epochs.accept_loss()

    async def taken():
        answer = await caller.consume("acme", 1, request_id="more")
        return not isinstance(answer, Refusal) and (answer.allowed, answer.used) == (True, 1)

    await until(taken)


@fails_without(the_look_at_the_whole_table)
async def test_a_valid_key_is_never_called_unknown_while_the_table_is_gone(installation, key, valkey):
    """No worker runs, so nothing comes back: what a sidecar cannot read it does not deny."""
    async with installation.role("all") as control, Caller(control.grpc_address, key) as owner:
        await new_world(owner, "acme")
    async with installation.role("data") as sidecar, Caller(sidecar.grpc_address, key) as caller:
        assert (await caller.check("acme", "sso")).allowed
        assert (await sidecar.readiness())["counters"].ok
        valkey.command("FLUSHALL")
        seen = set()

        async def refused():
            answer = await caller.check("acme", "sso")
            seen.add((answer.code.name, answer.reason) if isinstance(answer, Refusal) else reason(answer))
            return isinstance(answer, Refusal)

        await until(refused)
        for _ in range(20):
            await refused()
            await asyncio.sleep(0.05)
        assert seen <= {("UNAVAILABLE", "STORE_UNAVAILABLE"), "ENTITLED"}
        assert not (await sidecar.readiness())["counters"].ok, "what its callers meet is said"
        async with installation.role("worker"):

            async def answers():
                return reason(await caller.check("acme", "sso")) == "ENTITLED"

            await until(answers)


@fails_without(the_epoch)
@pytest.mark.usefixtures("without_rebuilds")
async def test_epochs_that_are_not_ours_are_refused_within_a_second_or_two(caller, valkey, installation):
    await until(lambda: installation.waiting() == 0)
    for number in range(PARTITIONS):
        valkey.command("SET", keys.epoch(number), "somebody-elses")

    async def refused():
        answer = await caller.consume("acme", 1, request_id="more")
        return isinstance(answer, Refusal) and answer.reason == "EPOCH_MISMATCH"

    await until(refused, seconds=3)


@fails_without(the_script_s_text_sent_again)
async def test_forgetting_scripts_is_harmless(caller, valkey, installation):
    for turn in range(20):
        valkey.command("SCRIPT", "FLUSH")
        answer = await caller.consume("globex", 1, request_id=f"r{turn}")
        assert (answer.allowed, answer.used) == (True, turn + 1)
    await until(lambda: installation.waiting() == 0)


@fails_without(the_canary)
@pytest.mark.usefixtures("without_rebuilds")
async def test_a_clock_that_ran_ahead_and_let_counters_expire_is_noticed(caller, valkey, installation):
    """What such a jump leaves behind: what is kept for an hour is gone, and so may be any counter."""
    await until(lambda: installation.waiting() == 0)
    await until(lambda: valkey.command("EXISTS", keys.CANARY) == 1)
    valkey.command("DEL", keys.CANARY)
    await until(lambda: (valkey.command("GET", keys.epoch(PARTITIONS - 1)) or b"").startswith(b"!"))
    assert await lost(caller)
    assert (await caller.check("acme", "api_calls")).reason == "EPOCH_MISMATCH"
    assert (await caller.rate_limit("acme")).allowed
