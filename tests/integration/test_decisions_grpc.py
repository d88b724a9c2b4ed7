"""Every decision world again, through gRPC, a real Valkey and a real database, in a test tenant of its own."""

import pytest

from world_server import ServerDriver
from worlds import load_world, run_world, world_paths


@pytest.mark.parametrize("path", world_paths(), ids=lambda path: path.stem)
async def test_world_over_grpc(path, live_server):
    async with live_server.channel() as channel:
        await run_world(load_world(path), ServerDriver(channel, live_server.new_test_tenant()))
