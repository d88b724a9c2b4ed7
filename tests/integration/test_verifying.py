"""A document that was changed behind Tallygate's back is found, and what of it: on both databases, triggers off."""

from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from sqlalchemy import delete, insert, literal, select, text, update

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
    charged,
    consumed,
    history,
    moved,
    subscribed,
)
from tallygate.billing.change_invoices import invoice_change
from tallygate.billing.verifying import verify_invoice
from tallygate.control_plane.proposals import When
from tallygate.control_plane.subscription_changes import ChangePlan, change_plan
from tallygate.storage.sql.billing.tables import invoice_balances, invoice_lines, invoices
from tallygate.storage.sql.scope import Scope
from tallygate.storage.sql.unit_of_work import SqlUnitOfWork

FEBRUARY = JANUARY + 31 * DAY


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def world(request, places):
    """Two months of two accounts: cover, usage, a fee, changes, what came late, and what changed as a cut was made."""
    acts = [act for act in history() if act.at < DECEMBER]
    acts += [
        Act(DECEMBER, billed),
        Act(DECEMBER, moved("globex", "big")),
        *(act for act in history() if act.at > DECEMBER),
        Act(JANUARY + 3 * DAY, charged("acme", "f2", 250)),
        Act(JANUARY + 3 * DAY, moved_at_once),
        Act(JANUARY + 4 * DAY, subscribed("late")),
        Act(JANUARY + 5 * DAY, consumed("acme", 9, at=DECEMBER + DAY)),
        Act(FEBRUARY + 4 * DAY, billed),
    ]
    async with living(places.new(request.param), *acts) as found:
        yield found


async def moved_at_once(world):
    async def change(work, now):
        await change_plan(work, ChangePlan(account_id="globex", plan_key="pro", when=When.NOW), now=now)
        await invoice_change(work, "globex", now=now)

    await world.write(change)


@asynccontextmanager
async def unguarded(world):
    """A transaction without triggers, which is undone."""
    async with world.engine.connect() as connection:
        if world.url.startswith("sqlite"):
            for table in ("invoices", "invoice_lines"):
                for event in ("update", "delete"):
                    await connection.execute(text(f"DROP TRIGGER {table}_no_{event}"))
        else:
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection
        await connection.rollback()


async def verified(connection, invoice_id):
    work = SqlUnitOfWork(scope=Scope(connection=connection, tenant_id=TENANT, now=FEBRUARY + 4 * DAY))
    return (await verify_invoice(work, invoice_id, now=FEBRUARY + 4 * DAY)).differences


async def line_like(connection, pattern):
    """The first line whose key has this in it."""
    lines = invoice_lines.c
    query = select(invoice_lines).where(lines.line_key.like(pattern)).order_by(lines.due_time, lines.line_key)
    return (await connection.execute(query)).first()


def of(table, row):
    found = [table.c.tenant_id == TENANT, table.c.invoice_id == row.invoice_id]
    return [*found, table.c.line == row.line] if table is invoice_lines else found


@pytest.mark.asyncio(loop_scope="module")
async def test_what_nobody_touched_comes_out_the_same(world):
    async with unguarded(world) as connection:
        names = list((await connection.execute(select(invoices.c.invoice_id))).scalars())
        assert [await verified(connection, name) for name in names] == [()] * len(names)
        kinds = set((await connection.execute(select(invoices.c.kind))).scalars())
        assert kinds >= {"opening", "period"}


