"""Where a Redis server is, and with which credentials."""

from dataclasses import dataclass, field
from typing import NoReturn, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from typing_extensions import override

_DEFAULT_PORT = 6379
_TCP = frozenset({"redis", "valkey"})
_TLS = frozenset({"rediss", "valkeys"})
_OPTIONS = frozenset({"db", "username", "password"})
_MOST_DATABASES = 2**31


class RedisUrlError(ValueError):
    """A Redis URL is redis://[[user]:password@]host[:port][/db] or valkey://..., or unix://[...@]/path[?db=n]."""

    def __init__(self, problem: str = "") -> None:
        super().__init__(problem or self.__doc__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAddress:
    """One server: `socket_path` when it is set, else `host` and `port`. Its text never shows the credentials."""

    host: str = "127.0.0.1"
    port: int = _DEFAULT_PORT
    socket_path: str | None = None
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    database: int = 0

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `redis://[[user]:password@]host[:port][/database]` or `unix://[...@]/path[?db=n]`.

        `valkey://` means the same as `redis://`. Percent-encoding is undone; `db`, `username` and `password` may stand
        in the query, too.

        Raises:
            RedisUrlError: It is neither, or asks for what no connection here can do.
        """
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
        return cls(host=host, port=port, username=username, password=password, database=database)

    @override
    def __str__(self) -> str:
        return f"unix://{self.socket_path}" if self.socket_path else f"redis://{self.host}:{self.port}"


def _require_readable(parts: SplitResult, options: dict[str, str], port: int) -> None:
    if parts.scheme in _TLS:
        _refuse(f"{parts.scheme}:// needs TLS, which is not supported: expected redis:// or unix://")
    if parts.scheme not in {"unix", *_TCP} or parts.fragment or (parts.scheme == "unix" and not parts.path):
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
