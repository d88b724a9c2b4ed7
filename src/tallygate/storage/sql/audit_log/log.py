"""The audit log of one tenant, its chain, and which tenants have entries that are not chained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.domain.audit_log import ERASE, ERASED, Anchor, AuditEntry
from tallygate.records.audit_log import EntryQuery
from tallygate.storage.sql.audit_log.tables import audit_anchors, audit_chain, audit_log
from tallygate.storage.sql.engine import connected
from tallygate.storage.sql.failures import translated
from tallygate.storage.sql.models import TenantRow
from tallygate.storage.sql.scope import Scope, columns_of, table_of

_LOG, _LINKS, _ANCHORS = audit_log.c, audit_chain.c, audit_anchors.c
_tenants = table_of(TenantRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlAuditLog:
    """A tenant's entries."""

    scope: Scope

    async def list(self, wanted: EntryQuery) -> Sequence[AuditEntry]:
        """Those asked for, newest first."""
        query = select(audit_log).where(_LOG.tenant_id == self.scope.tenant_id)
        asked = ((_LOG.account_id, wanted.account_id), (_LOG.method, wanted.method), (_LOG.key_id, wanted.key_id))
        for column, value in (*asked, (_LOG.request_id, wanted.request_id)):
            query = query.where(column == value) if value else query
        if wanted.start_time is not None:
            query = query.where(_LOG.entry_time >= wanted.start_time)
        if wanted.end_time is not None:
            query = query.where(_LOG.entry_time < wanted.end_time)
        if wanted.before is not None:
            query = query.where(_LOG.place < wanted.before)
        return [_entry(row) for row in await self.scope.rows(query.order_by(_LOG.place.desc()).limit(wanted.limit))]

    async def walk(self, *, after: int | None, limit: int) -> Sequence[tuple[AuditEntry, str | None]]:
        """Entries behind a place, or all, in order, each with its hash, if it is chained."""
        same = and_(_LINKS.tenant_id == _LOG.tenant_id, _LINKS.place == _LOG.place)
        query = select(audit_log, _LINKS.hash).select_from(audit_log.outerjoin(audit_chain, same))
        query = query.where(_LOG.tenant_id == self.scope.tenant_id)
        query = query if after is None else query.where(_LOG.place > after)
        return [(_entry(row), row.hash) for row in await self.scope.rows(query.order_by(_LOG.place).limit(limit))]

    async def erasures(self) -> Mapping[str, int]:
        """Where each account's personal data was erased last."""
        query = select(_LOG.account_id, func.max(_LOG.place).label("place")).where(
            _LOG.tenant_id == self.scope.tenant_id, _LOG.method == ERASE
        )
        return {row.account_id: row.place for row in await self.scope.rows(query.group_by(_LOG.account_id))}

    async def erase(self, account_id: str) -> int:
        """Erase personal values from an account's entries; from how many."""
        own = _LOG.tenant_id == self.scope.tenant_id, _LOG.account_id == account_id
        holds = _LOG.personal.not_in(("", ERASED))
        return await self.scope.execute(update(audit_log).where(*own, holds).values(personal=ERASED))


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlAuditChain:
    """A tenant's hashes."""

    scope: Scope

    async def head(self) -> tuple[int, str]:
        """The last place that is chained, and its hash."""
        query = select(audit_chain).where(_LINKS.tenant_id == self.scope.tenant_id)
        rows = await self.scope.rows(query.order_by(_LINKS.place.desc()).limit(1))
        return (rows[0].place, rows[0].hash) if rows else (0, "")

    async def extend(self, links: Sequence[tuple[int, str]]) -> None:
        """Add the hashes of the next places."""
        rows = [{"tenant_id": self.scope.tenant_id, "place": place, "hash": link} for place, link in links]
        await self.scope.connection.execute(insert(audit_chain), rows)

    async def anchors(self) -> Sequence[tuple[Anchor, str]]:
        """Every anchor with its seal, by place."""
        query = select(audit_anchors).where(_ANCHORS.tenant_id == self.scope.tenant_id).order_by(_ANCHORS.place)
        return [(Anchor(**columns_of(row, "seal")), row.seal) for row in await self.scope.rows(query)]

    async def anchor(self, anchor: Anchor, seal: str) -> None:
        """Keep one."""
        row = {"place": anchor.place, "hash": anchor.hash, "anchor_time": anchor.anchor_time, "seal": seal}
        await self.scope.connection.execute(insert(audit_anchors), [{"tenant_id": self.scope.tenant_id, **row}])


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlAuditTails:
    """Which tenants have something to chain, or to anchor."""

    engine: AsyncEngine

    async def unchained(self) -> Sequence[str]:
        """Tenants with entries that are not chained. Raises StoreUnavailableError."""
        own = _tenants.c.tenant_id
        last = select(func.max(_LOG.place)).where(_LOG.tenant_id == own).scalar_subquery()
        return await self._where(last > _greatest(_LINKS))

    async def unanchored(self, *, before: int) -> Sequence[str]:
        """Tenants with links behind their last anchor, which was made before an instant. Raises as above."""
        own = _tenants.c.tenant_id
        last = select(func.max(_LINKS.place)).where(_LINKS.tenant_id == own).scalar_subquery()
        made = select(func.max(_ANCHORS.anchor_time)).where(_ANCHORS.tenant_id == own).scalar_subquery()
        return await self._where(and_(last > _greatest(_ANCHORS), func.coalesce(made < before, True)))

    async def _where(self, condition: Any) -> Sequence[str]:  # noqa: ANN401 - a condition of SQL
        query = select(_tenants.c.tenant_id).where(condition).order_by(_tenants.c.tenant_id)
        with translated():
            async with connected(self.engine, {}) as connection:
                return list((await connection.execute(query)).scalars())


def _greatest(columns: Any) -> Any:  # noqa: ANN401 - columns of a table
    last = select(func.max(columns.place)).where(columns.tenant_id == _tenants.c.tenant_id).scalar_subquery()
    return func.coalesce(last, 0)


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(**columns_of(row, "hash"))
