"""API keys from their first second to their last: minted, rotated, expired, revoked, and never found in plain text."""

import asyncio
import hashlib
import stat
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from child_processes import free_port, temporary_directory
from command_line import one_clear_line, tallygate
from servers import ValkeyServer
from tallygate.domain.credential import is_well_formed, mint_key
from tallygate_process import TallygateProcess
from tenants import Tenant, eventually, failure, metadata_of, reason_of, request_of, rpc

REVOKED_SECONDS = 2.0
CATALOG = {
    "currency": "USD",
    "features": {"calls": {"kind": "metered"}},
    "plans": {"p": {"version": 1, "entitlements": {"calls": {"limit": 1000}}}},
}
BOTH = ["SCOPE_DATA", "SCOPE_CONTROL"]


@asynccontextmanager
async def caller(process: TallygateProcess, key: str):
    async with grpc.aio.insecure_channel(process.address) as channel:
        yield Tenant(channel, key)


async def status(tenant: Tenant, key: str | None) -> str:
    """What a check with this key meets: OK, or the reason of its refusal."""
    request = request_of("CheckEntitlement", account_id="acme", feature_key="calls")
    try:
        await rpc(tenant.channel, "CheckEntitlement")(request, metadata=metadata_of(key), timeout=60)
    except grpc.aio.AioRpcError as error:
        return reason_of(error) or error.code().name
    return "OK"


@pytest.fixture(scope="module")
def installation():
    """A server as an operator starts it: with a bootstrap key and debug logs, and without testing mode."""
    directory = temporary_directory("tg-keys-")
    key_file = directory / "bootstrap.key"
    environment = {
        "TALLYGATE_TESTING": "false",
        "TALLYGATE_BOOTSTRAP_KEY_FILE": str(key_file),
        "TALLYGATE_LOGGING__LEVEL": "debug",
    }
    with TallygateProcess(directory=directory, environment=environment) as process:
        yield process, key_file


@pytest.fixture
async def owner(installation):
    """The holder of the bootstrap key, with a catalogue and an account."""
    process, key_file = installation
    async with caller(process, key_file.read_text().strip()) as tenant:
        await tenant.apply(CATALOG)
        await tenant.call("UpsertAccount", account_id="acme", plan_key="p")
        yield tenant


async def test_the_bootstrap_key_is_minted_once_for_its_owner_alone(installation, owner):
    _, key_file = installation
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert is_well_formed(owner.key)
    (listed,) = [key for key in (await owner.call("ListApiKeys")).api_keys if key.name == "bootstrap"]
    assert owner.key.startswith(listed.prefix)


async def test_a_key_is_shown_once(owner):
    made = await owner.call("CreateApiKey", name="gateway", scopes=["SCOPE_DATA"])
    assert is_well_formed(made.key)
    assert await status(owner, made.key) == "OK"
    assert made.key not in str(await owner.call("ListApiKeys"))
    revoked = await owner.call("RevokeApiKey", key_id=made.api_key.key_id)
    assert made.key not in str(revoked)


async def test_two_keys_live_at_once_so_that_one_replaces_the_other(owner):
    old = await owner.call("CreateApiKey", name="rotated", scopes=["SCOPE_DATA"])
    new = await owner.call("CreateApiKey", name="rotated", scopes=["SCOPE_DATA"])
    assert old.key != new.key
    assert [await status(owner, key) for key in (old.key, new.key)] == ["OK", "OK"]
    await owner.call("RevokeApiKey", key_id=old.api_key.key_id)

    async def refused():
        return await status(owner, old.key) == "KEY_REVOKED"

    await eventually(refused, seconds=REVOKED_SECONDS)
    assert await status(owner, new.key) == "OK"


@pytest.mark.parametrize("key", ["", "tg_", "x" * 9000, "tg_" + "0" * 49, "Bearer tg_x", "tg_é".encode().hex()])
async def test_malformed_keys_are_refused(owner, key):
    assert await status(owner, key) in {"UNAUTHENTICATED", "RESOURCE_EXHAUSTED"}  # the latter: gRPC's own header limit


async def test_a_garbled_or_unknown_key_is_refused(owner):
    for position in (3, 20, len(owner.key) - 1):
        other = "a" if owner.key[position] != "a" else "b"
        garbled = owner.key[:position] + other + owner.key[position + 1 :]
        assert await status(owner, garbled) == "UNAUTHENTICATED"
    assert await status(owner, mint_key(b"nobody".ljust(32))) == "UNAUTHENTICATED"
    assert await status(owner, None) == "UNAUTHENTICATED"


async def test_a_key_is_refused_from_its_second_of_expiry(owner):
    soon = datetime.now(UTC) + timedelta(seconds=1.5)  # noqa: TID251 - keys live on real time
    made = await owner.call("CreateApiKey", scopes=["SCOPE_DATA"], expire_time=soon)
    assert await status(owner, made.key) == "OK"

    async def refused():
        return await status(owner, made.key) == "KEY_EXPIRED"

    await eventually(refused, seconds=3)
    late = failure(owner.call("CreateApiKey", scopes=["SCOPE_DATA"], expire_time=soon))
    assert await late == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")


