"""A collector that waits after a failure goes on at once when it is told that what it needs may be there again."""

import asyncio

from tallygate.domain.errors import StoreUnavailableError
from tallygate.metering.collector import Collector
from tallygate.metering.ports import StreamLag


class Stream:
    """Cannot be read the first time; after that nothing is in it."""

    def __init__(self):
        self.reads, self.read_again = 0, asyncio.Event()

    async def read(self):
        self.reads += 1
        if self.reads == 1:
            raise StoreUnavailableError(store="redis")
        self.read_again.set()
        await asyncio.sleep(0)
        return []

    async def lag(self):
        return StreamLag(entries=0, oldest_time=None)


async def test_an_outage_ends_for_a_collector_when_it_is_told_so():
    pausing = asyncio.Event()

    async def for_ever(_seconds):
        pausing.set()
        await asyncio.Event().wait()

    stream = Stream()
    collector = Collector(stream, None, clock=lambda: 0, sleep=for_ever)
    running = asyncio.create_task(collector.run())
    await pausing.wait()
    assert stream.reads == 1
    collector.hurry()
    await stream.read_again.wait()
    collector.stop()
    await running
    assert collector.stats.failures == 1
