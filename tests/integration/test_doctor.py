"""What `tallygate doctor` finds on installations that are badly configured, each with its fix."""

import json
import sqlite3
import time
from contextlib import closing

import pytest
from redis import Redis

from child_processes import free_port, temporary_directory
from command_line import one_clear_line, tallygate
from servers import ValkeyServer
from tallygate.storage.embedded.directory import DataDirectory
from tallygate.storage.redis.keys import clock, epoch
from tallygate_process import TallygateProcess

NOTICED_SECONDS = 60.0
BAD = ("--maxmemory-policy", "allkeys-lru")


def diagnose(process, code, **environment):
    """The findings by name, and the exit code as expected."""
    changed = {**process.environment, **environment}
    done = tallygate("doctor", "-o", "json", environment=changed, directory=process.directory, code=code)
    assert "Traceback" not in done.stderr
    return {finding["name"]: finding for finding in json.loads(done.stdout)}


def ills(findings):
    """What needs fixing; each says how."""
    found = {name for name, finding in findings.items() if not finding["ok"]}
    assert all(findings[name]["fix"] for name in found)
    return found


@pytest.fixture
def installation():
    """An installation that has run on a Valkey with these options: the options, then its process, stopped."""
    servers = []

    def begin(*options, append_only=True):
        valkey = ValkeyServer(append_only=append_only, options=options).start()
        servers.append(valkey)
        process = TallygateProcess(environment={"TALLYGATE_REDIS__URL": valkey.url})
        with process:
            pass
        return valkey, process

    yield begin
    for server in servers:
        server.close()


def test_a_healthy_installation_has_nothing_to_fix(installation):
    _, process = installation()
    findings = diagnose(process, 0)
    assert not ills(findings)
    assert findings.keys() == {
        "database",
        "database encoding",
        "database writes",
        "schema version",
        "subscribed plans",
        "billing jobs",
        "other jobs",
        "failing jobs",
        "unrated usage",
        "charged usage",
        "ledger",
        "deliveries",
        "redis",
        "writes",
        "eviction policy",
        "persistence",
        "clock skew",
        "epoch",
        "partition clocks",
    }
    for name in ("billing jobs", "other jobs", "failing jobs", "unrated usage", "deliveries"):
        assert "test tenants are not counted" in findings[name]["detail"]
    assert findings["epoch"]["detail"] == "64 of 64 partitions count"


def test_role_data_is_told_of_redis_alone(installation):
    """Its machine may have no database, and one that lies about there is none of its own."""
    valkey, process = installation()
    data = {"TALLYGATE_ROLE": "data", "TALLYGATE_DATABASE__URL": "postgresql://nobody@127.0.0.1:1/none"}
    findings = diagnose(process, 0, **data)
    assert findings.keys() == {
        "database", "redis", "writes", "eviction policy", "persistence", "clock skew", "epoch", "partition clocks",
    }  # fmt: skip
    assert "none of its own" in findings["database"]["detail"]
    assert findings["epoch"]["detail"] == "64 of 64 partitions count"
    valkey.command("FLUSHALL")
    findings = diagnose(process, 2, **data)
    assert ills(findings) == {"epoch"}
    assert findings["epoch"]["detail"] == "0 of 64 partitions count"


def test_why_a_database_cannot_be_used_is_said_and_none_is_made_by_looking(installation):
    _, process = installation()
    found = diagnose(process, 2, TALLYGATE_DATABASE__URL="postgresql://nobody@127.0.0.1:1/none")
    assert found["database"]["detail"] == "cannot be used: nobody listens there"
    assert "the database and its schema" in found["epoch"]["fix"]
    other = process.directory / "other.db"
    found = diagnose(process, 2, TALLYGATE_DATABASE__URL=f"sqlite:///{other}")
    assert str(other) in found["schema version"]["detail"]
    assert not other.exists()
    missing = str(process.directory / "no-such-file")
    found = diagnose(process, 2, TALLYGATE_REDIS__PASSWORD_FILE=missing)
    assert found["redis"]["fix"] == "correct redis.password_file"


def test_a_valkey_that_evicts_and_forgets_is_found(installation):
    _, process = installation(*BAD, append_only=False)
    findings = diagnose(process, 2)
    assert ills(findings) == {"eviction policy", "persistence"}
    assert findings["eviction policy"]["detail"].startswith("allkeys-lru;")
    assert findings["eviction policy"]["fix"].startswith("CONFIG SET maxmemory-policy noeviction")
    assert findings["persistence"]["detail"].startswith("appendonly no,")
    assert findings["persistence"]["fix"].startswith("CONFIG SET appendonly yes")


