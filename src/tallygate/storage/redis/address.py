"""Where a Redis server is, how to speak to it, and with which credentials."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from ssl import SSLContext
from typing import NoReturn, Self, TypedDict
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from typing_extensions import override

from tallygate.storage.redis.tls import RedisTls

_DEFAULT_PORT = 6379
_TCP = frozenset({"redis", "valkey"})
_TLS = frozenset({"rediss", "valkeys"})
_SENTINEL = "+sentinel"
_SENTINEL_PORT = 26379
_CLUSTER = "+cluster"
_SENTINEL_OPTIONS = frozenset({"sentinel_password"})
_OPTIONS = frozenset({"db", "username", "password"})
_MOST_DATABASES = 2**31


Place = tuple[str, int]
"""Host and port."""


class TlsOptions(TypedDict, total=False):
    """What asyncio takes beside host and port."""

    ssl: SSLContext
    server_hostname: str


class RedisUrlError(ValueError):
    """A Redis URL is redis:// or rediss://[[user]:password@]host[:port][/db], or unix://[...@]/path[?db=n].

    With sentinels it is redis+sentinel:// or rediss+sentinel://[[user]:password@]host[:port],.../primary[/db], and
    redis+cluster:// or rediss+cluster://[[user]:password@]host[:port],... names nodes of a cluster.
    """

    def __init__(self, problem: str = "") -> None:
        super().__init__(problem or " ".join((self.__doc__ or "").split()))


class SecretFileError(OSError):
    """A file with a credential cannot be read; the text is one line with its path and cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAddress:
    """One server: `socket_path` when it is set, else `host` and `port`. Its text never shows the credentials.

    With `sentinels` it is whichever server they call the primary `service`; credentials are the servers', TLS is the
    sentinels', too, and these have a password of their own.

    With `seeds` it is all primaries of the cluster that these nodes are of; credentials and TLS are every node's.

    What is in a file is read at each connect, so what replaces it is used without a restart.
    """

    host: str = "127.0.0.1"
    port: int = _DEFAULT_PORT
    socket_path: str | None = None
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    username_file: Path | None = None
    password_file: Path | None = None
    tls: RedisTls | None = None
    database: int = 0
    sentinels: tuple[Place, ...] = ()
    service: str = ""
    sentinel_password: str = field(default="", repr=False)
    seeds: tuple[Place, ...] = ()

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `redis://[[user]:password@]host[:port][/database]` or `unix://[...@]/path[?db=n]`.

        `valkey://` means the same as `redis://`, and with an s behind them both mean TLS. Percent-encoding is undone;
        `db`, `username` and `password` may stand in the query, too. `redis+sentinel://host,host:port/primary[/database]`
        names sentinels, whose own password may stand in the query as `sentinel_password`. `redis+cluster://host,host:port`
        names nodes of a cluster, which has no other databases than one.

        Raises:
            RedisUrlError: It is neither, or asks for what no connection here can do.
        """
        scheme, mark, rest = url.partition("://")
        if mark and scheme.endswith(_SENTINEL):
            return cls._parse_sentinels(scheme.removesuffix(_SENTINEL), rest)
        if mark and scheme.endswith(_CLUSTER):
            return cls._parse_seeds(scheme.removesuffix(_CLUSTER), rest)
        try:
            parts = urlsplit(url)
            options = dict(parse_qsl(parts.query, keep_blank_values=True))
            database = _database(parts, options)
            port = _DEFAULT_PORT if parts.port is None else parts.port
        except ValueError:
            raise RedisUrlError from None  # the text of the cause may hold the password
        _require_readable(parts, options, port)
        username = unquote(parts.username or "") or options.get("username") or None
        password = unquote(parts.password or "") or options.get("password") or None
        if parts.scheme == "unix":
            path = unquote(parts.path)
            return cls(socket_path=path, username=username, password=password, database=database)
        host = parts.hostname or "127.0.0.1"
        tls = RedisTls() if parts.scheme in _TLS else None
        return cls(host=host, port=port, username=username, password=password, database=database, tls=tls)

    @classmethod
    def _parse_sentinels(cls, scheme: str, rest: str) -> Self:
        """The sentinels' hosts are taken off; what is left is read as the URL of a server."""
        place, _, query = rest.partition("?")
        where, _, path = place.partition("/")
        secret, at, hosts = where.rpartition("@")
        service, _, database = path.partition("/")
        options = dict(parse_qsl(query, keep_blank_values=True))
        own = {name: value for name, value in options.items() if name not in _SENTINEL_OPTIONS}
        if scheme not in _TCP | _TLS or not service or not hosts:
            raise RedisUrlError
        server = cls.parse(f"{scheme}://{secret}{at}primary/{database}{'?' if own else ''}{urlencode(own)}")
        password = options.get("sentinel_password", "")
        found = _places(hosts, _SENTINEL_PORT)
        return replace(server, sentinels=found, service=unquote(service), sentinel_password=password)

    @classmethod
    def _parse_seeds(cls, scheme: str, rest: str) -> Self:
        """The hosts are taken off; what is left is read as the URL of a server."""
        place, mark, query = rest.partition("?")
        where, _, path = place.partition("/")
        secret, at, hosts = where.rpartition("@")
        if scheme not in _TCP | _TLS or not hosts:
            raise RedisUrlError
        server = cls.parse(f"{scheme}://{secret}{at}node/{path}{mark}{query}")
        if server.database:
            _refuse("a cluster has no other database than 0")
        return replace(server, seeds=_places(hosts, _DEFAULT_PORT))

    def credentials(self) -> tuple[str | None, str | None]:
        """User and password as they are now.

        Raises:
            SecretFileError: a file cannot be read, or holds nothing.
        """
        username = _line_of(self.username_file) if self.username_file else self.username
        return username, _line_of(self.password_file) if self.password_file else self.password

    @property
    def has_credentials(self) -> bool:
        """Whether to introduce ourselves: a user without a password is nobody to Redis."""
        return bool(self.password or self.password_file)

    def tls_options(self, host: str = "") -> TlsOptions:
        """What asyncio needs to open a connection beside host and port, to this host of several; empty without TLS.

        Raises:
            OSError: a certificate or its key cannot be used.
        """
        if self.tls is None:
            return {}
        return {"ssl": self.tls.context(), "server_hostname": self.tls.server_name or host or self.host}

    @property
    def server_name(self) -> str:
        """The name that is asked for (SNI) and that its certificate must hold."""
        return (self.tls.server_name if self.tls is not None else "") or self.host

    @override
    def __str__(self) -> str:
        if self.socket_path:
            return f"unix://{self.socket_path}"
        if self.sentinels or self.seeds:
            kind, behind = ("sentinel", f"/{self.service}") if self.sentinels else ("cluster", "")
            hosts = ",".join(f"{host}:{port}" for host, port in self.sentinels or self.seeds)
            return f"redis{'' if self.tls is None else 's'}+{kind}://{hosts}{behind}"
        return f"{'redis' if self.tls is None else 'rediss'}://{self.host}:{self.port}"


