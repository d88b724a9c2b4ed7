"""What clients may do by their certificates, and what the file says that grants it."""

import pytest

from tallygate.app.client_file import read_clients
from tallygate.app.errors import UnusableSettingError
from tallygate.domain.credential import KeyRecord, Scope
from tallygate.domain.key_errors import CertificateMismatchError
from tallygate.server.calls.certified import Certified, ClientGrant
from tallygate.settings import ServerSettings, Settings

SHOP = ClientGrant(tenant_id="shop", scopes=frozenset({Scope.DATA}))
DESK = ClientGrant(tenant_id="shop", scopes=frozenset({Scope.CONTROL, Scope.READ_ONLY}))
CERTIFIED = Certified("secret", {"spiffe://prod/ns/shop/*": SHOP, "spiffe://prod/ns/shop/desk": DESK, "CN=Käse": SHOP})


def key(*scopes, tenant_id="shop"):
    return KeyRecord(key_id="k", tenant_id=tenant_id, scopes=frozenset(scopes))


@pytest.mark.parametrize(
    ("name", "grant"),
    [
        ("spiffe://prod/ns/shop/desk", DESK),  # what is said of it alone goes before what is said of all
        ("spiffe://prod/ns/shop/sa/api", SHOP),
        ("spiffe://prod/ns/shop", None),
        ("spiffe://prod/ns/shopping", None),
        ("CN=Käse", SHOP),
        ("CN=ns/shop/x", None),
    ],
)
def test_a_name_is_granted_by_itself_or_by_what_it_lies_below(name, grant):
    header = CERTIFIED.header(["other", name], "Bearer k")
    if grant is None:
        assert header == "Bearer k"
        assert CERTIFIED.read(header) is None
        return
    assert header.isascii()
    shown = CERTIFIED.read(header)
    assert (shown.name, shown.authorization) == (name, "Bearer k")
    record = CERTIFIED.record(shown.name)
    assert (record.tenant_id, record.scopes, record.name) == (grant.tenant_id, grant.scopes, name)


def test_only_who_knows_the_secret_speaks_for_certificates():
    header = CERTIFIED.header(["CN=Käse"], None)
    assert CERTIFIED.read(header).authorization is None
    assert Certified("another", CERTIFIED.grants).read(header) is None
    assert CERTIFIED.read("Certificate  CN=Käse ") is None


def test_beside_a_key_both_must_allow():
    desk, api = "spiffe://prod/ns/shop/desk", "spiffe://prod/ns/shop/api"
    assert CERTIFIED.both(key(Scope.DATA, Scope.CONTROL), desk).scopes == {Scope.CONTROL}
    assert CERTIFIED.both(key(Scope.SELF_SERVICE), desk).scopes == {Scope.SELF_SERVICE}
    assert CERTIFIED.both(key(Scope.SELF_SERVICE), api).scopes == frozenset()
    with pytest.raises(CertificateMismatchError):
        CERTIFIED.both(key(Scope.DATA, tenant_id="other"), api)
    with pytest.raises(CertificateMismatchError):
        CERTIFIED.both(key(Scope.DATA), "spiffe://prod/gone")


def settings(path, **more):
    return Settings(server=ServerSettings(tls_clients_file=path, **{"tls_client_ca": path, **more}))


def test_a_file_says_what_clients_may_do(tmp_path):
    path = tmp_path / "clients.yaml"
    path.write_text(
        "spiffe://prod/ns/shop/*: {tenant: shop, scopes: [data]}\n"
        '"CN=gateway,O=Acme\\\\, Inc":\n  tenant: shop\n  scopes: [control, read_only]\n'
    )
    assert read_clients(settings(path)) == {"spiffe://prod/ns/shop/*": SHOP, "CN=gateway,O=Acme\\, Inc": DESK}
    assert read_clients(Settings()) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: expected NAME: {tenant: ID, scopes: [data, control, read_only, billing, billing_read]}"),
        ("spiffe://*: {tenant: t, scopes: [data]}", ":1: expected spiffe://DOMAIN/PATH, spiffe://DOMAIN/*"),
        ("'*': {tenant: t, scopes: [data]}", "got '*'"),
        ("spiffe://a/*/b: {tenant: t, scopes: [data]}", "got 'spiffe://a/*/b'"),
        ("CN=a: {tenant: t, scopes: [data]}\nCN=a: {tenant: t, scopes: [data]}", ":2: CN=a comes twice"),
        ("CN=a: {tenant: t, scopes: [all]}", ":1: expected NAME: {tenant: ID"),
        ("CN=a: {tenant: t, scopes: [self_service]}", ":1: expected NAME: {tenant: ID"),
        ("CN=a: {tenant: t}", ":1: expected NAME: {tenant: ID"),
        ("CN=a: {tenant: t, scopes: [data], more: x}", ":1: expected NAME: {tenant: ID"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_with_its_line(tmp_path, text, said):
    path = tmp_path / "clients.yaml"
    path.write_text(text)
    with pytest.raises(UnusableSettingError, match=r"server\.tls_clients_file") as refused:
        read_clients(settings(path))
    assert said in str(refused.value)


def test_without_certificates_of_clients_there_is_nobody_to_grant_it_to(tmp_path):
    with pytest.raises(UnusableSettingError, match=r"expected server\.tls_client_ca, too"):
        read_clients(settings(tmp_path / "absent", tls_client_ca=None))
