"""What the ledger must agree with: open invoices, what is kept for accounts, and what is no income yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, literal, select, union_all

from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.gateway_events import DisputeState
from tallygate.domain.billing.payments import UNRESOLVED, AttemptState, PaymentKind
from tallygate.domain.billing.posting import BACKLOG, CHARGEBACK, FUNDS, LIABILITY, OFFLINE, RECEIVABLE, REFUNDED
from tallygate.domain.billing.refunds import RefundKind
from tallygate.records.ledger import Figure
from tallygate.storage.sql.billing.ledger_tables import ledger_transfers
from tallygate.storage.sql.billing.payment_tables import disputes, payments, refunds
from tallygate.storage.sql.billing.recognitions import pending
from tallygate.storage.sql.billing.tables import invoice_balances, invoices, wallet_entries
from tallygate.storage.sql.scope import Scope

_MIRRORED = (RECEIVABLE, LIABILITY, BACKLOG, FUNDS, OFFLINE, CHARGEBACK, REFUNDED)
_HELD = {PaymentKind.GATEWAY: FUNDS, PaymentKind.OFFLINE: OFFLINE}
_transfers = ledger_transfers.c


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlAuditRepository:
    """Both sides of one tenant's books."""

    scope: Scope

    async def posted(self) -> Sequence[Figure]:
        """What receivables, liabilities and backlog stand at by the ledger, by account."""
        own = _transfers.tenant_id == self.scope.tenant_id
        side = _transfers.account_id, _transfers.currency
        both = union_all(
            select(_transfers.debit.label("name"), *side, _transfers.amount.label("amount")).where(
                own, _transfers.debit.in_(_MIRRORED)
            ),
            select(_transfers.credit, *side, -_transfers.amount).where(own, _transfers.credit.in_(_MIRRORED)),
        ).subquery()
        key = both.c.name, both.c.account_id, both.c.currency
        rows = await self.scope.rows(select(*key, func.sum(both.c.amount).label("amount")).group_by(*key))
        return [_figure(row) for row in rows]

    async def owed(self) -> Sequence[Figure]:
        """What is due of open invoices, what is in wallets, what came by how it came, and what of it is disputed."""
        stands = (invoice_balances.c.tenant_id == invoices.c.tenant_id) & (
            invoice_balances.c.invoice_id == invoices.c.invoice_id
        )
        due = (
            select(literal(RECEIVABLE), invoices.c.account_id, invoices.c.currency, func.sum(invoice_balances.c.due))
            .join(invoice_balances, stands)
            .where(invoices.c.tenant_id == self.scope.tenant_id)
            .where(invoice_balances.c.state == InvoiceState.OPEN.value)
            .group_by(invoices.c.account_id, invoices.c.currency)
        )
        key = wallet_entries.c.account_id, wallet_entries.c.currency
        kept = (
            select(literal(LIABILITY), *key, -func.sum(wallet_entries.c.amount))
            .where(wallet_entries.c.tenant_id == self.scope.tenant_id)
            .group_by(*key)
        )
        return [
            _figure(row)
            for query in (due, kept, *self._held(), *self._disputed(), *self._refunded())
            for row in await self.scope.rows(query)
        ]

    def _held(self) -> Iterator[Select[Any]]:
        key = payments.c.account_id, payments.c.currency
        for kind, name in _HELD.items():
            own = payments.c.tenant_id == self.scope.tenant_id, payments.c.kind == kind.value
            yield select(literal(name), *key, func.sum(payments.c.amount)).where(*own).group_by(*key)

    def _disputed(self) -> Iterator[Select[Any]]:
        """A gateway has no more what is disputed and not won, nor any fee for it."""
        own = disputes.c
        mine, key = own.tenant_id == self.scope.tenant_id, (own.account_id, own.currency)
        yield select(literal(FUNDS), *key, -func.sum(own.fee)).where(mine).group_by(*key)
        gone = own.state != DisputeState.WON.value
        yield select(literal(FUNDS), *key, -func.sum(own.amount)).where(mine, gone).group_by(*key)
        opened = own.state == DisputeState.OPENED.value
        yield select(literal(CHARGEBACK), *key, func.sum(own.amount)).where(mine, opened).group_by(*key)

    def _refunded(self) -> Iterator[Select[Any]]:
        """What went back is gone where it had come; what is on its way is owed until it has arrived."""
        own = refunds.c
        key = own.account_id, own.currency
        for kind, state, name in (
            (RefundKind.GATEWAY, (AttemptState.SUCCEEDED,), FUNDS),
            (RefundKind.OFFLINE, (AttemptState.SUCCEEDED,), OFFLINE),
            (RefundKind.GATEWAY, UNRESOLVED, REFUNDED),
        ):
            states = own.state.in_([one.value for one in state])
            mine = own.tenant_id == self.scope.tenant_id, own.kind == kind.value, states
            yield select(literal(name), *key, -func.sum(own.amount)).where(*mine).group_by(*key)

    async def unrecognised(self) -> Sequence[Figure]:
        """What is charged and not posted as income."""
        parts = pending(self.scope).subquery()
        key = parts.c.account_id, parts.c.currency
        query = select(literal(BACKLOG), *key, -func.sum(parts.c.left)).group_by(*key)
        return [_figure(row) for row in await self.scope.rows(query)]


def _figure(row: Row[Any]) -> Figure:
    name, account_id, currency, amount = tuple(row)
    return Figure(ledger_account=name, account_id=account_id, currency=currency, amount=int(amount))
