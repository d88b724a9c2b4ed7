import pytest

from tenants import Tenant


@pytest.fixture
async def tenant(live_server):
    """A tenant of the test's own, with a clock that can be moved."""
    async with live_server.channel() as channel:
        yield Tenant(channel, live_server.new_test_tenant())
