"""Tallygate processes in this process, several on one Valkey and one database, each in its role."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import patience
from servers import ValkeyServer
from tallygate.app import Application
from tallygate.settings import (
    CollectorSettings,
    DatabaseSettings,
    DataPlaneSettings,
    RedisSettings,
    ServerSettings,
    Settings,
)
from tallygate.storage.redis import keys
from tallygate.storage.sql.schema import migrate

PARTITIONS = 8


class Installation:
    """What all roles share."""

    def __init__(self, valkey: ValkeyServer, database: str) -> None:
        self.valkey = valkey
        self.database = database
        self.url = valkey.url
        self.patience = patience.REDIS
        self.server: dict[str, Any] = {}

    @contextlib.asynccontextmanager
    async def role(self, role: str = "all", **data_plane: Any) -> AsyncIterator[Application]:
        async with Application(self.settings(role, **data_plane)) as application:
            yield application

    def settings(self, role: str = "all", **data_plane: Any) -> Settings:
        return Settings(
            role=role,  # type: ignore[arg-type] # a test names one that is there
            testing=True,
            server=ServerSettings(
                grpc_address="127.0.0.1:0", admin_address="127.0.0.1:0", **patience.SERVER, **self.server
            ),
            redis=RedisSettings(url=self.url, partitions=PARTITIONS, **self.patience),  # type: ignore[arg-type] # pydantic reads it
            database=DatabaseSettings(url=self.database),  # type: ignore[arg-type] # pydantic reads it
            data_plane=DataPlaneSettings(**data_plane),
            collector=CollectorSettings(flush_interval=0.05),
        )

    def waiting(self) -> int:
        """Events that are not collected."""
        return sum(self.valkey.command("XLEN", keys.stream(number)) for number in range(PARTITIONS))


def sqlite(directory: Path) -> str:
    url = f"sqlite:///{directory / 'tallygate.db'}"
    migrate(url)
    return url
