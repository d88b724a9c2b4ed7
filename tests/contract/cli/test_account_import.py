import json
from pathlib import Path

import grpc
import pytest

from contract.cli.fake_server import Refuse
from tallygate_api.v1.account_service_pb2 import ImportAccountsOutcome, ImportAccountsResponse
from tallygate_api.v1.decision_pb2 import ErrorStatus

COUNT = 240
"""Lines of the file: two full calls and a part of one."""
EXAMPLE = Path(__file__).parents[3] / "examples" / "accounts.jsonl"


@pytest.fixture
def file(home):
    path = home / "accounts.jsonl"
    path.write_text("".join(f'{{"account_id": "a{n}"}}\n' for n in range(COUNT)))
    return path


@pytest.fixture(autouse=True)
def _takes_all(server):
    server.answers["ImportAccounts"] = taken


def taken(request):
    return ImportAccountsResponse(outcomes=[ImportAccountsOutcome(created=True)] * len(request.items))


def items(server):
    return [item for request in server.asked("ImportAccounts") for item in request.items]


def ids(server):
    return sorted(item.account.account_id for item in items(server))


def all_ids():
    return sorted(f"a{n}" for n in range(COUNT))


def test_every_line_is_one_account(file, server, say):
    said = say("account", "import", file)
    assert (said.code, said.out, said.err) == (0, "imported 240 accounts, 0 failed\n", "")
    assert ids(server) == all_ids()
    assert not file.with_name("accounts.jsonl.progress").exists()


def test_the_demo_accounts_bring_subscriptions(server, say):
    assert say("account", "import", EXAMPLE).code == 0
    held = [item.subscription for item in items(server)]
    plans = {each.account_id: (each.plan_key, each.HasField("trial_days")) for each in held}
    assert plans == {
        "globex": ("free", False),
        "acme": ("pro", True),
        "initech": ("enterprise", False),
        "hooli": ("pro", False),
    }


def test_what_the_server_refuses_is_told_by_line(server, say):
    refused = ImportAccountsOutcome(error=ErrorStatus(message="There is one."))
    field = ImportAccountsOutcome(error=ErrorStatus(message="no", metadata={"field": "plan_key", "expected": "a plan"}))
    created = ImportAccountsOutcome(created=True)
    server.answers["ImportAccounts"] = ImportAccountsResponse(outcomes=[created, field, refused, created])
    said = say("account", "import", EXAMPLE)
    assert said.code == 2
    told = [f"error: {EXAMPLE}:2: plan_key: expected a plan", f"error: {EXAMPLE}:3: There is one."]
    assert said.err.splitlines()[:2] == told
    assert said.out == "imported 2 accounts, 2 failed\n"


def test_a_call_that_is_refused_is_made_again_by_halves(file, server, say):
    def but_one(request):
        if any(item.account.account_id == "a77" for item in request.items):
            return Refuse(grpc.StatusCode.RESOURCE_EXHAUSTED, "Too large.")
        return taken(request)

    server.answers["ImportAccounts"] = but_one
    said = say("account", "import", file)
    told = f"the message is larger than the server at {server.address} takes (server.max_message_bytes)"
    assert said.err.splitlines()[0] == f"error: {file}:78: {told}"
    assert said.out == "imported 239 accounts, 1 failed\n"


def test_an_answer_that_is_short_of_outcomes_stops_the_import(file, server, say):
    server.answers["ImportAccounts"] = ImportAccountsResponse()
    said = say("account", "import", file)
    assert (said.code, said.err.splitlines()[0]) == (3, "error: the server answered 0 outcomes for 100 accounts")


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
    assert "plan: unknown key; did you mean plan_key?" in said.err
    assert said.out == "imported 237 accounts, 3 failed\n"
    again = say("account", "import", file, "-o", "json")
    assert again.json() == {"imported": 237, "failed": 3, "resumed": 0, "problems": again.json()["problems"]}


def test_an_import_that_was_interrupted_goes_on(file, server, say):
    gone = Refuse(grpc.StatusCode.UNAVAILABLE, "Gone.", "SHUTTING_DOWN")
    server.answers["ImportAccounts"] = [taken, taken, gone]
    said = say("account", "import", file)
    assert said.code == 3
    assert "run the same command again to go on from here" in said.err
    saved = json.loads(file.with_name("accounts.jsonl.progress").read_text())
    assert (saved["lines"], saved["imported"]) == (200, 200)

    before = len(server.requests)
    server.answers["ImportAccounts"] = taken
    said = say("account", "import", file)
    assert (said.code, said.out) == (0, "imported 40 accounts, 200 by the run before, 0 failed\n")
    sent = [item.account.account_id for _, request in server.requests[before:] for item in request.items]
    assert sent == [f"a{n}" for n in range(200, 240)]
    assert not file.with_name("accounts.jsonl.progress").exists()


@pytest.mark.parametrize("why", ["another beginning", "another server", "rubbish", "asked to"])
def test_an_import_starts_over_when_it_is_not_the_same(file, server, say, why):
    progress = file.with_name("accounts.jsonl.progress")
    server.answers["ImportAccounts"] = [taken, Refuse(grpc.StatusCode.INTERNAL, "No.")]
    assert say("account", "import", file).code == 3
    saved = json.loads(progress.read_text())
    if why == "another beginning":
        file.write_text(file.read_text().replace('"a0"', '"b0"'))
    elif why == "another server":
        progress.write_text(json.dumps({**saved, "server": "other:1"}))
    elif why == "rubbish":
        progress.write_text("{")
    server.requests.clear()
    server.answers["ImportAccounts"] = taken
    assert say("account", "import", file, *(["--restart"] if why == "asked to" else [])).code == 0
    assert len(ids(server)) == COUNT


