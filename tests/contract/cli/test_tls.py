"""The command line over TLS: named by flags, the environment or the context file."""

import grpc
import pytest

from certificates import Authority
from contract.cli.fake_server import FakeServer
from tallygate.cli.client import write_context


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """Who signs, a server's certificate, and a client's."""
    authority = Authority(tmp_path_factory.mktemp("pki"))
    return authority, authority.issue("server"), authority.issue("client")


@pytest.fixture
def secure(pki, monkeypatch):
    """Lets in only who has a certificate."""
    authority, certificate, _ = pki
    pairs = [(certificate.key.read_bytes(), certificate.cert.read_bytes())]
    credentials = grpc.ssl_server_credentials(pairs, authority.cert.read_bytes(), require_client_auth=True)
    fake = FakeServer(credentials)
    monkeypatch.setenv("TALLYGATE_ADDRESS", fake.address)
    monkeypatch.setenv("TALLYGATE_API_KEY", "tg_test")
    yield fake
    fake.stop()


def flags(authority, client):
    return "--tls-ca", authority.cert, "--tls-cert", client.cert, "--tls-key", client.key


def test_by_flags(pki, secure, say):
    authority, _, client = pki
    assert say("account", "list", *flags(authority, client)).code == 0
    assert secure.metadata[-1]["authorization"] == "Bearer tg_test"


@pytest.mark.usefixtures("secure")
def test_by_the_environment(pki, say, monkeypatch):
    authority, _, client = pki
    for name, path in (("CA", authority.cert), ("CERT", client.cert), ("KEY", client.key)):
        monkeypatch.setenv(f"TALLYGATE_TLS_{name}", str(path))
    assert say("account", "list").code == 0


def test_by_the_context_file_for_its_own_server_alone(pki, secure, say, home, monkeypatch):
    authority, _, client = pki
    monkeypatch.delenv("TALLYGATE_ADDRESS")
    tls = {"tls_ca": str(authority.cert), "tls_cert": str(client.cert), "tls_key": str(client.key)}
    context = home / ".tallygate" / "context.json"
    write_context(context, {"server": secure.address, **tls})
    assert say("account", "list").code == 0
    monkeypatch.setenv("TALLYGATE_ADDRESS", secure.address)
    write_context(context, {"server": "127.0.0.1:1", **tls})
    assert say("account", "list").code == 3


@pytest.mark.parametrize("given", [(), ("--tls-ca", "system"), ("--tls-ca", "CA")])
def test_a_handshake_that_fails_is_told_from_a_server_that_is_not_there(pki, secure, say, given):
    said = say("account", "list", *(pki[0].cert if word == "CA" else word for word in given))
    assert said.code == 3
    assert secure.address in said.err
    assert "Traceback" not in said.err
    assert "--tls-ca" in said.err  # by a hint where the server only hangs up, as TLS 1.3 does without a certificate
    if "system" in given:
        assert "over TLS: it speaks none, or one side does not accept the other" in said.err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--tls-ca", "absent"), "--tls-ca: cannot read absent: No such file"),
        (("--tls-ca", "garbage"), "--tls-ca: garbage is not in PEM form"),
        (("--tls-ca", "system", "--tls-key", "garbage"), "--tls-key: a key needs its certificate"),
        (("--tls-cert", "garbage"), "--tls-cert: garbage is not in PEM form"),
    ],
)
def test_files_that_cannot_be_used_are_one_line(secure, say, home, given, told):
    (home / "garbage").write_text("garbage")
    said = say("account", "list", *given)
    assert said.code == 2
    assert told in said.err
    assert said.err.count("\n") == 1
    assert secure.requests == []
