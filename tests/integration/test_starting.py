"""How a server starts, or says in one line why it cannot; and how it finds its data again after kill -9."""

import gc
import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import warnings
from contextlib import asynccontextmanager, closing
from pathlib import Path

import grpc
import pytest

import patience
from child_processes import free_port, temporary_directory
from collectors import until
from command_line import one_clear_line, tallygate
from conftest import testing_settings
from servers import ValkeyServer
from tallygate.app import Application
from tallygate.app.errors import StartError
from tallygate.domain.credential import mint_key
from tallygate_process import TallygateProcess
from tenants import Tenant, eventually

KEY = mint_key(b"starting".ljust(32))
CATALOG = {
    "currency": "USD",
    "features": {"calls": {"kind": "metered"}},
    "plans": {"p": {"version": 1, "entitlements": {"calls": {"limit": 1000}}}},
}


@pytest.fixture
def home():
    """A directory and a server in it, not started."""
    return TallygateProcess(directory=temporary_directory("tg-starting-"))


@asynccontextmanager
async def tenant_of(process):
    async with grpc.aio.insecure_channel(process.address) as channel:
        yield Tenant(channel, KEY)


def refuse(process, code, **environment):
    """Start a server that cannot start; what it says, in its one line."""
    changed = {**process.environment, **environment}
    return one_clear_line(tallygate("serve", environment=changed, directory=process.directory, code=code))


