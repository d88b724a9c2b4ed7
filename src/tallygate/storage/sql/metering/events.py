"""The log of facts in SQL: gap-free sequence numbers a tenant, one row an identity, and reading it in order."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from cachetools import LRUCache
from sqlalchemy import ARRAY, ColumnElement, Select, Text, and_, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tallygate.domain.errors import ConflictError, StoreUnavailableError
from tallygate.domain.event import FactSource, UsageFact
from tallygate.metering.ports import BatchRefusedError, Delivery, Identity, Recorded, RecordedFact
from tallygate.records.epochs import REBUILT, entry_order
from tallygate.records.messages import PERCENTS, LimitReached
from tallygate.storage.sql.engine import writing
from tallygate.storage.sql.epochs import read_losses
from tallygate.storage.sql.failures import translated
from tallygate.storage.sql.metering.refunds import as_charged
from tallygate.storage.sql.metering.rows import FactRows
from tallygate.storage.sql.metering.tables import billable_events, event_sequences, fact_of, quarantined_events
from tallygate.storage.sql.partition_models import PartitionRow
from tallygate.storage.sql.scope import table_of

_EVENTS = billable_events.c
_partitions = table_of(PartitionRow)
_LIMIT_EXCEEDED = "54"
_WHOLE = 100
_MOST_TOLD = 100_000
"""Of so many limits that were reached it is known without a statement that a look at them is planned."""
_IDENTITY = (_EVENTS.tenant_id, _EVENTS.account_id, _EVENTS.feature_key, _EVENTS.request_id)


LookAtLimits = Callable[[AsyncConnection, Sequence[tuple[str, str]], int], Awaitable[None]]
"""Plans looks at limits that were reached, by tenant and subject, from an instant on: in the facts' own transaction."""


class SqlLedger:
    """Facts kept in `billable_events`; on SQLite one transaction writes at a time, on PostgreSQL one a tenant."""

    __slots__ = ("_engine", "_look", "_rows", "_told")

    def __init__(self, engine: AsyncEngine, look: LookAtLimits | None = None) -> None:
        """Facts near their limit are looked at as `look` plans it; without one they are only kept."""
        self._engine = engine
        self._look = look
        self._rows = FactRows(engine.dialect)
        self._told: LRUCache[tuple[str, str], None] = LRUCache(_MOST_TOLD)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["SqlLedgerTransaction"]:
        """Commits at the end of the block; an error of the commit itself leaves open whether it happened."""
        with _translated_write():
            async with writing(self._engine) as connection:
                transaction = SqlLedgerTransaction(connection, self._rows, self._told, self._look)
                yield transaction
        self._told.update(dict.fromkeys(transaction.reached))