def test_a_valkey_that_takes_no_writes_is_found(installation):
    valkey, process = installation()
    valkey.command("CONFIG", "SET", "min-replicas-to-write", "1")
    findings = diagnose(process, 2)
    assert ills(findings) == {"writes"}
    assert findings["writes"]["detail"].startswith("NOREPLICAS")
    valkey.command("CONFIG", "SET", "min-replicas-to-write", "0")
    valkey.command("REPLICAOF", "127.0.0.1", "1")
    findings = diagnose(process, 2)
    assert ills(findings) == {"redis"}
    assert "READONLY" in findings["redis"]["detail"]


def test_partition_clocks_that_a_jump_left_ahead_are_found(installation):
    valkey, process = installation()
    seconds = int(valkey.command("TIME")[0])
    for partition in range(3):
        valkey.command("SET", clock(partition), (seconds + 40 * 86_400) * 1_000_000)
    findings = diagnose(process, 2)
    assert ills(findings) == {"partition clocks"}
    assert findings["partition clocks"]["detail"].startswith("3 of 64 are ahead of Redis' clock, by 34")


def test_the_fix_that_it_names_heals(installation):
    valkey, process = installation(*BAD, append_only=False)
    for finding in diagnose(process, 2).values():
        if not finding["ok"]:
            valkey.command(*finding["fix"].partition(",")[0].split())
    assert not ills(diagnose(process, 0))


def test_a_lost_epoch_is_found(installation):
    valkey, process = installation()
    valkey.command("FLUSHALL")
    findings = diagnose(process, 2)
    assert ills(findings) == {"epoch"}
    assert findings["epoch"]["detail"] == "0 of 64 partitions count"
    assert "`tallygate migrate --accept-loss`" in findings["epoch"]["fix"]
    run = {"environment": process.environment, "directory": process.directory}
    assert "64 partitions count again" in tallygate("migrate", "--accept-loss", **run).stdout
    assert not ills(diagnose(process, 0))


def test_a_loss_is_made_good_beside_the_server_whose_valkey_lost_it():
    """The embedded one, too, and where its socket's path is too long to lie in the data directory."""
    directory = temporary_directory("tg-doctor-") / ("deep" * 30)
    directory.mkdir()
    process = TallygateProcess(directory=directory)
    run = {"environment": process.environment, "directory": directory}
    said = one_clear_line(tallygate("migrate", "--accept-loss", **run, code=3))
    assert "is not running: start the server" in said
    with process:
        assert not ills(diagnose(process, 0))
        with Redis(unix_socket_path=str(DataDirectory(directory / "data" / "valkey").recorded_socket)) as valkey:
            valkey.flushall()
            deadline = time.monotonic() + NOTICED_SECONDS
            while not all((valkey.get(epoch(number)) or b"!")[:1] != b"!" for number in range(64)):
                assert time.monotonic() < deadline
                time.sleep(0.05)
        assert "0 partitions count again" in tallygate("migrate", "--accept-loss", **run).stdout
        assert "0 repaired, 0 differ" in tallygate("audit", "usage", "--repair", **run).stdout
        findings = diagnose(process, 0)
        assert not ills(findings)
        assert "the counters of 64 partitions were lost and rebuilt" in findings["rebuilt"]["detail"]
        assert "0 were set right (0 units), 0 differ" in findings["counters"]["detail"]


def test_another_schema_version_is_found_and_migrated():
    process = TallygateProcess(directory=temporary_directory("tg-doctor-"))
    run = {"environment": process.environment, "directory": process.directory}
    findings = diagnose(process, 2)
    assert ills(findings) == {"schema version"}
    assert findings["schema version"]["detail"].startswith("none, this version needs ")
    tallygate("migrate", **run)
    assert not ills(diagnose(process, 0))
    with closing(sqlite3.connect(process.directory / "data" / "tallygate.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '0001'")
        database.commit()
    findings = diagnose(process, 2)
    assert findings["schema version"]["detail"].startswith("0001, this version needs ")
    assert findings["schema version"]["fix"] == "run `tallygate migrate`"


def test_stores_that_cannot_be_reached_are_findings_themselves():
    process = TallygateProcess(directory=temporary_directory("tg-doctor-"))
    unreachable = {
        "TALLYGATE_REDIS__URL": f"redis://127.0.0.1:{free_port()}",
        "TALLYGATE_DATABASE__URL": f"postgresql://nobody@127.0.0.1:{free_port()}/none",
    }
    findings = diagnose(process, 2, **unreachable)
    assert ills(findings) == {"redis", "database"}
    assert "TALLYGATE_REDIS__URL" in findings["redis"]["fix"]
    assert "TALLYGATE_DATABASE__URL" in findings["database"]["fix"]


def test_a_finding_is_a_line_when_piped(installation):
    _, process = installation(*BAD, append_only=False)
    run = {"environment": process.environment, "directory": process.directory}
    text = tallygate("doctor", **run, code=2).stdout
    assert "FIX  eviction policy: allkeys-lru" in text
    assert "fix: CONFIG SET maxmemory-policy noeviction" in text
    assert all(line.startswith(("ok   ", "FIX  ", "fix: ")) for line in text.splitlines())