KINDS = {
    "cover": "recurring/%/charge",
    "usage": "usage/%/0",
    "late usage": "usage/%/1",
    "a fee": "fee/%",
    "what a change credits": "%/credit/%",
    "an adjustment": "%/adjustment/%",
}
FIGURES = {
    "amount": lambda doc: {**doc, "amount": doc["amount"] + 100},
    "quantity": lambda doc: {**doc, "quantity": "17"},
    "text": lambda doc: {**doc, "text": "Something else"},
    "period": lambda doc: {**doc, "period": {**doc["period"], "end": doc["period"]["end"] + 1}},
    "price": lambda doc: {**doc, "price": "plans/pro/9/prices/recurring"},
    "steps": lambda doc: {**doc, "steps": [{**doc["steps"][0], "amount": "77"}, *doc["steps"][1:]]},
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_line_that_was_changed_is_named(world, kind, figure):
    async with unguarded(world) as connection:
        row = await line_like(connection, KINDS[kind])
        changed = update(invoice_lines).where(*of(invoice_lines, row)).values(doc=FIGURES[figure](row.doc))
        await connection.execute(changed)
        found = await verified(connection, row.invoice_id)
    assert {one.line_key for one in found} == {row.line_key}
    assert found[0].number == row.line


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", KINDS)
async def test_an_amount_that_was_changed_in_every_place_is_named(world, kind):
    """The line, what is kept beside it, the document's sums and what is to be paid of it, all in step."""
    async with unguarded(world) as connection:
        row = await line_like(connection, KINDS[kind])
        doc = {**row.doc, "amount": row.amount + 100, "exact": str(row.amount + 100)}
        more = {"doc": doc, "amount": row.amount + 100, "exact": str(row.amount + 100)}
        await connection.execute(update(invoice_lines).where(*of(invoice_lines, row)).values(**more))
        sums = {"subtotal": invoices.c.subtotal + 100, "total": invoices.c.total + 100}
        await connection.execute(update(invoices).where(*of(invoices, row)).values(**sums))
        total = invoice_balances.c.total + 100
        await connection.execute(update(invoice_balances).where(*of(invoice_balances, row)).values(total=total))
        found = await verified(connection, row.invoice_id)
    assert [(one.number, one.line_key) for one in found] == [(0, ""), (row.line, row.line_key)]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", KINDS)
async def test_a_line_that_is_gone_is_missed(world, kind):
    async with unguarded(world) as connection:
        row = await line_like(connection, KINDS[kind])
        await connection.execute(delete(invoice_lines).where(*of(invoice_lines, row)))
        sums = {"subtotal": invoices.c.subtotal - row.amount, "total": invoices.c.total - row.amount}
        await connection.execute(update(invoices).where(*of(invoices, row)).values(**sums))
        found = await verified(connection, row.invoice_id)
    assert [(one.line_key, one.issued) for one in found if one.line_key] == [(row.line_key, "")]
    assert any(one.number == 0 and "total" in one.issued for one in found)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_line_that_nothing_asks_for_is_named(world):
    async with unguarded(world) as connection:
        row = await line_like(connection, KINDS["cover"])
        own = {**row._mapping, "line": 99, "line_key": "recurring/sub_acme/plans/pro/x/1/charge"}
        doc = {**row.doc, "line_key": own["line_key"]}
        await connection.execute(insert(invoice_lines), [{**own, "doc": doc}])
        found = await verified(connection, row.invoice_id)
    assert [(one.line_key, one.derived) for one in found] == [(own["line_key"], "")]


DOCUMENT = {
    "tax and total together": {"tax": 300, "total": invoices.c.total + 300},
    "total": {"total": invoices.c.total - 1},
    "subtotal": {"subtotal": invoices.c.subtotal + 1},
    "kind": {"kind": "change"},
    "currency": {"currency": "EUR"},
    "cause": {"cause": "something else"},
    "account": {"account_id": literal("late")},
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("what", DOCUMENT)
async def test_a_document_that_was_changed_is_named(world, what):
    async with unguarded(world) as connection:
        row = await line_like(connection, "recurring/sub_acme/%/charge")
        await connection.execute(update(invoices).where(*of(invoices, row)).values(**DOCUMENT[what]))
        found = await verified(connection, row.invoice_id)
    assert any((one.number, one.line_key) == (0, "") for one in found)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("column", "value"), [("amount", 1), ("exact", "1"), ("due_time", NOVEMBER - SECOND)])
async def test_what_is_kept_beside_a_line_is_compared_too(world, column, value):
    async with unguarded(world) as connection:
        row = await line_like(connection, KINDS["cover"])
        await connection.execute(update(invoice_lines).where(*of(invoice_lines, row)).values(**{column: value}))
        found = await verified(connection, row.invoice_id)
    assert [one.line_key for one in found] == [row.line_key]
    assert column in found[0].issued