class SqlLedgerTransaction:
    """One transaction of one collector, on a connection whose transaction has begun."""

    __slots__ = ("_connection", "_last", "_look", "_rows", "_told", "reached")

    def __init__(
        self,
        connection: AsyncConnection,
        rows: FactRows,
        told: LRUCache[tuple[str, str], None],
        look: LookAtLimits | None,
    ) -> None:
        self._connection = connection
        self._rows = rows
        self._told = told
        self._look = look
        self.reached: list[tuple[str, str]] = []
        """Looks that are planned where it commits."""
        self._last: dict[str, int] = {}

    async def lock(self, tenant_ids: Collection[str]) -> None:
        """Take the tenants' sequence rows, always in one order, so that two collectors cannot deadlock.

        A write even where nothing changes: it locks on both databases, and first of all on SQLite.
        """
        if not tenant_ids:
            return
        new = self._upsert()(event_sequences)
        column = event_sequences.c
        unchanged = {"last_sequence": column.last_sequence}
        statement = new.on_conflict_do_update(index_elements=[column.tenant_id], set_=unchanged)
        values = [{"tenant_id": tenant_id, "last_sequence": 0} for tenant_id in sorted(tenant_ids)]
        result = await self._connection.execute(statement.returning(column.tenant_id, column.last_sequence), values)
        self._last = {row.tenant_id: row.last_sequence for row in result}

    async def known(self, identities: Collection[Identity]) -> Mapping[Identity, Recorded]:
        """Look up identities by the primary key; a new statement sees all that earlier holders of the lock wrote."""
        if not identities:
            return {}
        columns = (_EVENTS.partition, _EVENTS.epoch, _EVENTS.entry_id, _EVENTS.recorded_time, _EVENTS.payload_hash)
        result = await self._connection.execute(self._wanted(select(*_IDENTITY, *columns), identities))
        rows = result.all()
        losses = await read_losses(self._connection) if rows else ()
        return {
            (tenant, account, feature, request): Recorded(
                source=FactSource(partition=partition, epoch=epoch, entry_id=entry_id),
                recorded_time=recorded_time,
                payload_hash=payload_hash,
                forgotten=any(loss.covers(partition, entry_id) for loss in losses),
            )
            for tenant, account, feature, request, partition, epoch, entry_id, recorded_time, payload_hash in rows
        }

    async def append(self, facts: Sequence[UsageFact]) -> Sequence[UsageFact]:
        """Insert facts; an identity that is already there fails the transaction, and with it nothing is counted.

        Of a refund it is kept how much was never charged.
        A loss is noted in the same rows that are locked here: a rebuild that begins later finds these facts.
        """
        if not facts:
            return ()
        facts = await as_charged(self._connection, facts)
        rows = []
        for fact in facts:
            self._last[fact.tenant_id] += 1
            rows.append(self._rows.row(fact, self._last[fact.tenant_id]))
        await self._rows.insert(self._connection, rows)
        await self._connection.execute(
            update(event_sequences).where(event_sequences.c.tenant_id == bindparam("tenant")),
            [
                {"tenant": tenant, "last_sequence": self._last[tenant]}
                for tenant in sorted({f.tenant_id for f in facts})
            ],
        )
        epochs = await self._note_newest(fact.source for fact in facts)
        await self._note_limits(facts)
        return [fact for fact in facts if fact.source.epoch.rstrip(REBUILT) != epochs.get(fact.source.partition)]

    async def quarantine(self, deliveries: Sequence[Delivery]) -> int:
        """Keep entries raw, once each however often they are delivered."""
        if not deliveries:
            return 0
        rows = [
            {
                "partition": delivery.source.partition,
                "epoch": delivery.source.epoch,
                "entry_id": delivery.source.entry_id,
                "tenant_id": delivery.fact.tenant_id if delivery.fact else "",
                "account_id": delivery.fact.account_id if delivery.fact else "",
                "problem": delivery.problem,
                "raw": delivery.raw,
            }
            for delivery in deliveries
        ]
        statement = self._upsert()(quarantined_events).on_conflict_do_nothing()
        result = await self._connection.execute(statement.returning(quarantined_events.c.entry_id), rows)
        return len(result.all())

    async def _note_limits(self, facts: Sequence[UsageFact]) -> None:
        """Let billing tell of usage that has come near its limit: a look, once; whether it was told is in the data."""
        found = {
            (fact.tenant_id, subject)
            for fact in facts
            if fact.limit and fact.used * _WHOLE >= fact.limit * PERCENTS[0]
            for subject in _reached(fact)
        }
        new = [reached for reached in sorted(found) if reached not in self._told]
        if not new or self._look is None:
            return
        await self._look(self._connection, new, max(fact.occurred_time for fact in facts))
        self.reached += new

    async def _note_newest(self, sources: Iterable[FactSource]) -> Mapping[int, str]:
        """Raise `partitions.last_entry_id`: a stream that ends before it has lost what SQL holds; tells the epochs."""
        entries: dict[int, list[str]] = {}
        for source in sources:
            entries.setdefault(source.partition, []).append(source.entry_id)
        newest = {partition: max(ids, key=entry_order) for partition, ids in entries.items()}
        locked = (
            select(_partitions).where(_partitions.c.partition.in_(sorted(newest))).order_by(_partitions.c.partition)
        )
        rows = (await self._connection.execute(locked.with_for_update())).all()
        raised = [
            {"number": row.partition, "last_entry_id": newest[row.partition]}
            for row in rows
            if entry_order(newest[row.partition]) > entry_order(row.last_entry_id)
        ]
        if raised:
            number = _partitions.c.partition == bindparam("number")
            await self._connection.execute(update(_partitions).where(number), raised)
        return {row.partition: row.epoch.rstrip(REBUILT) for row in rows}

    def _upsert(self) -> Any:  # noqa: ANN401 - the two dialects' inserts share methods, but no type
        return postgresql.insert if self._on_postgresql else sqlite.insert

    @property
    def _on_postgresql(self) -> bool:
        return self._connection.dialect.name == "postgresql"

    def _wanted(self, query: Select[Any], identities: Iterable[Identity]) -> Select[Any]:
        """Restrict a query to identities: joined as one value, for a long IN of rows is slow to compile and to plan."""
        names = [column.name for column in _IDENTITY]
        same: list[ColumnElement[bool]]
        if self._on_postgresql:
            arrays = [bindparam(None, list(part), ARRAY(Text)) for part in zip(*identities, strict=True)]
            wanted = func.unnest(*arrays).table_valued(*names).render_derived(name="wanted")
            same = [column == wanted.c[name] for column, name in zip(_IDENTITY, names, strict=True)]
        else:
            wanted = func.json_each(json.dumps(list(identities))).table_valued("value", name="wanted")
            value = wanted.c.value
            same = [column == func.json_extract(value, f"$[{place}]") for place, column in enumerate(_IDENTITY)]
        return query.join(wanted, and_(*same))


