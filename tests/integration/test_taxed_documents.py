"""Documents with parties and tax, credited, reissued, found and verified: on both databases. Figures by hand."""

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
import pytest_asyncio
from sqlalchemy import delete, func, select, text, update

from billed_worlds import KINDS, living
from faults.crashes import DAY, DECEMBER, NOVEMBER, SECOND, TENANT, billed, catalog, moved, subscribed
from tallygate.billing.invoices import list_invoices
from tallygate.billing.ports import TaxIdAnswer
from tallygate.billing.profiles import set_profile
from tallygate.billing.reissuing import reissue
from tallygate.billing.tax_ids import TaxIds, WantedCheck
from tallygate.billing.verifying import verify_invoice
from tallygate.billing.voiding import void_invoice
from tallygate.control_plane.catalog import ApplyCatalog, apply_catalog
from tallygate.control_plane.tenants import CreateTenant, create_tenant
from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.documents import InvoiceKind
from tallygate.domain.billing.parties import Address, BillingProfile, Party
from tallygate.domain.billing.tax_evidence import TaxIdStatus, Treatment
from tallygate.domain.billing_terms import BillingPolicy, TaxPolicy
from tallygate.jobs.scheduler import Scheduler
from tallygate.records.billing import InvoiceQuery
from tallygate.records.jobs import VERIFY_TAX_ID
from tallygate.storage.sql.billing.jobs import SqlJobQueue
from tallygate.storage.sql.billing.tables import invoice_lines, invoice_parties, invoice_taxes, invoices
from tallygate.storage.sql.scope import Scope
from tallygate.storage.sql.unit_of_work import SqlUnitOfWork

pytestmark = pytest.mark.asyncio(loop_scope="module")
LATER = DECEMBER + DAY
EXEMPT = "Certificate 4711"


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def world(request, places):
    """10.00 a month at 19 %; acme's first invoice is reissued to an exempt buyer; both go to 40.00 after half of it."""
    async with living(places.new(request.param)) as found:
        await lived(found)
        yield found


async def lived(found):
    found.now = NOVEMBER - DAY
    await create_tenant(found.transactions, CreateTenant(tenant_id=TENANT, test=False), now=found.now)
    await profile(found, "", country="DE")
    taxed = replace(catalog(), billing=BillingPolicy(grace=0, tax=TaxPolicy()))
    await found.write(lambda work, now: apply_catalog(work, ApplyCatalog(document=taxed), now=now))
    found.now = NOVEMBER
    for account in ("acme", "globex"):
        await subscribed(account)(found)
    await profile(found, "acme", country="AT")
    await billed(found)
    found.now += DAY
    await profile(found, "acme", country="AT", exempt=EXEMPT)
    first = await one(found, account_id="acme")
    for _ in range(2):  # asked for again, it is the same
        await found.write(lambda work, now: voided(work, first.invoice_id, now=now))
    found.now = NOVEMBER + 15 * DAY
    for account in ("acme", "globex"):
        await moved(account, "big")(found)
    found.now = DECEMBER + SECOND
    await billed(found)


async def voided(work, invoice_id, *, now):
    void = await void_invoice(work, invoice_id, now=now)
    return await reissue(work, void, now=now)


async def profile(world, account_id, *, country, exempt=""):
    party = Party(name=f"{account_id.title() or 'Tally'} Söhne", address=Address(country=country))
    wanted = BillingProfile(account_id=account_id, party=party, tax_exemption=exempt)
    await world.write(lambda work, now: set_profile(work, wanted, now=now))


@asynccontextmanager
async def reading(world):
    """What a reader sees, with triggers off; what is changed is undone."""
    async with world.engine.connect() as connection:
        if world.url.startswith("sqlite"):
            for table in ("invoices", "invoice_lines", "invoice_taxes"):
                for event in ("update", "delete"):
                    await connection.execute(text(f"DROP TRIGGER {table}_no_{event}"))
        else:
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield SqlUnitOfWork(scope=Scope(connection=connection, tenant_id=TENANT, now=LATER))
        await connection.rollback()


async def found(world, **wanted):
    async with reading(world) as work:
        page = await list_invoices(work, InvoiceQuery(limit=0, **wanted))
        return [await work.invoices.get(invoice.invoice_id) for invoice in reversed(page.items)]


async def one(world, **wanted):
    (only,) = await found(world, **wanted)
    return only


async def test_a_reissue_stands_in_the_place_of_the_void_one(world):
    void, anew, _ = await found(world, account_id="acme")
    assert (void.state, void.tax, void.total) == (InvoiceState.VOID, 190, 1190)
    assert (anew.tax, anew.total, anew.revision) == (0, 1000, 1)
    assert (anew.kind, anew.cause, anew.period) == (void.kind, void.cause, void.period)
    assert [line.line_key for line in anew.lines] == [f"reissue/1/{line.line_key}" for line in void.lines]
    assert [group.note for group in anew.taxes] == [EXEMPT]
    assert int(anew.number[-6:]) == 3  # behind those of both accounts