async def test_keys_are_made_and_revoked_beside_a_running_server(installation, owner):
    process, _ = installation
    words = ["--local", "--tenant", "default"]
    run = {"environment": process.environment, "directory": process.directory}
    made = await asyncio.to_thread(tallygate, "key", "create", "ci", "--scope", "data", *words, **run)
    key = made.stdout.strip()

    async def accepted():
        return await status(owner, key) == "OK"

    await eventually(accepted)
    key_id = made.stderr.split(":")[0]
    await asyncio.to_thread(tallygate, "key", "revoke", key_id, *words, **run)

    async def refused():
        return await status(owner, key) == "KEY_REVOKED"

    await eventually(refused, seconds=REVOKED_SECONDS)


async def test_the_first_key_of_an_installation_needs_no_server():
    directory = temporary_directory("tg-first-")
    process = TallygateProcess(directory=directory, environment={"TALLYGATE_TESTING": "false"})
    run = {"environment": process.environment, "directory": directory}
    await asyncio.to_thread(tallygate, "migrate", **run)
    await asyncio.to_thread(tallygate, "tenant", "create", "shop", **run)
    words = ["key", "create", "first", "--scope", "data", "--scope", "control", "--local", "--tenant", "shop"]
    made = await asyncio.to_thread(tallygate, *words, **run)
    with process:
        async with caller(process, made.stdout.strip()) as tenant:
            await tenant.apply(CATALOG)
            assert (await tenant.call("GetCatalog")).catalog.features["calls"].kind


async def test_no_key_is_found_at_rest_in_logs_or_in_metrics(owner, installation):
    process, key_file = installation
    made = await owner.call("CreateApiKey", name="at rest", scopes=BOTH)
    user = Tenant(owner.channel, made.key)
    await user.consume("acme", "calls", 3)
    with pytest.raises(grpc.aio.AioRpcError):
        await user.check(made.key, made.key)  # a caller's mistake: the key where an id belongs
    assert (await user.check(made.key, "calls")).reason
    secrets_known = [key_file.read_text().strip(), made.key]
    stored = b"".join(path.read_bytes() for path in (process.directory / "data").rglob("*") if path.is_file())
    for key in secrets_known:
        assert hashlib.sha256(key.encode()).hexdigest().encode() in stored
        assert key.encode() not in stored
        assert key[3:].encode() not in stored
    assert '"event": "answered"' in process.log
    for text in (process.log, process.metrics()):
        assert not [key for key in secrets_known if key[3:] in text]


async def test_a_local_listener_holds_a_key_for_callers_without_one():
    directory = temporary_directory("tg-listener-")
    key_file = directory / "key"
    environment = {
        "TALLYGATE_TESTING": "false",
        "TALLYGATE_BOOTSTRAP_KEY_FILE": str(key_file),
        "TALLYGATE_SERVER__LISTENER_KEY_FILE": str(key_file),
    }
    with TallygateProcess(directory=directory, environment=environment) as process:
        async with caller(process, key_file.read_text().strip()) as tenant:
            await tenant.apply(CATALOG)
            await tenant.call("UpsertAccount", account_id="acme", plan_key="p")
            assert await status(tenant, None) == "OK"
            assert await status(tenant, mint_key(b"nobody".ljust(32))) == "UNAUTHENTICATED"  # who brings one acts as it
            made = await tenant.call("CreateApiKey", scopes=["SCOPE_CONTROL"])
            assert await status(tenant, made.key) == "SCOPE_MISSING"


def test_a_listener_that_others_reach_holds_no_key(tmp_path: Path):
    key_file = tmp_path / "key"
    key_file.write_text(mint_key(b"k" * 32))
    process = TallygateProcess(directory=temporary_directory("tg-open-"))
    environment = {
        **process.environment,
        "TALLYGATE_SERVER__GRPC_ADDRESS": f"0.0.0.0:{free_port()}",
        "TALLYGATE_SERVER__LISTENER_KEY_FILE": str(key_file),
    }
    done = tallygate("serve", environment=environment, directory=process.directory, code=2)
    assert "server.listener_key_file" in (said := one_clear_line(done))
    assert "for local listeners" in said


async def test_a_revoked_key_is_refused_within_two_seconds_by_every_sidecar():
    directory = temporary_directory("tg-revoked-")
    with ValkeyServer(append_only=True) as valkey:
        environment = {"TALLYGATE_REDIS__URL": valkey.url}
        whole = TallygateProcess(directory=directory, environment=environment)
        sidecar = TallygateProcess(directory=directory, role="data", environment=environment)
        with whole, sidecar:
            async with caller(whole, mint_key(b"revoked".ljust(32))) as owner, caller(sidecar, "") as beside:
                await owner.apply(CATALOG)
                made = await owner.call("CreateApiKey", scopes=["SCOPE_DATA"])

                async def accepted():
                    return await status(beside, made.key) == "OK"

                await eventually(accepted)
                await owner.call("RevokeApiKey", key_id=made.api_key.key_id)
                started = time.monotonic()

                async def refused():
                    return await status(beside, made.key) == "KEY_REVOKED"

                await eventually(refused)
                assert time.monotonic() - started < REVOKED_SECONDS
