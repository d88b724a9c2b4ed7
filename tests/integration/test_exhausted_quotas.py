"""Two sidecars on one Valkey: a denial that one of them knows by heart falls with whatever the other one does."""

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from collectors import until
from faults.callers import Caller, decided_on, new_world, reason, written
from faults.installations import PARTITIONS, Installation, sqlite
from servers import ValkeyServer
from tallygate.domain.credential import mint_key
from tallygate.storage.redis import announcements, keys
from tallygate_api.v1 import account_service_pb2 as accounts
from tallygate_api.v1 import account_service_pb2_grpc, entitlement_service_pb2_grpc, test_clock_service_pb2_grpc
from tallygate_api.v1 import entitlement_service_pb2 as wire
from tallygate_api.v1 import test_clock_service_pb2 as clocks

LIMIT = 3
FEATURE = {"account_id": "acme", "feature_key": "api_calls"}
NEVER = 3600.0


class Sidecar:
    """One of them, as its callers see it, and what it counts."""

    def __init__(self, application: Any, caller: Caller) -> None:
        self.application = application
        self.caller = caller
        self.metadata = (("authorization", f"Bearer {caller.key}"),)
        self.entitlements = entitlement_service_pb2_grpc.EntitlementServiceStub(caller.channel)

    async def check(self, quantity: int | None = None, **more: Any) -> Any:
        request = wire.CheckEntitlementRequest(**FEATURE, quantity=quantity, **more)
        return (await self.entitlements.CheckEntitlement(request, metadata=self.metadata, timeout=60)).decision

    async def consume(self, quantity: int, request_id: str) -> Any:
        return await self.caller.consume("acme", quantity, request_id=request_id)

    async def reset(self) -> Any:
        request = wire.ResetUsageRequest(**FEATURE, request_id="reset")
        return await self.entitlements.ResetUsage(request, metadata=self.metadata, timeout=60)

    async def knows(self, quantity: int | None = None) -> None:
        """Wait until it denies this by heart."""

        async def by_heart() -> bool:
            decision = await self.check(quantity)
            assert not decision.allowed
            return decided_on(decision) == "CACHED"

        await until(by_heart)

    async def allows(self, quantity: int | None = None) -> None:
        """Wait until it allows this; whatever it denied before, it knew by heart."""

        async def allowed() -> bool:
            decision = await self.check(quantity)
            assert decision.allowed or decided_on(decision) == "CACHED"
            return decision.allowed

        await until(allowed)

    def hits(self) -> float:
        lines = self.application.exposition().decode().splitlines()
        return float(next(line for line in lines if line.startswith("tallygate_exhausted_hits_total")).split()[1])


@pytest.fixture
def key(request):
    return mint_key(request.node.name.encode()[-32:].ljust(32, b"."))


@pytest.fixture
def installation(tmp_path):
    with ValkeyServer(append_only=True) as valkey:
        yield Installation(valkey, sqlite(tmp_path))


@pytest.fixture
async def one(installation, key):
    """It serves the control plane as well, and collects."""
    async with installation.role("all") as application, Caller(application.grpc_address, key) as caller:
        await new_world(caller, "acme", plan="small")
        yield Sidecar(application, caller)


@pytest.fixture
async def other(installation, key, one):
    """It would believe what it knows for an hour, if nothing told it otherwise; `acme` has used up all that it has."""
    async with (
        installation.role("data", max_staleness=NEVER) as application,
        Caller(application.grpc_address, key) as caller,
    ):
        assert (await one.consume(LIMIT, "all")).allowed
        sidecar = Sidecar(application, caller)
        await sidecar.knows()
        yield sidecar


async def test_a_check_of_an_exhausted_quota_is_answered_without_the_store(installation, other):
    before, asked = other.hits(), commands(installation)
    decisions = [await other.check() for _ in range(5)]
    assert {(d.allowed, reason(d), decided_on(d)) for d in decisions} == {(False, "QUOTA_EXHAUSTED", "CACHED")}
    assert other.hits() == before + 5
    assert commands(installation) == asked
    ages = [decision.view_age.ToMicroseconds() for decision in decisions]
    assert ages == sorted(ages)
    assert ages[0] > 0


async def test_it_says_what_the_store_would_say(other):
    known = await other.check()
    fresh = await other.check(min_view_version=1)
    assert (decided_on(known), decided_on(fresh)) == ("CACHED", "FRESH")
    waits = [decision.retry_after.ToMicroseconds() for decision in (known, fresh)]
    assert waits[0] == pytest.approx(waits[1], abs=5_000_000)
    for decision in (known, fresh):
        for name in ("decided_on", "view_age", "retry_after"):
            decision.ClearField(name)
    assert known == fresh


async def test_questions_that_it_does_not_answer_are_asked(other):
    assert decided_on(await other.check(min_view_version=1)) == "FRESH"
    now = Timestamp()
    now.GetCurrentTime()
    assert decided_on(await other.check(at_time=now)) == "FRESH"
    assert decided_on(await other.check(0)) == "FRESH"
    assert decided_on(await other.consume(1, "one more")) == "FRESH"
    assert decided_on(await other.check()) == "CACHED"


async def test_smaller_quantities_are_asked(one, other):
    await one.consume(-2, "back")
    await other.allows()
    await other.knows(3)
    assert (await other.check(2)).allowed
    assert decided_on(await other.check(4)) == "CACHED"


