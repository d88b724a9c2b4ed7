"""A day after an invoice its account is looked at again: what was used and is charged nowhere is found."""

import pytest
from sqlalchemy import delete, insert, select, text, update

from billed_worlds import KINDS, living
from faults.crashes import (
    DAY,
    DECEMBER,
    JANUARY,
    NOVEMBER,
    SECOND,
    TENANT,
    Act,
    billed,
    consumed,
    lived,
    opened,
    published,
    subscribed,
)
from tallygate.app.billing_watch import findings
from tallygate.app.catalogue_watch import plans_finding
from tallygate.billing.checking import CheckRunner
from tallygate.jobs.scheduler import Scheduler
from tallygate.records.jobs import AUDIT, COMPLETENESS
from tallygate.storage.sql.billing.health import SqlBillingHealth
from tallygate.storage.sql.billing.jobs import SqlJobQueue
from tallygate.storage.sql.billing.ledger_tables import ledger_transfers
from tallygate.storage.sql.billing.tables import jobs
from tallygate.storage.sql.billing.usage_tables import unrated_facts, usage_cursors
from tallygate.storage.sql.catalog.missing import missing_items
from tallygate.storage.sql.models import CatalogItemRow, SubscriptionAddOnRow, TenantRow
from tallygate.storage.sql.scope import table_of

HOUR = 3_600 * SECOND


@pytest.fixture(scope="module", params=KINDS)
async def december(request, places):
    """Two accounts at $10.00 a month and $0.50 a call, with 7 calls in November, invoiced in December."""
    url = places.new(request.param)
    acts = [Act(NOVEMBER - DAY, opened), Act(NOVEMBER - DAY, published)]
    acts += [Act(NOVEMBER, subscribed(account)) for account in ("acme", "globex")]
    async with living(url, *acts, Act(NOVEMBER + DAY, consumed("acme", 7)), Act(DECEMBER + SECOND, billed)):
        pass
    return url


@pytest.fixture
async def world(december, places):
    async with living(places.copy(december)) as found:
        yield found


async def checked(world, at):
    """A worker does all checks that are due by then; what doctor says of what it notes, by name."""
    world.now = at
    runner = CheckRunner(transactions=world.transactions, clock=lambda: at)
    worker = Scheduler(
        queue=SqlJobQueue(engine=world.engine),
        handlers={COMPLETENESS: runner.charges, AUDIT: runner.ledger},
        clock=lambda: at,
    )
    while await worker.round():
        pass
    health = await SqlBillingHealth(engine=world.engine).read(now=at)
    return {one.name: one for one in findings(health) if one.name in {"charged usage", "ledger"}}, health.found


async def planned(world):
    async with world.engine.connect() as connection:
        rows = await connection.execute(select(jobs.c.kind, jobs.c.subject, jobs.c.due_time))
        return {(row.kind, row.subject): row.due_time for row in rows if row.kind in {COMPLETENESS, AUDIT}}


async def behind_its_back(world, statement):
    async with world.engine.begin() as connection:
        if world.url.startswith("postgres"):
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            for event in ("update", "delete"):
                await connection.execute(text(f"DROP TRIGGER IF EXISTS ledger_transfers_no_{event}"))
        await connection.execute(statement)


async def test_where_all_is_charged_nothing_is_found(world):
    assert set(await planned(world)) == {(COMPLETENESS, "acme"), (COMPLETENESS, "globex"), (AUDIT, "")}
    assert set((await planned(world)).values()) == {DECEMBER + DAY + SECOND}
    told, found = await checked(world, DECEMBER + DAY + 2 * SECOND)
    assert (found, [one.ok for one in told.values()]) == ({}, [True, True])
    assert await planned(world) == {(AUDIT, ""): DECEMBER + 2 * DAY + 2 * SECOND}  # the ledger is looked at every day


async def test_an_event_that_slips_past_a_close_is_found(world):
    """3 calls of November come in December, and what looks for late ones is made to believe that it saw them: 1.50."""
    await lived(world, Act(DECEMBER + 3 * DAY, consumed("acme", 3, at=NOVEMBER + 2 * DAY)))
    seen = update(usage_cursors).where(usage_cursors.c.tenant_id == TENANT).values(last_sequence=2)
    await behind_its_back(world, seen)
    told, found = await checked(world, DECEMBER + 4 * DAY)
    assert found == {COMPLETENESS: 1}
    assert not told["charged usage"].ok
    assert told["charged usage"].detail.startswith("1 differ; acme: usage/sub_acme/plans/pro/calls/1/")
    assert told["charged usage"].detail.endswith(" lacks 150 minor units of USD")


async def test_what_is_late_and_known_to_be_is_no_finding(world):
    await lived(world, Act(DECEMBER + 3 * DAY, consumed("acme", 3, at=NOVEMBER + 2 * DAY)))
    assert (await checked(world, DECEMBER + 4 * DAY))[1] == {}
    await lived(world, Act(JANUARY + SECOND, billed))
    assert (await checked(world, JANUARY + DAY + 2 * SECOND))[1] == {}


async def test_a_finding_is_gone_once_it_is_mended(world):
    await lived(world, Act(DECEMBER + 3 * DAY, consumed("acme", 3, at=NOVEMBER + 2 * DAY)))
    cursor = update(usage_cursors).where(usage_cursors.c.tenant_id == TENANT)
    await behind_its_back(world, cursor.values(last_sequence=2))
    assert (await checked(world, DECEMBER + 4 * DAY))[1] == {COMPLETENESS: 1}
    await behind_its_back(world, cursor.values(last_sequence=0))
    await lived(world, Act(JANUARY + SECOND, billed))
    assert (await checked(world, JANUARY + DAY + 2 * SECOND))[1] == {}


