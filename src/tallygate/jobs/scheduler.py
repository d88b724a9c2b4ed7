"""The worker's loop over jobs: any number of workers, each job in a transaction of its own.

A row says when to look, the data what is done: a job that runs twice, late or on two workers changes nothing.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tallygate.domain.errors import TallygateError, UnavailableError
from tallygate.records.billing import Job

_SECOND = 1_000_000
_CLAIM = 60 * _SECOND
_AT_ONCE = 100
_FIRST_RETRY, _LAST_RETRY = 5 * _SECOND, 3_600 * _SECOND
_PAUSE_SECONDS = 1.0
_log = logging.getLogger(__name__)

Handler = Callable[[Job], Awaitable[None]]
"""Does what a job is about, and plans what comes next, in one transaction."""


class JobQueue(Protocol):
    """Jobs of all tenants. Raises StoreUnavailableError when it cannot be reached in time."""

    async def claim(self, *, now: int, until: int, limit: int) -> Sequence[Job]:
        """Jobs that are due, oldest first, left to this worker until an instant."""
        ...

    async def failed(self, job: Job, *, retry_time: int, problem: str) -> None:
        """Look at it again then; what was planned meanwhile stays."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler:
    """Runs what is due."""

    queue: JobQueue
    handlers: Mapping[str, Handler]
    clock: Callable[[], int]

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
        """Run what is due now, oldest first; how many jobs that were."""
        now = self.clock()
        claimed = await self.queue.claim(now=now, until=now + _CLAIM, limit=_AT_ONCE)
        for job in claimed:
            await self._run(job)
        return len(claimed)

    async def _run(self, job: Job) -> None:
        """Run one; a failure holds up its own subject alone."""
        try:
            await self.handlers[job.kind](job)
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - a boundary: logged with its trace, told by doctor, and tried again
            wait = min(_FIRST_RETRY * 2**job.attempts, _LAST_RETRY)
            _log.exception("job %s of %s failed and is tried again in %d s", job.kind, job.subject, wait // _SECOND)
            problem = str(error) if isinstance(error, TallygateError) else type(error).__name__
            await self.queue.failed(job, retry_time=self.clock() + wait, problem=problem)
