"""Redis' clock and the sidecars' differ: it is seen and said, and what nobody believes moves no partition's clock."""

import pytest

from collectors import until
from faults.callers import Caller, Refusal, decided_on, new_world, written
from faults.installations import PARTITIONS
from faults.planted import fails_without, script
from tallygate.app import clock
from tallygate.storage.redis import clocks, keys

SECOND = 1_000_000
DAYS = 40 * 86_400 * SECOND


the_bound_of_both_clocks = script("the bound of both clocks", ("local SKEW = 30000000", "local SKEW = END"))
setting_back = script("setting back", ("if seen - time > SKEW then seen = 0 end", ""))


def the_look_at_both_clocks(monkeypatch, _module):
    monkeypatch.setattr(clocks, "NOTED_SKEW", 10 * DAYS)


@pytest.fixture
def skewed(monkeypatch):
    """Sets this machine's clock apart from Redis', by microseconds."""
    now, offset = clock.now, [0]
    monkeypatch.setattr(clock, "now", lambda: now() + offset[0])

    def skew(microseconds):
        offset[0] = microseconds

    return skew


def kept_clocks(valkey):
    return [valkey.command("GET", keys.clock(partition)) for partition in range(PARTITIONS)]


def metrics(application):
    return dict(line.rsplit(" ", 1) for line in application.exposition().decode().splitlines() if line[0] != "#")


async def accepted(call):
    found = []

    async def answered():
        found.append(await call())
        return not isinstance(found[-1], Refusal)

    await until(answered)
    return found[-1]


@fails_without(the_bound_of_both_clocks)
@pytest.mark.parametrize("off", [DAYS, -DAYS, 31 * SECOND], ids=["ahead", "behind", "a little"])
async def test_a_clock_that_nobody_believes_decides_nothing_and_leaves_nothing_behind(
    off, skewed, installation, key, valkey
):
    async with installation.role("all") as application, Caller(application.grpc_address, key) as caller:
        await new_world(caller, "acme")
        assert (await written(caller.consume("acme", 2, request_id="before"))).used == 2
        assert (await application.readiness())["clock"].ok
        skewed(off)
        before = kept_clocks(valkey)
        refused = await caller.consume("acme", 1, request_id="r")
        assert (refused.code.name, refused.reason) == ("UNAVAILABLE", "STORE_UNAVAILABLE")
        if off > 0:  # before its plan began, the account has no limits to ask for
            assert decided_on(await written(caller.rate_limit("acme"))) == "FALLBACK"
        check = (await application.readiness())["clock"]
        assert not check.ok
        assert check.required
        assert f"{abs(off) // SECOND}" in check.detail
        assert kept_clocks(valkey) == before
        shown = float(metrics(application)["tallygate_redis_clock_skew_seconds"])
        assert shown == pytest.approx(-off / SECOND, abs=30)
        skewed(0)
        assert (await accepted(lambda: caller.consume("acme", 1, request_id="r"))).used == 3
        assert (await application.readiness())["clock"].ok


@fails_without(the_look_at_both_clocks)
async def test_a_few_seconds_are_a_warning_and_decide(skewed, installation, key, caplog):
    async with installation.role("all") as application, Caller(application.grpc_address, key) as caller:
        await new_world(caller, "acme")
        skewed(5 * SECOND)
        assert (await written(caller.consume("acme", 2, request_id="r"))).used == 2
        assert (await application.readiness())["clock"].ok
        await until(lambda: "clock differs from this machine's by" in caplog.text)


@fails_without(setting_back)
async def test_a_partition_that_a_jump_left_ahead_is_set_back_and_nothing_reopens(installation, key, valkey):
    async with installation.role("all") as application, Caller(application.grpc_address, key) as caller:
        await new_world(caller, "acme")
        assert (await written(caller.consume("acme", 999, request_id="before"))).allowed
        for partition in range(PARTITIONS):
            valkey.command("SET", keys.clock(partition), clock.now() + DAYS)
        last = await written(caller.consume("acme", 1, request_id="last"))
        assert (last.allowed, last.used) == (True, 1000)
        denied = await written(caller.consume("acme", 1, request_id="more"))
        assert not denied.allowed
        ahead = [int(kept) for kept in kept_clocks(valkey) if int(kept) > clock.now() + SECOND]
        assert len(ahead) == PARTITIONS - 1, "that of the account is healed"
