"""The worker's loop over jobs: any number of workers, some jobs of one tenant in a transaction.

A row says when to look, the data what is done: a job that runs twice, late or on two workers changes nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tallygate.domain.errors import TallygateError, UnavailableError
from tallygate.records.jobs import Job

_SECOND = 1_000_000
_CLAIM = 60 * _SECOND
_AT_ONCE = 100
_TOGETHER = 25
"""Jobs of a transaction: grouped reads cost a fraction of single ones, and a lock is not held for long."""
_FIRST_RETRY, _LAST_RETRY = 5 * _SECOND, 3_600 * _SECOND
_MOST_DOUBLINGS = 10
_PAUSE_SECONDS = 1.0
_log = logging.getLogger(__name__)

Handler = Callable[[Sequence[Job]], Awaitable[None]]
"""Does what jobs of one tenant are about, and plans what comes next, in one transaction: all of them or none."""


class JobQueue(Protocol):
    """Jobs of all tenants. Raises StoreUnavailableError when it cannot be reached in time."""

    async def claim(self, kinds: Collection[str], *, now: int, until: int, limit: int) -> Sequence[Job]:
        """Jobs of some kinds that are due, oldest first, left to this worker until an instant."""
        ...

    async def failed(self, job: Job, *, retry_time: int, problem: str) -> None:
        """Look at it again then; what was planned meanwhile stays."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler:
    """Runs what is due of the kinds that it has handlers for, of so many tenants `abreast`.

    Where handlers wait for others' houses, more than one: what a tenant waits for holds up no other.
    """

    queue: JobQueue
    handlers: Mapping[str, Handler]
    clock: Callable[[], int]
    abreast: int = 1

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Run for ever; an outage of the store is survived."""
        while True:
            try:
                while await self.round():
                    pass
            except UnavailableError as error:
                _log.warning("jobs wait for their store: %s", error)
            await sleep(_PAUSE_SECONDS)

    async def round(self) -> int:
        """Run what is due now, oldest first; how many jobs that were.

        Where the store of one batch cannot be reached the others have their turn first.
        """
        now = self.clock()
        claimed = await self.queue.claim(self.handlers.keys(), now=now, until=now + _CLAIM, limit=_AT_ONCE)
        tenants = _tenants(claimed)
        if self.abreast == 1:
            met = [await self._turn(batches) for batches in tenants]
        else:
            met = await self._abreast(tenants)
        unavailable = [error for error in met if error is not None]
        if unavailable:
            raise unavailable[-1]
        return len(claimed)

    async def _abreast(self, tenants: Sequence[Sequence[Sequence[Job]]]) -> list[UnavailableError | None]:
        places = asyncio.Semaphore(self.abreast)

        async def in_place(batches: Sequence[Sequence[Job]]) -> UnavailableError | None:
            async with places:
                return await self._turn(batches)

        async with asyncio.TaskGroup() as turns:
            tasks = [turns.create_task(in_place(batches)) for batches in tenants]
        return [task.result() for task in tasks]

    async def _turn(self, batches: Sequence[Sequence[Job]]) -> UnavailableError | None:
        """Run a tenant's batches, one after the other; what store could not be reached, if one."""
        unavailable: UnavailableError | None = None
        for jobs in batches:
            try:
                await self._run(jobs)
            except UnavailableError as error:
                unavailable = error
        return unavailable

    async def _run(self, jobs: Sequence[Job]) -> None:
        """Run some; when one fails they are run one by one, so that it holds up its own subject alone."""
        try:
            await self.handlers[jobs[0].kind](jobs)
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - a boundary: logged with its trace, told by doctor, and tried again
            if len(jobs) == 1:
                await self._failed(jobs[0], error)
                return
            for job in jobs:
                await self._run([job])

    async def _failed(self, job: Job, error: Exception) -> None:
        wait = min(_FIRST_RETRY * 2 ** min(job.attempts, _MOST_DOUBLINGS), _LAST_RETRY)
        _log.error(
            "job %s of %s failed and is tried again in %d s", job.kind, job.subject, wait // _SECOND, exc_info=error
        )
        problem = str(error) if isinstance(error, TallygateError) else type(error).__name__
        await self.queue.failed(job, retry_time=self.clock() + wait, problem=problem)


def _tenants(claimed: Sequence[Job]) -> list[list[Sequence[Job]]]:
    """Batches, by tenant."""
    found: dict[str, list[Sequence[Job]]] = {}
    for jobs in _batches(claimed):
        found.setdefault(jobs[0].tenant_id, []).append(jobs)
    return list(found.values())


def _batches(claimed: Sequence[Job]) -> Iterator[Sequence[Job]]:
    """Jobs of one kind and tenant together, at most so many."""
    found: dict[tuple[str, str], list[Job]] = {}
    for job in claimed:
        found.setdefault((job.kind, job.tenant_id), []).append(job)
    for jobs in found.values():
        for first in range(0, len(jobs), _TOGETHER):
            yield jobs[first : first + _TOGETHER]