async def test_a_transfer_that_is_gone_is_found_within_a_day(world):
    """The 3.50 of calls: receivable 10.00 + 13.50 by the documents, by the ledger 3.50 less."""
    lost = delete(ledger_transfers).where(ledger_transfers.c.account_id == "acme", ledger_transfers.c.amount == 350)
    await behind_its_back(world, lost)
    told, found = await checked(world, DECEMBER + DAY + 2 * SECOND)
    assert found[AUDIT] >= 1
    assert "account:Receivable of acme: 2000 posted, 2350 expected, minor units of USD" in told["ledger"].detail
    assert not told["ledger"].ok


async def test_what_is_subscribed_to_and_not_in_the_catalogue_is_found(world):
    """The plan of both accounts is gone, and one holds an add-on that never was; what ended is none."""
    items, add_ons = table_of(CatalogItemRow), table_of(SubscriptionAddOnRow)

    async def looked():
        return plans_finding(await missing_items(world.engine, now=DECEMBER))

    assert (await looked()).ok
    held = {"tenant_id": TENANT, "subscription_id": "sub_globex", "start_time": NOVEMBER, "version": 3, "quantity": 1}
    held |= {"proration": "prorate", "end_proration": "prorate"}
    await behind_its_back(world, insert(add_ons).values(**held, add_on_key="gone", end_time=DECEMBER))
    assert (await looked()).ok
    await behind_its_back(world, insert(add_ons).values(**held, add_on_key="pack", end_time=None))
    one = await looked()
    assert not one.ok
    assert one.detail.startswith(
        "1 accounts hold what is not in the catalogue, as account globex of tenant t version 3 of "
    )
    await behind_its_back(world, delete(items).where(items.c.kind == "plan", items.c.key == "pro"))
    both = (await looked()).detail
    assert both.startswith(
        "2 accounts hold what is not in the catalogue, as account acme of tenant t version 1 of plan pro: "
    )


async def told(world, *rows):
    """What doctor says by name, with these jobs of a tenant beside; each says its kind, its subject and more."""
    await behind_its_back(world, update(table_of(TenantRow)).values(test=False))
    await behind_its_back(world, delete(jobs))
    planned = {"tenant_id": TENANT, "due_time": DECEMBER, "retry_time": 0, "attempts": 0, "problem": ""}
    for row in rows:
        await behind_its_back(world, insert(jobs).values({**planned, **row}))
    health = await SqlBillingHealth(engine=world.engine).read(now=DECEMBER + 2 * HOUR)
    return {one.name: one for one in findings(health)}


JOBS = ("billing jobs", "other jobs", "failing jobs")


def ill(found):
    return [name for name in JOBS if not found[name].ok]


async def test_without_jobs_that_are_late_or_fail_all_is_well(world):
    found = await told(world, {"kind": "close", "subject": "acme", "due_time": DECEMBER + HOUR})
    assert ill(found) == []
    assert found["billing jobs"].detail.startswith("1 accounts are due to be invoiced, the oldest for 3600 s; ")
    assert found["failing jobs"].detail.startswith("none; ")


async def test_accounts_that_are_due_and_not_invoiced_are_ill(world):
    """As where no worker runs, or a close waits for events that are not collected: due for more than an hour."""
    rows = [{"kind": "close", "subject": account} for account in ("acme", "globex")]
    rows[1]["due_time"] = DECEMBER + HOUR
    found = await told(world, *rows)
    assert ill(found) == ["billing jobs"]
    assert found["billing jobs"].detail.startswith("2 accounts are due to be invoiced, the oldest for 7200 s; ")
    assert "collected" in found["billing jobs"].fix


async def test_what_else_is_late_is_ill_by_its_kind_and_no_matter_of_invoices(world):
    found = await told(world, {"kind": "collect", "subject": "acme"}, {"kind": "notice", "subject": "globex"})
    assert ill(found) == ["other jobs"]
    late = "due and not done: 1 collect, the oldest for 7200 s; 1 notice, the oldest for 7200 s; "
    assert found["other jobs"].detail.startswith(late)
    assert found["billing jobs"].detail.startswith("0 accounts are due to be invoiced; ")


async def test_jobs_that_fail_are_ill_with_the_problem_of_one(world):
    failed = {"due_time": DECEMBER + 2 * HOUR, "retry_time": DECEMBER + 3 * HOUR}
    found = await told(
        world,
        {"kind": "close", "subject": "acme", "attempts": 1, "problem": "seldom", **failed},
        {"kind": "collect", "subject": "globex", "attempts": 5, "problem": "often", **failed},
    )
    assert ill(found) == ["failing jobs"]
    assert found["failing jobs"].detail.startswith("1 close, 1 collect fail; collect of globex: often; ")


async def test_usage_that_is_charged_nowhere_is_ill_for_a_week(world):
    row = {"tenant_id": TENANT, "account_id": "acme", "feature_key": "calls", "price_key": "calls"}
    row |= {"sequence": 1, "occurred_time": NOVEMBER, "reason": "unreadable"}
    await behind_its_back(world, insert(unrated_facts).values({**row, "note_time": DECEMBER - DAY}))
    found = (await told(world))["unrated usage"]
    assert not found.ok
    assert "charged nowhere: 1 unreadable, 1 of them noted in the last week" in found.detail
    health = await SqlBillingHealth(engine=world.engine).read(now=DECEMBER + 7 * DAY)
    (found,) = (one for one in findings(health) if one.name == "unrated usage")
    assert found.ok
    assert "charged nowhere: 1 unreadable; " in found.detail