def test_a_key_that_is_refused_stops_the_import(file, server, say):
    server.answers["ImportAccounts"] = Refuse(grpc.StatusCode.UNAUTHENTICATED, "No.", "KEY_REVOKED")
    said = say("account", "import", file)
    assert said.code == 2
    assert len(server.asked("ImportAccounts")) == 1


def test_an_account_that_comes_twice_is_sent_in_order(home, server, say):
    path = home / "twice.jsonl"
    path.write_text('{"account_id": "a", "metadata": {"n": "1"}}\n{"account_id": "a", "metadata": {"n": "2"}}\n')
    assert say("account", "import", path).code == 0
    asked = server.asked("ImportAccounts")
    assert [[item.account.metadata["n"] for item in request.items] for request in asked] == [["1"], ["2"]]


def test_a_file_that_is_not_there_is_one_line(say):
    said = say("account", "import", "nowhere.jsonl")
    assert (said.code, said.err.count("\n")) == (2, 1)


LINES = {
    b'{"account_id": "a", "account_id": "b"}': "the key 'account_id' comes twice",
    b'{"accountId": "a", "account_id": "b"}': "the key 'account_id' comes twice",
    b'{"account_id": "a", "metadata": {"k": "1", "k": "2"}}': "the key 'k' comes twice",
    b'{"account_id": "a", "subscription": {"plan_key": "p", "plan_key": "q"}}': "the key 'plan_key' comes twice",
    b'\xef\xbb\xbf{"account_id": "a"}': "it begins with a byte order mark; save it as UTF-8 without one",
    '{"account_id": "a"}'.encode("utf-16-le").replace(b"\n", b""): "the line holds NUL; save it as UTF-8 text",
    b'{"account_id": "a\xff"}': "the line is not UTF-8; save it as UTF-8",
    b'{"account_id": "a", "metadata": {"k": NaN}}': "NaN is no JSON",
    b"[" * 100_000: "the line is nested too deeply",
    b'{"account_id": "a", "subscription": []}': "subscription: expected an object, got []",
    b'{"account_id": "a", "subscription": {"trial_days": ' + b"9" * 500 + b"}}": "a number of 500 digits is too large",
    b'{"account_id": "a", "subscription": {"trial_days": 99999999999}}': "subscription.trial_days: expected a whole",
    b'{"account_id": "\\ud800"}': 'account_id: expected a text in UTF-8, got "\\ud800"',
    b'{"account_id": "a", "plan": "p"}': "plan: unknown key; did you mean plan_key?",
    b'{"account_id": "a", "user_ids": "u"}': 'user_ids: expected a list, got "u"',
    b'{"account_id": "a", "user_ids": ["u", 5]}': "user_ids[1]: expected a text in UTF-8, got 5",
    b'{"account_id": "a", "metadata": {"k": true}}': "metadata.k: expected a text in UTF-8, got true",
    b'{"account_id": "a", "subscription": {"start_time": "2026-13"}}': "subscription.start_time: expected an instant",
    b'{"account_id": "a", "subscription": {"add_ons": [{"addOn": 1}]}}': "subscription.add_ons[0].addOn: unknown key",
    b'"text"': "a line holds one JSON object",
    b"{": "the line is no JSON from column",
    b"x" * (17 * 1024 * 1024): "the line is longer than 16 MiB",
}


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_a_line_that_is_none_stops_no_other(home, server, say, line):
    path = home / "some.jsonl"
    path.write_bytes(b'{"account_id": "first"}\n' + line + b'\n\n{"account_id": "last"}\n')
    said = say("account", "import", path)
    assert said.code == 2
    assert said.out == "imported 2 accounts, 1 failed\n"
    told, summary = said.err.splitlines()
    assert told.startswith(f"error: {path}:2: {LINES[line]}")
    assert len(told) < 500
    assert summary == f"error: 1 line of {path} refused; correct what is wrong and import the file again"
    assert ids(server) == ["first", "last"]


def test_a_subscription_of_another_account_is_sent_as_it_says(home, server, say):
    """The server refuses it, as it refuses it over gRPC; one that names no account is its line's."""
    path = home / "two.jsonl"
    path.write_text(
        '{"account_id": "a", "subscription": {"account_id": "other", "plan_key": "p"}}\n'
        '{"account_id": "b", "subscription": {"plan_key": "p"}}\n'
    )
    say("account", "import", path)
    (asked,) = server.asked("ImportAccounts")
    assert [item.subscription.account_id for item in asked.items] == ["other", "b"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_file_in_another_encoding_is_refused_once(home, server, say, encoding):
    path = home / "notepad.jsonl"
    mark = "\ufeff" if encoding.endswith("be") else ""  # the other codec writes its own
    path.write_bytes((mark + '{"account_id": "a"}\n').encode(encoding))
    said = say("account", "import", path)
    assert (said.code, said.err) == (2, f"error: {path}:1: it is UTF-16; save it as UTF-8\n")
    assert server.requests == []
