"""gRPC and the admin port over TLS: who is let in, and certificates that are replaced under calls in flight."""

import asyncio
import contextlib
import http.client
import logging
import shutil
import ssl

import grpc
import pytest

from certificates import Authority
from collectors import until
from tallygate.domain.credential import Scope
from tallygate.server.calls.certified import Certified, ClientGrant
from tallygate.server.listeners import parse_address
from tallygate.server.operations.admin import AdminOptions, AdminServer, Check
from tallygate.server.operations.metrics import Metrics
from tallygate.server.tls import ServerTls, TlsError, TlsFiles
from tallygate.server.transport.transports import TransportOptions
from tallygate_api.v1 import entitlement_service_pb2 as wire
from tallygate_api.v1.entitlement_service_pb2_grpc import EntitlementServiceStub
from tenants import reason_of

REQUEST = wire.CheckEntitlementRequest(account_id="a", feature_key="f")


@pytest.fixture
def kind():
    """The one transport that speaks TLS."""
    return "grpcio"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def certificates(authority):
    """By name; `server` is replaced by `next`."""
    return {name: authority.issue(name) for name in ("server", "next", "client")}


@pytest.fixture
def files(certificates, tmp_path):
    """The files that a server is told of."""
    put(certificates["server"], tmp_path)
    return TlsFiles(cert=tmp_path / "tls.crt", key=tmp_path / "tls.key")


def put(certificate, directory):
    shutil.copyfile(certificate.key, directory / "tls.key")
    shutil.copyfile(certificate.cert, directory / "tls.crt")


@contextlib.asynccontextmanager
async def channel(server, roots, client=None):
    credentials = grpc.ssl_channel_credentials(
        roots.cert.read_bytes(), *((client.key.read_bytes(), client.cert.read_bytes()) if client else ())
    )
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.secure_channel(server.transport.addresses[0].target, credentials, options=options) as opened:
        yield EntitlementServiceStub(opened)


async def ask(stub, server):
    return await stub.CheckEntitlement(REQUEST, metadata=server.metadata(), timeout=60)


async def test_calls_are_answered_over_tls_and_not_without(start, files, authority):
    server = await start(options=TransportOptions(tls=ServerTls(files)))
    async with channel(server, authority) as stub:
        assert (await ask(stub, server)).decision.allowed
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await EntitlementServiceStub(server.channel).CheckEntitlement(REQUEST, metadata=server.metadata(), timeout=60)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")  # that it is old is the point
@pytest.mark.parametrize(("newest", "spoken"), [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
async def test_tls_is_1_2_or_newer(start, files, authority, newest, spoken):
    server = await start(options=TransportOptions(tls=ServerTls(files)))
    context = ssl.create_default_context(cafile=authority.cert)
    context.set_alpn_protocols(["h2"])
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion[newest]
    with contextlib.nullcontext() if spoken else pytest.raises((ssl.SSLError, ConnectionError)):
        _, writer = await asyncio.open_connection("127.0.0.1", server.transport.addresses[0].port, ssl=context)
        assert writer.get_extra_info("ssl_object").version() == newest.replace("_", ".")
        writer.close()


async def test_only_clients_with_a_certificate_of_the_authority_are_let_in(
    start, files, authority, certificates, tmp_path
):
    stranger = Authority(tmp_path, "stranger")
    tls = ServerTls(TlsFiles(cert=files.cert, key=files.key, client_ca=authority.cert))
    server = await start(options=TransportOptions(tls=tls))
    async with channel(server, authority, certificates["client"]) as stub:
        assert (await ask(stub, server)).decision.allowed
    for client in (None, stranger.issue("other")):
        async with channel(server, authority, client) as stub:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await ask(stub, server)
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_certificate_stands_in_for_a_key_and_a_key_counts_no_further_than_it(start, files, authority):
    spiffe, subject = "spiffe://prod/ns/shop/sa/api", "/O=Acme, Inc/CN=gateway"
    api = authority.issue("api", names=f"URI:{spiffe}")
    gateway = authority.issue("gateway", subject=subject)
    grants = {
        "spiffe://prod/ns/shop/*": ClientGrant(tenant_id="shop", scopes=frozenset({Scope.DATA})),
        "CN=gateway,O=Acme\\, Inc": ClientGrant(tenant_id="demo", scopes=frozenset({Scope.READ_ONLY})),
    }
    certified = Certified("secret", grants)
    tls = ServerTls(TlsFiles(cert=files.cert, key=files.key, client_ca=authority.cert))
    server = await start(options=TransportOptions(tls=tls, certified=certified))
    server.authenticator.certified = certified
    async with channel(server, authority, api) as stub:
        assert (await stub.CheckEntitlement(REQUEST, timeout=60)).decision.allowed
        assert server.use_cases.asked[-1][0] == "shop"
        assert await refusal(ask(stub, server)) == "CERTIFICATE_MISMATCH"  # a key of `demo`
        forged = (("authorization", "Certificate wrong spiffe://prod/ns/shop/sa/api "),)
        assert await refusal(stub.CheckEntitlement(REQUEST, metadata=forged, timeout=60)) == "UNAUTHENTICATED"
    async with channel(server, authority, gateway) as stub:
        consume = wire.ConsumeQuotaRequest(account_id="a", feature_key="f", request_id="r")
        assert (await stub.CheckEntitlement(REQUEST, timeout=60)).decision.allowed
        assert await refusal(stub.ConsumeQuota(consume, timeout=60)) == "SCOPE_MISSING"
        assert await refusal(stub.ConsumeQuota(consume, metadata=server.metadata(), timeout=60)) == "SCOPE_MISSING"
    async with channel(server, authority, authority.issue("nameless")) as stub:
        assert (await ask(stub, server)).decision.allowed
        assert await refusal(stub.CheckEntitlement(REQUEST, timeout=60)) == "UNAUTHENTICATED"


async def refusal(call):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return reason_of(refused.value)


async def serial(port, authority, alpn):
    """Of the certificate that a new connection is shown."""
    context = ssl.create_default_context(cafile=authority.cert)
    context.set_alpn_protocols([alpn])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        return writer.get_extra_info("peercert")["serialNumber"]
    finally:
        writer.close()


async def test_certificates_are_replaced_without_a_lost_call(start, files, authority, certificates, caplog):
    server = await start(options=TransportOptions(tls=ServerTls(files)))
    port, replaced, answered = server.transport.addresses[0].port, asyncio.Event(), 0

    async def caller(*, anew):
        """Calls on one connection, or on a new one each time; none may fail."""
        nonlocal answered
        while not replaced.is_set():
            async with channel(server, authority) as stub:
                await ask(stub, server)
                while not anew and not replaced.is_set():
                    await ask(stub, server)
                    answered += 1

    callers = [asyncio.create_task(caller(anew=anew)) for anew in (False, False, True)]
    try:
        first = await serial(port, authority, "h2")
        with caplog.at_level(logging.INFO, "tallygate.server.tls"):
            shutil.copyfile(certificates["next"].key, files.key)  # the certificate is still the old one: no pair
            assert await serial(port, authority, "h2") == first
            assert await serial(port, authority, "h2") == first
            files.cert.unlink()
            assert await serial(port, authority, "h2") == first
            put(certificates["next"], files.cert.parent)
            assert await serial(port, authority, "h2") != first
        done = answered
        await until(lambda: answered >= done + 50)
    finally:
        replaced.set()
        await asyncio.gather(*callers)
    told = [record.message for record in caplog.records if record.name == "tallygate.server.tls"]
    assert [line.startswith("the certificate in use is kept: cannot ") for line in told] == [True, True, False]
    assert all("\n" not in line for line in told)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"cert": "absent"}, "cannot read .*absent: No such file"),
        ({"key": "absent"}, "cannot read .*absent: No such file"),
        ({"key": "garbage"}, "cannot use .*tls.crt with .*garbage: expected a certificate and its key"),
        ({"client_ca": "garbage"}, "cannot use .*garbage: expected certificates in PEM form"),
    ],
)
def test_files_that_cannot_be_used_are_one_line(files, tmp_path, broken, said):
    (tmp_path / "garbage").write_text("garbage")
    named = {"cert": files.cert, "key": files.key} | {name: tmp_path / path for name, path in broken.items()}
    with pytest.raises(TlsError, match=said) as refused:
        ServerTls(TlsFiles(**named))
    assert "\n" not in str(refused.value)


