"""What a command says arrives whole: no id is folded, what cannot be written is a failure, and no effect is lost."""

import json
import os
import pty
import subprocess
import sys

import grpc
import pytest

from contract.cli.fake_server import Refuse
from tallygate_api.v1.account_service_pb2 import Account, ListAccountsResponse
from tallygate_api.v1.api_key_service_pb2 import ApiKey, CreateApiKeyResponse
from tallygate_api.v1.decision_pb2 import Decision, Reason
from tallygate_api.v1.entitlement_service_pb2 import CheckEntitlementResponse, ConsumeQuotaResponse
from tallygate_api.v1.usage_service_pb2 import CloudEvent, FollowEventsResponse

SECONDS = 180
LONG = "a-very-long-account-id-" + "x" * 200
DENIED = Decision(feature_key="api_calls", reason=Reason.REASON_NOT_IN_PLAN)


@pytest.fixture
def spawn(server, home):
    """Start a command line as a process of its own, on the fake server."""
    environment = {"PATH": os.environ["PATH"], "TALLYGATE_ADDRESS": server.address, "TALLYGATE_API_KEY": "tg_test"}  # noqa: TID251 - a child's

    def start(words, stdout, closed=""):
        argv = ["sh", "-c", f'exec "$0" -m tallygate {words} {closed}', sys.executable]
        return subprocess.Popen(argv, cwd=home, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True)

    return start


@pytest.fixture
def full():
    """A place where nothing can be written."""
    with open("/dev/full", "w") as stream:  # noqa: PTH123 - as a shell opens it
        yield stream


def test_a_consume_whose_answer_cannot_be_written_says_how_to_ask_again(server, spawn, full):
    server.answers["ConsumeQuota"] = ConsumeQuotaResponse(decision=DENIED)
    child = spawn("consume acme api_calls", stdout=full)
    _, err = child.communicate(timeout=SECONDS)
    (request,) = server.asked("ConsumeQuota")
    assert child.returncode == 3
    assert err.splitlines() == [
        f"request_id: {request.request_id}",
        "error: standard output cannot be written (No space left on device): the answer is lost",
        f"hint: it was decided: retry with --request-id {request.request_id} to be answered again, and it happens once",
    ]


@pytest.mark.parametrize(
    ("words", "method", "field"),
    [
        ("grant create acme api_calls 5", "CreateGrant", "grant_id"),
        ("override create acme sso --enabled", "CreateOverride", "override_id"),
    ],
)
def test_what_would_be_made_twice_has_an_id_before_it_is_made(server, spawn, full, words, method, field):
    child = spawn(words, stdout=full)
    _, err = child.communicate(timeout=SECONDS)
    identity = getattr(server.asked(method)[0], field)
    assert child.returncode == 3
    assert err.splitlines()[0] == f"{field}: {identity}"
    assert f"retry with --id {identity} to be answered again" in err


def test_in_json_every_document_on_standard_error_is_one(server, spawn, full):
    child = spawn("consume acme api_calls -o json", stdout=full)
    _, err = child.communicate(timeout=SECONDS)
    first, rest = err.split("\n", 1)
    assert json.loads(first) == {"request_id": server.asked("ConsumeQuota")[0].request_id}
    assert "standard output cannot be written" in json.loads(rest)["message"]


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_key_that_cannot_be_printed_is_revoked_again(server, spawn, full, output):
    server.answers["CreateApiKey"] = CreateApiKeyResponse(key="tg_secret", api_key=ApiKey(key_id="k1"))
    child = spawn(f"key create ci --scope data -o {output}", stdout=full)
    _, err = child.communicate(timeout=SECONDS)
    assert child.returncode == 3
    assert "the key k1 was revoked, for nobody has it" in err
    assert "tg_secret" not in err
    assert [request.key_id for request in server.asked("RevokeApiKey")] == ["k1"]


def test_a_key_is_not_even_made_where_there_is_no_output(server, spawn):
    child = spawn("key create ci --scope data", stdout=None, closed=">&-")
    _, err = child.communicate(timeout=SECONDS)
    assert (child.returncode, err) == (3, "error: standard output is closed: the answer would be lost\n")
    assert server.requests == []


@pytest.mark.parametrize("words", ["consume acme api_calls", "check acme sso -o json", "grant create acme api_calls 5"])
def test_nothing_is_asked_where_the_answer_could_not_be_said(server, spawn, words):
    child = spawn(words, stdout=None, closed=">&-")
    _, err = child.communicate(timeout=SECONDS)
    assert child.returncode == 3
    assert "standard output is closed: the answer would be lost" in err
    assert server.requests == []


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full"])
def test_nothing_is_taken_where_its_new_id_cannot_be_said(server, spawn, closed):
    child = spawn("consume acme api_calls", stdout=subprocess.PIPE, closed=closed)
    out, _ = child.communicate(timeout=SECONDS)
    assert (child.returncode, out, server.requests) == (3, "", [])
    named = spawn("consume acme api_calls --request-id r1", stdout=subprocess.PIPE, closed=closed)
    named.communicate(timeout=SECONDS)
    assert server.asked("ConsumeQuota")[0].request_id == "r1"


