"""Alerts over what is written down of bills: each fires for what it names, and no other does."""

import pytest

from faults.callers import Caller, new_world
from faults.scrapes import Seen, look, needs_promtool
from tallygate.app import clock
from tallygate.app.installation import create_tenant
from tallygate.domain.billing.late import Unrated
from tallygate.records.jobs import AUDIT, COMPLETENESS
from tallygate.storage.sql.billing.findings import billing_findings
from tallygate.storage.sql.billing.tables import jobs, number_series
from tallygate.storage.sql.billing.usage_tables import late_usage, unrated_facts
from tallygate.storage.sql.engine import writing

pytestmark = needs_promtool

HOUR = 3_600 * 1_000_000


@pytest.fixture
async def billed(installation, key):
    """A process, a tenant, a test tenant `tried`: the columns of what is written down of bills, and how it is read."""
    for name in ("real", "tried"):
        settings = {"currency": "USD", "time_zone": "UTC", "test": name == "tried"}
        await create_tenant(installation.settings(), tenant_id=name, **settings)
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme")
        control = process._control

        async def noted(table, tenant="real", **row):
            async with writing(control.engine) as connection:
                await connection.execute(table.insert(), {"tenant_id": tenant, **row})
            control.billing.watch.health = await control.billing.watch.source.read(now=clock.now())
            await look(process)

        yield process, noted


OTHERS = ("collect", "resolve_attempt", "dispatch", "notice", "recognise", "of no worker here")


def job(kind, *, late=False, attempts=0):
    """One that no worker takes for the next hour."""
    now = clock.now()
    due = now - 2 * HOUR if late else now + HOUR
    row = {"kind": kind, "subject": "acme", "problem": "", "due_time": due, "attempts": attempts}
    return {**row, "retry_time": now + HOUR}


@pytest.mark.parametrize(
    ("kind", "alert"), [("close", "TallygateBillingBehind"), *((kind, "TallygateJobsBehind") for kind in OTHERS)]
)
async def test_jobs_are_late(billed, tmp_path, kind, alert):
    """Of invoices it is said alone where accounts are to be invoiced."""
    process, noted = billed
    seen = Seen(process)
    await noted(jobs, **job(kind, late=True))
    assert seen.firing(tmp_path) == {alert}


@pytest.mark.parametrize(
    ("kind", "alert"), [("close", "TallygateBillingFailing"), *((kind, "TallygateJobsFailing") for kind in OTHERS)]
)
async def test_jobs_fail(billed, tmp_path, kind, alert):
    process, noted = billed
    await noted(jobs, **job(kind, attempts=3))
    assert Seen(process).firing(tmp_path) == {alert}


async def test_usage_is_on_no_invoice(billed, tmp_path):
    process, noted = billed
    await noted(billing_findings, kind=COMPLETENESS, subject="acme", note_time=clock.now(), number=2, detail="calls")
    assert Seen(process).firing(tmp_path) == {"TallygateUsageUncharged"}


async def test_the_ledger_differs(billed, tmp_path):
    process, noted = billed
    await noted(billing_findings, kind=AUDIT, subject="", note_time=clock.now(), number=1, detail="receivable")
    assert Seen(process).firing(tmp_path) == {"TallygateLedgerDiffers"}


def fact(reason):
    row = {"sequence": 1, "account_id": "acme", "feature_key": "calls", "price_key": "calls"}
    return {**row, "occurred_time": clock.now(), "note_time": clock.now(), "reason": reason}


@pytest.mark.parametrize("reason", ["too_late", "no_price", "unreadable", "refund_exceeds_period"])
async def test_usage_is_charged_nowhere(billed, tmp_path, reason):
    process, noted = billed
    seen = Seen(process)
    await noted(unrated_facts, **fact(reason))
    assert seen.firing(tmp_path) == {"TallygateUsageUnrated"}


def test_there_is_no_other_reason():
    assert {each.value for each in Unrated} == {"too_late", "no_price", "unreadable", "refund_exceeds_period"}


async def test_what_test_tenants_try_wakes_nobody(billed, tmp_path):
    process, noted = billed
    seen = Seen(process)
    for kind in ("close", "collect"):
        await noted(jobs, "tried", **job(kind, late=True, attempts=3))
    for kind in (AUDIT, COMPLETENESS):
        row = {"kind": kind, "subject": "acme", "note_time": clock.now(), "number": 2, "detail": "calls"}
        await noted(billing_findings, "tried", **row)
    await noted(unrated_facts, "tried", **fact("too_late"))
    late = {"sequence": 2, "account_id": "acme", "feature_key": "calls", "occurred_time": clock.now()}
    await noted(late_usage, "tried", **late)
    await noted(number_series, "tried", series="INV", next_number=9, last_issue_time=clock.now())
    assert seen.firing(tmp_path) == set()
    health = process._control.billing.watch.health
    assert (health.late, health.invoices, health.unrated, health.found, health.jobs) == (0, 0, {}, {}, {})
