"""What documents brought in, read from the ledger and from what was issued: neither ever changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, or_, select

from tallygate.domain.billing.documents import InvoiceKind
from tallygate.domain.billing.earning import Earning, GivenBack, transfers_in_order
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.posting import LIABILITY, RECEIVABLE, REFUNDED, Transfer
from tallygate.domain.billing.reissues import first_key, revision_of
from tallygate.storage.documents import LINE
from tallygate.storage.sql.billing.ledger import transfer_of
from tallygate.storage.sql.billing.ledger_tables import ledger_transfers
from tallygate.storage.sql.billing.tables import invoice_lines, invoices
from tallygate.storage.sql.scope import Scope

_COUNTERS = (RECEIVABLE, LIABILITY, REFUNDED)
_LINES, _MOVES = invoice_lines.c, ledger_transfers.c
_KEYS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlEarnings:
    """Documents of one tenant with what became of them."""

    scope: Scope

    async def moved(self, *, start: int, end: int, after: str, limit: int) -> Sequence[str]:
        """Documents of which something was paid, taken back or given back in a time, by id, those behind `after`."""
        here = (
            self.scope.owns(ledger_transfers),
            _MOVES.effective_time >= start,
            _MOVES.effective_time < end,
            or_(_MOVES.debit.in_(_COUNTERS), _MOVES.credit.in_(_COUNTERS)),
        )
        named = select(_MOVES.document_id).where(*here).distinct().subquery()
        source = invoice_lines.alias("source")
        credits_ = and_(
            self.scope.owns(invoice_lines), _LINES.invoice_id == named.c.document_id, _LINES.source_line != ""
        )
        same = and_(
            source.c.tenant_id == self.scope.tenant_id,
            or_(source.c.line_key == _LINES.source_line, source.c.source_line == _LINES.source_line),
        )
        credited = select(source.c.invoice_id).select_from(named.join(invoice_lines, credits_).join(source, same))
        both = select(named.c.document_id).union(credited).subquery()
        own = self.scope.owns(invoices), invoices.c.invoice_id > after
        query = select(invoices.c.invoice_id).where(*own, invoices.c.invoice_id.in_(select(both)))
        rows = await self.scope.rows(query.order_by(invoices.c.invoice_id).limit(limit))
        return [row.invoice_id for row in rows]

    async def of(self, invoice_ids: Sequence[str]) -> Sequence[Earning]:
        """Documents with all that became of them, by id."""
        own = self.scope.owns(invoices), invoices.c.invoice_id.in_(invoice_ids)
        found = await self.scope.rows(select(invoices).where(*own).order_by(invoices.c.invoice_id))
        lines = await self._lines(invoice_ids)
        given = await self._given_back([line.line_key for each in lines.values() for line in each])
        notes = {note for each in given.values() for note, _ in each}
        moves = await self._moves([*invoice_ids, *notes])
        return [self._earning(row, lines.get(row.invoice_id, []), given, moves) for row in found]

    def _earning(
        self,
        row: Row[Any],
        lines: Sequence[Line],
        given: dict[str, list[tuple[str, GivenBack]]],
        moves: dict[str, list[Transfer]],
    ) -> Earning:
        note = row.kind == InvoiceKind.CREDIT_NOTE.value
        back = [one for line in lines for one in given.get(line.line_key, ())]
        notes = {name for name, _ in back}
        return Earning(
            invoice_id=row.invoice_id,
            number=row.number,
            account_id=row.account_id,
            currency=row.currency,
            issue_time=row.issue_time,
            total=row.total,
            lines=tuple(line for line in lines if not (note and line.gives_back)),
            given_back=tuple(one for _, one in back),
            moves=transfers_in_order(one for name in (row.invoice_id, *notes) for one in moves.get(name, ())),
        )

    async def _lines(self, invoice_ids: Sequence[str]) -> dict[str, list[Line]]:
        own = self.scope.owns(invoice_lines), _LINES.invoice_id.in_(invoice_ids)
        query = select(_LINES.invoice_id, _LINES.doc).where(*own).order_by(_LINES.invoice_id, _LINES.line)
        found: dict[str, list[Line]] = {}
        for row in await self.scope.rows(query):
            found.setdefault(row.invoice_id, []).append(LINE.validate_python(row.doc))
        return found

    async def _given_back(self, line_keys: Sequence[str]) -> dict[str, list[tuple[str, GivenBack]]]:
        """What notes gave back of lines, with the note, by the line that stands: a void one was issued anew."""
        same = and_(invoices.c.tenant_id == _LINES.tenant_id, invoices.c.invoice_id == _LINES.invoice_id)
        query = (
            select(_LINES.source_line, _LINES.amount, invoices.c.invoice_id, invoices.c.issue_time)
            .select_from(invoice_lines.join(invoices, same))
            .where(self.scope.owns(invoice_lines), invoices.c.kind == InvoiceKind.CREDIT_NOTE.value)
        )
        standing = {first_key(key): key for key in sorted(line_keys, key=revision_of)}
        found: dict[str, list[tuple[str, GivenBack]]] = {}
        for row in await self._among(query, _LINES.source_line, standing):
            key = standing[row.source_line]
            given = GivenBack(line_key=key, amount=row.amount, time=row.issue_time)
            found.setdefault(key, []).append((row.invoice_id, given))
        return found

    async def _moves(self, document_ids: Iterable[str]) -> dict[str, list[Transfer]]:
        query = select(ledger_transfers).where(self.scope.owns(ledger_transfers))
        found: dict[str, list[Transfer]] = {}
        for row in await self._among(query, _MOVES.document_id, document_ids):
            found.setdefault(row.document_id, []).append(transfer_of(row))
        return found

    async def _among(self, query: Select[Any], column: ColumnElement[str], wanted: Iterable[str]) -> list[Row[Any]]:
        """The rows in which a column is one of these, in as many queries as there can be parameters for."""
        keys, found = sorted(set(wanted)), list[Row[Any]]()
        for first in range(0, len(keys), _KEYS_AT_ONCE):
            found += await self.scope.rows(query.where(column.in_(keys[first : first + _KEYS_AT_ONCE])))
        return found
