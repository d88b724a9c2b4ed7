"""A driver of invoice worlds over the pure engine: rating and documents fed by hand, without a database or a server."""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from invoice_worlds import shown_amount
from tallygate.billing.books import Books
from tallygate.billing.due_lines import change_documents, made_at
from tallygate.billing.order_invoices import order_documents
from tallygate.domain.billing.adjusting import IssuedLine
from tallygate.domain.billing.counting import BillableFact
from tallygate.domain.billing.default_plans import default_timelines
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.fees import Fee
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.orders import Sold
from tallygate.domain.billing.parties import Address, BillingProfile, Party
from tallygate.domain.billing.published import published
from tallygate.domain.billing.rating import Billed
from tallygate.domain.billing.runs import runs
from tallygate.domain.billing.tax import Credited, TaxTerms, terms_of
from tallygate.domain.billing.timeline import QuantityChange, Timeline
from tallygate.domain.billing.windows import UsageWindow
from tallygate.domain.billing.zones import calendar_of, said, stretches
from tallygate.domain.catalog import Catalog
from tallygate.domain.currency import decimals_of
from tallygate.domain.event import FactKind, UsageFact
from tallygate.domain.refunded import PeriodUnits, period_of
from tallygate.storage.tax.shipped import shipped_rates
from world_engine import TENANT, EngineDriver
from worlds import instant_text

_LEVELS = {FactKind.LEVEL, FactKind.EVENT}


@dataclass
class Bill:
    """What billing knows of one account besides its record; the port of what was issued."""

    closed_until: int
    users: set[str] = field(default_factory=set)
    quantities: list[QuantityChange] = field(default_factory=list)
    fees: list[Fee] = field(default_factory=list)
    issued: list[Invoice] = field(default_factory=list)

    async def since(self, _account_id: str, *, since: int) -> list[IssuedLine]:
        lines = [line for invoice in self.issued for line in invoice.lines]
        return [
            IssuedLine(line_key=line.line_key, due=line.due, exact=line.exact) for line in lines if line.due > since
        ]

    async def whole(self, line_keys: Collection[str]) -> dict[str, Line]:
        lines = [line for invoice in self.issued for line in invoice.lines]
        return {line.line_key: line for line in lines if line.line_key in line_keys}

    async def credited(self, line_keys: Collection[str]) -> dict[str, Credited]:
        lines = [line for invoice in self.issued for line in invoice.lines]
        since = {key: tuple(line for line in lines if line.source_line == key) for key in line_keys}
        less = {key: tuple(line for line in lines if line.reduces == key) for key in line_keys}
        known = await self.whole(line_keys)
        return {key: Credited(line=one, credits=since[key], reductions=less[key]) for key, one in known.items()}

    async def usage(self, lines: Collection[str]) -> dict[str, Billed]:
        found: dict[str, Billed] = {}
        for line in [line for invoice in self.issued for line in invoice.lines if line.inputs is not None]:
            window = line.line_key.rpartition("/")[0]
            before = found.get(window, Billed())
            found[window] = Billed(exact=before.exact + line.exact, revisions=before.revisions + 1)
        return {window: billed for window, billed in found.items() if window in lines}


def _as_recorded(facts: list[UsageFact]) -> list[UsageFact]:
    units: dict[object, PeriodUnits] = defaultdict(PeriodUnits)
    return [fact if (period := period_of(fact)) is None else units[period].recorded(fact) for fact in facts]


