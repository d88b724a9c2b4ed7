"""Epochs as the scripts see them, one string a partition, and whether this server was found whole."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

from tallygate.domain.errors import StoreUnavailableError
from tallygate.records.epochs import Look
from tallygate.storage.redis import keys
from tallygate.storage.redis.events import GROUP
from tallygate.storage.redis.link.cluster import AnyLink
from tallygate.storage.redis.link.link import LinkError, RedisLink, ReplyError
from tallygate.storage.redis.link.vouching import are_known, vouch

_NO_ENTRY = "0-0"
_NOWHERE: Mapping[int, str] = MappingProxyType({})


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
            found = await self._each([("GET", keys.epoch(partition)) for partition in partitions])
        return {partition: raw.decode() for partition, raw in zip(partitions, found, strict=True) if raw is not None}

    async def show(self, epochs: Mapping[int, str], *, after: Mapping[int, str] = _NOWHERE) -> None:
        """Show epochs, replacing what was shown, once their streams go on behind these entries."""
        async with _reached():
            streams = {keys.stream(partition): end for partition, end in after.items()}
            await self._each(
                [("XGROUP", "CREATE", stream, GROUP, "0", "MKSTREAM") for stream in streams], but="BUSYGROUP"
            )
            await self._each(  # what is smaller is behind that entry already
                [("XSETID", stream, end) for stream, end in streams.items()], but="smaller than"
            )
            await self._each([("SET", keys.epoch(partition), epoch) for partition, epoch in epochs.items()])

    async def look(self, partitions: Sequence[int], *, anyway: bool = False) -> Look | None:
        """How far each stream goes, unless somebody has found this server whole."""
        async with _reached():
            connection = self._link.generation
            if not anyway and await are_known(self._link.places(), keys.whole):
                return None
            seconds, micros = await self._link.call("TIME")
            entry_id = f"{int(seconds) * 1000 + int(micros) // 1000}-0"
            told = await self._each([("XINFO", "STREAM", keys.stream(p)) for p in partitions], but="no such key")
            ends = {partition: _end(each) for partition, each in zip(partitions, told, strict=True)}
        return Look(connection=connection, entry_id=entry_id, ends=ends)

    async def vouch(self, look: Look, token: str) -> None:
        """Show that the server behind the connection of the look was found whole."""
        async with _reached():
            if self._link.generation != look.connection:
                raise StoreUnavailableError(store="redis")
            await vouch([each for each in self._link.places() if _is_within(each[1], look)], token, keys.whole)
            if isinstance(self._link, RedisLink):  # nodes of a cluster find out by themselves, each for itself
                self._link.vouched = True

    async def _each(self, commands: Sequence[tuple[str, ...]], *, but: str = "") -> list[Any]:
        """Their replies, in as many round trips as one takes; None for what is refused with these words.

        Raises:
            LinkError: a server is away.
            ReplyError: one is refused with others.
        """
        pending = [self._link.call(*command) for command in commands]
        replies = await asyncio.gather(*pending, return_exceptions=True)
        for at, reply in enumerate(replies):
            if isinstance(reply, ReplyError) and but and but in str(reply):
                replies[at] = None
            elif isinstance(reply, BaseException):
                raise reply
        return replies


def _end(told: Sequence[bytes] | None) -> str:
    return _NO_ENTRY if told is None else told[told.index(b"last-generated-id") + 1].decode()


def _is_within(tags: Sequence[str], look: Look) -> bool:
    """Whether all of a node's partitions were looked at: it may have come back meanwhile."""
    return all(int(tag) in look.ends for tag in tags if tag != keys.KEYS_TAG)


@asynccontextmanager
async def _reached() -> AsyncIterator[None]:
    try:
        yield
    except (LinkError, ReplyError) as error:
        raise StoreUnavailableError(store="redis") from error
