"""Whether replicas have what a reply told of: asked on a connection of its own, for many replies at once.

A replica has taken every write up to one that it confirms. So a write is made after the reply, behind whatever the
reply told of, and waited for (WAIT): on the same server, which is known by a script that the hot connection taught it.
"""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable

from tallygate.storage.redis import keys
from tallygate.storage.redis.link.commands import Script
from tallygate.storage.redis.link.link import LinkError, LinkLostError, RedisLink, ReplyError

_KEPT_MS = 60_000
_log = logging.getLogger(__name__)

Told = Callable[[bool], None]
"""Whether so many replicas have it."""


class Confirmations:
    """Confirms what the hot link's server has answered; `replicas` must have it within `seconds`."""

    __slots__ = (
        "__weakref__", "_hot", "_known", "_link", "_noted", "_replicas", "_running", "_seconds", "_waiting", "refused",
    )  # fmt: skip

    def __init__(self, hot: RedisLink, link: RedisLink, *, replicas: int, seconds: float) -> None:
        """`link` is a connection of its own, whose replies may take `seconds` and a little more."""
        self._hot = hot
        self._link = link
        self._replicas = replicas
        self._seconds = seconds
        self._waiting: list[tuple[int, Told]] = []
        self._running: asyncio.Task[None] | None = None
        self._known: tuple[int, Script] | None = None
        self._noted = ""
        self.refused = 0
        """Of how many replies it is not known that replicas have them."""

    def confirm(self, told: Told, partition: int = 0) -> None:  # noqa: ARG002 - as those of a cluster
        """Tell whether replicas have all that the hot link's server has done by now."""
        self._waiting.append((self._hot.generation, told))
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run())

    def retime(self, *, connect_seconds: float, reply_seconds: float) -> None:
        """Wait so long from now on, for the connection and for what replicas say."""
        self._link.retime(connect_seconds=connect_seconds, reply_seconds=reply_seconds)

    async def close(self) -> None:
        """Whoever waits still is told that it is not known."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.wait([running])
        self._tell(self._waiting, confirmed=None)
        await self._link.close()

    async def _run(self) -> None:
        """Round after round while somebody waits; who comes meanwhile waits for the next one."""
        self._link.start()
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                confirmed: int | None = None
                try:
                    confirmed = await self._round()
                except (LinkError, ReplyError) as error:
                    self._note(f"replicas cannot be asked: {error}")
                finally:
                    self._tell(waiting, confirmed=confirmed)
        finally:
            self._running = None

    async def _round(self) -> int | None:
        """The hot link's connection whose server's replicas have all that it has done; None where they may not."""
        await self._link.wait_connected(deadline_seconds=self._seconds)
        connects, script = await self._taught()
        milliseconds = max(1, round(self._seconds * 1_000))
        same = self._link.call("EVALSHA", script.sha1, 0)
        written = self._link.call("SET", keys.confirmed(self._link.tag), connects, "PX", _KEPT_MS)
        replicas = self._link.call("WAIT", self._replicas, milliseconds)
        try:
            await same
            await written
            found = int(await replicas)
        except ReplyError as error:
            if error.code == "NOSCRIPT":  # another server, or one that forgot its scripts
                self._known = None
            raise
        finally:
            for reply in (same, written, replicas):
                reply.cancel()
        self._note("" if found >= self._replicas else f"{found} of {self._replicas} replicas had it in time")
        return connects if found >= self._replicas else None

    def _note(self, problem: str) -> None:
        if problem and problem != self._noted:  # once an outage, not once a call
            _log.warning("features of durability strict answer NOT_REPLICATED: %s", problem)
        self._noted = problem

    async def _taught(self) -> tuple[int, Script]:
        """The hot link's connection, and the script that its server knows of it."""
        connects, known = self._hot.generation, self._known
        if known is not None and known[0] == connects:
            return known
        script = Script(f"return '{uuid.uuid4().hex}'")
        await self._hot.call("EVAL", script.body, 0)
        if self._hot.generation != connects:
            raise LinkLostError
        self._known = connects, script
        return self._known

    def _tell(self, waiting: list[tuple[int, Told]], *, confirmed: int | None) -> None:
        for connects, told in waiting:
            has_it = connects == confirmed
            self.refused += not has_it
            with contextlib.suppress(Exception):  # another's trouble: the rest is told
                told(has_it)