async def test_a_denied_consume_is_known_too(one, other):
    await one.consume(-2, "back")
    await other.allows()
    assert not (await other.consume(3, "too many")).allowed
    assert decided_on(await other.check(3)) == "CACHED"
    assert (await other.check(2)).allowed


async def test_a_retry_of_an_admitted_consume_is_answered_as_the_first_time(one, other):
    first = await one.consume(-1, "back")
    assert first.allowed
    assert (await other.consume(1, "last")).allowed
    await other.knows()
    again = await other.consume(1, "last")
    assert (again.allowed, again.replayed) == (True, True)


async def test_a_refund_by_another_sidecar(one, other):
    assert (await one.consume(-1, "back")).allowed
    await other.allows()


async def test_a_refund_by_itself_counts_at_once(other):
    for number in range(10):
        assert (await other.consume(-1, f"back{number}")).allowed
        assert (await other.check()).allowed
        assert (await other.consume(1, f"again{number}")).allowed
        assert not (await other.check()).allowed


async def test_a_reset_by_another_sidecar(one, other):
    await one.reset()
    await other.allows(LIMIT)


async def test_a_reset_by_itself_counts_at_once(other):
    await other.reset()
    assert (await other.check(LIMIT)).allowed


async def test_a_grant(one, other):
    stub = account_service_pb2_grpc.AccountServiceStub(one.caller.channel)
    await written(one.caller.ask(stub.CreateGrant, accounts.CreateGrantRequest(**FEATURE, amount=1)))
    await other.allows()


async def test_a_plan_change(one, other):
    await written(one.caller.change_plan("acme", "large"))
    await other.allows()


async def test_a_test_clock_that_enters_the_next_period(one, other):
    stub = test_clock_service_pb2_grpc.TestClockServiceStub(one.caller.channel)
    request = clocks.AdvanceTestClockRequest(duration=Duration(seconds=32 * 86_400))
    await written(one.caller.ask(stub.AdvanceTestClock, request))
    await other.allows(LIMIT)
    assert (await other.consume(LIMIT, "next month")).allowed
    await other.knows()
    decision = await other.check()
    assert 0 < decision.retry_after.ToSeconds() < 32 * 86_400


async def test_what_happens_to_another_account_leaves_it_alone(one, other):
    await written(one.caller.account("globex", "small"))
    await one.caller.consume("globex", 1, request_id="r")
    await one.caller.consume("globex", -1, request_id="s")
    await other.knows()


async def test_a_late_replay_that_is_given_back(installation, key):
    async with installation.role("all") as application, Caller(application.grpc_address, key) as caller:
        await new_world(caller, "acme", plan="small")
    async with (
        installation.role("data", max_staleness=NEVER) as application,
        Caller(application.grpc_address, key) as caller,
    ):
        sidecar = Sidecar(application, caller)
        assert (await sidecar.consume(1, "twice")).allowed
        forget_replays(installation)
        assert (await sidecar.consume(1, "twice")).allowed
        assert (await sidecar.consume(1, "once")).allowed
        await sidecar.knows()
        async with installation.role("worker"):
            await sidecar.allows()
        assert (await sidecar.check()).used == LIMIT - 1


async def test_without_a_subscription_every_check_is_asked(installation, other, monkeypatch):
    monkeypatch.setattr(announcements, "_RETRY_SECONDS", NEVER)
    cut_off(installation)
    await until(lambda: asks(other))
    assert not [decision for _ in range(20) if decided_on(decision := await other.check()) != "FRESH"]


async def test_what_it_missed_while_it_was_cut_off_does_not_matter(installation, one, other):
    for number in range(3):
        cut_off(installation)
        assert (await one.consume(-1, f"back{number}")).allowed
        await other.allows()
        assert (await one.consume(1, f"again{number}")).allowed
        await other.knows()


async def test_nobody_who_may_not_publish_loses_a_refund(installation, key):
    """An announcement is a hint: a user without the channel counts as ever, and what others know fades with age."""
    valkey = installation.valkey
    async with installation.role("all") as application, Caller(application.grpc_address, key) as caller:
        await new_world(caller, "acme", plan="small")
        valkey.command("ACL", "SETUSER", "default", "resetchannels")
        assert (await caller.consume("acme", LIMIT, request_id="r")).allowed
        answer = await caller.consume("acme", -1, request_id="s")
        assert (answer.allowed, answer.used) == (True, LIMIT - 1)
        assert (await caller.check("acme", "api_calls")).used == LIMIT - 1
        await until(lambda: installation.waiting() == 0)
        valkey.command("ACL", "SETUSER", "default", "allchannels")


async def asks(sidecar: Sidecar) -> bool:
    return decided_on(await sidecar.check()) == "FRESH"


def cut_off(installation: Installation) -> None:
    assert installation.valkey.command("CLIENT", "KILL", "TYPE", "pubsub") >= 1


def forget_replays(installation: Installation) -> None:
    valkey = installation.valkey
    for partition in range(PARTITIONS):
        for name in valkey.command("KEYS", keys.replays(partition).replace("{", "[{]") + "*"):
            valkey.command("DEL", name)


def commands(installation: Installation) -> int:
    """How many scripts the store has run."""
    lines = installation.valkey.command("INFO", "commandstats").decode().splitlines()
    calls = [line.split("calls=")[1].split(",")[0] for line in lines if line.startswith("cmdstat_evalsha:")]
    return sum(map(int, calls))
