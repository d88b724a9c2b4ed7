"""The outbox's publisher: what was committed reaches the view, in order, however often a process dies in between.

It publishes current rows, never what an outbox entry says they were, so the order of publishing cannot lose a write.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from tallygate.domain.account import AccountRecord
from tallygate.domain.catalog import CatalogSnapshot
from tallygate.domain.errors import TallygateError
from tallygate.domain.recent import Recent
from tallygate.records.ports import UnitOfWork
from tallygate.records.stores import KeyPublisher, Outbox, Store, ViewPublisher
from tallygate.records.values import Change, ChangeKind, OutboxEntry, StoredKey

BATCH = 500
RETRY_SECONDS = 1.0
_KNOWN = 20_000
"""Of so many tenants this process remembers how far they are published."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """Current rows to publish together."""

    snapshot: CatalogSnapshot | None = None
    records: Sequence[AccountRecord] = ()
    keys: Sequence[StoredKey] = ()

    def changes(self) -> list[Change]:
        found = [Change(tenant_id=r.tenant_id, account_id=r.account_id, version=r.version) for r in self.records]
        if self.snapshot is not None:
            found.insert(0, Change(tenant_id=self.snapshot.tenant_id, account_id="", version=self.snapshot.version))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxPublisher:
    """Publishes what committed writes changed; any number of processes may do so at once."""

    store: Store
    outbox: Outbox
    views: ViewPublisher
    keys: KeyPublisher
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    _published: Recent[str, int] = field(default_factory=lambda: Recent(_KNOWN))

    async def publish_soon(self, tenant_id: str, version: int) -> None:
        """Publish the tenant's pending changes up to a version; where that fails they stay for `run`.

        Nothing is looked at where this process knows that all of them are published: most writes of billing change no
        view.
        """
        if version <= (self._published.get(tenant_id) or 0):
            return
        try:
            await self.publish(tenant_id)
        except TallygateError as error:
            _log.warning("publishing failed, the worker will retry: tenant=%s error=%s", tenant_id, error)
        else:
            self._published.put(tenant_id, version)

    async def publish(self, tenant_id: str) -> None:
        """Publish the tenant's pending changes in the order of their versions, then say how far its log is applied."""
        async with self._turns.setdefault(tenant_id, asyncio.Lock()):  # writers that wait find their change published
            while entries := await self.outbox.pending(tenant_id, limit=BATCH):
                whole = len(entries) < BATCH
                batch = await self._collect(tenant_id, entries)
                await self._send(batch)
                applied = entries[-1].version if whole else entries[-1].version - 1
                await self.views.finish(tenant_id, applied, batch.changes())
                await self.outbox.delete(tenant_id, [entry.entry_id for entry in entries])
                if whole:
                    return

    async def publish_pending(self) -> None:
        """Publish what earlier writes left behind, of every tenant."""
        for tenant_id in await self.outbox.tenants():
            await self.publish(tenant_id)

    async def republish_all(self) -> None:
        """Publish everything anew: the store of the view was emptied, or is another one.

        Where it is emptied once more meanwhile it is not said to be intact, so that `run` begins again.
        """
        begun, after = await self.keys.begin(), ""
        while tenant_ids := await self.store.tenant_ids(after=after, limit=BATCH):
            for tenant_id in tenant_ids:
                await self.republish(tenant_id)
            after = tenant_ids[-1]
        if not await self.keys.mark_intact(begun):
            _log.warning("the store of the view was emptied while everything was published to it: beginning again")

    async def republish(self, tenant_id: str) -> None:
        """Publish all of one tenant, its catalogue last: until it is there, an account's absence is no answer."""
        async with self.store.read(tenant_id) as work:
            applied = (await work.tenants.get()).view_version
            first = _Batch(snapshot=await _snapshot(work))
        await self._send_all_keys(tenant_id)
        await self._send_all_accounts(tenant_id)
        await self._send(first)
        await self.views.finish(tenant_id, applied, first.changes())

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Until cancelled: each second publish what is left over, and everything where the view may have been lost."""
        while True:
            try:
                if not await self.keys.is_intact():
                    await self.republish_all()
                await self.publish_pending()
            except TallygateError as error:
                _log.warning("publishing failed, will retry: error=%s", error)
            await sleep(RETRY_SECONDS)

    async def _collect(self, tenant_id: str, entries: Sequence[OutboxEntry]) -> _Batch:
        catalog = any(entry.kind is ChangeKind.CATALOG for entry in entries)
        account_ids = _keys(entries, ChangeKind.ACCOUNT)
        async with self.store.read(tenant_id) as work:
            keys = [await work.keys.get(key_id) for key_id in _keys(entries, ChangeKind.KEY)]
            return _Batch(
                snapshot=await _snapshot(work) if catalog else None,
                records=await work.accounts.records(account_ids) if account_ids else (),
                keys=[key for key in keys if key is not None],
            )

    async def _send(self, batch: _Batch) -> None:
        if batch.keys:
            await self.keys.publish_keys(batch.keys)
        if batch.snapshot is not None:
            await self.views.publish_catalog(batch.snapshot)
        if batch.records:
            await self.views.publish_accounts(batch.records)

    async def _send_all_keys(self, tenant_id: str) -> None:
        after = ""
        while True:
            async with self.store.read(tenant_id) as work:
                keys = await work.keys.list(after=after, limit=BATCH)
            if not keys:
                return
            await self._send(_Batch(keys=keys))
            after = keys[-1].record.key_id

    async def _send_all_accounts(self, tenant_id: str) -> None:
        after = ""
        while True:
            async with self.store.read(tenant_id) as work:
                account_ids = [account.account_id for account in await work.accounts.list(after=after, limit=BATCH)]
                records = await work.accounts.records(account_ids) if account_ids else ()
            if not account_ids:
                return
            await self._send(_Batch(records=records))
            after = account_ids[-1]


async def _snapshot(work: UnitOfWork) -> CatalogSnapshot:
    tenant = await work.tenants.get()
    return CatalogSnapshot(
        tenant_id=tenant.tenant_id,
        version=tenant.catalog_version,
        catalog=await work.catalog.load(),
        clock_offset=tenant.clock_offset,
        clock_time=tenant.clock_time,
    )


def _keys(entries: Sequence[OutboxEntry], kind: ChangeKind) -> list[str]:
    return list(dict.fromkeys(entry.key for entry in entries if entry.kind is kind))
