"""Links to all primaries of a Redis Cluster as one: a command goes to the node that has its key, wherever that moves.

Knows hash tags alone: whatever has one tag is on one node. A node that says that a tag is another's is believed, and
the command follows once; what a node refuses because it is no primary of a whole cluster fails.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from tallygate.data_plane.burst import Burst
from tallygate.storage.redis import keys
from tallygate.storage.redis.address import Place, RedisAddress
from tallygate.storage.redis.link.commands import Argument, Script, pack
from tallygate.storage.redis.link.following import Following
from tallygate.storage.redis.link.greeting import Call
from tallygate.storage.redis.link.link import (
    ConnectError,
    LinkDownError,
    LinkError,
    RedisLink,
)
from tallygate.storage.redis.link.nodes import Nodes
from tallygate.storage.redis.link.tags import tag_in, tag_of
from tallygate.storage.redis.link.topology import QUESTION, Redirection, SlotMap, most_told, slot_of, slots_of

_LOOK_SECONDS = 1.0
_HURRY_SECONDS = 0.1
_PAUSE_SECONDS = 0.02
_logger = logging.getLogger(__name__)

Told = tuple[Place | None, ...]
"""Of each tag in order, which node has it."""


class ClusterLink:
    """What a `RedisLink` is to one server, for the primaries that have the partitions and the keys' tag.

    A primary that nobody reaches fails the calls of its partitions and no others.
    """

    def __init__(
        self,
        address: RedisAddress,
        *,
        partitions: int,
        connect_seconds: float = 0.25,
        reply_seconds: float = 0.1,
        burst: Burst | None = None,
    ) -> None:
        self.burst = burst or Burst()
        self.burst.at_end(self.flush)
        self._address = address
        self._tags = (keys.KEYS_TAG, *map(str, range(partitions)))
        self._slots = [slot_of(tag) for tag in self._tags]
        self._told: Told = (None,) * len(self._tags)
        self._nodes = Nodes(
            address,
            tags_at=self._tags_at,
            connect_seconds=connect_seconds,
            reply_seconds=reply_seconds,
            burst=self.burst,
        )
        self.counters = self._nodes.counters
        self._replicas: tuple[Place, ...] = ()
        self._by_tag: dict[str, RedisLink] = {}
        self._homes: list[RedisLink | None] = [None] * partitions
        self._wake = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._problem = ""

    @property
    def generation(self) -> int:
        """Another number since any node, or who has what, is not what it was."""
        return self._nodes.generation

    @property
    def connected(self) -> bool:
        """Whether calls of every partition would be sent now."""
        return all(node is not None and node.connected for node in self._homes)

    @property
    def writable(self) -> bool:
        """Whether a write of every partition would be accepted, as far as is known."""
        return all(node is not None and node.writable for node in self._homes)

    @property
    def idle(self) -> bool:
        """Whether no command waits for its reply."""
        return all(node.idle for node in self._nodes.links.values())

    @property
    def vouched(self) -> bool:
        """Whether a worker has found every node whole."""
        return all(node.vouched for node in self._nodes.links.values())

    @property
    def last_error(self) -> str:
        """Why a node is not connected, or nobody tells which nodes there are."""
        down = [node.last_error for node in self._nodes.links.values() if not node.connected]
        return (down or [self._problem or "not connected yet"])[0]

    def vouches_for(self, partition: int) -> bool:
        """Whether a worker has found the node whole that has this partition."""
        node = self._homes[partition]
        return node is not None and node.vouched

    def nodes(self) -> Sequence[tuple[str, RedisLink]]:
        """Each node by its name."""
        return [(f"{host}:{port}", node) for (host, port), node in self._nodes.links.items()]

    def reaches(self, partition: int) -> bool:
        """Whether a node has this partition that can be asked now."""
        node = self._homes[partition]
        return node is not None and node.connected

    def places(self) -> Sequence[tuple[Call, Sequence[str]]]:
        """Each node that can be asked now, and which tags it has."""
        return [(node.call, self._tags_at(place)) for place, node in self._nodes.links.items() if node.connected]

    def at(self, partition: int) -> RedisLink:
        """The node that has this partition.

        Raises:
            LinkDownError: nobody has it.
        """
        node = self._homes[partition]
        if node is None:
            raise LinkDownError(self._nobody_has(str(partition)))
        return node

    def at_connect(self, tell: Callable[[], None]) -> None:
        """Call this on each connect of any node, before any call can use it; it must not block."""
        self._nodes.at_connect(tell)

    def retime(self, *, connect_seconds: float, reply_seconds: float) -> None:
        """Wait so long from now on, for a connection and for a reply."""
        self._nodes.retime(connect_seconds=connect_seconds, reply_seconds=reply_seconds)

    async def connect(self) -> None:
        """Find the nodes and connect to each, once; from then on stay connected.

        Raises:
            ConnectError: nobody tells where they are, or none of them can be reached; nothing stays behind.
            LinkDownError: The link had been started before and is down.
        """
        if self._keeper is not None:
            await self.wait_connected(deadline_seconds=self._nodes.connect_seconds)
            return
        try:
            await self._find()
            await self._nodes.connect()
        except BaseException:
            await self.close()
            raise
        self.start()

    def start(self) -> None:
        """Find and connect in the background, for as long as it takes; calls fail until then."""
        if self._keeper is None:
            self._keeper = asyncio.get_running_loop().create_task(self._keep())
            self._nodes.start()

    async def wait_connected(self, *, deadline_seconds: float) -> None:
        """Wait until calls can be sent to every node that is known.

        Raises:
            LinkDownError: They still cannot.
        """
        if not self._nodes.links:
            raise LinkDownError(self.last_error)
        await asyncio.gather(
            *[node.wait_connected(deadline_seconds=deadline_seconds) for node in self._nodes.links.values()]
        )

    async def close(self) -> None:
        """Close at once: what is outstanding fails."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait([keeper])
        self._by_tag, self._homes = {}, [None] * len(self._homes)
        self._told = (None,) * len(self._tags)
        await self._nodes.close()

    def call(self, *arguments: Argument) -> asyncio.Future[Any]:
        """As `RedisLink.call`, of the node that has the command's first key; what has none goes to the keys' node.

        Raises:
            NotSentError: The node is down or full, or nobody has that key.
        """
        return self._follow(tag_in(arguments), pack(*arguments))

    def eval_packed(self, script: Script, packed: bytes, key: str) -> asyncio.Future[Any]:
        """As `RedisLink.eval_packed`, of the node that has this key.

        Raises:
            NotSentError: The node is down or full, or nobody has that key.
        """
        return self._follow(tag_of(key), packed, script)

    def flush(self) -> None:
        """Write what is queued now, to each node in one go."""
        for node in self._nodes.links.values():
            node.flush()

    async def write(self) -> str:
        """Make a real write on each node; returns why that cannot be somewhere, or nothing."""
        if not self.connected and None in self._homes:
            return self._nobody_has(str(self._homes.index(None)))
        refused = await asyncio.gather(*[node.write() for _, node in self.nodes()])
        return next((f"{name}: {why}" for (name, _), why in zip(self.nodes(), refused, strict=False) if why), "")

    def redirected(self, to: Redirection) -> RedisLink:
        """The node that another one has named; for good, it has that slot from now on, and all nodes are asked.

        Raises:
            LinkDownError: it is not connected.
        """
        if to.for_good:
            self._learn(tuple(to.place if s == to.slot else p for s, p in zip(self._slots, self._told, strict=True)))
            self._wake.set()
        node = self._nodes.links.get(to.place)
        if node is None or not node.connected:
            host, port = to.place
            message = f"the node at {host}:{port} is not connected yet"
            raise LinkDownError(message)
        return node

    def _follow(self, tag: str, packed: bytes, script: Script | None = None) -> asyncio.Future[Any]:
        node, reply = self._node_of(tag), asyncio.get_running_loop().create_future()
        node.eval_for(Following(self.redirected, reply, node, packed, script), script, packed)
        return reply

    def _node_of(self, tag: str) -> RedisLink:
        node = self._by_tag.get(tag)
        if node is None:
            raise LinkDownError(self._nobody_has(tag))
        return node

    def _nobody_has(self, tag: str) -> str:
        return self._problem or f"no node of the cluster has the slot of keys tg:{{{tag}}}:*"

    def _tags_at(self, place: Place) -> Sequence[str]:
        return [tag for tag, told in zip(self._tags, self._told, strict=True) if told == place]

    async def _keep(self) -> None:
        """Ask who has what each second, sooner while a node is down, and at once when one says that it has changed."""
        while True:
            try:
                async with asyncio.timeout(_LOOK_SECONDS if self.connected else _HURRY_SECONDS):
                    await self._wake.wait()
                await asyncio.sleep(_PAUSE_SECONDS)  # many are told of one change
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self._find()
            except LinkError as error:
                self._note(str(error))
            except Exception:  # a link that stops looking would be down for good
                _logger.exception("the nodes of the cluster could not be found")

    async def _find(self) -> None:
        """Ask the nodes that are connected, else any that are known; what most of them tell is so."""
        asking = [(place, node.call(*QUESTION)) for place, node in self._nodes.links.items() if node.connected]
        found = await most_told(asking, self._read)
        if found is None:
            places = [*self._nodes.links, *self._address.seeds, *self._replicas]
            try:
                found = await slots_of(self._address, places, seconds=self._nodes.connect_seconds)
            except OSError as error:
                message = f"cannot find the nodes of {self._address}: {error}"
                raise ConnectError(message) from error
        self._replicas = found.replicas
        self._learn(self._read(found))
        self._problem = ""

    def _read(self, found: SlotMap) -> Told:
        return tuple(found.place_of(slot) for slot in self._slots)

    def _learn(self, told: Told) -> None:
        """From now on it is so."""
        if told == self._told:
            return
        self._told = told
        self._nodes.changes += 1
        self._by_tag = {tag: self._nodes.at(place) for tag, place in zip(self._tags, told, strict=True) if place}
        self._homes = [self._by_tag.get(tag) for tag in self._tags[1:]]
        self._nodes.keep(told)

    def _note(self, problem: str) -> None:
        if problem != self._problem:  # once an outage, not once an attempt
            _logger.warning("%s", problem)
        self._problem = problem


AnyLink = RedisLink | ClusterLink
"""To one server, or to the primaries of a cluster."""
