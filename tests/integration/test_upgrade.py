"""The version before, built from history, leaves its state to this one: what was counted counts on, nothing is lost."""

import subprocess
import tarfile
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import grpc
import pytest

from child_processes import temporary_directory
from command_line import tallygate
from servers import PostgresServer, ValkeyServer
from tallygate.domain.credential import mint_key
from tallygate_process import TallygateProcess
from tenants import Tenant, eventually

BEFORE = "31235c4"
ROOT = Path(__file__).parents[2]
LIMITS = {
    "bucket": {"algorithm": "token_bucket"},
    "fixed": {"algorithm": "fixed_window"},
    "sliding": {"algorithm": "sliding_window"},
}
HOUR = {"limit": 5, "window": "3600s"}
CATALOG = {
    "currency": "USD",
    "features": {
        "calls": {"kind": "metered"},
        "peak": {"kind": "metered", "aggregation": "max"},
        "latest": {"kind": "metered", "aggregation": "latest"},
        "sso": {"kind": "boolean"},
    },
    "rate_limits": {
        name: {"owner": "account", "descriptor": [{"key": name}], **limit} for name, limit in LIMITS.items()
    },
    "plans": {
        "p": {
            "version": 1,
            "entitlements": {
                "calls": {"limit": 10},
                "peak": {"limit": 10},
                "latest": {"limit": 10},
                "sso": {"enabled": True},
            },
            "rate_limits": dict.fromkeys(LIMITS, HOUR),
        }
    },
}


@pytest.fixture(scope="module")
def before():
    """The sources of the version before."""
    directory = temporary_directory("tg-before-")
    archive = ["git", "archive", BEFORE, "src", "clients/python"]
    done = subprocess.run(archive, cwd=ROOT, capture_output=True, check=True)
    with tarfile.open(fileobj=BytesIO(done.stdout)) as sources:
        sources.extractall(directory, filter="data")
    return {"PYTHONPATH": f"{directory / 'src'}:{directory / 'clients' / 'python'}"}


@contextmanager
def processes(before, database=""):
    """Makes processes of an installation, of the version before or of this one."""
    directory = temporary_directory("tg-upgrade-")
    with ValkeyServer(append_only=True) as valkey:
        url = database or f"sqlite:///{directory / 'tallygate.db'}"
        shared = {"TALLYGATE_REDIS__URL": valkey.url, "TALLYGATE_DATABASE__URL": url}

        def process(role, *, old=False):
            return TallygateProcess(directory=directory, role=role, environment={**shared, **(before if old else {})})

        yield process


@pytest.fixture
def installation(before):
    with processes(before) as process:
        yield process


@pytest.fixture
def on_postgres(before):
    """The same on PostgreSQL, which unlike SQLite lets a migration take a column's default away."""
    with PostgresServer() as server, processes(before, server.create_database()) as process:
        yield process


def migrate(process):
    return tallygate("migrate", environment=process.environment, directory=process.directory).stdout


async def tenant(process, key):
    return Tenant(grpc.aio.insecure_channel(process.address), key)


async def spend(owner, request_id):
    """Some of everything; what is answered."""
    taken = [await owner.consume("acme", "calls", 3, request_id=request_id)]
    taken += [await owner.consume("acme", name, 4, request_id=request_id) for name in ("peak", "latest")]
    for name in LIMITS:
        entries = [{"key": name, "value": "x"}]
        taken.append(await owner.call("RateLimit", account_id="acme", limit_key=name, cost=2, descriptors=entries))
    assert all(answer.allowed for answer in taken)
    return taken