def _places(hosts: str, port: int) -> tuple[Place, ...]:
    """Hosts between commas, each with its port or with this one."""
    try:
        parts = [urlsplit(f"//{host}") for host in hosts.split(",")]
        found = tuple((part.hostname or "", part.port or port) for part in parts)
    except ValueError:
        raise RedisUrlError from None
    if not all(host for host, _ in found):
        raise RedisUrlError
    return found


def _line_of(path: Path) -> str:
    """A secret's only line: editors and `echo` end it with a line feed, which no secret means."""
    try:
        text = path.read_text("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        problem = f"cannot read {path}: {getattr(error, 'strerror', None) or 'not UTF-8'}"
        raise SecretFileError(problem) from error
    if not text or "\n" in text:
        problem = f"cannot use {path}: expected one line with the secret"
        raise SecretFileError(problem)
    return text


def _require_readable(parts: SplitResult, options: dict[str, str], port: int) -> None:
    if parts.scheme not in {"unix", *_TCP, *_TLS} or parts.fragment or (parts.scheme == "unix" and not parts.path):
        raise RedisUrlError
    if parts.scheme != "unix" and not port > 0:
        _refuse("expected a port from 1 to 65535")
    if not _OPTIONS.issuperset(options):  # what there is instead may be part of a password: it is not shown
        _refuse(f"its query takes nothing but {', '.join(sorted(_OPTIONS))}")


def _refuse(problem: str) -> NoReturn:
    raise RedisUrlError(problem)


def _database(parts: SplitResult, options: dict[str, str]) -> int:
    text = options.get("db") or ("" if parts.scheme == "unix" else parts.path.strip("/"))
    number = int(text or 0)
    if not 0 <= number < _MOST_DATABASES:
        _refuse("expected a database from 0")
    return number
