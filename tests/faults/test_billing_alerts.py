"""Alerts over what is written down of bills: each fires for what it names, and no other does."""

import pytest

from faults.callers import Caller, new_world
from faults.scrapes import Seen, look, needs_promtool
from tallygate.app import clock
from tallygate.app.installation import create_tenant
from tallygate.domain.billing.late import Unrated
from tallygate.records.jobs import AUDIT, COMPLETENESS
from tallygate.storage.sql.billing.findings import billing_findings
from tallygate.storage.sql.billing.tables import jobs
from tallygate.storage.sql.billing.usage_tables import unrated_facts
from tallygate.storage.sql.engine import writing

pytestmark = needs_promtool

HOUR = 3_600 * 1_000_000


@pytest.fixture
async def billed(installation, key):
    """A process, and a tenant that is no test: the columns of what is written down of its bills, and how it is read."""
    await create_tenant(installation.settings(), tenant_id="real", currency="USD", time_zone="UTC", test=False)
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme")
        control = process._control

        async def noted(table, **row):
            async with writing(control.engine) as connection:
                await connection.execute(table.insert(), {"tenant_id": "real", **row})
            control.billing.watch.health = await control.billing.watch.source.read(now=clock.now())
            await look(process)

        yield process, noted


NOBODYS = {"kind": "of no worker here", "subject": "acme", "problem": ""}


async def test_invoices_are_late(billed, tmp_path):
    process, noted = billed
    seen = Seen(process)
    due = clock.now() - 2 * HOUR
    await noted(jobs, **NOBODYS, due_time=due, retry_time=due, attempts=0)
    assert seen.firing(tmp_path) == {"TallygateBillingBehind"}


async def test_invoices_fail(billed, tmp_path):
    process, noted = billed
    due = clock.now() + HOUR
    await noted(jobs, **NOBODYS, due_time=due, retry_time=due, attempts=3)
    assert Seen(process).firing(tmp_path) == {"TallygateBillingFailing"}


async def test_usage_is_on_no_invoice(billed, tmp_path):
    process, noted = billed
    await noted(billing_findings, kind=COMPLETENESS, subject="acme", note_time=clock.now(), number=2, detail="calls")
    assert Seen(process).firing(tmp_path) == {"TallygateUsageUncharged"}


async def test_the_ledger_differs(billed, tmp_path):
    process, noted = billed
    await noted(billing_findings, kind=AUDIT, subject="", note_time=clock.now(), number=1, detail="receivable")
    assert Seen(process).firing(tmp_path) == {"TallygateLedgerDiffers"}


async def test_usage_comes_too_late(billed, tmp_path):
    process, noted = billed
    seen = Seen(process)
    fact = {"sequence": 1, "account_id": "acme", "feature_key": "calls", "price_key": "calls"}
    times = {"occurred_time": clock.now(), "note_time": clock.now()}
    await noted(unrated_facts, **fact, **times, reason=Unrated.TOO_LATE.value)
    assert seen.firing(tmp_path) == {"TallygateUsageUnrated"}
