"""Every invoice world on the pure engine."""

import pytest

from invoice_engine import BillingEngineDriver
from invoice_worlds import expected_invoices, invoice_world_paths, run_invoice_world


@pytest.mark.parametrize("path", invoice_world_paths(), ids=lambda path: path.stem)
async def test_world_on_the_pure_engine(path):
    assert await run_invoice_world(path, BillingEngineDriver()) == expected_invoices(path)
