"""Engines for the two databases, told to fail fast and to lock before they read what they will change."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from time import sleep
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy import create_engine as create_sync_engine
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, Pool

from tallygate.storage.sql.address import parse_database
from tallygate.storage.sql.encoding import CLIENT

WRITE: Final = "tallygate_write"
"""Execution option of a connection whose transaction will write: on SQLite it begins with the write lock."""

_BUSY_SECONDS = 5
_TURN_SECONDS = 30
_BUSY_TRIES = 200
_TURNS: WeakKeyDictionary[Pool, asyncio.Lock] = WeakKeyDictionary()
_POSTGRES_OPTIONS = "-c statement_timeout=5000 -c lock_timeout=4000 -c idle_in_transaction_session_timeout=30000"
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA recursive_triggers=ON",  # else INSERT OR REPLACE deletes past the triggers of what never changes
)


def create_engine(url: str | URL, *, pool_size: int = 10) -> AsyncEngine:
    """An engine for `sqlite:///path` or `postgresql://...`, whichever driver the URL names or leaves out."""
    target = parse_database(url)
    if target.get_backend_name() == "sqlite":
        engine = create_async_engine(
            target.set(drivername="sqlite+aiosqlite"),
            connect_args={"timeout": _BUSY_SECONDS},
            pool_size=pool_size,
            pool_timeout=_BUSY_SECONDS,
            hide_parameters=True,
        )
        _prepare_sqlite(engine.sync_engine, tries=1)
        return engine
    return create_async_engine(
        target.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=2,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=_postgres_arguments(target),
    )


@asynccontextmanager
async def connected(engine: AsyncEngine, options: Mapping[str, Any]) -> AsyncIterator[AsyncConnection]:
    """A connection whose transaction ends with this block: rolled back, unless it was committed."""
    async with turn(engine) if options.get(WRITE) else nullcontext(), engine.connect() as connection:
        yield await connection.execution_options(**options)


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection whose transaction writes: committed at the end of this block, rolled back where it raises."""
    async with turn(engine), engine.execution_options(**{WRITE: True}).begin() as connection:
        yield connection


@asynccontextmanager
async def turn(engine: AsyncEngine) -> AsyncIterator[None]:
    """On SQLite the turn to write, in the order of coming: its own lock is tried for, and who is unlucky starves.

    Raises:
        sqlalchemy.exc.TimeoutError: others write all the time.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    lock = _TURNS.setdefault(engine.sync_engine.pool, asyncio.Lock())
    try:
        async with asyncio.timeout(_TURN_SECONDS):
            await lock.acquire()
    except TimeoutError as error:
        msg = "no turn to write"
        raise PoolTimeoutError(msg) from error
    try:
        yield
    finally:
        lock.release()


def create_migration_engine(url: str | URL) -> Engine:
    """A blocking engine on the same database without a statement timeout: what migrations run on."""
    target = parse_database(url)
    if target.get_backend_name() == "sqlite":
        engine = create_sync_engine(target.set(drivername="sqlite"), connect_args={"timeout": _BUSY_SECONDS})
        _prepare_sqlite(engine, tries=_BUSY_TRIES)
        return engine
    arguments = {"connect_timeout": 5, "client_encoding": CLIENT}
    return create_sync_engine(target.set(drivername="postgresql+psycopg"), connect_args=arguments)


def _postgres_arguments(target: URL) -> dict[str, Any]:
    """Defaults for what the URL does not say itself; libpq's shortest connect timeout is 2 s."""
    arguments = {"connect_timeout": 2, "options": _POSTGRES_OPTIONS, "application_name": "tallygate"}
    own = {name: value for name, value in arguments.items() if name not in target.query}
    return {**own, "client_encoding": CLIENT}


def _prepare_sqlite(engine: Engine, *, tries: int) -> None:
    """Take transactions out of the driver's hands, for it begins them late and without the write lock.

    A transaction that reads first and writes later fails at once with "database is locked" when another wrote in
    between, whatever the busy timeout; one that begins with the lock waits its turn.
    """

    @event.listens_for(engine, "connect")
    def _connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            _execute(cursor, pragma, tries)
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")


def _execute(cursor: DBAPICursor, pragma: str, tries: int) -> None:
    """Run a pragma; the first switch to WAL fails at once beside another connection's, whatever the busy timeout.

    More than one try blocks: migrations may, and whoever comes after them finds the switch made.
    """
    for left in reversed(range(tries)):
        try:
            cursor.execute(pragma)
        except sqlite3.OperationalError as error:
            if not left or "locked" not in str(error):
                raise
            sleep(_BUSY_SECONDS / _BUSY_TRIES)
        else:
            return
