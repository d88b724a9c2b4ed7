"""Where a Redis server is, and with which credentials."""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from typing_extensions import override

_DEFAULT_PORT = 6379


class RedisUrlError(ValueError):
    """A Redis URL is redis://[[user]:password@]host[:port][/db] or unix://[...@]/path[?db=n], without TLS."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


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

        `valkey://` means the same as `redis://`. Percent-encoding is undone.

        Raises:
            RedisUrlError: It is neither.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or _DEFAULT_PORT
            database = _database(parts)
        except ValueError:
            raise RedisUrlError from None  # the text of the cause may hold the password
        username = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        if parts.scheme == "unix" and parts.path:
            path = unquote(parts.path)
            return cls(socket_path=path, username=username, password=password, database=database)
        if parts.scheme in {"redis", "valkey"}:
            host = parts.hostname or "127.0.0.1"
            return cls(host=host, port=port, username=username, password=password, database=database)
        raise RedisUrlError

    @override
    def __str__(self) -> str:
        return f"unix://{self.socket_path}" if self.socket_path else f"redis://{self.host}:{self.port}"


def _database(parts: SplitResult) -> int:
    if parts.scheme == "unix":
        return int(parse_qs(parts.query).get("db", ["0"])[0])
    return int(parts.path.strip("/") or 0)