async def test_what_the_version_before_counted_counts_on(installation):
    key = mint_key(b"u" * 32)
    old = installation("all", old=True)
    assert "0003" in migrate(old), "it is the version before"
    with old:
        owner = await tenant(old, key)
        await owner.apply(CATALOG)
        await owner.call("UpsertAccount", account_id="acme", plan_key="p")
        await owner.call("CreateGrant", account_id="acme", feature_key="calls", amount=5, grant_id="g")
        await spend(owner, "one")
    with installation("data", old=True) as sidecar:  # nobody collects what it counts
        caller = await tenant(sidecar, key)
        await spend(caller, "two")
    new = installation("all")
    migrate(new)
    with new:
        owner = await tenant(new, key)
        assert (await owner.check("acme", "calls")).used == 6
        # What remembered it may be gone: then it is found to be counted twice when it is collected, and given back.
        assert (await owner.consume("acme", "calls", 3, request_id="two")).allowed

        async def once():
            check = await owner.check("acme", "calls")
            return (check.used, check.remaining) == (6, 9)

        await eventually(once)
        assert (await owner.check("acme", "peak")).used == 4
        more = await owner.consume("acme", "calls", 9, request_id="three")
        assert (more.allowed, more.used) == (True, 15)
        assert not (await owner.consume("acme", "calls", 1, request_id="four")).allowed
        for name in LIMITS:
            entries = [{"key": name, "value": "x"}]
            limited = await owner.call("RateLimit", account_id="acme", limit_key=name, cost=2, descriptors=entries)
            assert not limited.allowed, name
        assert (await owner.check("acme", "sso")).allowed
        assert await owner.usage_reaches("acme", "calls", 15)


async def test_the_version_before_goes_on_while_and_after_the_schema_grows(on_postgres):
    """Its control plane and worker until they are replaced, its sidecars beside a new worker."""
    key = mint_key(b"v" * 32)
    old, new = on_postgres("all", old=True), on_postgres("all")
    migrate(old)
    with on_postgres("data", old=True) as sidecar:
        caller = await tenant(sidecar, key)
        with old:
            owner = await tenant(old, key)
            await owner.apply(CATALOG)
            await owner.call("UpsertAccount", account_id="acme", plan_key="p")
            await spend(caller, "one")
            assert "0003" not in migrate(new)
            await owner.call("UpsertAccount", account_id="globex", plan_key="p")
            await owner.call("CreateOverride", account_id="globex", feature_key="calls", entitlement={"limit": 2})
            await owner.call("CreateGrant", account_id="acme", feature_key="calls", amount=5, grant_id="g")
            await owner.apply({**CATALOG, "plans": {"p": {**CATALOG["plans"]["p"], "version": 2}}})
            await owner.call("UpsertAccount", account_id="initech", plan_key="p")
            caller.view_version = owner.view_version
            assert (await caller.consume("globex", "calls", 1, request_id="g")).used == 1
            assert await owner.usage_reaches("globex", "calls", 1)
            assert await owner.usage_reaches("acme", "calls", 3)
        with new:
            owner = await tenant(new, key)
            assert (await owner.check("globex", "calls", quantity=2)).limit == 2
            assert (await owner.consume("acme", "calls", 2, request_id="two")).used == 5
            assert (await caller.consume("acme", "calls", 2, request_id="three")).used == 7
            assert (await caller.consume("acme", "calls", 2, request_id="two")).allowed
            await owner.call("UpsertAccount", account_id="hooli", plan_key="p")
            caller.view_version = owner.view_version
            assert (await caller.consume("hooli", "calls", 1, request_id="g")).used == 1
            assert await owner.usage_reaches("acme", "calls", 7)
    with new, on_postgres("data") as upgraded:
        owner, caller = await tenant(new, key), await tenant(upgraded, key)

        async def once():
            return (await owner.check("acme", "calls")).used == 7

        await eventually(once)
        assert (await caller.consume("acme", "calls", 1, request_id="four")).used == 8


async def test_a_new_sidecar_goes_on_beside_a_worker_of_the_version_before(installation):
    key = mint_key(b"w" * 32)
    old = installation("all", old=True)
    migrate(old)
    with old, installation("data") as sidecar:
        owner, caller = await tenant(old, key), await tenant(sidecar, key)
        await owner.apply(CATALOG)
        await owner.call("UpsertAccount", account_id="acme", plan_key="p")
        caller.view_version = owner.view_version
        await spend(caller, "one")
        assert (await owner.consume("acme", "calls", 2, request_id="two")).used == 5
        assert await owner.usage_reaches("acme", "calls", 5)
