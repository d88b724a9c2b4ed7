"""Issued documents and their lines, the numbers they take, and how far accounts are billed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    case,
    exists,
    insert,
    or_,
    select,
    update,
)

from tallygate.domain.billing.adjusting import IssuedLine
from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.documents import Invoice, InvoiceKind, series_of
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.messages import of_issue
from tallygate.domain.billing.rating import Billed
from tallygate.domain.billing.reissues import first_key, is_reissued
from tallygate.domain.billing.tax import Credited, TaxGroup
from tallygate.domain.money import exact_text
from tallygate.domain.period import UsagePeriod
from tallygate.records.billing import LOOK_BACK, BillingAccount, Forgiven, InvoiceQuery
from tallygate.storage.documents import AMOUNTS_POLICY, BASIS, FORMER_ZONES, LINE
from tallygate.storage.sql.billing.balances import balance_columns, balance_of, wallets_of
from tallygate.storage.sql.billing.profiles import freeze_parties, party_of
from tallygate.storage.sql.billing.tables import (
    billing_accounts,
    invoice_balances,
    invoice_lines,
    invoice_parties,
    invoices,
    number_series,
)
from tallygate.storage.sql.billing.tax import add_taxes, credited_lines, taxes_of
from tallygate.storage.sql.newest import newest_first
from tallygate.storage.sql.scope import Scope

_KEYS_AT_ONCE = 5_000
_OLDER = {"documents": -1}
_ADD_DOCUMENT, _ADD_BALANCE, _ADD_LINES = insert(invoices), insert(invoice_balances), insert(invoice_lines)
_LAST, _NOW = number_series.c.last_issue_time, bindparam("now", type_=number_series.c.last_issue_time.type)
_TAKE_NUMBER = (
    update(number_series)
    .where(*(number_series.c[name] == bindparam(f"its_{name}") for name in ("tenant_id", "series")))
    .values(next_number=number_series.c.next_number + 1, last_issue_time=case((_LAST < _NOW, _NOW), else_=_LAST))
    .returning(number_series.c.next_number, _LAST)
)
"""Made once, as making them costs more than running them."""
_BESIDE = ("line_key", "usage_line", "due_time", "currency", "amount", "exact")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlInvoiceRepository:
    """Documents of one tenant."""

    scope: Scope

    async def issue(self, invoice: Invoice) -> None:
        """Add a document with its lines; a line that was issued before fails the transaction."""
        own = {"tenant_id": self.scope.tenant_id, "invoice_id": invoice.invoice_id}
        await self.scope.connection.execute(_ADD_DOCUMENT, [{**own, **_columns(invoice)}])
        balance = {"account_id": invoice.account_id, "currency": invoice.currency, **balance_columns(invoice.balance)}
        await self.scope.connection.execute(_ADD_BALANCE, [{**own, **balance}])
        await freeze_parties(self.scope, invoice)
        lines = [
            {**own, "account_id": invoice.account_id, "line": number, **_line_columns(line)}
            for number, line in enumerate(invoice.lines, start=1)
        ]
        if lines:
            await self.scope.connection.execute(_ADD_LINES, lines)
        await add_taxes(self.scope, invoice)
        self.scope.changes.moments[invoice.account_id] = invoice.issue_time
        self.scope.changes.messages += of_issue(invoice)
        self.scope.changed(invoice.account_id, but=(wallets_of,))

    async def get(self, name: str) -> Invoice | None:
        """One document by its id or number, with its lines."""
        numbered = and_(invoices.c.series.in_({series_of(kind) for kind in InvoiceKind}), invoices.c.number == name)
        found = await self.scope.rows(self._documents().where(or_(invoices.c.invoice_id == name, numbered)))
        if not found:
            return None
        invoice_id = found[0].invoice_id
        query = select(invoice_lines.c.doc).where(
            _own(invoice_lines, self.scope), invoice_lines.c.invoice_id == invoice_id
        )
        rows = await self.scope.rows(query.order_by(invoice_lines.c.line))
        lines = tuple(LINE.validate_python(row.doc) for row in rows)
        return _invoice(found[0], lines, await taxes_of(self.scope, invoice_id))

    async def list(self, wanted: InvoiceQuery) -> Sequence[Invoice]:
        """Those asked for, newest first, without their lines."""
        query = self._documents()
        if wanted.account_id:
            query = query.where(invoices.c.account_id == wanted.account_id)
        if wanted.state is not None:
            query = query.where(invoice_balances.c.state == wanted.state.value)
        query = query.where(*_asked(wanted))
        query = newest_first(
            query,
            invoices.c.issue_time,
            invoices.c.invoice_id,
            tenant_id=self.scope.tenant_id,
            before=wanted.before,
            limit=wanted.limit,
        )
        return [_invoice(row) for row in await self.scope.rows(query)]

    async def next_number(self, series: str, *, now: int) -> tuple[int, int]:
        """The next number of a series, without gaps, and the instant of its issue: now, or its last one's if later."""
        mine = {"tenant_id": self.scope.tenant_id, "series": series}
        asked = {**{f"its_{name}": value for name, value in mine.items()}, "now": now}
        rows = (await self.scope.connection.execute(_TAKE_NUMBER, asked)).all()
        if not rows:
            await self.scope.execute(insert(number_series).values(**mine, next_number=2, last_issue_time=now))
            return 1, now
        return rows[0].next_number - 1, rows[0].last_issue_time

    def _documents(self) -> Select[Any]:
        same = (invoice_balances.c.tenant_id == invoices.c.tenant_id) & (
            invoice_balances.c.invoice_id == invoices.c.invoice_id
        )
        printed = (invoice_parties.c.tenant_id == invoices.c.tenant_id) & (
            invoice_parties.c.invoice_id == invoices.c.invoice_id
        )
        balance = [column.label(f"balance_{column.name}") for column in invoice_balances.c]
        whole = invoices.join(invoice_balances, same).outerjoin(invoice_parties, printed)
        parties = invoice_parties.c.seller, invoice_parties.c.buyer
        return select(invoices, *balance, *parties).select_from(whole).where(_own(invoices, self.scope))


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlIssuedLines:
    """What was charged already."""

    scope: Scope

    async def since(self, account_id: str, *, since: int) -> Sequence[IssuedLine]:
        """An account's lines that fell due after an instant."""
        bound, ahead = self.scope.known.ahead.get(lines_since_close, {}).get(account_id, (None, ()))
        if bound is not None and bound <= since:
            return [line for line in ahead if line.due > since]
        lines = invoice_lines.c
        query = select(lines.line_key, lines.due_time, lines.exact).where(
            _own(invoice_lines, self.scope), lines.account_id == account_id, lines.due_time > since
        )
        return [_issued_line(row) for row in await self.scope.rows(query)]

    async def whole(self, line_keys: Collection[str]) -> dict[str, Line]:
        """Lines by their keys, as they were issued."""
        lines = invoice_lines.c
        query = select(lines.line_key, lines.doc).where(
            _own(invoice_lines, self.scope), lines.line_key.in_(sorted(line_keys))
        )
        return {row.line_key: LINE.validate_python(row.doc) for row in await self.scope.rows(query)}

    async def place(self, line_key: str) -> tuple[str, int] | None:
        """The document of a line by its key, and its number there; None where it was not issued."""
        lines = invoice_lines.c
        query = select(lines.invoice_id, lines.line).where(_own(invoice_lines, self.scope), lines.line_key == line_key)
        rows = await self.scope.rows(query)
        return (rows[0].invoice_id, rows[0].line) if rows else None

    async def credited(self, line_keys: Collection[str]) -> dict[str, Credited]:
        """Lines by their keys, as they were issued, each with those that credited it."""
        return await credited_lines(self.scope, line_keys)

    async def usage(self, lines: Collection[str]) -> dict[str, Billed]:
        """What usage lines of these windows came to, by window."""
        found: dict[str, Billed] = {}
        names = sorted(lines)
        for first in range(0, len(names), _KEYS_AT_ONCE):
            query = select(invoice_lines.c.usage_line, invoice_lines.c.exact).where(
                _own(invoice_lines, self.scope), invoice_lines.c.usage_line.in_(names[first : first + _KEYS_AT_ONCE])
            )
            for row in await self.scope.rows(query):
                before = found.get(row.usage_line, Billed())
                found[row.usage_line] = Billed(exact=before.exact + Fraction(row.exact), revisions=before.revisions + 1)
        return found

    async def forgiven(self, account_id: str) -> Sequence[Forgiven]:
        """An account's documents that are void."""
        return await self.scope.of_one(forgiven_of, account_id)

    async def from_document(self, account_id: str, documents: int) -> dict[str, Fraction]:
        """What lines came to, exactly and by key, of the documents that an account had so many before, or more."""
        made = select(invoices.c.invoice_id, invoices.c.basis).where(
            _own(invoices, self.scope), invoices.c.account_id == account_id
        )
        after = [
            row.invoice_id for row in await self.scope.rows(made) if (row.basis or _OLDER)["documents"] >= documents
        ]
        found: dict[str, Fraction] = {}
        lines = invoice_lines.c
        for first in range(0, len(after), _KEYS_AT_ONCE):
            query = select(lines.line_key, lines.exact).where(
                _own(invoice_lines, self.scope), lines.invoice_id.in_(after[first : first + _KEYS_AT_ONCE])
            )
            found |= {row.line_key: Fraction(row.exact) for row in await self.scope.rows(query)}
        return found

    async def torn(self, invoice_id: str) -> dict[int, str]:
        """By number the lines of a document of which figures that are kept beside them say otherwise, and what."""
        query = select(invoice_lines).where(_own(invoice_lines, self.scope), invoice_lines.c.invoice_id == invoice_id)
        found: dict[int, str] = {}
        for row in await self.scope.rows(query):
            beside = _line_columns(LINE.validate_python(row.doc))
            said = {name: getattr(row, name) for name in _BESIDE if getattr(row, name) != beside[name]}
            if said:
                found[row.line] = ", ".join(f"{name} {value}" for name, value in said.items())
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlBillingAccounts:
    """How far accounts are billed."""

    scope: Scope

    async def get(self, account_id: str) -> BillingAccount | None:
        """One account; a write holds its tenant's lock."""
        return await self.scope.of_one(billing_accounts_of, account_id)

    async def put(self, account: BillingAccount) -> None:
        """Add or replace one."""
        self.scope.changes.billed[account.account_id] = account
        self.scope.changed(account.account_id)


