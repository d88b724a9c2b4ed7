"""What was told of what happened: written when the unit of work commits, numbered on from the tenant's last."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, bindparam, func, insert, select

from tallygate.domain.billing.messages import (
    Channel,
    Delivery,
    DeliveryState,
    Message,
    MessageKind,
    arranged,
    is_mailed,
)
from tallygate.domain.billing_terms import NoticeRules
from tallygate.records.history import SubscriptionChange
from tallygate.records.messages import DISPATCH, LimitFact, LimitReached, MessageQuery, of_change
from tallygate.storage.documents import BALANCE
from tallygate.storage.sql.billing.jobs import planned
from tallygate.storage.sql.billing.message_tables import deliveries, outbox_messages
from tallygate.storage.sql.billing.tables import jobs
from tallygate.storage.sql.metering.tables import billable_events
from tallygate.storage.sql.scope import Scope

_MESSAGES, _DELIVERIES = outbox_messages.c, deliveries.c
_IDS_AT_ONCE = 1_000
_LONGEST_PROBLEM = 500
_WHOLE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlMessages:
    """Messages of one tenant."""

    scope: Scope

    def add(self, message: Message) -> None:
        """Tell something, once; it is written when the unit of work commits."""
        self.scope.changes.messages.append(message)

    async def get(self, message_id: str) -> Message | None:
        """One message."""
        query = select(outbox_messages).where(_own(outbox_messages, self.scope), _MESSAGES.message_id == message_id)
        found = await self.scope.rows(query)
        return _message(found[0]) if found else None

    async def known(self, message_ids: Collection[str]) -> frozenset[str]:
        """Those of some ids that were told."""
        return await _known(self.scope, message_ids)

    async def list(self, wanted: MessageQuery) -> Sequence[Message]:
        """Those asked for, in the order in which they were told."""
        query = select(outbox_messages).where(_own(outbox_messages, self.scope), _MESSAGES.sequence > wanted.after)
        if wanted.account_id:
            query = query.where(_MESSAGES.account_id == wanted.account_id)
        if wanted.invoice_id:
            query = query.where(_MESSAGES.invoice_id == wanted.invoice_id)
        if wanted.kind is not None:
            query = query.where(_MESSAGES.kind == wanted.kind.value)
        return [_message(row) for row in await self.scope.rows(query.order_by(_MESSAGES.sequence).limit(wanted.limit))]

    async def reached(self, what: LimitReached) -> LimitFact | None:
        """The first fact in the log by which usage had come so far."""
        own = billable_events.c
        query = select(own.used, own.limit, own.occurred_time, own.period_end).where(
            own.tenant_id == self.scope.tenant_id,
            own.account_id == what.account_id,
            own.feature_key == what.feature_key,
            own.period_start == bindparam(None, what.period_start, own.period_start.type),
            own.limit > 0,
            own.used * _WHOLE >= own.limit * what.percent,
        )
        rows = await self.scope.rows(query.order_by(own.sequence).limit(1))
        return LimitFact(**rows[0]._mapping) if rows else None  # noqa: SLF001 - public in spite of its name

    async def head(self) -> int:
        """The sequence number of the last one."""
        return await _head(self.scope)

    async def deliveries(self, message_ids: Collection[str]) -> Mapping[str, Sequence[Delivery]]:
        """How messages were delivered."""
        ids = sorted(message_ids)
        found: dict[str, list[Delivery]] = {message_id: [] for message_id in ids}
        for first in range(0, len(ids), _IDS_AT_ONCE):
            query = select(deliveries).where(
                _own(deliveries, self.scope), _DELIVERIES.message_id.in_(ids[first : first + _IDS_AT_ONCE])
            )
            for row in await self.scope.rows(query.order_by(_DELIVERIES.channel)):
                found[row.message_id].append(_delivery(row))
        return found

    async def put_delivery(self, delivery: Delivery) -> None:
        """Replace how a message was delivered by a channel."""
        await self.scope.upsert_into(deliveries, [_delivery_columns(delivery)])


async def note_messages(scope: Scope, history: Sequence[SubscriptionChange], rules: NoticeRules | None) -> None:
    """Write what this transaction tells, but for what was told before; nothing where the tenant does not bill."""
    if rules is None:
        return
    wanted = arranged([*scope.changes.messages, *map(of_change, history)], rules.created)
    fresh = await _fresh(scope, wanted)
    if not fresh:
        return
    last = await _head(scope)
    moments, now = scope.changes.moments, scope.now
    rows = [
        {
            "tenant_id": scope.tenant_id,
            "message_id": message_id,
            "sequence": sequence,
            "kind": message.kind.value,
            "account_id": message.account_id,
            "invoice_id": message.invoice_id,
            "create_time": message.create_time or moments.get(message.account_id, now),
            "facts": dict(message.facts),
            "balance": BALANCE.dump_python(message.balance, mode="json") if message.balance is not None else {},
            "actor_id": scope.author.key_id,
        }
        for sequence, (message_id, message) in enumerate(fresh.items(), start=last + 1)
    ]
    await scope.connection.execute(insert(outbox_messages), rows)
    mailed = [message_id for message_id, message in fresh.items() if is_mailed(message)] if rules.mail else []
    waiting = [Delivery(message_id=each, channel=Channel.MAIL, create_time=now, update_time=now) for each in mailed]
    await scope.upsert_into(deliveries, [_delivery_columns(each) for each in waiting])
    await scope.upsert_into(jobs, [{"kind": DISPATCH, "subject": each, **planned(now)} for each in mailed])


async def _fresh(scope: Scope, wanted: Sequence[Message]) -> dict[str, Message]:
    """What is to be told, by its name; of what may happen again, and did, by another one."""
    known = set(await _known(scope, {message.message_id for message in wanted}))
    fresh: dict[str, Message] = {}
    for message in wanted:
        name, time = message.message_id, 1
        while message.again and (name in known or name in fresh):
            time += 1
            name = f"{message.message_id}/{time}"
            known |= await _known(scope, {name})
        if name not in known:
            fresh.setdefault(name, message)
    return fresh


async def _known(scope: Scope, message_ids: Collection[str]) -> frozenset[str]:
    ids = sorted(message_ids)
    found: set[str] = set()
    for first in range(0, len(ids), _IDS_AT_ONCE):
        query = select(_MESSAGES.message_id).where(
            _own(outbox_messages, scope), _MESSAGES.message_id.in_(ids[first : first + _IDS_AT_ONCE])
        )
        found |= {row.message_id for row in await scope.rows(query)}
    return frozenset(found)


async def _head(scope: Scope) -> int:
    query = select(func.max(_MESSAGES.sequence).label("last")).where(_own(outbox_messages, scope))
    return (await scope.rows(query))[0].last or 0


def _own(table: Table, scope: Scope) -> ColumnElement[bool]:
    return table.c.tenant_id == scope.tenant_id


def _message(row: Row[Any]) -> Message:
    kind = MessageKind(row.kind)
    return Message(
        kind=kind,
        about=row.message_id.removeprefix(f"{kind.value}/"),
        account_id=row.account_id,
        create_time=row.create_time,
        invoice_id=row.invoice_id,
        balance=BALANCE.validate_python(row.balance) if row.balance else None,
        facts=row.facts,
        sequence=row.sequence,
    )


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        message_id=row.message_id,
        channel=Channel(row.channel),
        state=DeliveryState(row.state),
        attempts=row.attempts,
        problem=row.problem,
        sent_until=row.sent_until,
        create_time=row.create_time,
        update_time=row.update_time,
    )


def _delivery_columns(delivery: Delivery) -> dict[str, Any]:
    return {
        "message_id": delivery.message_id,
        "channel": delivery.channel.value,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "problem": delivery.problem[:_LONGEST_PROBLEM],
        "sent_until": delivery.sent_until,
        "create_time": delivery.create_time,
        "update_time": delivery.update_time,
    }
