"""`tallygate dev` as a stranger meets it: real processes, real stores, and our own command line as the client."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from child_processes import ChildProcess, free_port, temporary_directory

READY = "Ctrl-C stops it"
SECONDS = 90.0
EXAMPLE = Path(__file__).parents[3] / "examples" / "catalog.yaml"


class Dev:
    """One `tallygate dev` in a directory of its own."""

    def __init__(self, home):
        self.home = home
        self.ports = (free_port(), free_port())
        self.log = home / "log"
        self.child = None

    def argv(self, *words):
        grpc, admin = self.ports
        listen = ("--listen", f"127.0.0.1:{grpc}", "--admin", f"127.0.0.1:{admin}")
        return [sys.executable, "-m", "tallygate", "dev", *listen, *words]

    def start(self):
        self.log.unlink(missing_ok=True)
        self.child = ChildProcess(self.argv(), log=self.log, cwd=self.home)
        wait_for(lambda: READY in self.said() or not self.child.alive)
        assert READY in self.said(), self.said()
        return self

    def try_to_start(self, *words):
        """Start one that cannot, and return how it ended."""
        return subprocess.run(
            self.argv(*words), cwd=self.home, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    def said(self):
        return self.log.read_text() if self.log.exists() else ""

    def processes(self):
        """Every process that works in this directory or names it."""
        found = set()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace")
                where = str((entry / "cwd").readlink())
            except OSError:
                continue
            if str(self.home) in words or where.startswith(str(self.home)):
                found.add(int(entry.name))
        return found - {os.getpid()}

    def context(self):
        return json.loads((self.home / ".tallygate" / "context.json").read_text())


def wait_for(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def stop_all(dev):
    if dev.child is not None and dev.child.alive:
        dev.child.end(signal.SIGINT)
    for process in dev.processes():
        os.kill(process, signal.SIGKILL)


@pytest.fixture(scope="module")
def world():
    dev = Dev(temporary_directory("tg-dev-")).start()
    yield dev
    stop_all(dev)


@pytest.fixture
def own():
    dev = Dev(temporary_directory("tg-dev-"))
    yield dev
    stop_all(dev)


@pytest.fixture
def ask(world, say, monkeypatch):
    monkeypatch.chdir(world.home)
    return say


def test_it_prints_addresses_key_and_calls_that_work(world, ask, monkeypatch):
    said = world.said()
    context = world.context()
    assert f"gRPC   {context['server']}" in said
    assert f"key    {context['key']}" in said
    assert (world.home / ".tallygate" / "context.json").stat().st_mode & 0o777 == 0o600
    indented = [line[2:] for line in said.splitlines() if line.startswith("  ")]
    calls = [line for line in indented if "tallygate check" in line or " consume " in line or " ratelimit " in line]
    assert [ask(*shlex.split(call)[1:]).code for call in calls] == [1, 0, 0]
    monkeypatch.chdir(world.home)
    code = "\n".join(indented[indented.index("import grpc") :])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert "allowed: true" in done.stdout, done.stderr


def test_the_demo_accounts_hold_their_plans(ask):
    listed = ask("account", "list", "-o", "json").json()["accounts"]
    held = {a["account_id"]: (a["subscription"]["plan_key"], a["subscription"]["state"][19:]) for a in listed}
    assert {name: held[name] for name in ("acme", "globex", "hooli", "initech")} == {
        "acme": ("pro", "ACTIVE"),
        "globex": ("free", "ACTIVE"),
        "hooli": ("pro", "TRIALING"),
        "initech": ("enterprise", "ACTIVE"),
    }


def test_the_three_calls(ask):
    said = ask("check", "globex", "sso")
    assert said.code == 1
    assert " ".join(said.out.split()) == (
        "denied: sso is not in the plan; add-on sso-addon or plan enterprise would allow it"
    )
    decision = ask("consume", "globex", "api_calls", 1001, "-o", "json").json()["decision"]
    assert (decision["allowed"], decision["reason"]) == (False, "REASON_QUOTA_EXHAUSTED")
    assert ask("consume", "globex", "api_calls", 2, "--request-id", "three-calls").code == 0
    again = ask("consume", "globex", "api_calls", 2, "--request-id", "three-calls", "-o", "json").json()["decision"]
    assert again["replayed"] is True
    reused = ask("consume", "globex", "api_calls", 3, "--request-id", "three-calls", "-o", "json")
    assert (reused.code, reused.error()["details"][0]["reason"]) == (2, "REQUEST_ID_REUSED")
    assert ask("ratelimit", "globex", "api_rps").code == 0
    assert ask("ratelimit", "globex", "api_rps", "--cost", 6).code == 1
    assert ask("check", "nobody", "sso").code == 1
    assert ask("check", "globex", "ssso").code == 2


def test_what_was_consumed_becomes_usage_and_an_event(ask):
    assert ask("consume", "initech", "api_calls", 7, "--request-id", "usage-1", "--dimension", "region=eu").code == 0

    def events():
        return ask("events", "list", "--account", "initech", "-o", "json").json()["events"]

    wait_for(events)
    (event,) = events()
    assert event["data"]["request_id"] == "usage-1"
    assert event["data"]["quantity"] == "7"
    assert event["specversion"] == "1.0"
    rows = ask("usage", "initech", "--feature", "api_calls", "-o", "json").json()["rows"]
    assert [row["quantity"] for row in rows] == ["7"]
    grouped = ask("usage", "initech", "--feature", "api_calls", "--group-by", "region", "-o", "json").json()["rows"]
    assert [(row["group"], row["quantity"]) for row in grouped] == [("eu", "7")]


def test_events_are_followed_until_ctrl_c(world, ask):
    log = world.home / "follow.log"
    argv = [sys.executable, "-m", "tallygate", "events", "follow", "--account", "hooli", "-o", "json"]
    child = ChildProcess(argv, log=log, cwd=world.home)
    try:
        for number in range(2):
            assert ask("consume", "hooli", "api_calls", "--request-id", f"follow-{number}").code == 0
            wait_for(lambda wanted=number + 1: len(log.read_text().splitlines()) == wanted)
    finally:
        child.end(signal.SIGINT)
    assert child.popen.returncode == 0
    assert [json.loads(line)["data"]["request_id"] for line in log.read_text().splitlines()] == ["follow-0", "follow-1"]


def test_an_export_applied_again_changes_nothing(world, ask):
    path = world.home / "export.yaml"
    path.write_text(ask("catalog", "export").out)
    assert ask("catalog", "apply", path).out == "nothing changes\n"
    assert ask("catalog", "diff", EXAMPLE, "--prune").out == "nothing would change\n"


def test_an_edited_version_is_a_conflict_with_its_line_and_a_raised_one_is_published(world, ask):
    path = world.home / "edited.yaml"
    text = EXAMPLE.read_text()
    edited = text.replace(
        "{enabled: true}\n      retention_days: {number: 365}", "{enabled: true}\n      retention_days: {number: 400}"
    )
    assert edited != text
    path.write_text(edited)
    said = ask("catalog", "apply", path)
    assert said.code == 2
    line = text[: text.index("  enterprise:\n")].count("\n") + 1
    assert said.err.startswith(f"error: {path}:{line}: ")
    path.write_text(edited.replace("  enterprise:\n    version: 2", "  enterprise:\n    version: 3"))
    said = ask("catalog", "diff", path)
    assert said.out.startswith("~ plans.enterprise")
    assert "1 subscription stays on an older version of enterprise" in said.out
    assert ask("catalog", "apply", path, "--migrate", "now").code == 0
    decision = ask("check", "initech", "retention_days", "--value", "400", "-o", "json").json()["decision"]
    assert decision["allowed"]


def test_wrong_figures_are_refused_by_the_server_with_line_and_path(world, ask):
    path = world.home / "wrong.yaml"
    text = EXAMPLE.read_text()
    path.write_text(text.replace("default_plan: free ", "default_plan: fre "))
    said = ask("catalog", "apply", path)
    assert said.code == 2
    line = text[: text.index("default_plan:")].count("\n") + 1
    assert f"{path}:{line}: default_plan: expected" in said.err


def test_accounts_with_all_that_they_hold(ask):
    odd = "ada+x@acme/ü 1"
    assert ask("account", "upsert", odd, "--plan", "free", "--user", "u1", "--metadata", "crm=7").code == 0
    assert ask("account", "show", odd, "-o", "json").json()["account"]["metadata"] == {"crm": "7"}
    assert ask("seat", "assign", odd, "seats", "u1").code == 0
    assert ask("check", odd, "seats", "--user", "u1").code == 0
    assert [seat["user_id"] for seat in ask("seat", "list", odd, "-o", "json").json()["seats"]] == ["u1"]
    assert ask("seat", "unassign", odd, "seats", "u1").out == "u1 no longer holds a seat of seats\n"
    assert ask("grant", "create", odd, "api_calls", 500, "--id", "g1").code == 0
    granted = ask("check", odd, "api_calls", "--quantity", 1500, "-o", "json")
    assert granted.code == 0, granted.out
    assert ask("grant", "revoke", odd, "g1").code == 0
    assert ask("check", odd, "api_calls", "--quantity", 1500).code == 1
    assert ask("override", "create", odd, "sso", "--enabled", "--id", "o1").code == 0
    assert ask("check", odd, "sso").code == 0
    assert ask("override", "delete", odd, "o1").code == 0
    assert ask("check", odd, "sso").code == 1
    assert ask("override", "delete", odd, "o1").code == 2


def test_a_subscription_through_its_life(ask):
    assert ask("account", "upsert", "life").code == 0
    assert ask("subscription", "create", "life", "pro", "--trial-days", 3, "--add-on", "api-pack=2").code == 0
    assert ask("subscription", "extend", "life", "--trial-end", "2200-01-01").code == 0
    assert ask("subscription", "change-plan", "life", "enterprise").code == 0
    assert ask("check", "life", "sso").code == 0
    assert ask("subscription", "change-plan", "life", "free", "--when", "now").code == 0
    assert ask("subscription", "add-on", "life", "sso-addon").code == 0
    assert ask("check", "life", "sso").code == 0
    assert ask("subscription", "state", "life", "suspended").code == 0
    assert "suspended" in ask("check", "life", "sso").out
    assert ask("subscription", "state", "life", "active").code == 0
    assert ask("subscription", "cancel", "life").code == 0
    assert "canceled" in ask("subscription", "show", "life").out
    assert ask("subscription", "extend", "life", "--end", "2200-01-01").code == 0
    assert "life" in ask("subscription", "list", "--account", "life").out
    assert ask("subscription", "create", "life", "pro").code == 2


def test_a_cancellation_is_taken_back(ask):
    assert ask("account", "upsert", "back", "--plan", "pro").code == 0
    assert ask("subscription", "cancel", "back").code == 0
    said = ask("subscription", "extend", "back", "--without-end", "-o", "json")
    assert said.code == 0
    assert "end_time" not in said.json()["subscription"]


def test_an_import_runs_twice(world, ask):
    path = world.home / "many.jsonl"
    path.write_text("".join(f'{{"account_id": "import-{n}", "plan_key": "free"}}\n' for n in range(50)))
    assert ask("account", "import", path).out == "imported 50 accounts, 0 failed\n"
    assert ask("account", "import", path).out == "imported 50 accounts, 0 failed\n"
    assert ask("check", "import-49", "api_calls").code == 0


def test_keys_are_minted_scoped_and_revoked(ask):
    made = ask("key", "create", "gateway", "--scope", "data", "-o", "json").json()
    key = made["key"]
    wait_for(lambda: ask("check", "acme", "sso", "--key", key).code == 1)
    missing = ask("account", "list", "--key", key, "-o", "json")
    assert (missing.code, missing.error()["details"][0]["reason"]) == (2, "SCOPE_MISSING")
    assert key not in ask("key", "list").out
    assert ask("key", "revoke", made["api_key"]["key_id"]).code == 0
    revoked = time.monotonic()
    wait_for(lambda: ask("check", "acme", "sso", "--key", key).code == 2)
    assert time.monotonic() - revoked < 10  # two seconds, on a machine that does other things, too


def test_doctor_is_content(ask):
    said = ask("doctor", "-o", "json")
    assert said.code == 0, said.out


def test_webhooks_can_be_tried_for_the_secrets_of_gateways_are_sealed_with_a_key_of_its_own(world, ask):
    key = world.home / ".tallygate" / "master.key"
    assert key.stat().st_mode & 0o777 == 0o600
    (world.home / "hook.txt").write_text("s3cret")
    assert "webhook_secret" in ask("payment", "gateway", "fake", "--secret", "webhook_secret=hook.txt").out
    assert "s3cret" not in ask("payment", "gateway", "-o", "json").out


def test_a_second_instance_is_refused_and_leaves_the_first_alone(world, ask):
    key = world.context()["key"]
    refused = world.try_to_start("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    assert refused.returncode == 3
    assert refused.stderr.count("\n") == 1
    assert refused.stderr.startswith("error: ")
    assert world.context()["key"] == key
    assert ask("account", "show", "acme").code == 0


def test_ctrl_c_leaves_no_process_and_the_next_start_finds_the_data(own, say, monkeypatch):
    own.start()
    monkeypatch.chdir(own.home)
    assert say("consume", "acme", "api_calls", 5).code == 0
    first = own.context()["key"]
    own.child.end(signal.SIGINT)
    assert own.child.popen.returncode == 0
    assert own.processes() == set()
    own.start()
    assert own.context()["key"] != first
    assert say("check", "acme", "api_calls", "-o", "json").json()["decision"]["used"] == "5"
    wait_for(lambda: say("check", "acme", "sso", "--key", first).code == 2)


def test_after_kill_9_the_next_start_takes_over(own, say, monkeypatch):
    own.start()
    monkeypatch.chdir(own.home)
    assert say("consume", "acme", "api_calls", 5).code == 0
    own.child.end(signal.SIGKILL)
    own.start()
    assert say("check", "acme", "api_calls", "-o", "json").json()["decision"]["used"] == "5"
    own.child.end(signal.SIGTERM)
    assert own.child.popen.returncode == 0
    assert own.processes() == set()


def test_a_port_in_use_is_one_line_and_leaves_no_process(own):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", own.ports[0]))
        taken.listen()
        refused = own.try_to_start()
    assert refused.returncode == 3
    assert refused.stderr.count("\n") == 1
    assert "in use" in refused.stderr
    assert own.processes() == set()


def test_a_directory_that_cannot_be_written_is_one_line(own):
    (own.home / "file").touch()
    refused = own.try_to_start("--data-dir", "file/data")
    assert refused.returncode == 2
    assert refused.stderr == "error: cannot write to file/data: Not a directory; name another by --data-dir\n"


def test_a_data_directory_elsewhere_comes_with_the_line_that_finds_it(own, say, monkeypatch):
    own.child = ChildProcess(own.argv("--data-dir", "elsewhere"), log=own.log, cwd=own.home)
    wait_for(lambda: READY in own.said() or not own.child.alive)
    [line] = [line.strip() for line in own.said().splitlines() if line.startswith("  export ")]
    name, _, value = line.removeprefix("export ").partition("=")
    monkeypatch.setenv(name, value)
    assert say("check", "globex", "api_calls").code == 0
