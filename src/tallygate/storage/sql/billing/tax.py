"""The tax of documents by place and rate, and the lines that others credit."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, or_, select

from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.crediting import is_by_hand
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.reissues import is_reissued, revision_of
from tallygate.domain.billing.tax import Credited, TaxGroup
from tallygate.domain.billing.tax_evidence import Treatment
from tallygate.storage.documents import LINE
from tallygate.storage.sql.billing.tables import invoice_balances, invoice_lines, invoice_taxes
from tallygate.storage.sql.scope import Scope

_KEYS_AT_ONCE = 2_500


async def add_taxes(scope: Scope, invoice: Invoice) -> None:
    """Keep the tax of a document that is issued, if it has any."""
    own = {"tenant_id": scope.tenant_id, "invoice_id": invoice.invoice_id}
    rows = [{**own, "place": place, **asdict(group)} for place, group in enumerate(invoice.taxes, start=1)]
    if rows:
        await scope.connection.execute(insert(invoice_taxes), rows)


async def taxes_of(scope: Scope, invoice_id: str) -> tuple[TaxGroup, ...]:
    """The tax of a document, in order."""
    own = invoice_taxes.c
    query = select(invoice_taxes).where(own.tenant_id == scope.tenant_id, own.invoice_id == invoice_id)
    return tuple(
        TaxGroup(
            country=row.country,
            region=row.region,
            name=row.name,
            rate=row.rate,
            note=row.note,
            category=row.category or "",
            base=row.base,
            amount=row.amount,
            treatment=Treatment(row.treatment or ""),
            source=row.source or "",
        )
        for row in await scope.rows(query.order_by(own.place))
    )


async def credited_lines(scope: Scope, line_keys: Collection[str]) -> dict[str, Credited]:
    """Lines by their keys, as they were issued, each with those that gave back of it."""
    lines, wanted = invoice_lines.c, sorted(line_keys)
    found: dict[str, Line] = {}
    since: dict[str, list[tuple[str, Line]]] = {}
    instead: dict[str, list[Line]] = {}
    for first in range(0, len(wanted), _KEYS_AT_ONCE):
        keys = wanted[first : first + _KEYS_AT_ONCE]
        query = select(lines.line_key, lines.source_line, lines.doc, lines.invoice_id).where(
            lines.tenant_id == scope.tenant_id, or_(lines.line_key.in_(keys), lines.source_line.in_(keys))
        )
        for row in await scope.rows(query):
            line = _line(row.doc)
            if row.line_key in line_keys:
                found[row.line_key] = line
            if row.source_line and is_reissued(row.line_key):
                instead.setdefault(row.source_line, []).append(line)
            elif row.source_line:
                since.setdefault(row.source_line, []).append((row.invoice_id, line))
    void = await _void(scope, {note for found in since.values() for note, one in found if is_by_hand(one.line_key)})

    def in_force(key: str) -> list[Line]:
        return sorted((one for note, one in since.get(key, ()) if note not in void), key=lambda one: one.line_key)

    return {
        key: Credited(
            line=line,
            credits=tuple(one for one in in_force(key) if one.source_line),
            reductions=tuple(one for one in in_force(key) if not one.source_line),
            reissues=tuple(sorted(instead.get(key, ()), key=lambda one: revision_of(one.line_key))),
        )
        for key, line in found.items()
    }


async def _void(scope: Scope, notes: Collection[str]) -> frozenset[str]:
    """Which of these notes count no more, as the invoice that they took from is void."""
    if not notes:
        return frozenset()
    own = invoice_balances.c
    query = select(own.invoice_id).where(
        own.tenant_id == scope.tenant_id, own.invoice_id.in_(sorted(notes)), own.state == InvoiceState.VOID.value
    )
    return frozenset(row.invoice_id for row in await scope.rows(query))


def _line(doc: Any) -> Line:  # noqa: ANN401 - a JSON document
    return LINE.validate_python(doc)
