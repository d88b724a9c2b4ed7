"""Processes of different roles that share a Redis and a database: what each does, and what it never loads."""

import asyncio
import subprocess
import sys
import time
from contextlib import asynccontextmanager

import grpc
import pytest

from child_processes import temporary_directory
from command_line import one_clear_line, tallygate
from servers import PostgresServer, ValkeyServer
from tallygate.domain.credential import mint_key
from tallygate_process import TallygateProcess
from tenants import METHODS, Tenant, eventually, failure

ANNOUNCED_SECONDS = 1.0


def limited(version, limit):
    return {
        "currency": "USD",
        "features": {"calls": {"kind": "metered"}, "seats": {"kind": "seat"}, "sso": {"kind": "boolean"}},
        "rate_limits": {"rps": {"owner": "account", "algorithm": "token_bucket"}},
        "plans": {
            "p": {
                "version": version,
                "entitlements": {"calls": {"limit": limit}, "sso": {"enabled": limit > 10}},
                "rate_limits": {"rps": {"limit": 5, "window": "1s"}},
            }
        },
    }


@asynccontextmanager
async def tenant_of(process, key):
    async with grpc.aio.insecure_channel(process.address) as channel:
        yield Tenant(channel, key)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request):
    """Control plane, worker and two sidecars, each a process of its own; the sidecars know no database."""
    directory = temporary_directory("tg-roles-")
    with ValkeyServer(append_only=True) as valkey, PostgresServer() as postgres:
        database = f"sqlite:///{directory}/shared.db" if request.param == "sqlite" else postgres.create_database()
        shared = {"TALLYGATE_REDIS__URL": valkey.url, "TALLYGATE_TESTING": "false"}
        with_sql = {
            **shared,
            "TALLYGATE_DATABASE__URL": database,
            "TALLYGATE_BOOTSTRAP_KEY_FILE": str(directory / "key"),
        }
        processes = {
            "worker": TallygateProcess(directory=directory, role="worker", environment=with_sql),
            "control": TallygateProcess(directory=directory, role="control", environment=with_sql),
            "first": TallygateProcess(directory=directory / "first", role="data", environment=shared),
            "second": TallygateProcess(directory=directory / "second", role="data", environment=shared),
        }
        for name in ("first", "second"):
            (directory / name).mkdir()
        tallygate("migrate", environment=processes["worker"].environment, directory=directory)
        try:
            for process in processes.values():
                process.start()
            yield processes, (directory / "key").read_text().strip()
        finally:
            for process in reversed(processes.values()):
                process.stop()


@pytest.fixture
async def callers(house):
    """The same tenant through the control plane and through each sidecar."""
    processes, key = house
    async with (
        tenant_of(processes["control"], key) as control,
        tenant_of(processes["first"], key) as first,
        tenant_of(processes["second"], key) as second,
    ):
        yield control, first, second


async def test_written_through_control_checked_through_data_collected_by_the_worker(callers):
    control, first, second = callers
    await control.apply(limited(1, 10))
    await control.call("UpsertAccount", account_id="acme", plan_key="p")
    first.view_version = second.view_version = control.view_version
    used = [
        await sidecar.consume("acme", "calls", 4, request_id=name) for sidecar, name in ((first, "a"), (second, "b"))
    ]
    assert [(each.allowed, each.used) for each in used] == [(True, 4), (True, 8)]
    assert not (await first.consume("acme", "calls", 4, request_id="c")).allowed  # one count, whoever counts
    await control.usage_reaches("acme", "calls", 8)
    events = (await control.call("ListEvents", account_id="acme")).events
    assert sorted(event.data.request_id for event in events) == ["a", "b"]


async def test_a_plan_change_is_seen_by_every_sidecar_within_a_second(callers):
    control, first, second = callers
    newest = max((plan.plan.version for plan in (await control.call("ListPlans")).plans), default=0)
    await control.apply(limited(newest + 1, 10), migrate="MIGRATE_NOW")
    await control.call("UpsertAccount", account_id="changing", plan_key="p")
    first.view_version = second.view_version = control.view_version
    before = [await sidecar.check("changing", "sso") for sidecar in (first, second)]
    assert [each.allowed for each in before] == [False, False]
    await control.apply(limited(newest + 2, 20), migrate="MIGRATE_NOW")
    written = time.monotonic()
    first.view_version = second.view_version = 0  # nobody tells them to look

    async def seen():
        return all([(await sidecar.check("changing", "sso")).allowed for sidecar in (first, second)])

    await eventually(seen)
    assert time.monotonic() - written < ANNOUNCED_SECONDS


