"""The tenant's API keys at rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, or_, select

from tallygate.domain.credential import KeyRecord
from tallygate.domain.credential import Scope as KeyScope
from tallygate.records.values import StoredKey
from tallygate.storage.sql.models import ApiKeyRow
from tallygate.storage.sql.scope import Scope, table_of

_keys = table_of(ApiKeyRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlKeyRepository:
    """API keys by id; a digest is unique over all tenants."""

    scope: Scope

    async def get(self, key_id: str) -> StoredKey | None:
        """The key with this id."""
        rows = await self.scope.rows(select(_keys).where(self.scope.own(ApiKeyRow), _keys.c.key_id == key_id))
        return _stored(rows[0]) if rows else None

    async def put(self, key: StoredKey) -> None:
        """Add or replace a key."""
        self.scope.changes.keys[key.record.key_id] = None
        row = {
            "key_id": key.record.key_id,
            "digest": key.digest,
            "shown": key.shown,
            "name": key.record.name,
            "scopes": sorted(scope.value for scope in key.record.scopes),
            "version": key.version,
            "create_time": key.create_time,
            "expire_time": key.record.expire_time,
            "revoke_time": key.record.revoke_time,
            "account_id": key.record.account_id,
        }
        await self.scope.upsert(ApiKeyRow, [row])

    async def list(self, *, after: str, limit: int) -> Sequence[StoredKey]:
        """Keys by key_id, those behind `after`."""
        where = self.scope.own(ApiKeyRow), _keys.c.key_id > after
        return [
            _stored(row)
            for row in await self.scope.rows(select(_keys).where(*where).order_by(_keys.c.key_id).limit(limit))
        ]

    async def newest(self, *, before: tuple[int, str] | None, limit: int) -> Sequence[StoredKey]:
        """Keys by creation, newest first, those behind `before`: an instant and an id."""
        column = _keys.c
        query = select(_keys).where(self.scope.own(ApiKeyRow))
        if before is not None:
            created, key_id = before
            earlier = and_(column.create_time == created, column.key_id < key_id)
            query = query.where(or_(column.create_time < created, earlier))
        rows = await self.scope.rows(query.order_by(column.create_time.desc(), column.key_id.desc()).limit(limit))
        return [_stored(row) for row in rows]


def _stored(row: Row[Any]) -> StoredKey:
    record = KeyRecord(
        key_id=row.key_id,
        tenant_id=row.tenant_id,
        scopes=frozenset(KeyScope(scope) for scope in row.scopes),
        name=row.name,
        expire_time=row.expire_time,
        revoke_time=row.revoke_time,
        account_id=row.account_id or "",
    )
    return StoredKey(
        record=record, digest=row.digest, shown=row.shown, create_time=row.create_time, version=row.version
    )