async def billing_accounts_of(scope: Scope, account_ids: Sequence[str]) -> Mapping[str, BillingAccount | None]:
    """How far accounts are billed; None of one that never was looked at."""
    query = select(billing_accounts).where(
        _own(billing_accounts, scope), billing_accounts.c.account_id.in_(account_ids)
    )
    found = {
        row.account_id: BillingAccount(
            account_id=row.account_id,
            closed_until=row.closed_until,
            zone=row.zone,
            former_zones=FORMER_ZONES.validate_python(row.former_zones),
        )
        for row in await scope.rows(query)
    }
    found |= scope.changes.billed
    return {account_id: found.get(account_id) for account_id in account_ids}


async def note_billed(scope: Scope) -> None:
    """Write how far accounts are billed, all that this transaction billed at once."""
    billed, scope.changes.billed = scope.changes.billed, {}
    rows = [
        {
            "account_id": account.account_id,
            "closed_until": account.closed_until,
            "zone": account.zone,
            "former_zones": FORMER_ZONES.dump_python(account.former_zones, mode="json"),
        }
        for account in billed.values()
    ]
    await scope.upsert_into(billing_accounts, rows)


async def lines_since_close(
    scope: Scope, account_ids: Sequence[str]
) -> Mapping[str, tuple[int | None, Sequence[IssuedLine]]]:
    """From when on (None: never looked at) accounts' lines are compared, and the lines due since."""
    lines = invoice_lines.c
    states = await billing_accounts_of(scope, account_ids)
    bounds = {
        account_id: None if (state := states[account_id]) is None else state.closed_until - LOOK_BACK
        for account_id in account_ids
    }
    query = select(lines.account_id, lines.line_key, lines.due_time, lines.exact).where(
        _own(invoice_lines, scope),
        lines.account_id.in_(account_ids),
        lines.due_time > min((bound for bound in bounds.values() if bound is not None), default=0),
    )
    found: dict[str, list[IssuedLine]] = {account_id: [] for account_id in account_ids}
    for row in await scope.rows(query):
        found[row.account_id].append(_issued_line(row))
    return {account_id: (bounds[account_id], lines) for account_id, lines in found.items()}


