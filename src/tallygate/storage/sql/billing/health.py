"""How billing stands over all tenants but test ones: what doctor and the metrics tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Executable, Row, Table, case, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.domain.billing.late import Unrated
from tallygate.domain.billing.messages import DeliveryState
from tallygate.records.jobs import BillingHealth, JobHealth
from tallygate.storage.sql.billing.findings import billing_findings
from tallygate.storage.sql.billing.message_tables import deliveries
from tallygate.storage.sql.billing.tables import jobs, number_series
from tallygate.storage.sql.billing.usage_tables import late_usage, unrated_facts
from tallygate.storage.sql.engine import connected
from tallygate.storage.sql.failures import translated
from tallygate.storage.sql.models import TenantRow
from tallygate.storage.sql.scope import table_of

_tenants = table_of(TenantRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlBillingHealth:
    """Reads it; `now` is real time, in microseconds."""

    engine: AsyncEngine

    async def read(self, *, now: int) -> BillingHealth:
        """As it stands. Raises StoreUnavailableError."""
        with translated():
            async with connected(self.engine, {}) as connection:

                async def rows(query: Executable) -> Sequence[Row[Any]]:
                    return (await connection.execute(query)).all()

                due = {row.kind: row for row in await rows(_DUE.where(jobs.c.due_time <= now))}
                failing = {row.kind: row.many for row in await rows(_FAILING)}
                worst = await rows(_WORST)
                found = await rows(_FOUND)
                going = {row.state: row for row in await rows(_DELIVERIES)}
                open_ones = [row for state, row in going.items() if state in _OPEN]
                oldest = min((row.oldest for row in open_ones), default=now)
                (lately,) = await rows(_UNRATED.where(unrated_facts.c.note_time > now - _LATELY))
                return BillingHealth(
                    jobs={
                        kind: JobHealth(
                            due=due[kind].many if kind in due else 0,
                            oldest_age=now - due[kind].oldest if kind in due else 0,
                            failing=failing.get(kind, 0),
                        )
                        for kind in sorted({*due, *failing})
                    },
                    problem=f"{worst[0].kind} of {worst[0].subject}: {worst[0].problem}" if worst else "",
                    late=int((await rows(_LATE))[0][0]),
                    unrated={Unrated(row.reason): row.many for row in await rows(_BY_REASON)},
                    unrated_lately=lately.many,
                    invoices=int((await rows(_ISSUED))[0][0] or 0),
                    undelivered=sum(row.many for row in open_ones),
                    undelivered_age=max(0, now - oldest),
                    undeliverable=going[_FAILED].many if _FAILED in going else 0,
                    found={row.kind: int(row.many) for row in found},
                    example={row.kind: row.example for row in found},
                )


def _real(table: Table) -> ColumnElement[bool]:
    return table.c.tenant_id.in_(select(_tenants.c.tenant_id).where(_tenants.c.test.is_(False)))


_LATELY = 7 * 24 * 3_600 * 1_000_000
_MANY = func.count().label("many")
_DUE = select(jobs.c.kind, _MANY, func.min(jobs.c.due_time).label("oldest")).where(_real(jobs)).group_by(jobs.c.kind)
_FAILING = select(jobs.c.kind, _MANY).where(_real(jobs), jobs.c.attempts > 0).group_by(jobs.c.kind)
_WORST = select(jobs).where(_real(jobs), jobs.c.attempts > 0).order_by(jobs.c.attempts.desc()).limit(1)
_OPEN, _FAILED = {DeliveryState.WAITING.value, DeliveryState.SENDING.value}, DeliveryState.FAILED.value
_DELIVERIES = (
    select(deliveries.c.state, _MANY, func.min(deliveries.c.create_time).label("oldest"))
    .where(_real(deliveries), deliveries.c.state.in_([*sorted(_OPEN), _FAILED]))
    .group_by(deliveries.c.state)
)
_SUBJECT = case((billing_findings.c.subject == "", ""), else_=billing_findings.c.subject + ": ")
_FOUND = (
    select(
        billing_findings.c.kind,
        func.sum(billing_findings.c.number).label("many"),
        func.min(_SUBJECT + billing_findings.c.detail).label("example"),
    )
    .where(_real(billing_findings))
    .group_by(billing_findings.c.kind)
)
_LATE = select(func.count()).select_from(late_usage).where(_real(late_usage))
_UNRATED = select(_MANY).select_from(unrated_facts).where(_real(unrated_facts))
_BY_REASON = _UNRATED.add_columns(unrated_facts.c.reason).group_by(unrated_facts.c.reason)
_ISSUED = select(func.sum(number_series.c.next_number - 1)).where(_real(number_series))
