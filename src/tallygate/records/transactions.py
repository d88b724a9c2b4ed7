"""How a use-case runs: in one unit of work, at the tenant's own time, to its end whatever happens to its caller."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from tallygate.records.audit_log import unnoted
from tallygate.records.history import NOBODY, Author
from tallygate.records.ports import BillingWork
from tallygate.records.publishing import OutboxPublisher
from tallygate.records.stores import Store

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

UseCase = Callable[[BillingWork, int], Awaitable[T]]
"""Takes the unit of work and the tenant's now: the real one, or what a test tenant's clock shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written(Generic[T_co]):
    """What a write answered, and the tenant's view version after it."""

    value: T_co
    view_version: int


@dataclass(slots=True, kw_only=True)
class Transactions:
    """Runs use-cases. A cancelled caller stops waiting; its transaction runs to its end all the same."""

    store: Store
    publisher: OutboxPublisher
    _running: set[asyncio.Task[Any]] = field(default_factory=set)

    async def read(self, tenant_id: str, use_case: UseCase[T], *, now: int) -> T:
        """Run a use-case that only reads, on one consistent snapshot."""
        return await self._to_the_end(self._read(tenant_id, use_case, now))

    async def write(self, tenant_id: str, use_case: UseCase[T], *, now: int, author: Author = NOBODY) -> Written[T]:
        """Run a use-case, commit it and publish what it changed; if it raises, nothing happened."""
        return await self._to_the_end(self._write(tenant_id, use_case, now, author))

    async def drain(self) -> None:
        """Wait for the transactions whose callers are gone."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _read(self, tenant_id: str, use_case: UseCase[T], now: int) -> T:
        async with self.store.read(tenant_id) as work:
            return await use_case(work, (await work.tenants.get()).clock.at(now))

    async def _write(self, tenant_id: str, use_case: UseCase[T], now: int, author: Author) -> Written[T]:
        origin = unnoted()
        async with self.store.write(tenant_id, now=now, author=author, origin=origin) as work:
            value = await use_case(work, work.now)
            view_version = await work.commit()
        if origin is not None:
            origin.noted = True
        await self.publisher.publish_soon(tenant_id, view_version)
        return Written(value=value, view_version=view_version)

    async def _to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # read, so that asyncio does not report one whose caller is gone