async def forgiven_of(scope: Scope, account_ids: Sequence[str]) -> Mapping[str, Sequence[Forgiven]]:
    """The documents of accounts that are void."""
    own, balances, lines, later = invoices.c, invoice_balances.c, invoice_lines.c, invoices.alias().c
    next_one = exists().where(
        later.tenant_id == own.tenant_id,
        later.account_id == own.account_id,
        later.kind == own.kind,
        later.cause == own.cause,
        later.revision == own.revision + 1,
    )
    query = (
        select(own.account_id, own.invoice_id, lines.line_key, next_one.label("reissued"))
        .join_from(invoice_balances, invoices, _same(balances, own))
        .join(invoice_lines, _same(lines, own))
        .where(
            balances.tenant_id == scope.tenant_id,
            balances.account_id.in_(account_ids),
            balances.state == InvoiceState.VOID.value,
        )
    )
    found: dict[str, dict[tuple[str, bool], set[str]]] = {account_id: {} for account_id in account_ids}
    for row in await scope.rows(query):
        keys = found[row.account_id].setdefault((row.invoice_id, bool(row.reissued)), set())
        keys.add(first_key(row.line_key))
    return {
        account_id: [
            Forgiven(invoice_id=invoice_id, line_keys=frozenset(keys), reissued=reissued)
            for (invoice_id, reissued), keys in sorted(void.items())
        ]
        for account_id, void in found.items()
    }


