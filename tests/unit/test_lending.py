"""A lent loop: one works at a time, whoever it is, and what was asked for in its place happens in time."""

import asyncio
import threading
import time

from tallygate.server.transport.lending import LendingLoop

GENEROUS = 5.0  # a bound against hanging, not a measurement


def lent(main):
    """Run `main(loop)` on a loop of its own."""
    with asyncio.Runner(loop_factory=LendingLoop) as runner:
        runner.get_loop().lend()
        return runner.run(main(runner.get_loop()))


async def borrowed(loop, work, *args):
    """What `borrow` says to another thread, asked while the loop waits, as often as it takes."""
    told = []

    def ask():
        deadline = time.monotonic() + GENEROUS
        while time.monotonic() < deadline:
            told.append(loop.borrow(work, *args))
            if told[-1]:
                return

    await asyncio.wait_for(asyncio.to_thread(ask), 2 * GENEROUS)
    return told


def test_a_waiting_loop_is_lent_and_the_work_done_in_the_borrowing_thread():
    done = []

    async def main(loop):
        told = await borrowed(loop, lambda: done.append((threading.get_ident(), asyncio.get_running_loop())))
        assert told[-1]
        return loop

    loop = lent(main)
    assert len(done) == 1
    assert done[0][0] != threading.get_ident()
    assert done[0][1] is loop


def test_a_loop_at_work_is_not_lent_and_nothing_is_done():
    done = []

    async def main(loop):
        said = []
        thread = threading.Thread(target=lambda: said.append(loop.borrow(done.append, 1)))
        thread.start()
        thread.join(GENEROUS)  # the loop is at work: it runs this
        return said

    assert lent(main) == [False]
    assert done == []


def test_a_loop_that_nobody_wanted_to_be_lent_is_not():
    async def main(loop):
        return await asyncio.to_thread(lambda: [loop.borrow(list) for _ in range(100)])

    with asyncio.Runner(loop_factory=LendingLoop) as runner:
        assert not any(runner.run(main(runner.get_loop())))


def test_a_loop_that_does_not_run_is_not_lent():
    loop = LendingLoop()
    loop.lend()
    try:
        assert not loop.borrow(list)
    finally:
        loop.close()


def test_a_loop_in_debug_mode_which_insists_on_its_own_thread_is_not_lent():
    async def main(loop):
        loop.set_debug(enabled=True)
        return await asyncio.to_thread(lambda: [loop.borrow(list) for _ in range(100)])

    assert not any(lent(main))


def test_what_is_asked_of_a_lent_loop_happens_although_it_waits_for_something_far_away():
    async def main(loop):
        seen = {name: asyncio.Event() for name in ("soon", "later", "task")}

        async def task():
            await asyncio.sleep(0)
            seen["task"].set()

        kept = []

        def work():
            asyncio.get_running_loop().call_soon(seen["soon"].set)
            asyncio.get_running_loop().call_later(0.01, seen["later"].set)
            kept.append(asyncio.create_task(task()))

        loop.call_later(60 * GENEROUS, list)
        thread = threading.Thread(target=lambda: [time.sleep(0.05), loop.borrow(work)])
        thread.start()
        async with asyncio.timeout(GENEROUS):
            for event in seen.values():
                await event.wait()
        thread.join(GENEROUS)

    lent(main)


def test_work_that_fails_is_told_like_a_callback_that_does_and_the_loop_goes_on():
    told = []

    async def main(loop):
        loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
        assert (await borrowed(loop, lambda: 1 / 0))[-1]
        await asyncio.sleep(0.01)
        assert (await borrowed(loop, list))[-1]

    lent(main)
    assert [type(error) for error in told] == [ZeroDivisionError]


class Pieces:
    """Pieces of work of a loop and of threads, each long enough for the interpreter to switch in the middle of it."""

    WANTED = 300

    def __init__(self):
        self.counts = {"loop": 0, "threads": 0}
        self.overlaps = 0
        self.enough = asyncio.Event()
        self._inside = 0

    def do(self, who):
        self._inside += 1
        self.overlaps += self._inside != 1
        for _ in range(50):
            sum(range(50))
        self.overlaps += self._inside != 1
        self._inside -= 1
        self.counts[who] += 1
        if min(self.counts.values()) >= self.WANTED:
            asyncio.get_running_loop().call_soon(self.enough.set)

    def borrow(self, loop):
        while not self.enough.is_set():
            if not loop.borrow(self.do, "threads"):
                time.sleep(0.0002)

    def again(self, loop):
        self.do("loop")
        if not self.enough.is_set():
            loop.call_later(0.0005, self.again, loop)


def test_one_works_at_a_time_and_nobody_is_kept_out():
    """Threads that borrow all the time, beside a loop with timers of its own: no piece of work sees another."""

    async def main(loop):
        pieces = Pieces()
        threads = [threading.Thread(target=pieces.borrow, args=(loop,)) for _ in range(3)]
        pieces.again(loop)
        for thread in threads:
            thread.start()
        try:
            await asyncio.wait_for(pieces.enough.wait(), 12 * GENEROUS)
        finally:
            pieces.enough.set()
        for thread in threads:
            await asyncio.to_thread(thread.join, GENEROUS)
        return pieces

    pieces = lent(main)
    assert pieces.overlaps == 0
    assert min(pieces.counts.values()) >= Pieces.WANTED