async def test_what_was_reissued_is_charged_once_and_credited_as_it_was(world):
    """The 15th of November: 10.00 x 1/2 comes back, 40.00 x 1/2 and December's 40.00 are charged."""
    *_, acme = await found(world, account_id="acme")
    *_, globex = await found(world, account_id="globex")
    assert [line.amount for line in acme.lines] == [line.amount for line in globex.lines]
    assert (acme.subtotal, acme.tax) == (5500, 0)
    assert (globex.subtotal, globex.tax) == (5500, 1045)  # 60.00 at 19 % is 11.40; half of 1.90 comes back
    credit = next(line for line in globex.lines if line.source_line)
    assert (credit.amount, credit.tax.amount) == (-500, -95)


async def test_documents_are_found_by_text(world):
    async def kinds(**wanted):
        return sorted(invoice.account_id for invoice in await found(world, **wanted))

    assert await kinds(text="acme SÖHNE".replace("Ö", "ö")) == ["acme"] * 3
    assert await kinds(text="globex") == ["globex"] * 2  # it has no profile: its id
    assert await kinds(text="big", account_id="acme") == ["acme"]  # a line's text
    assert await kinds(text="_") == []
    assert await kinds(kind=InvoiceKind.PERIOD, since=DECEMBER) == ["acme", "globex"]
    assert await kinds(until=NOVEMBER + DAY) == ["acme", "globex"]


async def differences(work):
    names = (await work.scope.connection.execute(select(invoices.c.invoice_id))).scalars().all()
    return [each for name in names for each in (await verify_invoice(work, name, now=LATER)).differences]


async def test_all_of_it_comes_out_the_same_once_more(world):
    async with reading(world) as work:
        assert await differences(work) == []


async def of_lines(connection, change):
    rows = (await connection.execute(select(invoice_lines))).all()
    row = next(row for row in rows if (row.doc.get("tax") or {}).get("amount"))
    where = invoice_lines.c.invoice_id == row.invoice_id, invoice_lines.c.line == row.line
    await connection.execute(update(invoice_lines).where(*where).values(doc={**row.doc, "tax": change(row.doc["tax"])}))


async def tax_and_total(connection):
    own = invoices.c
    last = (await connection.execute(select(func.max(own.invoice_id)).where(own.tax > 0))).scalar()
    values = {"tax": own.tax + 1, "total": own.total + 1}
    await connection.execute(update(invoices).where(own.invoice_id == last).values(**values))


TAMPERED = {
    "the tax of a line": lambda connection: of_lines(connection, lambda tax: {**tax, "amount": tax["amount"] + 1}),
    "the rate of a line": lambda connection: of_lines(connection, lambda tax: {**tax, "rate": "7"}),
    "tax and total together": tax_and_total,
    "a sum by rate": lambda connection: connection.execute(update(invoice_taxes).values(amount=1)),
    "a buyer": lambda connection: connection.execute(update(invoice_parties).values(buyer={"name": "Somebody"})),
    "no parties": lambda connection: connection.execute(delete(invoice_parties)),
}


@pytest.mark.parametrize("what", TAMPERED)
async def test_what_was_changed_behind_its_back_is_found(world, what):
    async with reading(world) as work:
        await TAMPERED[what](work.scope.connection)
        assert await differences(work)


@dataclass
class Slow:
    """A register that says nothing until it is mended."""

    asked: list = field(default_factory=list)
    mended: bool = False
    name: str = "vies"

    def has_form(self, _tax_id):
        return True

    async def ask(self, tax_id, *, requester):
        self.asked.append((tax_id, requester))
        if not self.mended:
            return TaxIdAnswer(status=TaxIdStatus.UNAVAILABLE)
        return TaxIdAnswer(status=TaxIdStatus.VERIFIED, reference="WAPI1", name="Initech AG")


async def test_a_register_that_said_nothing_is_asked_until_it_is_known(world):
    """Taxed in December at 19 %; asked after 5 minutes, twice as long and so on; in January the buyer owes the tax."""
    register, tax_id = Slow(), "ATU12345675"
    world.now = LATER
    await subscribed("initech")(world)
    party = Party(name="Initech", address=Address(country="AT"), tax_ids=(tax_id,))
    await world.write(lambda work, now: set_profile(work, BillingProfile(account_id="initech", party=party), now=now))
    ids = TaxIds(transactions=world.transactions, verifier=register, clock=lambda: world.now)
    queue = SqlJobQueue(engine=world.engine)
    worker = Scheduler(queue=queue, handlers={VERIFY_TAX_ID: ids.ask_again}, clock=lambda: world.now)
    known = await ids.verify(TENANT, WantedCheck(account_id="initech", tax_id=tax_id))
    assert known.check.status is TaxIdStatus.UNAVAILABLE
    await billed(world)
    minute = 60 * SECOND
    tried = []
    for step in range(1, 61):
        world.now = LATER + step * minute
        register.mended = step > 30
        tried += [step] * await worker.round()
    assert tried == [5, 10, 20, 40]
    world.now = LATER + 31 * DAY
    await billed(world)
    first, second = await found(world, account_id="initech")
    assert (first.tax, first.unverified) == (190, True)
    assert (second.tax, second.unverified) == (0, False)
    (group,) = second.taxes
    assert group.treatment is Treatment.REVERSE_CHARGE
    assert [(each.country, each.detail) for each in second.evidence] == [("AT", ""), ("AT", "vies WAPI1")]