@dataclass
class Log:
    """The port of what was counted."""

    all_facts: list[UsageFact]

    async def facts(
        self, account_id: str, window: UsageWindow, *, through: int, after: tuple[int, str] | None = None
    ) -> AsyncIterator[BillableFact]:
        assert after is None, "documents are made of all facts"
        inside = [f for f in self._charged(account_id, window, through) if window.start <= f.occurred_time < window.end]
        for fact in inside:
            if not window.plan_version or _terms(fact) == _terms_of(window):
                yield BillableFact(
                    quantity=fact.quantity - sum(pot.uncharged for pot in fact.pots),
                    occurred_time=fact.occurred_time,
                    request_id=fact.request_id,
                    pots=tuple(replace(pot, quantity=pot.quantity - pot.uncharged, uncharged=0) for pot in fact.pots),
                    dimensions=fact.dimensions,
                    user_id=fact.user_id,
                )

    async def level_before(self, account_id: str, window: UsageWindow, *, through: int) -> int:
        known = [fact for fact in self._of(account_id, window, through) if fact.billable or fact.trial]
        before = [fact for fact in known if fact.occurred_time < window.start and fact.kind in _LEVELS]
        return before[-1].quantity if before else 0

    async def head(self) -> int:
        return len(self.all_facts)

    def _charged(self, account_id: str, window: UsageWindow, through: int) -> list[UsageFact]:
        return [fact for fact in self._of(account_id, window, through) if fact.billable and not fact.trial]

    def _of(self, account_id: str, window: UsageWindow, through: int) -> list[UsageFact]:
        wanted, known = (account_id, window.usage.feature_key), _as_recorded(self.all_facts[:through])
        found = [fact for fact in known if (fact.account_id, fact.feature_key) == wanted]
        return sorted(found, key=lambda fact: (fact.occurred_time, fact.request_id))


@dataclass
class Work:
    """What `made_at` asks of a unit of work."""

    issued_lines: Bill
    usage_log: Log
    tenant_id: str = TENANT


