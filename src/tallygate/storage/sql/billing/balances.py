"""What is left to pay of documents, and the money of accounts that no invoice has taken yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, func, insert, select, update

from tallygate.domain.billing.balances import Balance, InvoiceState
from tallygate.domain.billing.messages import of_balance
from tallygate.domain.billing.wallet import WalletEntry, WalletEntryKind
from tallygate.records.billing import WalletQuery
from tallygate.storage.sql.billing.tables import invoice_balances, invoices, wallet_entries
from tallygate.storage.sql.newest import newest_first, oldest_first
from tallygate.storage.sql.scope import Scope

_SUMS = ("total", "paid", "credited", "wallet", "written_off", "returned", "due_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlBalanceRepository:
    """Balances of one tenant's documents."""

    scope: Scope

    async def put(self, invoice_id: str, balance: Balance) -> None:
        """Replace a document's balance."""
        own = invoice_balances.c.tenant_id == self.scope.tenant_id, invoice_balances.c.invoice_id == invoice_id
        stood = select(invoice_balances.c.account_id, invoice_balances.c.state).where(*own)
        for row in await self.scope.rows(stood):
            self.scope.changes.messages += of_balance(invoice_id, row.account_id, InvoiceState(row.state), balance)
        await self.scope.execute(update(invoice_balances).where(*own).values(**balance_columns(balance)))

    async def open(self, account_id: str, currency: str, *, limit: int) -> Mapping[str, Balance]:
        """Those of an account's open documents, by id, oldest first."""
        own = invoice_balances.c
        same = and_(own.tenant_id == invoices.c.tenant_id, own.invoice_id == invoices.c.invoice_id)
        wanted = and_(own.account_id == account_id, own.state == InvoiceState.OPEN.value, own.currency == currency)
        query = select(invoice_balances).join(invoices, same).where(own.tenant_id == self.scope.tenant_id, wanted)
        rows = await self.scope.rows(
            query.order_by(*oldest_first(invoices.c.issue_time, invoices.c.invoice_id)).limit(limit)
        )
        return {row.invoice_id: balance_of(row) for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlWalletRepository:
    """Wallets of one tenant's accounts."""

    scope: Scope

    async def add(self, entry: WalletEntry) -> None:
        """Add a movement; one that was added before fails the transaction."""
        row = {
            "tenant_id": self.scope.tenant_id,
            "entry_id": entry.entry_id,
            "account_id": entry.account_id,
            "create_time": entry.create_time,
            "currency": entry.currency,
            "amount": entry.amount,
            "kind": entry.kind.value,
            "invoice_id": entry.invoice_id,
            "expire_time": entry.expire_time,
            "priority": entry.priority,
        }
        await self.scope.connection.execute(insert(wallet_entries), [row])
        self.scope.changed(entry.account_id)

    async def get(self, entry_id: str) -> WalletEntry | None:
        """One movement."""
        own = wallet_entries.c.tenant_id == self.scope.tenant_id, wallet_entries.c.entry_id == entry_id
        found = await self.scope.rows(select(wallet_entries).where(*own))
        return _entry(found[0]) if found else None

    async def sums(self, account_id: str) -> Mapping[str, int]:
        """What an account has, in minor units, by currency."""
        return await self.scope.of_one(wallets_of, account_id)

    async def list(self, wanted: WalletQuery) -> Sequence[WalletEntry]:
        """An account's movements, newest first."""
        own = wallet_entries.c
        query = select(wallet_entries).where(own.tenant_id == self.scope.tenant_id, own.account_id == wanted.account_id)
        query = newest_first(
            query,
            own.create_time,
            own.entry_id,
            tenant_id=self.scope.tenant_id,
            before=wanted.before,
            limit=wanted.limit,
        )
        return [_entry(row) for row in await self.scope.rows(query)]


async def wallets_of(scope: Scope, account_ids: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
    """What accounts have, in minor units, by currency."""
    own = wallet_entries.c
    query = (
        select(own.account_id, own.currency, func.sum(own.amount).label("amount"))
        .where(own.tenant_id == scope.tenant_id, own.account_id.in_(account_ids))
        .group_by(own.account_id, own.currency)
    )
    found: dict[str, dict[str, int]] = {account_id: {} for account_id in account_ids}
    for row in await scope.rows(query):
        found[row.account_id][row.currency] = int(row.amount)
    return found


def balance_columns(balance: Balance) -> Mapping[str, Any]:
    """A balance as its table holds it."""
    return {"state": balance.state.value, **{name: getattr(balance, name) for name in _SUMS}}


def balance_of(row: Row[Any], *, prefix: str = "") -> Balance:
    """The balance in a row, whose columns may have a prefix."""
    columns = row._mapping  # noqa: SLF001 - a Row's public view of itself, in spite of its name
    state = InvoiceState(columns[f"{prefix}state"])
    return Balance(state=state, **{name: columns[f"{prefix}{name}"] for name in _SUMS})


def _entry(row: Row[Any]) -> WalletEntry:
    return WalletEntry(
        entry_id=row.entry_id,
        account_id=row.account_id,
        create_time=row.create_time,
        currency=row.currency,
        amount=row.amount,
        kind=WalletEntryKind(row.kind),
        invoice_id=row.invoice_id,
        expire_time=row.expire_time,
        priority=row.priority,
    )
