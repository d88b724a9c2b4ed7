"""The facts that are charged, streamed from `billable_events` in the order in which they occurred."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, or_, select

from tallygate.domain.billing.counting import BillableFact
from tallygate.domain.billing.windows import UsageWindow
from tallygate.domain.event import FactKind
from tallygate.domain.gating.decision import Pot, PotKind
from tallygate.storage.sql.metering.tables import billable_events, event_sequences
from tallygate.storage.sql.scope import Scope

_EVENTS = billable_events.c
_LEVELS = (FactKind.LEVEL.value, FactKind.EVENT.value)
_ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlUsageLog:
    """Billable facts of one tenant."""

    scope: Scope

    async def facts(
        self, account_id: str, window: UsageWindow, *, through: int, after: tuple[int, str] | None = None
    ) -> AsyncIterator[BillableFact]:
        """The facts of a window up to a sequence number, by (occurred_time, request_id), those behind `after`."""
        columns = (
            _EVENTS.quantity,
            _EVENTS.occurred_time,
            _EVENTS.request_id,
            _EVENTS.pots,
            _EVENTS.dimensions,
            _EVENTS.sequence,
        )
        query = self._charged(select(*columns, _EVENTS.user_id), account_id, window, through).where(
            _EVENTS.occurred_time >= window.start, _EVENTS.occurred_time < window.end
        )
        if after is not None:
            at, request_id = after
            later = and_(_EVENTS.occurred_time == at, _EVENTS.request_id > request_id)
            query = query.where(or_(_EVENTS.occurred_time > at, later))
        query = query.order_by(_EVENTS.occurred_time, _EVENTS.request_id)
        stream = await self.scope.connection.stream(query.execution_options(yield_per=_ROWS_AT_ONCE))
        async for row in stream:
            yield BillableFact(
                quantity=row.quantity,
                occurred_time=row.occurred_time,
                request_id=row.request_id,
                pots=tuple(Pot(kind=PotKind(p["kind"]), quantity=p["quantity"]) for p in row.pots),
                dimensions=row.dimensions,
                user_id=row.user_id,
                sequence=row.sequence,
            )

    async def level_before(self, account_id: str, window: UsageWindow, *, through: int) -> int:
        """The last level observed before a window, if on trial; 0 where there was none."""
        query = self._of(select(_EVENTS.quantity), account_id, window, through).where(
            or_(_EVENTS.billable.is_(True), _EVENTS.trial.is_(True)),
            _EVENTS.occurred_time < window.start,
            _EVENTS.kind.in_(_LEVELS),
        )
        query = query.order_by(_EVENTS.occurred_time.desc(), _EVENTS.request_id.desc()).limit(1)
        rows = await self.scope.rows(query)
        return int(rows[0].quantity) if rows else 0

    async def head(self) -> int:
        """The last sequence number of the tenant's log, the same all through a transaction."""
        known = self.scope.known
        if known.head is None:
            query = select(event_sequences.c.last_sequence).where(event_sequences.c.tenant_id == self.scope.tenant_id)
            rows = await self.scope.rows(query)
            known.head = int(rows[0].last_sequence) if rows else 0
        return known.head

    def _charged(self, query: Select[Any], account_id: str, window: UsageWindow, through: int) -> Select[Any]:
        query = self._of(query, account_id, window, through).where(_EVENTS.billable.is_(True), _EVENTS.trial.is_(False))
        if window.plan_version:
            query = query.where(
                _EVENTS.subscription_id == window.subscription_id,
                _EVENTS.plan_key == window.plan_key,
                _EVENTS.plan_version == window.plan_version,
            )
        return query

    def _of(self, query: Select[Any], account_id: str, window: UsageWindow, through: int) -> Select[Any]:
        return query.where(
            _EVENTS.tenant_id == self.scope.tenant_id,
            _EVENTS.account_id == account_id,
            _EVENTS.feature_key == window.usage.feature_key,
            _EVENTS.sequence <= through,
            _EVENTS.carry_in.is_(False),
        )