class BillingEngineDriver(EngineDriver):
    """Whenever the clock has moved, every cut whose time has come is made; numbers and parties are others' business."""

    def __init__(self) -> None:
        super().__init__()
        self._bills: dict[str, Bill] = {}
        self._cancels: dict[str, int] = {}
        self._country = ""

    async def sells_from(self, country: str) -> None:
        """The seller is there, and so are buyers."""
        self._country = country

    async def move_to(self, now: int) -> None:
        await super().move_to(now)
        await self.run()

    async def run(self) -> None:
        """Make all that is due."""
        for account_id, bill in self._bills.items():
            while await self._make_next(account_id, bill):
                pass

    async def documents(self) -> dict[str, list[dict[str, Any]]]:
        """Every document, as worlds write them."""
        return {account: [_shown(each) for each in bill.issued] for account, bill in self._bills.items() if bill.issued}

    def issued(self) -> list[Invoice]:
        """Every document as the domain has it, by account, oldest first."""
        return [each for bill in self._bills.values() for each in bill.issued]

    async def _make_next(self, account_id: str, bill: Bill) -> bool:
        books, work = self._books(account_id, bill), Work(issued_lines=bill, usage_log=Log(self.gates.facts))
        cut = books.next_cut()
        ready = None if cut is None else books.ready(cut)
        if cut is None or ready is None or ready > self._now:
            return False
        bill.issued += [replace(each, issue_time=ready) for each in await made_at(work, books.made(ready), cut)]
        bill.closed_until, bill.fees = cut, [fee for fee in bill.fees if fee.create_time >= cut]
        return True

    def _books(self, account_id: str, bill: Bill) -> Books:
        record, catalog = self._record(account_id), self._snapshot().catalog
        zones = said(
            stretches(record.former_zones, record.time_zone), stretches(catalog.former_zones, catalog.time_zone)
        )
        calendar = calendar_of(list(zones), account_create_time=record.create_time)
        held = [*record.former_subscriptions, *([record.subscription] if record.subscription else [])]
        timelines = tuple(
            Timeline(
                subscription=each,
                catalog=catalog,
                cancel_time=self._cancels.get(each.subscription_id),
                quantities=tuple(bill.quantities),
            )
            for each in held
        )
        quantities = tuple(bill.quantities)
        created = record.create_time
        timelines += tuple(default_timelines(account_id, catalog, held, create_time=created, quantities=quantities))
        assert catalog.billing is not None
        return Books(
            account_id=account_id,
            catalog=catalog,
            policy=catalog.billing,
            calendar=calendar,
            timelines=timelines,
            runs=tuple(run for timeline in timelines for run in runs(timeline, calendar)),
            closed_until=bill.closed_until,
            fees=tuple(bill.fees),
            tax=self._tax(catalog),
        )

    def _tax(self, catalog: Catalog) -> TaxTerms | None:
        policy = catalog.billing
        if policy is None or policy.tax is None:
            return None
        home = Party(name="Tally", address=Address(country=self._country))
        return terms_of(
            policy.tax,
            policy.rounding,
            shipped_rates(),
            seller=BillingProfile(account_id="", party=home),
            buyer=None,
            zone=catalog.time_zone or "UTC",
            time=self._now,
        )

    async def _invoice_now(self, account):
        bill = self._bills[account]
        work = Work(issued_lines=bill, usage_log=Log(self.gates.facts))
        made = await change_documents(work, self._books(account, bill).made(self._now), self._now)
        bill.issued += [replace(each, issue_time=self._now) for each in made]
        charged = {line.line_key for each in made for line in each.lines}
        bill.fees = [fee for fee in bill.fees if fee.line_key not in charged]

    async def _order(self, account, plan, add_ons=None):
        bill = self._bills[account]
        self._subscribe(account, plan, add_ons=add_ons)
        sold = frozenset({self._subscription(account).subscription_id})
        work = Work(issued_lines=bill, usage_log=Log(self.gates.facts))
        books = self._books(account, bill).made(self._now)
        made = await order_documents(work, books, Sold(order_id=f"order/{account}", subscription_ids=sold), self._now)
        bill.issued += [replace(each, issue_time=self._now) for each in made]

    def _publish_catalog(self, catalog: Catalog) -> None:
        began = self._snapshot().catalog.billing if self._bills else None
        if catalog.billing is not None:
            billing = replace(catalog.billing, start_time=began.start_time if began else self._now)
            catalog = replace(catalog, billing=billing)
        super()._publish_catalog(published(catalog))

    def _account(self, account, **more):
        billing = self._snapshot().catalog.billing
        assert billing is not None
        self._bills[account] = Bill(closed_until=billing.start_time - 1)
        super()._account(account, **more)

    def _cancel(self, account, at=None):
        self._cancels[self._subscription(account).subscription_id] = self._now
        super()._cancel(account, at)

    def _users(self, account, add=(), remove=()):
        bill = self._bills[account]
        bill.users = (bill.users | set(add)) - set(remove)
        bill.quantities.append(QuantityChange(source="", change_time=self._now, quantity=len(bill.users)))

    def _fee(self, account, id, amount, text, currency="USD"):  # noqa: A002 - the document's key
        exact = Fraction(Decimal(amount)) * 10 ** decimals_of(currency)
        fee = Fee(fee_id=id, account_id=account, create_time=self._now, currency=currency, text=text, exact=exact)
        self._bills[account].fees.append(fee)

    def _offset(self, fee):
        account, line = next(
            (account, line)
            for account, bill in self._bills.items()
            for invoice in bill.issued
            for line in invoice.lines
            if line.line_key == f"fee/{fee}"
        )
        exact = Decimal(-line.amount).scaleb(-decimals_of(line.currency))
        self._fee(account, f"offset-{fee}", str(exact), f"Offset: {line.text}", line.currency)


def _terms(fact: UsageFact) -> tuple[str, str, int]:
    return fact.subscription_id, fact.plan_key, fact.plan_version


def _terms_of(window: UsageWindow) -> tuple[str, str, int]:
    return window.subscription_id, window.plan_key, window.plan_version


def _shown(invoice: Invoice) -> dict[str, Any]:
    return {
        "kind": invoice.kind.value,
        "issued": instant_text(invoice.issue_time),
        "lines": [f"{line.text} {shown_amount(line.amount, line.currency)}" for line in invoice.lines],
        **({"tax": shown_amount(invoice.tax, invoice.currency)} if invoice.taxes else {}),
        "total": shown_amount(invoice.total, invoice.currency),
    }
