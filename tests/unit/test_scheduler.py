"""The loop over jobs: batches of one tenant, and what one that fails holds up."""

import asyncio

import pytest

from tallygate.domain.errors import StoreUnavailableError
from tallygate.jobs.scheduler import Scheduler
from tallygate.records.jobs import Job

SECOND = 1_000_000


class Queue:
    """Jobs that are due, given out once; what failed is noted."""

    def __init__(self, *jobs):
        self.jobs, self.failures = list(jobs), []

    async def claim(self, _kinds, *, limit, **_when):
        given, self.jobs = self.jobs[:limit], self.jobs[limit:]
        return given

    async def failed(self, job, *, retry_time, problem):
        self.failures.append((job.subject, retry_time, problem))


def jobs(count, tenant="t", **more):
    return [Job(tenant_id=tenant, kind="close", subject=f"{tenant}{n}", due_time=n, **more) for n in range(count)]


def scheduler(queue, handler):
    return Scheduler(queue=queue, handlers={"close": handler}, clock=lambda: 1_000 * SECOND)


async def test_jobs_of_one_tenant_run_twenty_five_at_a_time():
    ran = []

    async def handler(batch):
        ran.append((batch[0].tenant_id, len(batch)))

    mixed = [job for pair in zip(jobs(60), jobs(60, "u"), strict=True) for job in pair]
    worker = scheduler(Queue(*mixed), handler)
    assert [await worker.round(), await worker.round(), await worker.round()] == [100, 20, 0]
    assert sorted(ran) == sorted([("t", 25), ("t", 25), ("u", 25), ("u", 25), ("t", 10), ("u", 10)])


async def test_who_waits_for_another_house_holds_up_no_other_tenant_where_some_run_abreast():
    answered, others, done = asyncio.Event(), asyncio.Event(), []

    async def handler(batch):
        if batch[0].tenant_id == "slow":
            await answered.wait()
        done.append(batch[0].tenant_id)
        if len(done) == 2:
            others.set()

    worker = Scheduler(
        queue=Queue(*jobs(30, "slow"), *jobs(1, "u"), *jobs(1, "v")), handlers={"close": handler}, clock=int, abreast=3
    )
    turn = asyncio.create_task(worker.round())
    await asyncio.wait_for(others.wait(), 10)
    assert sorted(done) == ["u", "v"]
    answered.set()
    assert await turn == 32
    assert done[2:] == ["slow", "slow"]


async def test_one_that_fails_holds_up_itself_alone():
    done = []

    async def handler(batch):
        if any(job.subject == "t7" for job in batch):
            raise ZeroDivisionError
        done.extend(job.subject for job in batch)

    queue = Queue(*jobs(25, attempts=2))
    await scheduler(queue, handler).round()
    assert sorted(done) == sorted(f"t{n}" for n in range(25) if n != 7)
    assert queue.failures == [("t7", 1_020 * SECOND, "ZeroDivisionError")]  # 5 s, doubled for each attempt before


@pytest.mark.parametrize(("attempts", "wait"), [(0, 5), (3, 40), (9, 2_560), (10, 3_600), (5_000, 3_600)])
async def test_what_fails_again_and_again_is_tried_within_the_hour(attempts, wait):
    async def handler(_batch):
        raise ZeroDivisionError

    queue = Queue(*jobs(1, attempts=attempts))
    await scheduler(queue, handler).round()
    assert queue.failures == [("t0", (1_000 + wait) * SECOND, "ZeroDivisionError")]


async def test_a_store_that_is_away_is_no_failure_of_a_job_and_others_have_their_turn():
    done = []

    async def handler(batch):
        if batch[0].tenant_id == "t":
            raise StoreUnavailableError(store="events")
        done.extend(job.subject for job in batch)

    queue = Queue(*jobs(2), *jobs(2, "u"))
    with pytest.raises(StoreUnavailableError):
        await scheduler(queue, handler).round()
    assert (done, queue.failures) == (["u0", "u1"], [])
