import json

import pytest

from tallygate.cli.client import write_context
from tallygate_api.v1.account_service_pb2 import Account, ListAccountsResponse

CONTEXT = {"key": "tg_context", "key_id": "k1", "tenant": "demo"}


def key_sent(server):
    return server.metadata[-1].get("authorization")


def context(home, address):
    path = home / ".tallygate" / "context.json"
    write_context(path, {"server": address, **CONTEXT})
    return path


@pytest.fixture(autouse=True)
def _nobody_at_the_default_address(monkeypatch):
    """Whoever runs a server at home is not asked."""
    monkeypatch.setattr("tallygate.cli.client.DEFAULT_ADDRESS", "127.0.0.1:1")


def test_the_context_file_is_found_and_only_its_owner_can_read_it(home, server, say, monkeypatch):
    monkeypatch.delenv("TALLYGATE_ADDRESS")
    monkeypatch.delenv("TALLYGATE_API_KEY")
    path = context(home, server.address)
    assert path.stat().st_mode & 0o777 == 0o600
    assert say("account", "list").code == 0
    assert key_sent(server) == "Bearer tg_context"
    elsewhere = path.rename(home / "other.json")
    assert say("account", "list").code == 3
    monkeypatch.setenv("TALLYGATE_CONTEXT_FILE", str(elsewhere))
    assert say("account", "list").code == 0


def test_the_context_file_is_found_from_further_down_if_it_is_the_users_own(home, server, say, monkeypatch):
    monkeypatch.delenv("TALLYGATE_ADDRESS")
    monkeypatch.delenv("TALLYGATE_API_KEY")
    context(home, server.address)
    below = home / "src" / "app"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert say("account", "list").code == 0
    assert key_sent(server) == "Bearer tg_context"
    monkeypatch.setattr("os.getuid", lambda: 4242)
    assert say("account", "list").code == 3, "another user's file leads nowhere"


def test_the_contexts_key_is_sent_to_no_other_server(home, server, say, monkeypatch):
    monkeypatch.delenv("TALLYGATE_API_KEY")
    context(home, "127.0.0.1:1")
    assert say("account", "list").code == 0
    assert key_sent(server) is None
    context(home, server.address)
    assert say("account", "list").code == 0
    assert key_sent(server) == "Bearer tg_context"


def test_flags_before_environment_before_context(home, server, say, monkeypatch):
    context(home, server.address)
    assert say("account", "list").code == 0
    assert key_sent(server) == "Bearer tg_test"
    (home / "key").write_text("tg_file\n")
    assert say("account", "list", "--key-file", home / "key").code == 0
    assert key_sent(server) == "Bearer tg_file"
    assert say("account", "list", "--key", "tg_flag").code == 0
    assert key_sent(server) == "Bearer tg_flag"
    monkeypatch.setenv("TALLYGATE_ADDRESS", "127.0.0.1:1")
    assert say("account", "list", "--server", server.address).code == 0


def test_a_broken_context_file_is_one_line(home, say):
    (home / ".tallygate").mkdir()
    (home / ".tallygate" / "context.json").write_text("{")
    said = say("account", "list")
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert "remove it, or start `tallygate dev` again" in said.err


def test_all_pages_of_a_list_are_one_answer(server, say):
    first = ListAccountsResponse(accounts=[Account(account_id="a")], next_page_token="t")
    server.answers["ListAccounts"] = [first, ListAccountsResponse(accounts=[Account(account_id="b")])]
    said = say("account", "list", "-o", "json")
    assert [account["account_id"] for account in said.json()["accounts"]] == ["a", "b"]
    assert [request.page_token for request in server.asked("ListAccounts")] == ["", "t"]


def test_a_limit_ends_a_list(server, say):
    server.answers["ListAccounts"] = ListAccountsResponse(accounts=[Account(account_id="a")], next_page_token="t")
    said = say("account", "list", "--limit", 2, "-o", "json")
    assert len(said.json()["accounts"]) == 2
    assert [request.page_size for request in server.asked("ListAccounts")] == [2, 1]


def test_what_others_wrote_cannot_break_the_terminal(server, say):
    server.answers["ListAccounts"] = ListAccountsResponse(accounts=[Account(account_id="a\x1b[31m" + "x" * 255)])
    said = say("account", "list")
    assert "\x1b" not in said.out
    assert len(said.out.splitlines()) == 2
    assert json.loads(say("account", "list", "-o", "json").out)["accounts"][0]["account_id"].startswith("a\x1b")
