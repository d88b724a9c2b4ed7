"""Redis users with few rights, as managed services give them: what works with them, and what is said where not."""

import json
import re
from pathlib import Path

import pytest

from collectors import until
from command_line import tallygate
from faults.callers import Caller, Refusal, new_world, written
from faults.installations import Installation, sqlite
from servers import ValkeyServer, redis_binary
from tallygate.app import StartError
from tallygate_process import TallygateProcess

README = (Path(__file__).parents[2] / "README.md").read_text()
MANAGED = "~tg:* &tg:* +@all -@admin -@dangerous -script -config -info -client"
HOT = re.search(r"ACL SETUSER sidecar [^`]*", README).group().partition(" >secret ")[2]


@pytest.fixture(params=["valkey", "redis"])
def valkey(request):
    binary = redis_binary() if request.param == "redis" else None
    with ValkeyServer(append_only=True, binary=binary) as server:
        yield server


def as_user(valkey, rights):
    valkey.command("ACL", "SETUSER", "few", "reset", "on", ">secret", *rights.split())
    return f"unix://few:secret@{valkey.socket_path}"


async def test_a_user_without_config_info_and_script_serves_everything(valkey, tmp_path, key):
    installation = Installation(valkey, sqlite(tmp_path))
    installation.url = as_user(valkey, MANAGED)
    async with installation.role("all") as application, Caller(application.grpc_address, key) as caller:
        await new_world(caller, "acme")
        for turn in range(3):
            assert (await written(caller.consume("acme", 2, request_id=f"r{turn}"))).used == 2 * turn + 2
            valkey.command("SCRIPT", "FLUSH")
        assert (await written(caller.rate_limit("acme"))).allowed
        await until(lambda: installation.waiting() == 0)
        assert len((await written(caller.events())).events) == 3

        async def ready():
            return all(check.ok for check in (await application.readiness()).values())

        await until(ready)


async def test_role_data_needs_no_more_than_the_readme_says(valkey, tmp_path, key):
    installation = Installation(valkey, sqlite(tmp_path))
    async with installation.role("all") as application, Caller(application.grpc_address, key) as owner:
        await new_world(owner, "acme")
        installation.url = as_user(valkey, HOT)
        async with installation.role("data") as sidecar, Caller(sidecar.grpc_address, key) as caller:
            assert (await written(caller.consume("acme", 2, request_id="r"))).used == 2
            assert (await written(caller.check("acme", "sso"))).allowed
            assert (await written(caller.rate_limit("acme"))).allowed
            version = (await written(owner.account("globex", "large"))).view_version
            assert (await written(caller.consume("globex", 1, request_id="g", version=version))).used == 1
            assert all(check.ok for check in (await sidecar.readiness()).values())


@pytest.mark.parametrize("missing", ["xadd", "hset", "evalsha", "eval", "get"])
async def test_a_missing_right_is_named_when_a_process_starts(valkey, tmp_path, missing):
    installation = Installation(valkey, sqlite(tmp_path))
    installation.url = as_user(valkey, f"{HOT} -{missing}")
    with pytest.raises(StartError, match=missing) as refused:
        async with installation.role("data"):
            pass
    text = str(refused.value)
    assert "\n" not in text
    assert "secret" not in text


async def test_a_right_that_is_taken_away_later_is_said(valkey, tmp_path, key, caplog):
    installation = Installation(valkey, sqlite(tmp_path))
    async with installation.role("all") as application, Caller(application.grpc_address, key) as owner:
        await new_world(owner, "acme")
        installation.url = as_user(valkey, HOT)
        async with installation.role("data") as sidecar, Caller(sidecar.grpc_address, key) as caller:
            assert (await written(caller.consume("acme", 2, request_id="r"))).used == 2
            valkey.command("ACL", "SETUSER", "few", "-xadd")
            refused = await caller.consume("acme", 2, request_id="other")
            assert (refused.code.name, refused.reason) == ("UNAVAILABLE", "STORE_UNAVAILABLE")
            assert "admit.lua failed: ERR" in caplog.text

            async def named():
                check = (await sidecar.readiness())["redis"]
                return not check.ok and "must be allowed xadd" in check.detail

            await until(named)
            valkey.command("ACL", "SETUSER", "few", "+xadd")

            async def served():
                return not isinstance(await caller.consume("acme", 2, request_id="another"), Refusal)

            await until(served)


def test_doctor_goes_on_with_what_it_may(valkey):
    url = as_user(valkey, MANAGED)
    process = TallygateProcess(environment={"TALLYGATE_REDIS__URL": url})
    with process:
        pass
    run = {"environment": process.environment, "directory": process.directory}
    findings = {f["name"]: f for f in json.loads(tallygate("doctor", "-o", "json", **run).stdout)}
    assert all(finding["ok"] for finding in findings.values())
    for name in ("eviction policy", "persistence"):
        assert "may not run CONFIG GET" in findings[name]["detail"]
    assert findings["epoch"]["detail"] == "64 of 64 partitions count"
    as_user(valkey, f"{HOT} -xadd")
    findings = {f["name"]: f for f in json.loads(tallygate("doctor", "-o", "json", **run, code=2).stdout)}
    assert "xadd" in findings["redis"]["detail"]
