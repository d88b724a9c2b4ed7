from collections.abc import AsyncIterator, Iterator

import pytest

from control_planes import ControlPlane, control_plane
from servers import PostgresServer, ValkeyServer
from tallygate.storage.sql.schema import migrate


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    with ValkeyServer() as server:
        yield server


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def database_url(request, tmp_path_factory) -> Iterator[str]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('sql')}/tallygate.db"
        migrate(url)
        yield url
        return
    with PostgresServer() as server:
        url = server.create_database()
        migrate(url)
        yield url


@pytest.fixture
async def empty(database_url, valkey) -> AsyncIterator[ControlPlane]:
    async with control_plane(database_url, valkey.url) as plane:
        yield plane


@pytest.fixture
async def plane(empty) -> ControlPlane:
    """A tenant with the demo catalogue."""
    await empty.open_tenant()
    await empty.apply()
    return empty
