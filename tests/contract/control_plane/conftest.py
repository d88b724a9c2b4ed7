from collections.abc import AsyncIterator, Iterator

import pytest

from control_planes import ControlPlane, control_plane
from servers import ValkeyServer


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    with ValkeyServer() as server:
        yield server


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def database_url(request, places) -> str:
    return places.new(request.param)


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
