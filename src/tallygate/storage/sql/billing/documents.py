"""Issued documents and their lines, the numbers they take, and how far accounts are billed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    case,
    exists,
    insert,
    or_,
    select,
    update,
)

from tallygate.domain.billing.documents import Invoice, InvoiceKind, series_of
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.messages import of_issue
from tallygate.domain.billing.tax import TaxGroup
from tallygate.domain.period import UsagePeriod
from tallygate.records.billing import InvoiceQuery
from tallygate.storage.documents import AMOUNTS_POLICY, BASIS, LINE
from tallygate.storage.sql.billing.balances import balance_columns, balance_of, wallets_of
from tallygate.storage.sql.billing.issued_lines import line_columns
from tallygate.storage.sql.billing.profiles import freeze_parties, party_of
from tallygate.storage.sql.billing.tables import (
    invoice_balances,
    invoice_lines,
    invoice_parties,
    invoices,
    number_series,
)
from tallygate.storage.sql.billing.tax import add_taxes, taxes_of
from tallygate.storage.sql.newest import newest_first
from tallygate.storage.sql.scope import Scope

_ADD_DOCUMENT, _ADD_BALANCE, _ADD_LINES = insert(invoices), insert(invoice_balances), insert(invoice_lines)
_LAST, _NOW = number_series.c.last_issue_time, bindparam("now", type_=number_series.c.last_issue_time.type)
_TAKE_NUMBER = (
    update(number_series)
    .where(*(number_series.c[name] == bindparam(f"its_{name}") for name in ("tenant_id", "series")))
    .values(next_number=number_series.c.next_number + 1, last_issue_time=case((_LAST < _NOW, _NOW), else_=_LAST))
    .returning(number_series.c.next_number, _LAST)
)
"""Made once, as making them costs more than running them."""


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
            {**own, "account_id": invoice.account_id, "line": number, **line_columns(line)}
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
            self.scope.owns(invoice_lines), invoice_lines.c.invoice_id == invoice_id
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
        return select(invoices, *balance, *parties).select_from(whole).where(self.scope.owns(invoices))


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
