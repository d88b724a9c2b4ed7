"""What listeners show and ask for, as the settings say: certificates, and the admin port's token."""

from typing import TYPE_CHECKING

from tallygate.app.errors import UnusableSettingError
from tallygate.app.key_files import read_key
from tallygate.server.http_server import HttpOptions, HttpServer
from tallygate.server.listeners import parse_address
from tallygate.server.operations.admin import AdminOptions, AdminServer, Readiness, Scraped
from tallygate.server.operations.metrics import Metrics
from tallygate.server.tls import ServerTls, TlsError, TlsFiles
from tallygate.settings import Settings
from tallygate.settings.texts import UnreadableError, read_text

if TYPE_CHECKING:
    from tallygate.server.hooks.webhooks import Hearing

_HOOK_BACKLOG = 64
_HOOK_CONNECTIONS = 128
_HOOK_SECONDS = 10.0
"""How long a webhook may take to be there whole."""


def server_tls(settings: Settings) -> ServerTls | None:
    """The certificates that gRPC is served with; None where it is served without TLS.

    Raises:
        UnusableSettingError: they cannot be used, or what needs them is set without them.
    """
    server = settings.server
    if server.tls_cert is None:
        needing = {"tls_key": server.tls_key, "tls_client_ca": server.tls_client_ca, "admin_tls": server.admin_tls}
        needing["http_tls"] = server.http_tls
        for name in (name for name, value in needing.items() if value):
            problem = "there is no certificate: expected server.tls_cert, too"
            raise UnusableSettingError(problem, key=f"server.{name}")
        return None
    if server.transport == "native":
        problem = "native speaks no TLS, for it never listens beyond this machine: expected auto or grpcio"
        raise UnusableSettingError(problem, key="server.transport")
    try:
        return ServerTls(TlsFiles(cert=server.tls_cert, key=server.tls_key, client_ca=server.tls_client_ca))
    except TlsError as error:
        blamed = {"tls_client_ca": server.tls_client_ca, "tls_key": server.tls_key}
        words = str(error).split(maxsplit=2)[2]
        name = next((name for name, path in blamed.items() if path and words.startswith(f"{path}:")), "tls_cert")
        raise UnusableSettingError(error, key=f"server.{name}") from error


def admin_server(settings: Settings, *, metrics: Scraped, readiness: Readiness) -> AdminServer:
    """The admin port, not started yet.

    Raises:
        UnusableSettingError: as `server_tls`, or the file of its token cannot be used.
    """
    server = settings.server
    path = server.admin_token_file

    def token() -> str:
        try:
            return "" if path is None else read_text(path).strip()
        except UnreadableError:  # while it is replaced: nobody is let in
            return ""

    options = AdminOptions(tls=server_tls(settings) if server.admin_tls else None, token=token if path else None)
    return AdminServer(parse_address(server.admin_address), metrics=metrics, readiness=readiness, options=options)


def hook_server(settings: Settings, hearing: "Hearing", metrics: Metrics) -> HttpServer:
    """The listener for gateways' webhooks, not started yet.

    Raises:
        UnusableSettingError: as `server_tls`.
    """
    from tallygate.server.hooks.webhooks import HookCounts, hook_application  # noqa: PLC0415 - loads billing

    counts = HookCounts()
    counts.show(metrics)
    options = HttpOptions(
        tls=server_tls(settings) if settings.server.http_tls else None,
        backlog=_HOOK_BACKLOG,
        most_connections=_HOOK_CONNECTIONS,
        whole_within=_HOOK_SECONDS,
    )
    return HttpServer(parse_address(settings.server.http_address), hook_application(hearing, counts), options)


def require_token(settings: Settings) -> None:
    """Make sure that the admin port's token can be used, where one is named.

    Raises:
        UnusableSettingError: its file cannot be read, or holds none.
    """
    path = settings.server.admin_token_file
    if path is None:
        return
    try:
        token = read_text(path).strip()
    except UnreadableError as error:
        problem = f"cannot read {path}: {error}"
        raise UnusableSettingError(problem, key="server.admin_token_file") from error
    if not token.isascii() or not token.isprintable() or not token or " " in token:
        problem = f"{path} holds no token: expected one word of letters, digits and signs"
        raise UnusableSettingError(problem, key="server.admin_token_file")


def listener_key(settings: Settings) -> str:
    """The key that callers without one act as; empty where there is none.

    Raises:
        UnusableSettingError: its file cannot be used, or the listener is not local.
    """
    path = settings.server.listener_key_file
    if path is None:
        return ""
    if not parse_address(settings.server.grpc_address).is_local:
        problem = "it is for local listeners: serve on loopback or a Unix socket, or let callers bring keys"
        raise UnusableSettingError(problem, key="server.listener_key_file")
    return read_key("server.listener_key_file", path)