async def test_each_role_serves_its_own_services(house, callers):
    processes, key = house
    control, first, _ = callers
    unimplemented = grpc.StatusCode.UNIMPLEMENTED
    assert (await failure(first.call("GetCatalog")))[0] is unimplemented
    assert (await failure(control.check("acme", "calls")))[0] is unimplemented
    ours = {method.containing_service.full_name for method in METHODS.values()}
    data = {"tallygate.v1.EntitlementService", "envoy.service.ratelimit.v3.RateLimitService"}
    assert ours - data == {f"tallygate.v1.{name}Service" for name in CONTROL}
    assert processes["worker"].admin("/ready")["checks"]["collector"]["ok"]
    async with tenant_of(processes["worker"], key) as worker:
        assert (await failure(worker.call("GetCatalog")))[0] is grpc.StatusCode.UNAVAILABLE  # it listens nowhere


CONTROL = (
    "Account",
    "ApiKey",
    "Audit",
    "Billing",
    "Catalog",
    "Charge",
    "Invoice",
    "Ledger",
    "Message",
    "Discount",
    "Order",
    "Partner",
    "Payment",
    "Pricing",
    "Report",
    "Product",
    "Subscription",
    "TestClock",
    "Usage",
)

# A whole sidecar in this child process: started, asked everything that it serves, and then looked into.
_SIDECAR = """
import asyncio, sys
import grpc
from tallygate.app import Application
from tallygate.settings import load

SQL = ("sqlalchemy", "alembic", "aiosqlite", "psycopg", "sqlite3")

async def main():
    async with Application(load().settings) as application:
        from tallygate_api.v1 import entitlement_service_pb2 as wire
        from tallygate_api.v1.entitlement_service_pb2_grpc import EntitlementServiceStub
        async with grpc.aio.insecure_channel(application.grpc_address) as channel:
            stub, key = EntitlementServiceStub(channel), (("authorization", "Bearer " + sys.argv[1]),)
            account = {"account_id": "acme"}
            calls = {**account, "feature_key": "calls"}
            for asked in (
                stub.CheckEntitlement(wire.CheckEntitlementRequest(**calls), metadata=key),
                stub.ListEntitlements(wire.ListEntitlementsRequest(**account), metadata=key),
                stub.ConsumeQuota(wire.ConsumeQuotaRequest(**calls, request_id="lean"), metadata=key),
                stub.RateLimit(wire.RateLimitRequest(**account, limit_key="rps"), metadata=key),
            ):
                await asked
    print([name for name in sys.modules if name.partition(".")[0] in SQL])

asyncio.run(main())
"""


async def test_the_data_role_never_loads_the_database(house, callers):
    processes, key = house
    control, _, _ = callers
    if not (await control.call("ListPlans")).plans:
        await control.apply(limited(1, 10))
    await control.call("UpsertAccount", account_id="acme", plan_key="p")
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", _SIDECAR, key],
        env={
            **processes["first"].environment,
            "TALLYGATE_SERVER__GRPC_ADDRESS": "127.0.0.1:0",
            "TALLYGATE_SERVER__ADMIN_ADDRESS": "127.0.0.1:0",
        },
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_roles_that_share_need_a_redis_by_name():
    process = TallygateProcess(role="data")
    done = tallygate("serve", environment=process.environment, directory=process.directory, code=2)
    assert one_clear_line(done).startswith("redis.url (TALLYGATE_REDIS__URL): ")


async def test_a_sidecar_on_a_redis_to_which_nothing_was_published_refuses_nobody_s_key():
    """It cannot know which keys there are, so it says that it cannot decide."""
    with (
        ValkeyServer() as valkey,
        TallygateProcess(role="data", environment={"TALLYGATE_REDIS__URL": valkey.url}) as process,
    ):
        async with tenant_of(process, mint_key(b"unknown".ljust(32))) as tenant:
            refused = await failure(tenant.check("acme", "calls"))
    assert refused == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
