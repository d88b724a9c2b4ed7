"""Epochs as the scripts see them, one string a partition, and whether this server was found whole."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from tallygate.domain.errors import StoreUnavailableError
from tallygate.records.epochs import Look
from tallygate.storage.redis import keys
from tallygate.storage.redis.events import GROUP
from tallygate.storage.redis.link.cluster import AnyLink
from tallygate.storage.redis.link.link import LinkError, RedisLink, ReplyError
from tallygate.storage.redis.link.vouching import are_known, vouch

_NO_ENTRY = "0-0"


class RedisEpochs:
    """`EpochBoard` over the link."""

    def __init__(self, link: AnyLink) -> None:
        self._link = link

    def within_reach(self, partitions: Sequence[int]) -> Sequence[int]:
        """Those of these partitions whose node can be asked now."""
        return [partition for partition in partitions if self._link.reaches(partition)]

    async def read(self, partitions: Sequence[int]) -> Mapping[int, str]:
        """The epochs shown; partitions without one are left out."""
        async with _reached():
            pending = [(partition, self._link.call("GET", keys.epoch(partition))) for partition in partitions]
            found = {partition: await reply for partition, reply in pending}
        return {partition: raw.decode() for partition, raw in found.items() if raw is not None}

    async def show(self, epochs: Mapping[int, str], *, after: str = "") -> None:
        """Show epochs, replacing what was shown, once their streams go on behind this entry."""
        async with _reached():
            for partition in epochs if after else ():
                await self._go_on(keys.stream(partition), after)
            for reply in [self._link.call("SET", keys.epoch(p), epoch) for p, epoch in epochs.items()]:
                await reply

    async def look(self, partitions: Sequence[int], *, anyway: bool = False) -> Look | None:
        """How far each stream goes, unless somebody has found this server whole."""
        async with _reached():
            connection = self._link.generation
            if not anyway and await are_known(self._link.places(), keys.whole):
                return None
            seconds, micros = await self._link.call("TIME")
            entry_id = f"{int(seconds) * 1000 + int(micros) // 1000}-0"
            ends = {partition: await self._end(keys.stream(partition)) for partition in partitions}
        return Look(connection=connection, entry_id=entry_id, ends=ends)

    async def vouch(self, look: Look, token: str) -> None:
        """Show that the server behind the connection of the look was found whole."""
        async with _reached():
            if self._link.generation != look.connection:
                raise StoreUnavailableError(store="redis")
            await vouch([each for each in self._link.places() if _is_within(each[1], look)], token, keys.whole)
            if isinstance(self._link, RedisLink):  # nodes of a cluster find out by themselves, each for itself
                self._link.vouched = True

    async def _end(self, stream: str) -> str:
        try:
            told: Sequence[bytes] = await self._link.call("XINFO", "STREAM", stream)
        except ReplyError as error:
            if "no such key" in error.text:
                return _NO_ENTRY
            raise
        return told[told.index(b"last-generated-id") + 1].decode()

    async def _go_on(self, stream: str, after: str) -> None:
        try:
            await self._link.call("XGROUP", "CREATE", stream, GROUP, "0", "MKSTREAM")
        except ReplyError as error:
            if error.code != "BUSYGROUP":
                raise
        try:
            await self._link.call("XSETID", stream, after)
        except ReplyError as error:
            if "smaller than" not in error.text:  # it is behind that entry already
                raise


def _is_within(tags: Sequence[str], look: Look) -> bool:
    """Whether all of a node's partitions were looked at: it may have come back meanwhile."""
    return all(int(tag) in look.ends for tag in tags if tag != keys.KEYS_TAG)


@asynccontextmanager
async def _reached() -> AsyncIterator[None]:
    try:
        yield
    except (LinkError, ReplyError) as error:
        raise StoreUnavailableError(store="redis") from error
