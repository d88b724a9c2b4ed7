"""What falls due of a tenant, where one account's turn fails: the others have theirs, and the failure is told."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from tallygate.billing.due_order import Run, TenantRunner
from tallygate.domain.errors import StoreUnavailableError
from tallygate.records.jobs import CLOSE, Job

ACCOUNTS = ("ann", "bob", "cat")


@dataclass(slots=True)
class House:
    """A tenant's jobs, its transactions, and its billing, which fails of some accounts."""

    fails: dict[str, Exception]
    test: bool = False
    due_jobs: list[Job] = field(
        default_factory=lambda: [Job(tenant_id="t", kind=CLOSE, subject=one, due_time=1) for one in ACCOUNTS]
    )
    looked: list[str] = field(default_factory=list)

    async def read(self, _tenant_id, use_case, *, now):
        return await use_case(SimpleNamespace(jobs=self, tenants=self), now)

    async def get(self):
        return SimpleNamespace(test=self.test)

    async def due(self, kind, *, now, limit, subject=""):
        found = [job for job in self.due_jobs if job.kind == kind and subject in {"", job.subject}]
        return [job for job in found if job.due_time <= now][:limit]

    async def look(self, _tenant_id, account_id, *, due_time=None):
        del due_time
        self.looked.append(account_id)
        if account_id in self.fails:
            raise self.fails[account_id]
        self.due_jobs = [job for job in self.due_jobs if job.subject != account_id]
        return (f"invoice of {account_id}",)


def runner(house, clock=lambda: 9, **more):
    rooms = dict.fromkeys(("transactions", "billing", "payments", "refunds", "methods", "notices", "charges"), house)
    return TenantRunner(**rooms, clock=clock, **more)


@pytest.mark.parametrize("test", [False, True])
async def test_one_accounts_fault_fails_no_other(test, caplog):
    house = House({"ann": IndexError("tuple index out of range"), "cat": IndexError("again")}, test=test)
    run = await runner(house).run("t")
    assert (run.invoices, run.more) == (("invoice of bob",), False)
    assert [(one.job.kind, one.job.subject) for one in run.failed] == [("close", "ann"), ("close", "cat")]
    assert "index" not in run.failed[0].problem
    assert "tuple index out of range" in caplog.text


async def test_a_named_accounts_fault_is_raised_and_so_is_a_store_that_is_away():
    with pytest.raises(IndexError):
        await runner(House({"ann": IndexError()})).run("t", "ann")
    with pytest.raises(StoreUnavailableError):
        await runner(House({"bob": StoreUnavailableError()})).run("t")


async def test_a_worker_does_the_rest_of_a_test_tenant_and_fails_by_its_own_jobs_alone():
    house = House({"ann": IndexError()}, test=True)
    ann, bob, _ = house.due_jobs
    with pytest.raises(IndexError):
        await runner(house).close([ann])
    assert house.looked == ["ann", "bob", "cat"]
    await runner(house).close([bob])  # the fault is not this one's
    assert house.due_jobs == [ann]


async def test_a_run_answers_in_time_how_far_it_came_and_the_next_goes_on():
    """Each account takes 2 of 3 seconds: two begin in time, and the third is the next run's."""
    house = House({})
    begun = runner(house, clock=lambda: 9 + 2_000_000 * len(house.looked), patience=3_000_000)
    first = await begun.run("t")
    assert (first.invoices, first.more) == (("invoice of ann", "invoice of bob"), True)
    assert await begun.run("t") == Run(invoices=("invoice of cat",), more=False)


async def test_a_run_does_not_wait_until_a_worker_that_is_at_it_has_done_all():
    house, begun, go_on = House({}, test=True), asyncio.Event(), asyncio.Event()
    look = house.look

    async def slow(*which, **more):
        begun.set()
        await go_on.wait()
        return await look(*which, **more)

    both = runner(SimpleNamespace(read=house.read, look=slow), patience=1)
    worker = asyncio.create_task(both.close(house.due_jobs[:1]))
    await asyncio.wait_for(begun.wait(), 10)
    assert await asyncio.wait_for(both.run("t"), 10) == Run(invoices=(), more=True)
    go_on.set()
    await asyncio.wait_for(worker, 10)
    assert house.looked == ["ann", "bob", "cat"]


async def test_a_worker_that_is_at_it_leaves_a_run_its_turn():
    """Each account takes a second, and a worker's turn is one: the run has the next two."""
    house = House({}, test=True)
    look = house.look

    async def in_steps(*which, **more):
        for _ in range(9):
            await asyncio.sleep(0)
        return await look(*which, **more)

    both = runner(
        SimpleNamespace(read=house.read, look=in_steps),
        clock=lambda: 9 + 1_000_000 * len(house.looked),
        patience=3_000_000,
    )
    _, run = await asyncio.gather(both.close(house.due_jobs[:1]), both.run("t"))
    assert run == Run(invoices=("invoice of bob", "invoice of cat"), more=True)
    assert (house.looked, house.due_jobs) == (["ann", "bob", "cat"], [])
