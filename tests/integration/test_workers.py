"""`tallygate serve --workers 2`: one address, one admin port, one count; what dies comes back, or takes all along."""

import asyncio
import json
import os
import re
import signal
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

import patience
from child_processes import free_port, temporary_directory
from command_line import one_clear_line, tallygate
from servers import ValkeyServer
from tallygate.app import Application, StartError
from tallygate.domain.credential import mint_key
from tallygate.server.listeners import parse_address, reserve
from tallygate.settings import RedisSettings, ServerSettings, Settings
from tallygate_process import TallygateProcess
from tenants import Tenant, eventually, failure, metadata_of, request_of, rpc

CONNECTIONS = 16
UNAVAILABLE, NOT_FOUND = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.NOT_FOUND
SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(scope="module")
def redis():
    """A Valkey with one process of role `all` beside it: it knows the database, and opens test tenants."""
    with ValkeyServer(append_only=True) as valkey:
        shared = {"TALLYGATE_REDIS__URL": valkey.url, "TALLYGATE_REDIS__READ_TIMEOUT": "2s"}
        with TallygateProcess(apart=True, environment=shared) as control:
            yield shared, control


@pytest.fixture(scope="module", params=["grpcio", "native"])
def transport(request):
    return {"TALLYGATE_SERVER__TRANSPORT": request.param}


@pytest.fixture(scope="module")
def new(redis):
    """Makes installations of two workers, not started."""

    def make(**environment):
        settings = {"TALLYGATE_SERVER__WORKERS": "2", "TALLYGATE_LOGGING__LEVEL": "debug"}
        return TallygateProcess(role="data", environment={**redis[0], **settings, **environment})

    return make


@pytest.fixture(scope="module")
def running(new, transport):
    with new(**transport) as process:
        yield process


