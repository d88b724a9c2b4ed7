"""Databases of billing's worlds, on either kind: migrated once a process, and copied for each world."""

import shutil
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from faults.crashes import Act, Steps, World, lived
from servers import PostgresServer
from tallygate.storage.sql.schema import migrate

KINDS = ("sqlite", "postgres")


class Places:
    """Where worlds live: a directory, and a PostgreSQL that starts when it is first asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._server: PostgresServer | None = None
        self._migrated: dict[str, str] = {}

    def new(self, kind: str) -> str:
        """The address of a database that is migrated, and empty."""
        if kind not in self._migrated:
            url = f"sqlite:///{self._path()}" if kind == "sqlite" else self.postgres().create_database()
            migrate(url)
            self._migrated[kind] = url
        return self.copy(self._migrated[kind])

    def copy(self, url: str) -> str:
        """The address of another database with what this one holds, to which nobody is connected."""
        if url.startswith("sqlite"):
            return f"sqlite:///{shutil.copy(url.removeprefix('sqlite:///'), self._path())}"
        name = url.partition("@/")[2].partition("?")[0]
        return self.postgres().create_database(f'TEMPLATE "{name}"')

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def _path(self) -> Path:
        return self._directory / f"{uuid.uuid4().hex}.db"

    def postgres(self) -> PostgresServer:
        if self._server is None:
            self._server = PostgresServer().start()
        return self._server


@asynccontextmanager
async def living(url: str, *acts: Act) -> AsyncIterator[World]:
    """A world on a database, which has lived through these."""
    world = World(url, Steps())
    try:
        for act in acts:
            await lived(world, act)
        yield world
    finally:
        await world.close()
