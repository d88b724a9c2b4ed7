"""Charges that apps tell, over SQL."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Row, insert, select

from tallygate.domain.billing.app_charges import ChargeLimit, ChargeRun, RejectReason, RunState
from tallygate.storage.sql.billing.app_charge_tables import charge_limits, charge_runs
from tallygate.storage.sql.scope import Scope

_MOST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlAppCharges:
    """Limits and runs of one tenant."""

    scope: Scope

    async def limit(self, subscription_id: str) -> ChargeLimit | None:
        """The limit in force of a subscription."""
        own = charge_limits.c
        query = select(charge_limits).where(self.scope.owns(charge_limits), own.subscription_id == subscription_id)
        rows = await self.scope.rows(query.order_by(own.number.desc()).limit(1))
        return ChargeLimit(**{each.name: getattr(rows[0], each.name) for each in fields(ChargeLimit)}) if rows else None

    async def add_limit(self, limit: ChargeLimit) -> None:
        """Add a limit."""
        row = {"tenant_id": self.scope.tenant_id, **asdict(limit), "actor_id": self.scope.author.key_id}
        await self.scope.connection.execute(insert(charge_limits), [row])

    async def runs(self, account_id: str) -> Sequence[ChargeRun]:
        """The runs of an account, newest period first."""
        own = charge_runs.c
        query = select(charge_runs).where(self.scope.owns(charge_runs), own.account_id == account_id)
        query = query.order_by(own.period_start.desc(), own.subscription_id).limit(_MOST)
        return [_run(row) for row in await self.scope.rows(query)]

    async def put_run(self, run: ChargeRun) -> None:
        """Add a run, or replace it."""
        row = {**asdict(run), "state": run.state.value, "charge_ids": list(run.charge_ids)}
        row["reasons"] = [reason.value for reason in run.reasons]
        await self.scope.upsert_into(charge_runs, [row])


def _run(row: Row[Any]) -> ChargeRun:
    columns = {each.name: getattr(row, each.name) for each in fields(ChargeRun)}
    columns["state"] = RunState(row.state)
    columns["reasons"] = tuple(RejectReason(reason) for reason in row.reasons)
    columns["charge_ids"] = tuple(row.charge_ids)
    return ChargeRun(**columns)
