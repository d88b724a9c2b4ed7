"""What was agreed about shares, and what providers billed, over SQL."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, insert, literal, select, update

from tallygate.domain.billing.bills import Bill, BillState
from tallygate.domain.billing.sharing import ShareKind, ShareRounding, ShareTerms
from tallygate.domain.money import exact_text
from tallygate.records.partners import BillQuery
from tallygate.storage.sql.billing.partner_tables import bills, share_terms
from tallygate.storage.sql.billing.tables import invoice_lines
from tallygate.storage.sql.newest import newest_first
from tallygate.storage.sql.scope import Scope

_KEYS_AT_ONCE = 2_500
_TERMS = tuple(each.name for each in fields(ShareTerms) if each.name not in {"kind", "rounding"})
_BILL = tuple(each.name for each in fields(Bill) if each.name not in {"units", "invoiced"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlShareTerms:
    """What was agreed about shares in one tenant."""

    scope: Scope

    async def add(self, terms: ShareTerms) -> None:
        """Add terms, behind all others; a writer holds its tenant's lock."""
        last = func.coalesce(func.max(share_terms.c.sequence), 0).label("last")
        sequence = (await self.scope.rows(select(last).where(self.scope.owns(share_terms))))[0].last + 1
        row = {name: getattr(terms, name) for name in _TERMS}
        row |= {"kind": terms.kind.value, "rounding": terms.rounding.value}
        own = {"tenant_id": self.scope.tenant_id, "sequence": sequence, "actor_id": self.scope.author.key_id}
        await self.scope.connection.execute(insert(share_terms), [{**own, **row}])

    async def history(self) -> Sequence[ShareTerms]:
        """All that was ever agreed, in the order in which it was."""
        query = select(share_terms).where(self.scope.owns(share_terms)).order_by(share_terms.c.sequence)
        return [
            ShareTerms(
                kind=ShareKind(row.kind),
                rounding=ShareRounding(row.rounding),
                **{name: getattr(row, name) for name in _TERMS},
            )
            for row in await self.scope.rows(query)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlBills:
    """Bills of one tenant's providers."""

    scope: Scope

    async def add(self, bill: Bill) -> None:
        """Add one; there is none of its id."""
        row = {name: getattr(bill, name) for name in _BILL}
        own = {"tenant_id": self.scope.tenant_id, "units": exact_text(bill.units)}
        await self.scope.connection.execute(insert(bills), [{**own, **row}])

    async def get(self, bill_id: str) -> Bill | None:
        """One bill."""
        return (await self.named([bill_id])).get(bill_id)

    async def named(self, bill_ids: Collection[str]) -> Mapping[str, Bill]:
        """Bills by their ids, those that there are."""
        ids, found = sorted(bill_ids), dict[str, Bill]()
        for first in range(0, len(ids), _KEYS_AT_ONCE):
            query = self._bills().where(bills.c.bill_id.in_(ids[first : first + _KEYS_AT_ONCE]))
            found |= {row.bill_id: _bill(row) for row in await self.scope.rows(query)}
        return found

    async def cancel(self, bill: Bill, *, now: int) -> None:
        """Let no invoice charge it any more."""
        own = self.scope.owns(bills), bills.c.bill_id == bill.bill_id
        await self.scope.execute(update(bills).where(*own).values(cancel_time=now))
        self.scope.changed(bill.account_id)
        self.scope.changes.charged[bill.account_id] = None

    async def list(self, wanted: BillQuery) -> Sequence[Bill]:
        """Those asked for, newest first."""
        query = self._bills()
        for column, value in ((bills.c.provider, wanted.provider), (bills.c.account_id, wanted.account_id)):
            query = query.where(column == value) if value else query
        match wanted.state:
            case BillState.CANCELLED:
                query = query.where(bills.c.cancel_time.is_not(None))
            case BillState.SUBMITTED | BillState.INVOICED:
                charged = _charged() if wanted.state is BillState.INVOICED else ~_charged()
                query = query.where(bills.c.cancel_time.is_(None), charged)
            case None:
                pass
        tenant_id, time, key = self.scope.tenant_id, bills.c.create_time, bills.c.bill_id
        query = newest_first(query, time, key, tenant_id=tenant_id, before=wanted.before, limit=wanted.limit)
        return [_bill(row) for row in await self.scope.rows(query)]

    def _bills(self) -> Select[Any]:
        return select(bills, _charged().label("invoiced")).where(self.scope.owns(bills))


def _charged() -> ColumnElement[bool]:
    """Whether a line of an invoice charges a bill."""
    lines = invoice_lines.c
    same = and_(lines.tenant_id == bills.c.tenant_id, lines.line_key == literal("fee/").concat(bills.c.bill_id))
    return exists().where(same).correlate(bills)


def _bill(row: Row[Any]) -> Bill:
    own = {name: getattr(row, name) for name in _BILL}
    return Bill(units=Fraction(row.units), invoiced=bool(row.invoiced), **own)
