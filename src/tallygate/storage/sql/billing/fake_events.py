"""What the built-in fake gateway has to tell: in transactions of its own, as another house's would be."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.domain.billing.payments import AttemptState
from tallygate.records.payments import FakeEvent
from tallygate.storage.sql.billing.payment_tables import fake_events
from tallygate.storage.sql.engine import WRITE, connected
from tallygate.storage.sql.failures import translated

_MOST_TRIES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlFakeEvents:
    """Events by tenant and id; what was told is kept, and due no more."""

    engine: AsyncEngine

    async def add(self, events: Sequence[FakeEvent]) -> None:
        """Note what is to be told; what was noted before stays as it is."""
        for event in events:
            with translated():
                async with connected(self.engine, {WRITE: True}) as connection:
                    try:
                        await connection.execute(insert(fake_events), [_row(event)])
                        await connection.commit()
                    except IntegrityError:
                        continue

    async def due(self, *, now: int, limit: int) -> Sequence[FakeEvent]:
        """What is to be told by now, the newest first."""
        own = fake_events.c
        query = select(fake_events).where(own.due_time <= now, own.tries < _MOST_TRIES)
        query = query.order_by(own.due_time.desc(), own.event_id.desc()).limit(limit)
        with translated():
            async with connected(self.engine, {}) as connection:
                rows = (await connection.execute(query)).mappings().all()
        return [FakeEvent(**{**row, "state": AttemptState(row["state"])}) for row in rows]

    async def told(self, event: FakeEvent, *, again: int | None) -> None:
        """It was told; where nobody took it in, it is told again then."""
        own = fake_events.c
        where = own.tenant_id == event.tenant_id, own.event_id == event.event_id
        with translated():
            async with connected(self.engine, {WRITE: True}) as connection:
                change = update(fake_events).where(*where).values(due_time=again, tries=event.tries + 1)
                await connection.execute(change)
                await connection.commit()


def _row(event: FakeEvent) -> dict[str, Any]:
    return {**asdict(event), "state": event.state.value}