@asynccontextmanager
async def accounts_of(redis, *addresses, limit=1_000_000):
    """A fresh tenant with an account, over the control plane first and then over connections of their own."""
    key = mint_key(os.urandom(32))
    async with AsyncExitStack() as stack:

        async def tenant_at(address):
            options = [("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 100)]
            return Tenant(await stack.enter_async_context(grpc.aio.insecure_channel(address, options)), key)

        control = await tenant_at(redis[1].address)
        plan = {"version": 1, "entitlements": {"calls": {"limit": limit}}}
        await control.apply({"currency": "USD", "features": {"calls": {"kind": "metered"}}, "plans": {"p": plan}})
        await control.call("UpsertAccount", account_id="acme", plan_key="p")
        callers = [await tenant_at(address) for address in addresses]
        for caller in callers:
            caller.view_version = control.view_version
        yield control, callers


def workers_of(process):
    """The process ids of the workers; the dead that nobody waited for are none."""
    threads = Path(f"/proc/{process.pid}/task").iterdir()
    found = [int(word) for thread in threads for word in (thread / "children").read_text().split()]
    return list(filter(is_alive, found))


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


async def all_end(pids):
    async def ended():
        return not any(map(is_alive, pids))

    await eventually(ended, what="the workers to end")


def measured(process, name):
    """The value of one sample, 0 where there is none."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", process.metrics(), re.MULTILINE)
    return float(found[1]) if found else 0.0


RESTARTS = "tallygate_worker_restarts_total"
CONSUMED = 'tallygate_call_seconds_count{code="OK",method="EntitlementService/ConsumeQuota"}'


async def test_both_answer_on_one_port_and_count_as_one(redis, running):
    counted = measured(running, CONSUMED)
    async with accounts_of(redis, *[running.address] * CONNECTIONS, limit=50) as (control, callers):
        asked = [caller.consume("acme", "calls", 1, request_id=f"{n}") for n, caller in enumerate(callers * 4)]
        decisions = await asyncio.gather(*asked)
        assert Counter(decision.allowed for decision in decisions) == {True: 50, False: len(asked) - 50}
        assert (await control.check("acme", "calls")).used == 50
        for caller in callers[:3]:
            answer = await health_pb2_grpc.HealthStub(caller.channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
            assert answer.status == SERVING
    lines = [json.loads(line) for line in running.log.splitlines() if line.startswith("{")]
    assert {line["worker"] for line in lines if "request_id" in line} == {0, 1}
    shown = 'tallygate_decisions_total{allowed="%s",kind="metered",reason="%s"}'
    assert measured(running, shown % ("true", "WITHIN_LIMIT")) == 50
    assert measured(running, shown % ("false", "QUOTA_EXHAUSTED")) == len(asked) - 50
    assert measured(running, CONSUMED) == counted + len(asked)
    assert [measured(running, f'tallygate_redis_up{{worker="{worker}"}}') for worker in (0, 1)] == [1, 1]
    checks = running.admin("/ready")["checks"]
    looked_at = ("serving", "redis", "clock", "counters")
    assert set(checks) == {"serving", "settings", *(f"worker_{n}.{check}" for n in (0, 1) for check in looked_at)}


async def test_a_worker_that_is_killed_under_load_costs_at_most_its_connections_and_comes_back(redis, running):
    errors, answered, over = Counter(), [], asyncio.Event()

    async def caller(tenant, number):
        count = 0
        while not over.is_set():
            try:
                decision = await tenant.consume("acme", "calls", 1, request_id=f"{number}-{count}")
            except grpc.aio.AioRpcError as error:
                errors[error.code()] += 1
                continue  # with the same request_id, so that it counts once
            assert decision.allowed
            answered.append(number)
            count += 1

    async with accounts_of(redis, *[running.address] * CONNECTIONS) as (control, tenants):
        callers = [asyncio.ensure_future(caller(tenant, number)) for number, tenant in enumerate(tenants)]
        await reach(answered, 200)
        counted, before = await asyncio.to_thread(measured, running, CONSUMED), len(answered)
        restarts = await asyncio.to_thread(measured, running, RESTARTS)
        killed, other = workers_of(running)
        os.kill(killed, signal.SIGKILL)

        async def is_back():
            ready, now = await asyncio.to_thread(lambda: (running.ready(), measured(running, RESTARTS)))
            return ready and now == restarts + 1

        await eventually(is_back)
        await reach(answered, len(answered) + 200)
        over.set()
        await asyncio.gather(*callers)
        assert (await control.check("acme", "calls")).used == len(answered)
    assert set(errors) <= {UNAVAILABLE}
    now = workers_of(running)
    assert len(now) == 2
    assert other in now
    assert killed not in now
    # A counter never goes back: what the dead had counted when it was last asked is still there.
    assert measured(running, CONSUMED) >= counted
    assert len(answered) > before


async def reach(answered, count):
    async def reached():
        return len(answered) >= count

    await eventually(reached, what=f"{count} answers")


async def test_a_stop_drains_all_workers_and_loses_no_answer(redis, new, transport):
    process = new(**transport).start()
    answered, ended = [], []

    async def caller(tenant, number):
        for count in range(1_000_000):
            try:
                assert (await tenant.consume("acme", "calls", 1, request_id=f"{number}-{count}")).allowed
            except grpc.aio.AioRpcError as error:
                ended.append(error.code())
                return
            answered.append(count)

    async with accounts_of(redis, *[process.address] * CONNECTIONS) as (control, tenants):
        callers = [asyncio.ensure_future(caller(tenant, number)) for number, tenant in enumerate(tenants)]
        await reach(answered, 200)
        workers = workers_of(process)
        process._process.popen.send_signal(signal.SIGTERM)
        await asyncio.wait_for(asyncio.gather(*callers), patience.SECONDS)
        assert await asyncio.to_thread(process._process.popen.wait, 15) == 0
        assert (await control.check("acme", "calls")).used == len(answered)  # what was taken was answered
    assert Counter(ended) == {UNAVAILABLE: CONNECTIONS}
    assert len(workers) == 2
    assert not any(map(is_alive, workers))


async def test_an_address_in_use_is_refused_until_the_parent_is_killed_and_all_go_with_it(new):
    with new() as process:
        second = {"TALLYGATE_SERVER__GRPC_ADDRESS": process.address}
        said = f"cannot listen on {process.address}: the port is in use; stop what uses it or choose another port"
        assert refusal(new(**second)) == said
        assert refusal(new(**second, TALLYGATE_SERVER__WORKERS="1")) == said
        assert process.ready()
        workers = workers_of(process)
        process.kill()
        await all_end(workers)
        reserve(parse_address(process.address), 2).close()


async def test_each_has_a_unix_socket_of_its_own(redis, new):
    path = temporary_directory("tg-workers-") / "grpc.sock"
    with new(TALLYGATE_SERVER__GRPC_ADDRESS=f"unix:{path}") as process:
        async with accounts_of(redis, f"unix:{path}", f"unix:{path}.1") as (_, callers):
            used = [(await each.consume("acme", "calls", 1, request_id=f"{n}")).used for n, each in enumerate(callers)]
        assert used == [1, 2]
        said = refusal(new(TALLYGATE_SERVER__GRPC_ADDRESS=f"unix:{path}"))
        assert said == f"cannot listen on unix:{path}: another server does; stop it or choose another path"
        killed, other = workers_of(process)
        os.kill(killed, signal.SIGKILL)  # what is left of its socket is removed by the worker in its place

        async def is_back():
            return process.ready() and killed not in workers_of(process)

        await eventually(is_back)
        assert other in workers_of(process)
        assert {each.name for each in path.parent.iterdir()} == {"grpc.sock", "grpc.sock.1"}
        process._process.popen.send_signal(signal.SIGINT)  # as Ctrl-C
        assert await asyncio.to_thread(process._process.popen.wait, 15) == 0
    assert not list(path.parent.iterdir())


def test_what_a_worker_cannot_start_with_is_said_by_the_parent(new):
    url = f"redis://:secret@127.0.0.1:{free_port()}"
    said = refusal(new(TALLYGATE_REDIS__URL=url))
    assert "check redis.url (TALLYGATE_REDIS__URL)" in said
    assert "secret" not in said


@pytest.mark.parametrize("role", ["all", "control", "worker"])
async def test_other_roles_are_one_process(role):
    redis = RedisSettings(url="redis://127.0.0.1:1")
    application = Application(Settings(role=role, server=ServerSettings(workers=2), redis=redis))
    with pytest.raises(StartError, match=f"2 workers, but role {role} works on SQL.*: set role to data"):
        await application.start()


async def test_role_all_works_on_sql_in_a_process_of_its_own_without_which_decisions_go_on(redis):
    """A kill -9 of it is survived: nothing is lost, and it comes back."""
    process = redis[1]
    async with accounts_of(redis, process.address) as (control, (caller,)):
        (beside,) = workers_of(process)
        assert (await caller.consume("acme", "calls", 1, request_id="before")).used == 1
        following = rpc(control.channel, "FollowEvents")(request_of("FollowEvents"), metadata=metadata_of(control.key))
        assert (await following.read()).event.data.request_id == "before"
        assert (await failure(control.call("GetPlan", plan_key="none"))) == (NOT_FOUND, "PLAN_NOT_FOUND")
        assert await described(control.channel, "tallygate.v1.CatalogService.ApplyCatalog")
        restarts = measured(process, RESTARTS)
        os.kill(beside, signal.SIGKILL)
        assert (await caller.consume("acme", "calls", 2, request_id="without")).used == 3
        assert await failure(following.read()) == (UNAVAILABLE, "CONTROL_PLANE_UNAVAILABLE")
        assert process.ready()

        async def is_back():
            checks = await asyncio.to_thread(lambda: process.admin("/ready")["checks"])
            return checks["control"]["ok"] and checks["collector"]["ok"]

        await eventually(is_back)
        assert workers_of(process) != [beside]
        assert measured(process, RESTARTS) == restarts + 1
        await control.usage_reaches("acme", "calls", 3)
        events = (await control.call("ListEvents", account_id="acme")).events
        assert sorted(event.data.request_id for event in events) == ["before", "without"]
        assert (
            measured(process, 'tallygate_redis_up{process="control"}') == measured(process, "tallygate_redis_up") == 1
        )
        stranger = Tenant(
            caller.channel, mint_key(os.urandom(32))
        )  # whose tenant is opened there by its first question
        assert (await failure(stranger.check("acme", "calls"))) == (NOT_FOUND, "FEATURE_NOT_FOUND")
    assert '"part": "control"' in process.log


async def described(channel, symbol):
    asked = reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol)
    answers = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([asked]), timeout=60)
    return [answer.file_descriptor_response.file_descriptor_proto async for answer in answers]


def refusal(process):
    """What a start that must fail says, in its one line."""
    done = tallygate("serve", environment=process.environment, directory=process.directory, code=3)
    return one_clear_line(done)