@pytest.mark.parametrize("words", ["account list", "account list -o json", "settings show", "--help", "events list"])
@pytest.mark.usefixtures("server")
def test_output_that_fails_is_exit_code_3(spawn, full, words):
    child = spawn(words, stdout=full)
    _, err = child.communicate(timeout=SECONDS)
    assert child.returncode == 3
    assert "No space left on device" in err
    assert "Traceback" not in err
    assert "Exception ignored" not in err


@pytest.mark.parametrize(
    ("words", "closed", "code"),
    [
        ("catalog validate catalog.yaml", "2>&-", 0),
        ("account import accounts.jsonl", "2>&-", 3),
        ("account list --key-file nowhere", "2>&-", 2),
        ("catalog validate -", "<&-", 2),
        ("catalog validate catalog.yaml", "<&- 2>&-", 0),
    ],
)
def test_a_stream_that_is_closed_is_no_defect(server, spawn, home, words, closed, code):
    server.answers["ImportAccounts"] = Refuse(grpc.StatusCode.UNAVAILABLE, "Gone.", "SHUTTING_DOWN")
    (home / "catalog.yaml").write_text("schema: tallygate.catalog.v1\ncurrency: USD\n")
    (home / "accounts.jsonl").write_text('{"account_id": "a"}\n')
    child = spawn(words, stdout=subprocess.PIPE, closed=closed)
    _, err = child.communicate(timeout=SECONDS)
    assert child.returncode == code
    assert "a defect" not in err


def test_a_record_is_a_line_when_piped(server, say):
    server.answers["ListAccounts"] = ListAccountsResponse(accounts=[Account(account_id=LONG), Account(account_id="b")])
    said = say("account", "list")
    assert said.out.splitlines()[1].split() == [LONG, "-", "-", "-"]
    assert said.out.splitlines()[2].split() == ["b", "-", "-", "-"]


def test_cells_line_up_by_what_a_terminal_shows(server, say):
    server.answers["ListAccounts"] = ListAccountsResponse(
        accounts=[Account(account_id="日本"), Account(account_id="a\u0301b"), Account(account_id="ab\ncd")]
    )
    assert say("account", "list").out.splitlines() == [
        "ACCOUNT  PLAN  STATE  ENDS",
        "日本     -     -      -",
        "a\u0301b       -     -      -",
        "ab\ufffdcd    -     -      -",
    ]


def test_sentences_are_wrapped_on_a_terminal_alone(server, spawn):
    key = "feature-" + "x" * 80
    denied = Decision(feature_key=key, reason=Reason.REASON_NOT_IN_PLAN)
    server.answers["CheckEntitlement"] = CheckEntitlementResponse(decision=denied)
    child = spawn("check acme api_calls", stdout=subprocess.PIPE)
    piped, _ = child.communicate(timeout=SECONDS)
    assert piped.count("\n") == 1
    master, slave = pty.openpty()
    child = spawn("check acme api_calls", stdout=slave)
    os.close(slave)
    child.wait(SECONDS)
    shown = os.read(master, 4096).decode()
    os.close(master)
    child.stderr.close()
    assert len(shown.splitlines()) > 1
    assert key in shown  # wrapped, and never torn


def test_following_ends_when_its_reader_leaves(server, spawn):
    """`events follow | head -1`: the next event may never come, so that no write would notice."""
    server.answers["FollowEvents"] = [FollowEventsResponse(event=CloudEvent(sequence=7)), "wait"]
    child = spawn("events follow -o json", stdout=subprocess.PIPE)
    assert json.loads(child.stdout.readline())["sequence"] == "7"
    child.stdout.close()
    child.stdout = None
    _, err = child.communicate(timeout=SECONDS)
    assert (child.returncode, err) == (0, "")


@pytest.mark.usefixtures("server")
def test_a_list_whose_reader_leaves_ends_quietly(server, spawn):
    server.answers["ListAccounts"] = ListAccountsResponse(accounts=[Account(account_id="x" * 200)] * 5000)
    child = spawn("account list", stdout=subprocess.PIPE)
    child.stdout.close()
    child.stdout = None
    _, err = child.communicate(timeout=SECONDS)
    assert (child.returncode, err) == (3, "")