def _reached(fact: UsageFact) -> Iterator[str]:
    for percent in PERCENTS:
        if fact.limit and fact.used * _WHOLE >= fact.limit * percent:
            yield LimitReached(
                account_id=fact.account_id,
                feature_key=fact.feature_key,
                period_start=fact.period_start,
                percent=percent,
            ).subject


class SqlEventReader:
    """Reads the log in its order; a sequence number is visible only when all before it are."""

    __slots__ = ("_engine",)

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def head(self, tenant_id: str) -> int:
        """The tenant's last committed sequence number."""
        query = select(event_sequences.c.last_sequence).where(event_sequences.c.tenant_id == tenant_id)
        with translated():
            async with self._engine.connect() as connection:
                return int(await connection.scalar(query) or 0)

    async def events_after(
        self, tenant_id: str, sequence: int, *, account_id: str = "", feature_key: str = "", limit: int = 500
    ) -> Sequence[RecordedFact]:
        """One page in the order of the sequence."""
        query = select(billable_events).where(_EVENTS.tenant_id == tenant_id, _EVENTS.sequence > sequence)
        if account_id:
            query = query.where(_EVENTS.account_id == account_id)
        if feature_key:
            query = query.where(_EVENTS.feature_key == feature_key)
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query.order_by(_EVENTS.sequence).limit(limit))).mappings().all()
        return [RecordedFact(sequence=row["sequence"], fact=fact_of(row)) for row in rows]


@contextmanager
def _translated_write() -> Iterator[None]:
    """Tell a value that the database refuses, and always will, from all that may pass."""
    try:
        with translated():
            yield
    except ConflictError as error:
        raise BatchRefusedError(store="sql") from error
    except StoreUnavailableError as error:
        if _is_refusal(error.__cause__):
            raise BatchRefusedError(store="sql") from error
        raise


def _is_refusal(cause: BaseException | None) -> bool:
    if isinstance(cause, DBAPIError):
        too_large = str(getattr(cause.orig, "sqlstate", "")).startswith(_LIMIT_EXCEEDED)
        return too_large or isinstance(cause, DataError)
    return isinstance(cause, StatementError)  # a value that could not even be sent
