"""Every invoice world through gRPC, a real Valkey and a real database, in a test tenant of its own."""

import pytest

from invoice_worlds import BillingDriver, expected_invoices, invoice_world_paths, run_invoice_world

PATHS = pytest.mark.parametrize("path", invoice_world_paths(), ids=lambda path: path.stem)


@PATHS
async def test_world_over_grpc(path, live_server):
    async with live_server.channel() as channel:
        driver = BillingDriver(channel, live_server.new_test_tenant())
        assert await run_invoice_world(path, driver) == expected_invoices(path)
        assert await driver.differences() == []
