"""A rest ends when its time is over, or by what it waits for besides, whichever comes first."""

import asyncio

from tallygate.records.resting import rest

slept = []


async def for_ever(seconds):
    slept.append(seconds)
    await asyncio.Event().wait()


async def at_once(seconds):
    slept.append(seconds)


async def test_a_rest_ends_by_its_time():
    await rest(at_once, 3.0, asyncio.Event(), asyncio.Event())
    assert slept[-1] == 3.0


async def test_a_rest_ends_by_any_of_what_it_waits_for_and_leaves_nothing_running():
    one, other = asyncio.Event(), asyncio.Event()
    before = asyncio.all_tasks()  # a server of other tests may share this loop
    resting = asyncio.create_task(rest(for_ever, 3.0, one, other))
    await asyncio.sleep(0)
    assert not resting.done()
    other.set()
    await resting
    assert asyncio.all_tasks() <= before


async def test_what_is_there_already_needs_no_rest():
    there = asyncio.Event()
    there.set()
    before = len(slept)
    await rest(for_ever, 3.0, asyncio.Event(), there)
    assert len(slept) == before
