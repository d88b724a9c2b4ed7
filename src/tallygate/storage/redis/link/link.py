"""The hot connection to Redis: connects, fails fast, reconnects. Refuses to know what is sent through it.

redis-py stays the client for everything that is not the hot path.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Sequence
from typing import Any

from tallygate.data_plane.burst import Burst
from tallygate.storage.redis import keys
from tallygate.storage.redis.address import Place, RedisAddress
from tallygate.storage.redis.link.commands import Argument, Script, pack
from tallygate.storage.redis.link.connecting import Greeted, caller, connect
from tallygate.storage.redis.link.connection import LinkConnection, LinkCounters
from tallygate.storage.redis.link.errors import (
    ConnectError,
    LinkDownError,
    LinkError,
    LinkFullError,
    LinkLostError,
    NotSentError,
    OutcomeUnknownError,
    ReplyError,
    ReplyTimeoutError,
)
from tallygate.storage.redis.link.greeting import Call, look, write
from tallygate.storage.redis.link.sentinels import NoPrimaryError, primary_of
from tallygate.storage.redis.link.vouching import is_vouched_for
from tallygate.storage.redis.link.waiters import Waiter

__all__ = [
    "ConnectError", "LinkCounters", "LinkDownError", "LinkError", "LinkFullError", "LinkLostError", "NotSentError",
    "OutcomeUnknownError", "RedisAddress", "RedisLink", "ReplyError", "ReplyTimeoutError", "Script", "Waiter",
]  # fmt: skip

_logger = logging.getLogger(__name__)
_STABLE_SECONDS = 1.0
_LOOK_SECONDS = 1.0
_VOUCHED_SECONDS = 0.1


class RedisLink:
    """A pipelined connection that comes back by itself; while it is down every call fails at once.

    What it is connected to takes writes, as far as it can tell: a server that became a replica is left, and one that
    only reads for now (`refusal` says why) is kept until another connection finds one that does more. `vouched` is
    whether a worker has found this server whole; until then counters in it may be older than what was counted.
    """

    __slots__ = (
        "__weakref__",
        "_address",
        "_at_connect",
        "_backoff",
        "_burst",
        "_connect_seconds",
        "_connection",
        "_ended",
        "_keeper",
        "_max_outstanding",
        "_noted",
        "_ready",
        "_reply_seconds",
        "_tags",
        "counters",
        "generation",
        "last_error",
        "refusal",
        "vouched",
    )  # fmt: skip

    def __init__(
        self,
        address: RedisAddress,
        *,
        connect_seconds: float = 0.25,
        reply_seconds: float = 0.1,
        backoff_seconds: tuple[float, float] = (0.05, 1.0),
        max_outstanding: int = 50_000,
        burst: Burst | None = None,
        counters: LinkCounters | None = None,
        tags: Callable[[], Sequence[str]] | None = None,
    ) -> None:
        """`tags` are those of the keys that a node of a cluster has now: who links all of them flushes and counts."""
        self._burst = burst or Burst()
        self._tags = tags
        if tags is None:
            self._burst.at_end(self.flush)
        self._address = address
        self._connect_seconds = connect_seconds
        self._reply_seconds = reply_seconds
        self._backoff = backoff_seconds
        self._max_outstanding = max_outstanding
        self._at_connect: list[Callable[[], None]] = []
        self._connection: LinkConnection | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._ended = asyncio.Event()
        self.counters = counters or LinkCounters()
        self.generation = 0
        self.refusal = ""
        self.vouched = True
        self.last_error = "not connected yet"
        self._noted = ""

    @property
    def burst(self) -> Burst:
        """At whose end commands are written."""
        return self._burst

    @property
    def connected(self) -> bool:
        """Whether a call would be sent now."""
        return self._connection is not None

    @property
    def idle(self) -> bool:
        """Whether no command waits for its reply."""
        return self._connection is not None and self._connection.outstanding == 0

    @property
    def connected_to(self) -> tuple[str, int] | None:
        """Whom sentinels had named when this connection was made; None where none are asked, or none is there."""
        return None if self._connection is None else self._connection.place

    @property
    def writable(self) -> bool:
        """Whether a write would be accepted, as far as is known."""
        return self._connection is not None and not self.refusal

    @property
    def place(self) -> Place:
        """Where it leads to, of a server that is reached by host and port."""
        return self._address.host, self._address.port

    @property
    def tags(self) -> Sequence[str]:
        """The hash tags of the keys under which this server says what it says of itself."""
        return (keys.KEYS_TAG,) if self._tags is None else self._tags()

    @property
    def tag(self) -> str:
        """One of them."""
        return next(iter(self.tags), keys.KEYS_TAG)

    def twin(self, *, reply_seconds: float) -> "RedisLink":
        """Another link to the same server, not yet connected, whose replies may take so long."""
        connect_seconds = self._connect_seconds
        return RedisLink(self._address, connect_seconds=connect_seconds, reply_seconds=reply_seconds, tags=self._tags)

    def nodes(self) -> Sequence[tuple[str, "RedisLink"]]:
        """Each server by its name: this one needs none."""
        return [("", self)]

    def places(self) -> Sequence[tuple[Call, Sequence[str]]]:
        """Each server, and its tags."""
        return [(self.call, self.tags)]

    def at(self, partition: int) -> "RedisLink":  # noqa: ARG002 - as a cluster's
        """The server that has this partition."""
        return self

    def reaches(self, partition: int) -> bool:  # noqa: ARG002 - as a cluster's
        """Whether to ask about this partition: who asks is told why that cannot be."""
        return True

    def vouches_for(self, partition: int) -> bool:  # noqa: ARG002 - as a cluster's
        """Whether a worker has found the server whole that has this partition."""
        return self.vouched

    def at_connect(self, tell: Callable[[], None]) -> None:
        """Call this on each connect, before any call can use it; it must not block."""
        self._at_connect.append(tell)

    def retime(self, *, connect_seconds: float, reply_seconds: float) -> None:
        """Wait so long from now on, for a connection and for a reply."""
        self._connect_seconds, self._reply_seconds = connect_seconds, reply_seconds
        if self._connection is not None:
            self._connection.retime(reply_seconds)

    async def connect(self) -> None:
        """Connect once, within the connect timeout, and from then on stay connected.

        Raises:
            ConnectError: Unreachable, credentials refused, or still loading its data; nothing stays behind.
            LinkDownError: The link had been started before and is down.
        """
        if self._keeper is not None:
            await self.wait_connected(deadline_seconds=self._connect_seconds)
            return
        try:
            await self._connect_once()
        except ConnectError as error:  # told by raising it; what happens later is logged
            self.last_error = str(error)
            raise
        self.start()

    def start(self) -> None:
        """Connect in the background, for as long as it takes; calls fail until then."""
        if self._keeper is None:
            self._keeper = asyncio.get_running_loop().create_task(self._keep_connected())

    async def wait_connected(self, *, deadline_seconds: float) -> None:
        """Wait until calls can be sent.

        Raises:
            LinkDownError: They still cannot.
        """
        try:
            async with asyncio.timeout(deadline_seconds):
                await self._ready.wait()
        except TimeoutError:
            raise LinkDownError(self.last_error) from None

    async def close(self) -> None:
        """Close at once: what is outstanding fails. Drain before, where answers matter."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait([keeper])
        (connection, self._connection), self.last_error = (self._connection, None), "closed"
        self._ready.clear()
        if connection is not None:
            connection.end(self.last_error)
        await asyncio.sleep(0)  # lets the transport close its socket

    def call(self, *arguments: Argument) -> asyncio.Future[Any]:
        """Send one command with the others of this loop tick, in one write.

        The future may be dropped or cancelled at any time: its reply is discarded when it comes. It fails with
        NotSentError (nothing happened), OutcomeUnknownError (it may have), or ReplyError (Redis said no).

        Raises:
            NotSentError: The link is down or full.
        """
        if self._connection is None:
            raise LinkDownError(self.last_error)
        return self._connection.send(pack(*arguments))

    def eval_packed(self, script: Script, packed: bytes, key: str = "") -> asyncio.Future[Any]:  # noqa: ARG002 - as a cluster's
        """Run a script as `call` does; a server that does not know it learns it and the call is sent again.

        So a call may be overtaken by later ones when the server lost its scripts.

        Raises:
            NotSentError: The link is down or full.
        """
        if self._connection is None:
            raise LinkDownError(self.last_error)
        return self._connection.send(packed, script)

    def eval_for(self, waiter: Waiter, script: Script | None, packed: bytes) -> None:
        """As `eval_packed`, or without a script as `call`, for somebody who waits in another way than by a future.

        Raises:
            NotSentError: The link is down or full.
        """
        if self._connection is None:
            raise LinkDownError(self.last_error)
        self._connection.send_for(waiter, packed, script)

    def reset(self, why: str) -> None:
        """Drop this connection and everything outstanding on it; the link connects again by itself."""
        if self._connection is not None:
            self._connection.end(why)

    def hear(self, error: str) -> None:
        """Learn what a part of a script failed with: it tells as much about the server as a refused command would."""
        if self._connection is not None:
            self._connection.hear(ReplyError(error), by_script=True)

    async def write(self) -> str:
        """Make a real write; returns why that cannot be, or nothing."""
        try:
            self.refusal = await write(self.call, self.tag)
        except (LinkError, ReplyError) as error:
            return str(error)
        return self.refusal

    def flush(self) -> None:
        """Write what is queued now, not at the end of the burst or tick."""
        if self._connection is not None:
            self._connection.flush()

    async def _keep_connected(self) -> None:
        loop = asyncio.get_running_loop()
        shortest, longest = self._backoff
        backoff, since = shortest, loop.time()
        while True:
            if self._connection is not None:
                await self._stay()
                # A server that accepts and then fails is as down as one that refuses.
                backoff = shortest if loop.time() - since > _STABLE_SECONDS else backoff
                await _pause(backoff)
            try:
                await self._connect_once()
                since = loop.time()
            except ConnectError as error:
                self._note(str(error))
                await _pause(backoff)
            except Exception:  # somebody who was told failed: a link that stops trying would be down for good
                _logger.exception("connecting to Redis failed")
                await _pause(backoff)
            backoff = min(backoff * 2, longest)

    async def _stay(self) -> None:
        """Look at the server each second, until the connection has ended or a better one may be found."""
        while (connection := self._connection) is not None and not self.refusal:
            try:
                async with asyncio.timeout(_LOOK_SECONDS if self.vouched else _VOUCHED_SECONDS):
                    await self._ended.wait()
            except TimeoutError:
                with contextlib.suppress(LinkError, ReplyError):  # the connection has told what is to be told
                    await look(caller(connection), self.tag)
                    await self._look_for_another(connection)
                    self.vouched = self.vouched or await is_vouched_for(caller(connection), self.tags)
        if connection is not None:
            await asyncio.sleep(_LOOK_SECONDS / 2)

    async def _look_for_another(self, connection: LinkConnection) -> None:
        """Leave a server that the sentinels do not call the primary any more, though it may not know that yet."""
        if connection.place is None:
            return
        try:
            place = await primary_of(self._address, seconds=self._connect_seconds / 2)
        except NoPrimaryError:  # the connection says whether its server works
            return
        if place != connection.place:
            connection.end(f"the primary is {place[0]}:{place[1]} now")

    async def _connect_once(self) -> None:
        tags = None if self._tags is None else self._tags()
        greeted = await connect(self._address, self._new_connection, seconds=self._connect_seconds, tags=tags)
        try:
            self._adopt(greeted)
        except BaseException:
            greeted.connection.end("connecting was given up")
            raise

    def _new_connection(self) -> LinkConnection:
        return LinkConnection(
            counters=self.counters,
            reply_seconds=self._reply_seconds,
            max_outstanding=self._max_outstanding,
            on_end=self._lose,
            on_refusal=self._note_refusal,
            burst=self._burst,
        )

    def _adopt(self, greeted: Greeted) -> None:
        old, connection, self.refusal = self._connection, greeted.connection, greeted.refusal
        if old is not None and greeted.refusal:  # it does no more than the one that we have
            connection.end("another connection does as much")
            return
        for tell in self._at_connect:
            tell()
        self.counters.connects += 1
        self.generation += 1
        self.vouched = greeted.vouched
        if self._noted:
            _logger.warning("connected to Redis at %s again", self._address)
            self._noted = ""
        self._connection = connection
        self._ended.clear()
        self._ready.set()
        if old is not None:
            old.end("a connection that takes writes has taken its place")

    def _lose(self, connection: LinkConnection, why: str) -> None:
        if connection is self._connection:
            self._connection = None
            self._ready.clear()
            self._ended.set()
            self._note(f"lost Redis at {self._address}: {why}")

    def _note_refusal(self, connection: LinkConnection, why: str) -> None:
        if connection is self._connection and not self.refusal:
            _logger.warning("Redis at %s takes no writes: %s", self._address, why)
            self.refusal = why

    def _note(self, error: str) -> None:
        if error != self._noted:  # once an outage, not once an attempt
            _logger.warning("%s", error)
        self._noted = self.last_error = error


async def _pause(seconds: float) -> None:
    await asyncio.sleep(seconds * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
