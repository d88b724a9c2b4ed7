"""Redis comes back older than what was collected from it: a restored backup, or a machine that lost power."""

import contextlib
import shutil

import pytest

from collectors import until
from faults.callers import Caller, Refusal, new_world, reason, written
from faults.installations import Installation, sqlite
from faults.planted import fails_without, idle
from servers import ValkeyServer, redis_binary
from tallygate.storage.redis.epochs import RedisEpochs
from tallygate.storage.redis.link import connecting, link

LIMIT = 1000
KEPT, LOST = 400, 600


def the_look_at_another_server(monkeypatch, _module):
    """Whoever answers behind the address is counted on."""

    async def true(*_):
        return True

    for module in (connecting, link):
        monkeypatch.setattr(module, "is_vouched_for", true)
    monkeypatch.setattr(RedisEpochs, "look", idle)


def a_worker_s_word(monkeypatch, _module):
    """Said of the first server, and of none after it."""
    said, vouch = [], RedisEpochs.vouch

    async def once(self, look, token):
        if not said:
            said.append(token)
            await vouch(self, look, token)

    monkeypatch.setattr(RedisEpochs, "vouch", once)


@pytest.fixture(params=["valkey", "redis"])
def valkey(request):
    binary = redis_binary() if request.param == "redis" else None
    with ValkeyServer(append_only=True, binary=binary) as server:
        yield server


@pytest.fixture
def installation(valkey, tmp_path):
    return Installation(valkey, sqlite(tmp_path))


@contextlib.asynccontextmanager
async def sidecars(installation, key):
    """The process with the worker, one on each transport beside it, and a caller of each."""
    async with contextlib.AsyncExitStack() as stack:
        application = await stack.enter_async_context(installation.role("all"))
        callers = [await stack.enter_async_context(Caller(application.grpc_address, key))]
        for transport in ("grpcio", "native"):
            installation.server = {"transport": transport}
            sidecar = await stack.enter_async_context(installation.role("data"))
            callers.append(await stack.enter_async_context(Caller(sidecar.grpc_address, key)))
        await new_world(callers[0], "acme")
        yield application, callers


def restored(valkey, copy):
    """The server ends, and starts on what was copied."""
    valkey.kill()
    files = valkey.directory / "appendonlydir"
    shutil.rmtree(files)
    shutil.copytree(copy, files)
    valkey.start()


async def collected(installation, caller, count):
    async def there():
        return installation.waiting() == 0 and len((await written(caller.events())).events) == count

    await until(there)


async def used(caller):
    return (await written(caller.check("acme", "api_calls"))).used


@fails_without(the_look_at_another_server)
@pytest.mark.usefixtures("without_rebuilds")
async def test_a_restored_backup_counts_nothing_until_its_loss_is_accepted(installation, valkey, key, tmp_path):
    async with sidecars(installation, key) as (application, callers):
        owner, *beside = callers
        assert (await written(beside[0].consume("acme", KEPT, request_id="kept"))).allowed
        await collected(installation, owner, 1)
        shutil.copytree(valkey.directory / "appendonlydir", tmp_path / "backup")
        for turn, caller in enumerate(callers):
            assert (await written(caller.consume("acme", LOST // 3, request_id=f"lost {turn}"))).allowed
        await collected(installation, owner, 4)
        restored(valkey, tmp_path / "backup")
        seen = set()
        for turn in range(30):
            for caller in callers:
                answer = await caller.consume("acme", 1, request_id=f"more {turn}")
                assert isinstance(answer, Refusal), "more than the limit was admitted"
                seen.add(answer.reason)

        async def noticed():
            answers = [await caller.consume("acme", 1, request_id="more") for caller in callers]
            assert all(isinstance(answer, Refusal) for answer in answers)
            standing = application._control.collecting.epochs.standing
            return all(answer.reason == "EPOCH_MISMATCH" for answer in answers) and standing.lost

        await until(noticed)
        assert seen <= {"STORE_UNAVAILABLE", "EPOCH_MISMATCH"}
        assert not (await application.readiness())["counters"].ok
        assert (await beside[0].check("acme", "sso")).allowed
        assert (await beside[0].rate_limit("acme")).allowed

        await application._control.collecting.epochs.accept_loss()

        async def repeated():
            answers = [await c.consume("acme", LOST // 3, request_id=f"lost {n}") for n, c in enumerate(callers)]
            return not any(isinstance(answer, Refusal) for answer in answers)

        await until(repeated)
        for caller in callers:
            assert reason(await caller.consume("acme", 1, request_id="more")) == "QUOTA_EXHAUSTED"
        await collected(installation, owner, 4)
        assert application._control.collecting.collector.stats.recounted == 3
        assert await used(owner) == LIMIT, "what was counted once is not given back"


@fails_without(a_worker_s_word)
async def test_a_plain_restart_goes_on_where_a_worker_runs(installation, valkey, key):
    async with sidecars(installation, key) as (application, callers):
        assert (await written(callers[1].consume("acme", KEPT, request_id="before"))).allowed
        await collected(installation, callers[0], 1)
        for turn in range(2):
            valkey.restart()

            async def answered(turn=turn):
                answers = [await c.consume("acme", 1, request_id=f"r{turn}.{n}") for n, c in enumerate(callers)]
                return not any(isinstance(answer, Refusal) for answer in answers)

            await until(answered)
        assert await used(callers[2]) == KEPT + 6
        assert application._control.collecting.epochs.standing.lost == []


@fails_without(the_look_at_another_server)
async def test_nobody_counts_on_a_server_that_no_worker_has_looked_at(installation, valkey, key):
    async with installation.role("all") as application, Caller(application.grpc_address, key) as owner:
        await new_world(owner, "acme")
        assert (await written(owner.consume("acme", 1, request_id="before"))).allowed
    async with installation.role("data") as sidecar, Caller(sidecar.grpc_address, key) as caller:
        assert (await written(caller.consume("acme", 1, request_id="first"))).used == 2
        valkey.restart()

        async def refused():
            answer = await caller.consume("acme", 1, request_id="second")
            assert isinstance(answer, Refusal)
            return answer.reason == "EPOCH_MISMATCH"

        await until(refused)
        assert reason(await caller.check("acme", "api_calls")) == "EPOCH_MISMATCH"
        assert (await caller.rate_limit("acme")).allowed
        assert not (await sidecar.readiness())["counters"].ok
        async with installation.role("worker"):

            async def answered():
                return not isinstance(await caller.consume("acme", 1, request_id="second"), Refusal)

            await until(answered)
        assert await used(caller) == 3
