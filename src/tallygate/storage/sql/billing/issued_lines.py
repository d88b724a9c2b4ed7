"""Lines as they were issued, by account and by key: what was charged already, and what of it is void."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    exists,
    select,
)

from tallygate.domain.billing.adjusting import IssuedLine
from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.rating import Billed
from tallygate.domain.billing.reissues import first_key, is_reissued
from tallygate.domain.billing.tax import Credited
from tallygate.domain.money import exact_text
from tallygate.records.billing import LOOK_BACK, Forgiven
from tallygate.storage.documents import LINE
from tallygate.storage.sql.billing.billed_accounts import billing_accounts_of
from tallygate.storage.sql.billing.tables import (
    invoice_balances,
    invoice_lines,
    invoices,
)
from tallygate.storage.sql.billing.tax import credited_lines
from tallygate.storage.sql.scope import Scope

_KEYS_AT_ONCE = 5_000
_OLDER = {"documents": -1}
_BESIDE = ("line_key", "usage_line", "due_time", "currency", "amount", "exact")


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
            self.scope.owns(invoice_lines), lines.account_id == account_id, lines.due_time > since
        )
        return [_issued_line(row) for row in await self.scope.rows(query)]

    async def whole(self, line_keys: Collection[str]) -> dict[str, Line]:
        """Lines by their keys, as they were issued."""
        lines = invoice_lines.c
        query = select(lines.line_key, lines.doc).where(
            self.scope.owns(invoice_lines), lines.line_key.in_(sorted(line_keys))
        )
        return {row.line_key: LINE.validate_python(row.doc) for row in await self.scope.rows(query)}

    async def place(self, line_key: str) -> tuple[str, int] | None:
        """The document of a line by its key, and its number there; None where it was not issued."""
        lines = invoice_lines.c
        query = select(lines.invoice_id, lines.line).where(self.scope.owns(invoice_lines), lines.line_key == line_key)
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
                self.scope.owns(invoice_lines), invoice_lines.c.usage_line.in_(names[first : first + _KEYS_AT_ONCE])
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
            self.scope.owns(invoices), invoices.c.account_id == account_id
        )
        after = [
            row.invoice_id for row in await self.scope.rows(made) if (row.basis or _OLDER)["documents"] >= documents
        ]
        found: dict[str, Fraction] = {}
        lines = invoice_lines.c
        for first in range(0, len(after), _KEYS_AT_ONCE):
            query = select(lines.line_key, lines.exact).where(
                self.scope.owns(invoice_lines), lines.invoice_id.in_(after[first : first + _KEYS_AT_ONCE])
            )
            found |= {row.line_key: Fraction(row.exact) for row in await self.scope.rows(query)}
        return found

    async def torn(self, invoice_id: str) -> dict[int, str]:
        """By number the lines of a document of which figures that are kept beside them say otherwise, and what."""
        query = select(invoice_lines).where(self.scope.owns(invoice_lines), invoice_lines.c.invoice_id == invoice_id)
        found: dict[int, str] = {}
        for row in await self.scope.rows(query):
            beside = line_columns(LINE.validate_python(row.doc))
            said = {name: getattr(row, name) for name in _BESIDE if getattr(row, name) != beside[name]}
            if said:
                found[row.line] = ", ".join(f"{name} {value}" for name, value in said.items())
        return found


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
        scope.owns(invoice_lines),
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


def line_columns(line: Line) -> Mapping[str, Any]:
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