def processes_in(directory: Path):
    """Processes whose command line names this directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(directory) in words:
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize("setting", ["TALLYGATE_SERVER__GRPC_ADDRESS", "TALLYGATE_SERVER__ADMIN_ADDRESS"])
def test_a_port_in_use_is_said_in_one_line(home, setting):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        said = refuse(home, 3, **{setting: address})
    assert said == f"cannot listen on {address}: the port is in use; stop what uses it or choose another port"
    assert not processes_in(home.directory)  # nothing was left behind, its Valkey neither


def test_a_second_live_instance_on_the_same_data_is_refused(home):
    with home:
        ports = {
            "TALLYGATE_SERVER__GRPC_ADDRESS": f"127.0.0.1:{free_port()}",
            "TALLYGATE_SERVER__ADMIN_ADDRESS": f"127.0.0.1:{free_port()}",
        }
        said = refuse(home, 3, **ports)
        assert said.endswith("stop it or name another data directory")
        assert f"in use by a running Tallygate (pid {home.pid})" in said
        assert home.ready()


def test_a_directory_that_cannot_be_written_is_said_in_one_line(home, tmp_path):
    blocked = tmp_path / "file"
    blocked.touch()  # not a matter of permissions, which do not bind root
    said = refuse(home, 3, TALLYGATE_DATA_DIR=str(blocked / "data"))
    assert str(blocked / "data") in said
    assert "Not a directory" in said


def test_a_redis_that_does_not_answer_is_said_in_one_line(home):
    url = f"redis://:secret@127.0.0.1:{free_port()}"
    said = refuse(home, 3, TALLYGATE_REDIS__URL=url)
    assert "check redis.url (TALLYGATE_REDIS__URL)" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TALLYGATE_SERVER__GRPC_ADRESS", "127.0.0.1:1", "did you mean TALLYGATE_SERVER__GRPC_ADDRESS?"),
        ("TALLYGATE_SERVER__MAX_IN_FLIGHT", "many", "TALLYGATE_SERVER__MAX_IN_FLIGHT (env): "),
        ("TALLYGATE_ROLE", "everything", "TALLYGATE_ROLE (env): "),
        ("TALLYGATE_ROLE", "data", "redis.url (TALLYGATE_REDIS__URL): role data shares its Redis with others"),
        ("TALLYGATE_SERVER__TLS_KEY", "/k", "server.tls_key (TALLYGATE_SERVER__TLS_KEY): there is no certificate"),
        ("TALLYGATE_SERVER__ADMIN_TLS", "true", "expected server.tls_cert, too"),
        ("TALLYGATE_SERVER__TLS_CERT", "/absent", "server.tls_cert (TALLYGATE_SERVER__TLS_CERT): cannot read /absent"),
        ("TALLYGATE_SERVER__ADMIN_TOKEN_FILE", "/absent", "(TALLYGATE_SERVER__ADMIN_TOKEN_FILE): cannot read /absent"),
        ("TALLYGATE_SERVER__ADMIN_TOKEN_FILE", "/dev/null", "/dev/null holds no token: expected one word"),
        ("TALLYGATE_DATABASE__URL", "mysql://h/d", "database.url (TALLYGATE_DATABASE__URL): expected postgresql://"),
        ("TALLYGATE_SERVER__GRPC_ADDRESS", "nonsense", "want host:port, as 127.0.0.1:7420, or unix:/path"),
        ("TALLYGATE_SERVER__ADMIN_ADDRESS", "127.0.0.1:99999", "want host:port, as 127.0.0.1:7420, or unix:/path"),
    ],
)
def test_a_wrong_setting_is_the_caller_s_to_change(home, name, value, said):
    assert said in refuse(home, 2, **{name: value})


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("192.0.2.1:7420", "this machine has no such address"),
    ],
)
def test_an_address_that_cannot_be_had_is_said_in_one_line(home, address, said):
    changed = {"TALLYGATE_SERVER__GRPC_ADDRESS": address, "TALLYGATE_SERVER__TRANSPORT": "grpcio"}
    assert said in refuse(home, 3, **changed)


async def test_a_start_that_fails_leaves_no_connection_behind(tmp_path):
    key_file = tmp_path / "key"
    key_file.write_text("no key")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with pytest.raises(StartError, match="holds no API key"):
            await Application(testing_settings(tmp_path, bootstrap_key_file=key_file)).start()
        gc.collect()
    assert [str(warning.message) for warning in said] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"append_only": False}, "persistence: appendonly no, save off; without AOF a restart loses what was admitted"),
        ({"append_only": True, "options": ("--maxmemory-policy", "allkeys-lru")}, "eviction policy: allkeys-lru"),
    ],
)
def test_a_redis_that_forgets_is_refused_unless_a_setting_says_otherwise(home, options, said):
    with ValkeyServer(**options) as valkey:
        named = {"TALLYGATE_REDIS__URL": valkey.url, "TALLYGATE_TESTING": "false"}
        refused = refuse(home, 3, **named)
        assert f"Redis breaks a promise: {said}" in refused
        assert refused.endswith("to serve all the same: redis.promises=warn (TALLYGATE_REDIS__PROMISES)")
        home.environment |= {**named, "TALLYGATE_REDIS__PROMISES": "warn"}
        with home:
            assert said in home.log


def test_the_data_directory_is_its_owner_s_alone(home):
    with home:
        data = home.directory / "data"
        assert [stat.S_IMODE(path.stat().st_mode) for path in (data, data / "valkey")] == [0o700, 0o700]


@pytest.mark.parametrize("command", [("serve",), ("migrate",), ("tenant", "create", "a")])
def test_a_database_that_is_newer_than_the_program_says_so(home, command):
    data = home.directory / "data"
    data.mkdir()
    with closing(sqlite3.connect(data / "tallygate.db")) as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
        database.commit()
    said = one_clear_line(tallygate(*command, environment=home.environment, directory=home.directory, code=3))
    assert "has schema 9999, newer than this version's" in said
    assert said.endswith("run the version of Tallygate that made it, or a later one")


async def test_a_changed_file_takes_over_what_can_be_and_a_bad_one_changes_nothing(home):
    file, key_file = home.directory / "settings.yaml", home.directory / "listener.key"
    file.write_text("logging: {level: info}\n")
    key_file.write_text(KEY)
    home.environment |= {"TALLYGATE_CONFIG_FILE": str(file), "TALLYGATE_SERVER__LISTENER_KEY_FILE": str(key_file)}
    del home.environment["TALLYGATE_REDIS__READ_TIMEOUT"]
    refused = "tallygate_settings_refused 1.0"
    with home:
        async with grpc.aio.insecure_channel(home.address) as channel:
            nobody = Tenant(channel, None)  # acts as the listener's key
            await nobody.apply(CATALOG)
            await nobody.call("UpsertAccount", account_id="acme", plan_key="p")
            for text, said in (
                ("logging: {level: debug}\n", "the log level is debug"),
                ("logging: {level: loud}\n", "the settings are kept as they were: "),
            ):
                file.write_text(text)  # which is noticed
                await until(lambda said=said: said in home.log)
                assert home.ready()
            assert not home.admin("/ready")["checks"]["settings"]["ok"]
            assert refused in home.metrics()
            file.write_text("")  # as an editor leaves it for a moment
            os.kill(home.pid, signal.SIGHUP)
            await until(lambda: f"{file}: it is empty or gone" in home.log)
            good = home.directory / "good.yaml"
            good.write_text("logging: {level: error}\nredis: {read_timeout: 9s}\ncollector: {batch_size: 7}\n")
            others = home.environment | {"TALLYGATE_CONFIG_FILE": str(good)}
            done = tallygate("doctor", "-o", "json", environment=others, directory=home.directory, code=2)
            assert [each["name"] for each in json.loads(done.stdout) if not each["ok"]] == ["settings"]
            key_file.write_text(mint_key(b"another".ljust(32)))
            good.replace(file)
            await until(lambda: "from the next start on: collector.batch_size" in home.log)
            assert "changed: redis.read_timeout" in home.log
            assert home.admin("/ready")["checks"]["settings"]["ok"]
            assert refused not in home.metrics()
            assert [each.account_id for each in (await nobody.call("ListAccounts")).accounts] == []
            assert (await Tenant(channel, KEY).check("acme", "calls")).allowed
            told = home.log.count("settings were read again")
            os.kill(home.pid, signal.SIGHUP)
            await until(lambda: home.log.count("settings were read again") > told)


def test_several_migrate_one_sqlite_at_once(home):
    argv = [sys.executable, "-m", "tallygate", "migrate"]
    options = {"env": home.environment, "cwd": home.directory, "text": True}
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    running = [subprocess.Popen(argv, **both, **options) for _ in range(4)]
    said = [process.communicate(timeout=patience.SECONDS)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 4, said


def test_a_transport_that_cannot_be_is_refused_before_anything_is_made(home):
    said = refuse(home, 2, TALLYGATE_SERVER__TRANSPORT="native", TALLYGATE_SERVER__GRPC_ADDRESS="0.0.0.0:0")
    assert said.startswith("server.transport (TALLYGATE_SERVER__TRANSPORT): transport `native` cannot be used: ")
    assert not list(home.directory.glob("**/*.db"))


def test_a_named_database_is_not_migrated_by_a_start(home):
    database = home.directory / "other.db"
    said = refuse(home, 3, TALLYGATE_DATABASE__URL=f"sqlite:///{database}")
    assert "run `tallygate migrate`" in said


async def test_a_server_that_was_killed_finds_its_data_and_takes_its_orphan_over(home):
    """Its other process, which works on SQL, dies with it, and leaves nothing behind."""
    home.environment |= {"TALLYGATE_SERVER__APART": "true", "TMPDIR": str(home.directory)}
    home.start()
    assert list(home.directory.glob("tallygate-*"))
    async with tenant_of(home) as tenant:
        await tenant.apply(CATALOG)
        await tenant.call("UpsertAccount", account_id="acme", plan_key="p")
        assert (await tenant.consume("acme", "calls", 40, request_id="before")).used == 40
        await tenant.usage_reaches("acme", "calls", 40)
    home.kill()
    await until(lambda: not list(home.directory.glob("tallygate-*")))
    (orphan,) = processes_in(home.directory)
    home.start()
    assert orphan not in processes_in(home.directory)
    async with tenant_of(home) as tenant:
        again = await tenant.consume("acme", "calls", 40, request_id="before")
        assert (again.used, again.replayed) == (40, True)
        assert (await tenant.consume("acme", "calls", 2, request_id="after")).used == 42
        await tenant.usage_reaches("acme", "calls", 42)
    home.stop()
    assert not processes_in(home.directory)
    assert not list(home.directory.glob("tallygate-*"))


async def test_ctrl_c_leaves_no_process_and_the_data(home):
    home.start()
    home._process.popen.send_signal(signal.SIGINT)

    async def ended():
        return not home._process.alive

    await eventually(ended)
    assert home._process.popen.returncode == 0
    assert not processes_in(home.directory)
    assert (home.directory / "data" / "tallygate.db").exists()
