"""What partners have, over both databases: read in few queries from documents, notes, ledger and bills."""

import asyncio
from datetime import date
from fractions import Fraction

import pytest

from tallygate.billing.partners.statements import Run, shared_invoices, statements
from tallygate.billing.reporting import report
from tallygate.domain.billing.balances import Balance
from tallygate.domain.billing.bills import Bill, BillState
from tallygate.domain.billing.documents import Invoice, InvoiceKind
from tallygate.domain.billing.lines import Line, LineKind
from tallygate.domain.billing.posting import FUNDS, RECEIVABLE, Transfer, credit_entry, invoice_entry
from tallygate.domain.billing.sharing import ShareKind, ShareTerms
from tallygate.domain.period import UsagePeriod
from tallygate.records.paging import PageRequest
from tallygate.records.partners import BillQuery
from tallygate.records.values import Account, Tenant
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.schema import migrate
from tallygate.storage.sql.unit_of_work import SqlStore

DAY = 86_400_000_000
START = 20_000 * DAY
RUN = Run(day=date(2024, 10, 17), start=START, end=START + 30 * DAY)
NEXT = Run(day=date(2024, 11, 17), start=START + 30 * DAY, end=START + 61 * DAY)


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/tallygate.db"
    else:
        url = request.getfixturevalue("postgres").create_database()
    await asyncio.to_thread(migrate, url)
    engine = create_engine(url)
    found = SqlStore(engine=engine)
    for tenant in ("t", "u"):
        await found.create_tenant(Tenant(tenant_id=tenant, create_time=0))
    yield found
    await engine.dispose()


def line(key, amount, *, source=""):
    return Line(
        line_key=key,
        kind=LineKind.FEE,
        text="Maps",
        due=START,
        period=UsagePeriod(START, START + 1),
        currency="USD",
        exact=Fraction(amount),
        amount=amount,
        source_line=source,
    )


def document(name, *lines, kind=InvoiceKind.PERIOD, time=START):
    total = sum(each.amount for each in lines)
    return Invoice(
        invoice_id=name,
        account_id="acme",
        kind=kind,
        cause=name,
        currency="USD",
        period=UsagePeriod(START, START + 1),
        lines=lines,
        subtotal=total,
        total=total,
        series="invoices" if total >= 0 else "credit_notes",
        number=name,
        issue_time=time,
        balance=Balance(total=total).issued(due_time=time),
    )


def money(invoice, amount, *, time):
    return Transfer(
        entry_id=f"payment/{invoice}/{time}",
        line=1,
        time=time,
        account_id="acme",
        debit=FUNDS,
        credit=RECEIVABLE,
        currency="USD",
        amount=amount,
        document_id=invoice,
    )


async def fill(store, tenant="t"):
    """100.00 of a bill and 50.00 of the tenant's, paid in the first run; 40.00 of the bill come back in the second."""
    async with store.write(tenant, now=START) as work:
        await work.accounts.put(Account(account_id="acme", create_time=0))
        await work.share_terms.add(
            ShareTerms(kind=ShareKind.PROVIDER, provider="maps", accepted="50", start_time=START)
        )
        await work.share_terms.add(
            ShareTerms(kind=ShareKind.PROVIDER, provider="maps", accepted="70", start_time=START)
        )
        for name in ("b1", "b2", "b3"):
            own = {"account_id": "acme", "text": "Maps", "currency": "USD", "price": 10_000, "create_time": START}
            await work.bills.add(Bill(bill_id=name, provider="maps", **own))
        invoice = document("inv1", line("fee/b1", 10_000), line("fee/f1", 5_000))
        await work.invoices.issue(invoice)
        await work.ledger.post([*invoice_entry(invoice, ()), money("inv1", 15_000, time=START + DAY)])
        open_one = document("inv2", line("fee/b2", 10_000))
        await work.invoices.issue(open_one)
        await work.ledger.post(invoice_entry(open_one, ()))
        await work.commit()
    async with store.write(tenant, now=START + 40 * DAY) as work:
        back = line("credit/1", -4_000, source="fee/b1")
        note = document("note1", back, kind=InvoiceKind.CREDIT_NOTE, time=START + 40 * DAY)
        await work.invoices.issue(note)
        await work.ledger.post(credit_entry(note, [0], off=0, kept=4_000, owed_back=0))
        await work.commit()


def figures(found):
    return [(one.share.partner.kind.value, one.share.base, one.share.amount) for one in found]


async def test_a_statement_is_what_stands_at_its_run_less_what_stood_at_the_one_before(store):
    await fill(store)
    await fill(store, "u")
    async with store.read("t") as work:
        assert figures(await statements(work, RUN)) == [("provider", 10_000, 7_000), ("tenant", 15_000, 8_000)]
        assert figures(await statements(work, NEXT)) == [("provider", -4_000, -2_800), ("tenant", -4_000, -1_200)]
        first = await shared_invoices(work, RUN, PageRequest(page_size=1))
        assert [one.invoice_id for one in first.items] == ["inv1"]
        rest = await shared_invoices(work, RUN, PageRequest(page_size=1, page_token=first.next_page_token))
        assert rest.items == [], "what is open is nobody's"
        after = await shared_invoices(work, NEXT, PageRequest(page_size=25))
        assert [one.invoice_id for one in after.items] == ["inv1"], "a note is told with its invoice"


async def test_bills_are_listed_by_where_they_stand_newest_first(store):
    await fill(store)
    async with store.write("t", now=START) as work:
        bill = await work.bills.get("b3")
        await work.bills.cancel(bill, now=START + 1)
        await work.commit()
    async with store.read("t") as work:
        stands = {
            state: [one.bill_id for one in await work.bills.list(BillQuery(limit=9, state=state))]
            for state in (None, *BillState)
        }
        assert stands == {
            None: ["b3", "b2", "b1"],
            BillState.SUBMITTED: [],
            BillState.INVOICED: ["b2", "b1"],
            BillState.CANCELLED: ["b3"],
        }
        assert await work.bills.list(BillQuery(limit=9, provider="mail")) == []
    async with store.read("u") as work:
        assert await work.bills.list(BillQuery(limit=9)) == []


async def test_a_report_sums_what_the_ledger_has_of_one_tenant(store):
    await fill(store)
    await fill(store, "u")
    async with store.read("t") as work:
        found = await report(work, start=START, end=START + 30 * DAY, now=START + 99 * DAY)
        (books,) = found.books
        assert (books.invoiced, books.received, books.outstanding) == (25_000, 15_000, 10_000)
        assert await work.reports.invoiced_to(["acme", "none"], start=START, end=START + 61 * DAY) == {
            "acme": {"USD": 21_000}
        }
        assert await work.reports.last_activity(["acme"]) == {}
