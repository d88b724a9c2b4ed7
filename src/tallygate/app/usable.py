"""Whether settings can be used at all, found before anything is started: addresses, URLs, and what a role needs."""

from importlib.metadata import PackageNotFoundError, version

from tallygate.app.client_file import read_clients
from tallygate.app.errors import UnusableSettingError
from tallygate.app.key_files import read_sealing
from tallygate.app.listening import require_token, server_tls
from tallygate.app.redis_place import named_redis
from tallygate.server.listeners import AddressError, parse_address
from tallygate.server.transport.selection import TransportError, require_transport
from tallygate.settings import Settings


def require_usable(settings: Settings) -> None:
    """Look at what can be known without touching anything.

    Raises:
        UnusableSettingError: a setting is none that this process can use.
    """
    for key, text in (
        ("server.grpc_address", settings.server.grpc_address),
        ("server.admin_address", settings.server.admin_address),
        *((("server.http_address", settings.server.http_address),) if settings.server.http_address else ()),
    ):
        try:
            address = parse_address(text)
        except AddressError as error:
            raise UnusableSettingError(error, key=key) from None
        if address.path is not None and key != "server.grpc_address":
            problem = "expected host:port, as 127.0.0.1:7421"
            raise UnusableSettingError(problem, key=key)
    if settings.role == "data" and settings.server.http_address:
        problem = "role data has no database to keep webhooks in: set it where role control, worker or all runs"
        raise UnusableSettingError(problem, key="server.http_address")
    tls = server_tls(settings) is not None
    try:
        require_transport(settings.server.transport, [parse_address(settings.server.grpc_address)], tls=tls)
    except TransportError as error:
        raise UnusableSettingError(error, key="server.transport") from None
    require_token(settings)
    read_clients(settings)
    named_redis(settings)
    if settings.role != "data":
        _require_outside(settings)
    _require_tracing(settings)
    if settings.server.workers > 1 and settings.role != "data":
        problem = (
            f"{settings.server.workers} workers, but role {settings.role} works on SQL, in one process:"
            " set role to data here, and run one process of role all beside it on the same redis.url"
        )
        raise UnusableSettingError(problem, key="server.workers")


def _require_tracing(settings: Settings) -> None:
    """Make sure that what traces calls is there, without loading it."""
    try:
        if settings.tracing.endpoint:
            version("opentelemetry-exporter-otlp-proto-grpc")
    except PackageNotFoundError:
        problem = "OpenTelemetry is not installed: pip install 'tallygate[otel]', or name no receiver"
        raise UnusableSettingError(problem, key="tracing.endpoint") from None


def _require_outside(settings: Settings) -> None:
    """What others than the data role reach: sealed secrets, a database, a mail server."""
    if settings.billing.master_key_file is not None:
        read_sealing(settings)
    if settings.database.url.get_secret_value():
        from tallygate.app.installation import database_address  # noqa: PLC0415 - loads SQL

        database_address(settings)
    if settings.mail.address:
        from tallygate.app.mailing import mailer_of  # noqa: PLC0415 - only who sends mail pays for it

        mailer_of(settings)
