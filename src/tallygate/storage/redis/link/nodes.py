"""Links to the nodes of a cluster, each made when it is needed, and ended when nothing is there any more."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from tallygate.data_plane.burst import Burst
from tallygate.storage.redis.address import Place, RedisAddress
from tallygate.storage.redis.link.link import LinkCounters, RedisLink


class Nodes:
    """What all links have in common: one burst, one count, the same time-outs, and who is told of each connect."""

    def __init__(
        self,
        address: RedisAddress,
        *,
        tags_at: Callable[[Place], Sequence[str]],
        connect_seconds: float,
        reply_seconds: float,
        burst: Burst,
    ) -> None:
        """`tags_at` says which hash tags are those of a node now."""
        self.connect_seconds = connect_seconds
        self.reply_seconds = reply_seconds
        self.counters = LinkCounters()
        self.links: dict[Place, RedisLink] = {}
        self.changes = 0
        self._address = address
        self._tags_at = tags_at
        self._burst = burst
        self._starts = False
        self._at_connect: list[Callable[[], None]] = []
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def generation(self) -> int:
        """Another number since any of them connected anew, or came or went."""
        return self.changes + sum(link.generation for link in self.links.values())

    def at(self, place: Place) -> RedisLink:
        """The link to a node; one that is new connects by itself, once all have been started."""
        if place not in self.links:
            host, port = place
            link = self.links[place] = RedisLink(
                replace(self._address, host=host, port=port, seeds=()),
                connect_seconds=self.connect_seconds,
                reply_seconds=self.reply_seconds,
                burst=self._burst,
                counters=self.counters,
                tags=lambda: self._tags_at(place),
            )
            for tell in self._at_connect:
                link.at_connect(tell)
            if self._starts:
                link.start()
        return self.links[place]

    def keep(self, places: Collection[Place | None]) -> None:
        """End all others, when the replies that they wait for have come."""
        for place in set(self.links).difference(places):
            link = self.links.pop(place)
            self.changes += link.generation + 1
            task = asyncio.get_running_loop().create_task(self._end(link))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def at_connect(self, tell: Callable[[], None]) -> None:
        """Call this on each connect of any node, before any call can use it; it must not block."""
        self._at_connect.append(tell)
        for link in self.links.values():
            link.at_connect(tell)

    def retime(self, *, connect_seconds: float, reply_seconds: float) -> None:
        """Wait so long from now on, for a connection and for a reply."""
        self.connect_seconds, self.reply_seconds = connect_seconds, reply_seconds
        for link in self.links.values():
            link.retime(connect_seconds=connect_seconds, reply_seconds=reply_seconds)

    async def connect(self) -> None:
        """Connect to each that is known, once.

        Raises:
            ConnectError: none of them can be reached.
        """
        outcomes = await asyncio.gather(*[link.connect() for link in self.links.values()], return_exceptions=True)
        failed = [each for each in outcomes if isinstance(each, BaseException)]
        if failed and len(failed) == len(outcomes):
            raise failed[0]

    def start(self) -> None:
        """Connect in the background to each that is known, and to whatever comes."""
        self._starts = True
        for link in self.links.values():
            link.start()

    async def close(self) -> None:
        """Close at once: what is outstanding fails."""
        self._starts = False
        ending = list(self._ending)
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)
        links, self.links = self.links, {}
        for link in links.values():
            await link.close()

    async def _end(self, link: RedisLink) -> None:
        try:
            await asyncio.sleep(self.reply_seconds)
        finally:
            await link.close()
