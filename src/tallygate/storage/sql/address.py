"""Where a database is: the URL that was written, read once and refused where no engine could use it."""

from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from tallygate.storage.sql.encoding import CLIENT, UTF8

_BACKENDS = {"postgresql": "postgresql", "postgres": "postgresql", "sqlite": "sqlite"}


class DatabaseUrlError(ValueError):
    """A database URL is none that can be used; the text says what was expected, and never shows the URL."""


def sqlite_at(path: Path) -> URL:
    """The address of an SQLite file, whatever its path is made of: in a URL `%`, `?` and `#` would mean something."""
    return URL.create("sqlite", database=str(path))


def parse_database(url: str | URL) -> URL:
    """Read `postgresql://[user[:password]@][host][:port]/[database]` or `sqlite:///path`; a driver is passed over.

    Raises:
        DatabaseUrlError: it is neither, or has an option that the driver does not know.
    """
    try:
        target = make_url(url)
        backend = _BACKENDS.get(target.get_backend_name())
    except (ArgumentError, ValueError, TypeError):
        _refuse("expected postgresql://user:password@host:port/database or sqlite:////path/to/file.db")
    if backend == "sqlite":
        _require_file(target)
    elif backend == "postgresql":
        _require_reachable(target)
    else:
        scheme = target.drivername.partition("+")[0]
        _refuse(f"expected postgresql:// or sqlite:///, got {scheme}://, which is no database that Tallygate works on")
    return target.set(drivername=str(backend))


def shown(target: URL) -> str:
    """An address for people: a file's path, or the URL without its options and password."""
    if target.get_backend_name() == "sqlite":
        return str(target.database)
    return target.set(query={}).render_as_string(hide_password=True)


def _require_file(target: URL) -> None:
    if not target.database or target.database == ":memory:" or target.host:
        _refuse("expected sqlite:///path or sqlite:////absolute/path, got one that names no file")
    if target.query:
        _refuse("sqlite:/// takes no options; a question mark in the path is written as %3F")
    if "\0" in target.database:
        _refuse("expected sqlite:///path, got a path that holds NUL")


def _require_reachable(target: URL) -> None:
    if "@" in (target.host or ""):
        _refuse("an @ in the user or the password is written as %40")
    if target.port is not None and not 0 < target.port < 65536:  # noqa: PLR2004 - ports are 16 bits
        _refuse("expected a port from 1 to 65535")
    from psycopg.pq import Conninfo  # noqa: PLC0415 - only a server's URL pays for its driver

    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    for name in target.query:
        if name not in known:  # shown where it is nearly one: else it may be part of a password
            near = get_close_matches(name, known, n=1)
            hint = f" {name!r}; did you mean {near[0]}?" if near else " that its query names"
            _refuse(f"PostgreSQL has no connection option{hint}")
    if str(target.query.get("client_encoding", CLIENT)).upper() not in UTF8:
        _refuse("expected client_encoding=utf8, or none")


def _refuse(problem: str) -> NoReturn:
    raise DatabaseUrlError(problem)
