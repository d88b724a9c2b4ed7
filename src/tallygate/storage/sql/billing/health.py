"""How billing stands over all tenants but test ones: what doctor and the metrics tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable, Row, case, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.domain.billing.late import Unrated
from tallygate.domain.billing.messages import DeliveryState
from tallygate.records.jobs import BillingHealth
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
        real = select(_tenants.c.tenant_id).where(_tenants.c.test.is_(False))
        own = jobs.c.tenant_id.in_(real)
        due = select(func.count().label("many"), func.min(jobs.c.due_time).label("oldest"))
        failing = select(jobs).where(own, jobs.c.attempts > 0).order_by(jobs.c.attempts.desc()).limit(1)
        many = select(func.count()).select_from(jobs).where(own, jobs.c.attempts > 0)
        with translated():
            async with connected(self.engine, {}) as connection:

                async def rows(query: Executable) -> Sequence[Row[Any]]:
                    return (await connection.execute(query)).all()

                (waiting,) = await rows(due.where(own, jobs.c.due_time <= now))
                worst = await rows(failing)
                found = await rows(_FOUND)
                going = {row.state: row for row in await rows(_DELIVERIES)}
                open_ones = [row for state, row in going.items() if state in _OPEN]
                oldest = min((row.oldest for row in open_ones), default=now)
                return BillingHealth(
                    due=waiting.many,
                    oldest_age=0 if waiting.oldest is None else now - waiting.oldest,
                    failing=int((await rows(many))[0][0]),
                    problem=f"{worst[0].kind} of {worst[0].subject}: {worst[0].problem}" if worst else "",
                    late=int((await rows(select(func.count()).select_from(late_usage)))[0][0]),
                    unrated={Unrated(row.reason): row.many for row in await rows(_BY_REASON)},
                    invoices=int((await rows(_ISSUED))[0][0] or 0),
                    undelivered=sum(row.many for row in open_ones),
                    undelivered_age=max(0, now - oldest),
                    undeliverable=going[_FAILED].many if _FAILED in going else 0,
                    found={row.kind: int(row.many) for row in found},
                    example={row.kind: row.example for row in found},
                )


_OPEN, _FAILED = {DeliveryState.WAITING.value, DeliveryState.SENDING.value}, DeliveryState.FAILED.value
_DELIVERIES = (
    select(deliveries.c.state, func.count().label("many"), func.min(deliveries.c.create_time).label("oldest"))
    .where(deliveries.c.state.in_([*sorted(_OPEN), _FAILED]))
    .where(deliveries.c.tenant_id.in_(select(_tenants.c.tenant_id).where(_tenants.c.test.is_(False))))
    .group_by(deliveries.c.state)
)
_SUBJECT = case((billing_findings.c.subject == "", ""), else_=billing_findings.c.subject + ": ")
_FOUND = select(
    billing_findings.c.kind,
    func.sum(billing_findings.c.number).label("many"),
    func.min(_SUBJECT + billing_findings.c.detail).label("example"),
).group_by(billing_findings.c.kind)
_BY_REASON = select(unrated_facts.c.reason, func.count().label("many")).group_by(unrated_facts.c.reason)
_ISSUED = select(func.sum(number_series.c.next_number - 1))