def _same(some: Any, other: Any) -> ColumnElement[bool]:  # noqa: ANN401 - the columns of two tables
    return and_(some.tenant_id == other.tenant_id, some.invoice_id == other.invoice_id)


def _issued_line(row: Row[Any]) -> IssuedLine:
    return IssuedLine(line_key=row.line_key, due=row.due_time, exact=Fraction(row.exact))


def _own(table: Table, scope: Scope) -> ColumnElement[bool]:
    return table.c.tenant_id == scope.tenant_id


def _asked(wanted: InvoiceQuery) -> Iterator[ColumnElement[bool]]:
    issued = invoices.c.issue_time
    if wanted.kind is not None:
        yield invoices.c.kind == wanted.kind.value
    if wanted.since is not None:
        yield issued >= bindparam(None, wanted.since, issued.type)
    if wanted.until is not None:
        yield issued < bindparam(None, wanted.until, issued.type)
    if wanted.text:
        lines = invoice_lines.c
        names = invoices.c.number, invoices.c.account_id, invoice_parties.c.buyer["name"].as_string()
        said = and_(
            lines.tenant_id == invoices.c.tenant_id,
            lines.invoice_id == invoices.c.invoice_id,
            lines.doc["text"].as_string().icontains(wanted.text, autoescape=True),
        )
        yield or_(*(name.icontains(wanted.text, autoescape=True) for name in names), exists().where(said))


def _columns(invoice: Invoice) -> Mapping[str, Any]:
    return {
        "account_id": invoice.account_id,
        "kind": invoice.kind.value,
        "cause": invoice.cause,
        "revision": invoice.revision,
        "series": invoice.series,
        "number": invoice.number,
        "currency": invoice.currency,
        "period_start": invoice.period.start,
        "period_end": invoice.period.end,
        "issue_time": invoice.issue_time,
        "due_time": invoice.due_time,
        "subtotal": invoice.subtotal,
        "tax": invoice.tax,
        "total": invoice.total,
        "policy": AMOUNTS_POLICY.dump_python(invoice.policy, mode="json") if invoice.policy is not None else None,
        "zone": invoice.zone,
        "basis": BASIS.dump_python(invoice.basis, mode="json") if invoice.basis is not None else None,
        "parties_hash": invoice.parties_hash,
    }


def _line_columns(line: Line) -> Mapping[str, Any]:
    """A line as its table holds it; one that was reissued counts as charged by the name that it had first alone."""
    again = first_key(line.line_key) if is_reissued(line.line_key) else ""
    return {
        "line_key": line.line_key,
        "usage_line": line.line_key.rpartition("/")[0] if line.inputs is not None and not again else "",
        "due_time": line.due,
        "currency": line.currency,
        "amount": line.amount,
        "exact": exact_text(line.exact),
        "doc": LINE.dump_python(line, mode="json", exclude_defaults=True),
        "source_line": None if again and line.source_line else (line.source_line or again or line.reduces or None),
    }


def _invoice(row: Row[Any], lines: tuple[Line, ...] = (), taxes: tuple[TaxGroup, ...] = ()) -> Invoice:
    basis = BASIS.validate_python(row.basis) if row.basis is not None else None
    terms = basis.tax if basis is not None else None
    return Invoice(
        invoice_id=row.invoice_id,
        account_id=row.account_id,
        kind=InvoiceKind(row.kind),
        cause=row.cause,
        revision=row.revision,
        currency=row.currency,
        period=UsagePeriod(row.period_start, row.period_end),
        lines=lines,
        subtotal=row.subtotal,
        tax=row.tax,
        taxes=taxes,
        total=row.total,
        series=row.series,
        number=row.number,
        issue_time=row.issue_time,
        due_time=row.due_time,
        policy=AMOUNTS_POLICY.validate_python(row.policy) if row.policy is not None else None,
        zone=row.zone or "",
        basis=basis,
        evidence=terms.evidence if terms is not None else (),
        unverified=terms is not None and terms.unverified,
        balance=balance_of(row, prefix="balance_"),
        seller=party_of(row.seller),
        buyer=party_of(row.buyer),
        parties_hash=row.parties_hash or "",
    )