@pytest.fixture
async def admin(files):
    """An admin port with TLS and a token, which a test may change."""
    token = {"is": "secret"}

    async def readiness():
        return {"redis": Check(ok=False, detail="why not")}

    options = AdminOptions(tls=ServerTls(files), token=lambda: token["is"])
    server = AdminServer(parse_address("127.0.0.1:0"), metrics=Metrics(), readiness=readiness, options=options)
    await server.start()
    yield server, token
    await server.stop()


async def get(server, path, authority, token=None):
    def fetch():
        context = ssl.create_default_context(cafile=authority.cert)
        link = http.client.HTTPSConnection(server.address.host, server.address.port, timeout=60, context=context)
        link.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = link.getresponse()
        body = answer.read().decode()
        link.close()
        return answer.status, body

    return await asyncio.to_thread(fetch)


async def test_the_admin_port_shows_more_than_yes_or_no_to_who_has_the_token(admin, authority):
    server, token = admin
    assert await get(server, "/live", authority) == (200, "live\n")
    assert await get(server, "/ready", authority) == (503, '{"ready":false}')
    status, body = await get(server, "/ready", authority, "secret")
    assert (status, "why not" in body) == (503, True)
    assert (await get(server, "/metrics", authority, "secret"))[0] == 200
    for wrong in (None, "", "secre", "secret2", "Bearer"):
        status, body = await get(server, "/metrics", authority, wrong)
        assert (status, "server.admin_token_file" in body) == (401, True)
    token["is"] = "another"
    assert (await get(server, "/metrics", authority, "secret"))[0] == 401
    assert (await get(server, "/metrics", authority, "another"))[0] == 200
    token["is"] = ""  # its file cannot be read
    assert (await get(server, "/metrics", authority, "another"))[0] == 401


async def test_the_admin_port_shows_the_new_certificate_too(admin, files, authority, certificates):
    server, _ = admin
    first = await serial(server.address.port, authority, "http/1.1")
    put(certificates["next"], files.cert.parent)
    assert await serial(server.address.port, authority, "http/1.1") != first
    assert (await get(server, "/metrics", authority, "secret"))[0] == 200
