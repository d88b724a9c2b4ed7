"""Gateways, methods, attempts, payments and dunning cases of one tenant."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Select, Table, and_, delete, insert, select

from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.dunning import Case
from tallygate.domain.billing.messages import of_payment
from tallygate.domain.billing.payments import (
    UNRESOLVED,
    Advice,
    Attempt,
    AttemptState,
    Cause,
    Gateway,
    Method,
    Owed,
    Payment,
    PaymentKind,
    Share,
)
from tallygate.domain.billing_terms import Collection
from tallygate.records.payments import MoneyQuery
from tallygate.storage.sql.billing.balances import balance_of
from tallygate.storage.sql.billing.payment_tables import (
    dunning_cases,
    payment_accounts,
    payment_allocations,
    payment_attempts,
    payment_gateways,
    payment_methods,
    payments,
)
from tallygate.storage.sql.billing.tables import invoice_balances, invoices
from tallygate.storage.sql.newest import newest_first, oldest_first
from tallygate.storage.sql.scope import Scope, columns_of

_MOST_OWED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlPaymentRecords:
    """Payments of one tenant."""

    scope: Scope

    async def gateways(self) -> Sequence[Gateway]:
        """The gateways that the tenant uses, in the order of their first use."""
        known, own = self.scope.known, payment_gateways.c
        if known.gateways is None:
            query = select(payment_gateways).where(self._own(payment_gateways)).order_by(own.create_time, own.name)
            known.gateways = [_gateway(row) for row in await self.scope.rows(query)]
        return known.gateways

    async def put_gateway(self, gateway: Gateway) -> None:
        """Add or replace one."""
        self.scope.known.gateways = None
        await self.scope.upsert_into(payment_gateways, [{**asdict(gateway), "secrets": " ".join(gateway.secrets)}])

    async def methods(self, account_id: str) -> Sequence[Method]:
        """An account's methods, detached ones too, by creation."""
        own = payment_methods.c
        query = select(payment_methods).where(self._own(payment_methods), own.account_id == account_id)
        return [
            _method(row) for row in await self.scope.rows(query.order_by(*oldest_first(own.create_time, own.method_id)))
        ]

    async def method(self, method_id: str) -> Method | None:
        """One method."""
        found = await self._one(payment_methods, payment_methods.c.method_id == method_id)
        return _method(found) if found is not None else None

    async def put_method(self, method: Method) -> None:
        """Add or replace one."""
        row = asdict(method)
        row["is_default"] = row.pop("default")
        await self.scope.upsert_into(payment_methods, [row])
        self.scope.changes.noticed[method.account_id] = None

    async def attempt(self, attempt_id: str) -> Attempt | None:
        """One attempt."""
        found = await self._one(payment_attempts, payment_attempts.c.attempt_id == attempt_id)
        return _attempt(found) if found is not None else None

    async def put_attempt(self, attempt: Attempt) -> None:
        """Add or replace one; a second that is not resolved fails the transaction."""
        row = asdict(attempt)
        row |= {"cause": attempt.cause.value, "state": attempt.state.value, "shares": list(row["shares"])}
        row["advice"] = attempt.advice.value if attempt.advice is not None else ""
        await self.scope.upsert_into(payment_attempts, [row])

    async def attempts(self, wanted: MoneyQuery) -> Sequence[Attempt]:
        """Those asked for, newest first."""
        own = payment_attempts.c
        query = self._newest(payment_attempts, own.attempt_id, wanted)
        if wanted.invoice_id:
            query = query.where(own.invoice_id == wanted.invoice_id)
        return [_attempt(row) for row in await self.scope.rows(query)]

    async def awaits(self, gateway: str) -> bool:
        """Whether some attempt through a gateway may still take money."""
        own = payment_attempts.c
        states = [state.value for state in UNRESOLVED]
        query = select(own.attempt_id).where(self._own(payment_attempts), own.gateway == gateway, own.state.in_(states))
        return bool(await self.scope.rows(query.limit(1)))

    async def unresolved(self, account_id: str) -> Sequence[Attempt]:
        """An account's attempts that may still take money."""
        own = payment_attempts.c
        states = [state.value for state in UNRESOLVED]
        query = select(payment_attempts).where(
            self._own(payment_attempts), own.account_id == account_id, own.state.in_(states)
        )
        return [
            _attempt(row)
            for row in await self.scope.rows(query.order_by(*oldest_first(own.create_time, own.attempt_id)))
        ]

    async def add(self, payment: Payment) -> None:
        """Add money that came, with whose it became; what was added before fails the transaction."""
        own = {"tenant_id": self.scope.tenant_id, "payment_id": payment.payment_id}
        row = {**asdict(payment), **own, "kind": payment.kind.value}
        del row["shares"]
        await self.scope.connection.execute(insert(payments), [row])
        shares = [{**own, "number": number, **asdict(one)} for number, one in enumerate(payment.shares, start=1)]
        await self.scope.connection.execute(insert(payment_allocations), shares)
        self.scope.changes.moments[payment.account_id] = payment.create_time
        self.scope.changes.messages += of_payment(payment)

    async def payment(self, payment_id: str) -> Payment | None:
        """One payment."""
        found = await self._one(payments, payments.c.payment_id == payment_id)
        return (await self._with_shares([found]))[0] if found is not None else None

    async def charged(self, gateway: str, gateway_id: str) -> Payment | None:
        """The payment that a gateway knows by an id of its own."""
        own = payments.c
        found = await self._one(payments, and_(own.gateway == gateway, own.gateway_id == gateway_id))
        return (await self._with_shares([found]))[0] if found is not None and gateway_id else None

    async def payments(self, wanted: MoneyQuery) -> Sequence[Payment]:
        """Those asked for, newest first."""
        query = self._newest(payments, payments.c.payment_id, wanted)
        if wanted.invoice_id:
            own = payment_allocations.c
            of = select(own.payment_id).where(self._own(payment_allocations), own.invoice_id == wanted.invoice_id)
            query = query.where(payments.c.payment_id.in_(of))
        return await self._with_shares(await self.scope.rows(query))

    async def owed(self, account_id: str) -> Sequence[Owed]:
        """An account's open invoices with something due, oldest first."""
        own = invoice_balances.c
        same = and_(own.tenant_id == invoices.c.tenant_id, own.invoice_id == invoices.c.invoice_id)
        query = (
            select(invoices.c.number, invoices.c.issue_time, invoice_balances)
            .join(invoice_balances, same)
            .where(self._own(invoice_balances), own.account_id == account_id)
            .where(own.state == InvoiceState.OPEN.value, own.due > 0)
            .order_by(own.due_time, *oldest_first(invoices.c.issue_time, invoices.c.invoice_id))
            .limit(_MOST_OWED)
        )
        return [
            Owed(
                invoice_id=row.invoice_id,
                number=row.number,
                currency=row.currency,
                issue_time=row.issue_time,
                balance=balance_of(row),
            )
            for row in await self.scope.rows(query)
        ]

    async def collection(self, account_id: str) -> Collection | None:
        """How an account's invoices are collected; None: as the catalogue says."""
        found = await self._one(payment_accounts, payment_accounts.c.account_id == account_id)
        return Collection(found.collect) if found is not None and found.collect else None

    async def set_collection(self, account_id: str, collection: Collection | None) -> None:
        """Say how an account's invoices are collected."""
        row = {"account_id": account_id, "collect": collection.value if collection is not None else ""}
        await self.scope.upsert_into(payment_accounts, [row])

    async def cases(self, account_id: str) -> Sequence[Case]:
        """An account's dunning cases, by currency."""
        own = dunning_cases.c
        query = select(dunning_cases).where(self._own(dunning_cases), own.account_id == account_id)
        return [_case(row) for row in await self.scope.rows(query.order_by(own.currency))]

    async def put_case(self, case: Case) -> None:
        """Add or replace one."""
        await self.scope.upsert_into(dunning_cases, [asdict(case)])

    async def end_case(self, account_id: str, currency: str) -> None:
        """Nothing is overdue any more."""
        own = dunning_cases.c
        where = self._own(dunning_cases), own.account_id == account_id, own.currency == currency
        await self.scope.execute(delete(dunning_cases).where(*where))

    async def _with_shares(self, rows: Sequence[Row[Any]]) -> list[Payment]:
        own = payment_allocations.c
        ids = [row.payment_id for row in rows]
        query = select(payment_allocations).where(self._own(payment_allocations), own.payment_id.in_(ids))
        shares: dict[str, list[Share]] = {payment_id: [] for payment_id in ids}
        for row in await self.scope.rows(query.order_by(own.number)):
            shares[row.payment_id].append(Share(invoice_id=row.invoice_id, amount=row.amount))
        return [_payment(row, tuple(shares[row.payment_id])) for row in rows]

    async def _one(self, table: Table, condition: ColumnElement[bool]) -> Row[Any] | None:
        found = await self.scope.rows(select(table).where(self._own(table), condition))
        return found[0] if found else None

    def _newest(self, table: Table, key: Column[str], wanted: MoneyQuery) -> Select[Any]:
        query = select(table).where(self._own(table))
        if wanted.account_id:
            query = query.where(table.c.account_id == wanted.account_id)
        tenant_id, when = self.scope.tenant_id, table.c.create_time
        return newest_first(query, when, key, tenant_id=tenant_id, before=wanted.before, limit=wanted.limit)

    def _own(self, table: Table) -> ColumnElement[bool]:
        return table.c.tenant_id == self.scope.tenant_id


def _gateway(row: Row[Any]) -> Gateway:
    return Gateway(**columns_of(row, "secrets"), secrets=tuple(row.secrets.split()))


def _method(row: Row[Any]) -> Method:
    return Method(**columns_of(row, "is_default"), default=row.is_default)


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        **columns_of(row, "cause", "state", "advice", "shares"),
        shares=tuple(Share(**share) for share in row.shares),
        cause=Cause(row.cause),
        state=AttemptState(row.state),
        advice=Advice(row.advice) if row.advice else None,
    )


def _payment(row: Row[Any], shares: tuple[Share, ...]) -> Payment:
    return Payment(**columns_of(row, "kind"), kind=PaymentKind(row.kind), shares=shares)


def _case(row: Row[Any]) -> Case:
    return Case(**columns_of(row))
