import json
from pathlib import Path

import grpc
import pytest

from contract.cli.fake_server import Refuse
from tallygate_api.v1.account_service_pb2 import UpsertAccountResponse
from tallygate_api.v1.subscription_pb2 import Subscription
from tallygate_api.v1.subscription_service_pb2 import GetSubscriptionResponse

EXAMPLE = Path(__file__).parents[3] / "examples" / "accounts.jsonl"


@pytest.fixture
def file(home):
    path = home / "accounts.jsonl"
    path.write_text("".join(f'{{"account_id": "a{n}"}}\n' for n in range(40)))
    return path


def ids(server):
    return sorted(request.account_id for request in server.asked("UpsertAccount"))


def all_ids(count=40):
    return sorted(f"a{n}" for n in range(count))


def test_every_line_is_one_account(file, server, say):
    said = say("account", "import", file)
    assert (said.code, said.out, said.err) == (0, "imported 40 accounts, 0 failed\n", "")
    assert ids(server) == all_ids()
    assert not file.with_name("accounts.jsonl.progress").exists()


def test_the_demo_accounts_bring_subscriptions(server, say):
    assert say("account", "import", EXAMPLE).code == 0
    plans = {r.account_id: (r.plan_key, r.HasField("trial_days")) for r in server.asked("CreateSubscription")}
    assert plans == {
        "globex": ("free", False),
        "acme": ("pro", True),
        "initech": ("enterprise", False),
        "hooli": ("pro", False),
    }


def test_importing_again_changes_nothing(server, say):
    server.answers["CreateSubscription"] = Refuse(
        grpc.StatusCode.FAILED_PRECONDITION, "There is one.", "SUBSCRIPTION_CONFLICT"
    )
    server.answers["GetSubscription"] = lambda request: GetSubscriptionResponse(
        subscription=Subscription(
            plan_key={"acme": "pro", "hooli": "pro", "globex": "free"}.get(request.account_id, "x")
        )
    )
    said = say("account", "import", EXAMPLE)
    assert said.code == 2
    assert said.err.splitlines()[0] == f"error: {EXAMPLE}:3: There is one."
    assert said.out == "imported 3 accounts, 1 failed\n"


@pytest.mark.usefixtures("server")
def test_lines_that_are_refused_are_told_and_the_rest_goes_on(file, say):
    lines = file.read_text().splitlines()
    lines[3] = '{"account_id": "a3", "plan": "pro"}'
    lines[5] = "{"
    lines[7] = "[]"
    lines.insert(9, "")
    file.write_text("\n".join(lines))
    said = say("account", "import", file)
    assert said.code == 2
    told = [line.split(": ")[1] for line in said.err.splitlines()[:3]]
    assert told == [f"{file}:4", f"{file}:6", f"{file}:8"]
    assert '"plan"' in said.err
    assert said.out == "imported 37 accounts, 3 failed\n"
    again = say("account", "import", file, "-o", "json")
    assert again.json() == {"imported": 37, "failed": 3, "resumed": 0, "problems": again.json()["problems"]}


def test_an_import_that_was_interrupted_goes_on(file, server, say):
    gone = Refuse(grpc.StatusCode.UNAVAILABLE, "Gone.", "SHUTTING_DOWN")
    server.answers["UpsertAccount"] = [*[UpsertAccountResponse()] * 20, gone]
    said = say("account", "import", file)
    assert said.code == 3
    assert "run the same command again to go on from here" in said.err
    saved = json.loads(file.with_name("accounts.jsonl.progress").read_text())
    assert (saved["lines"], saved["imported"]) == (20, 20)

    before = len(server.requests)
    server.answers["UpsertAccount"] = UpsertAccountResponse()
    said = say("account", "import", file)
    assert (said.code, said.out) == (0, "imported 20 accounts, 20 by the run before, 0 failed\n")
    assert sorted(request.account_id for _, request in server.requests[before:]) == sorted(
        f"a{n}" for n in range(20, 40)
    )
    assert not file.with_name("accounts.jsonl.progress").exists()


@pytest.mark.parametrize("why", ["another beginning", "another server", "rubbish", "asked to"])
def test_an_import_starts_over_when_it_is_not_the_same(file, server, say, why):
    progress = file.with_name("accounts.jsonl.progress")
    server.answers["UpsertAccount"] = [*[UpsertAccountResponse()] * 16, Refuse(grpc.StatusCode.INTERNAL, "No.")]
    assert say("account", "import", file).code == 3
    saved = json.loads(progress.read_text())
    if why == "another beginning":
        file.write_text(file.read_text().replace('"a0"', '"b0"'))
    elif why == "another server":
        progress.write_text(json.dumps({**saved, "server": "other:1"}))
    elif why == "rubbish":
        progress.write_text("{")
    server.requests.clear()
    server.answers.clear()
    assert say("account", "import", file, *(["--restart"] if why == "asked to" else [])).code == 0
    assert len(ids(server)) == 40


def test_a_key_that_is_refused_stops_the_import(file, server, say):
    server.answers["UpsertAccount"] = Refuse(grpc.StatusCode.UNAUTHENTICATED, "No.", "KEY_REVOKED")
    said = say("account", "import", file)
    assert said.code == 2
    assert len(ids(server)) <= 4


def test_an_account_that_comes_twice_is_sent_in_order(home, server, say):
    path = home / "twice.jsonl"
    path.write_text('{"account_id": "a", "metadata": {"n": "1"}}\n{"account_id": "a", "metadata": {"n": "2"}}\n')
    assert say("account", "import", path).code == 0
    assert [request.metadata["n"] for request in server.asked("UpsertAccount")] == ["1", "2"]


def test_a_file_that_is_not_there_is_one_line(say):
    said = say("account", "import", "nowhere.jsonl")
    assert (said.code, said.err.count("\n")) == (2, 1)
