"""Which node of a Redis Cluster has which slots, as its nodes tell it. Refuses to know what is kept there."""

import asyncio
from binascii import crc_hqx
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import hiredis

from tallygate.storage.redis.address import Place, RedisAddress
from tallygate.storage.redis.link.asking import ask
from tallygate.storage.redis.link.commands import pack

SLOTS = 16_384
QUESTION = ("CLUSTER", "SLOTS")
_UNKNOWN = b"?"


class NoClusterError(OSError):
    """Nobody tells which node has which slots; the text is one line."""


class SlotMap(NamedTuple):
    """Ranges of slots by their first one, each with its last one and its primary, as this node tells it.

    `replicas` are all others.
    """

    ranges: tuple[tuple[int, int, Place], ...]
    told_by: Place
    replicas: tuple[Place, ...] = ()

    def place_of(self, slot: int) -> Place | None:
        """The primary that has this slot; None where nobody has."""
        index = bisect_right(self.ranges, slot, key=lambda each: each[0]) - 1
        if index < 0 or self.ranges[index][1] < slot:
            return None
        return self.ranges[index][2]


class Redirection(NamedTuple):
    """Where a node says that a slot is, for good (MOVED) or for this once (ASK)."""

    slot: int
    place: Place
    for_good: bool


def slot_of(tag: str) -> int:
    """The slot of all keys with this hash tag."""
    return crc_hqx(tag.encode(), 0) % SLOTS


def read_slots(reply: Any, asked: Place) -> SlotMap:  # noqa: ANN401 - whatever a server says
    """A reply to CLUSTER SLOTS of the node at this place.

    Raises:
        ValueError: it cannot be read.
    """
    try:
        found = sorted((int(start), int(end), [_place(each, asked) for each in nodes]) for start, end, *nodes in reply)
        ranges = tuple((first, last, nodes[0]) for first, last, nodes in found if nodes[0] is not None)
        others = dict.fromkeys(node for _, _, nodes in found for node in nodes[1:] if node is not None)
    except (TypeError, IndexError, AttributeError) as error:
        raise ValueError(QUESTION) from error
    return SlotMap(ranges, asked, tuple(others))


def read_redirection(error: str, asked: Place) -> Redirection | None:
    """What MOVED or ASK of the node at this place says; None where the error is another."""
    words = error.split()
    if len(words) != 3 or words[0] not in {"MOVED", "ASK"}:  # noqa: PLR2004 - code, slot and place
        return None
    host, _, port = words[2].rpartition(":")
    if not (words[1].isdigit() and port.isdigit()):
        return None
    return Redirection(int(words[1]), (host or asked[0], int(port)), words[0] == "MOVED")


async def most_told(
    asking: Sequence[tuple[Place, Awaitable[Any]]], same: Callable[[SlotMap], Hashable]
) -> SlotMap | None:
    """What most of these nodes answer, alike in what is the `same`; None where none of them tells anything."""
    replies = await asyncio.gather(*[reply for _, reply in asking], return_exceptions=True)
    told: dict[Hashable, list[SlotMap]] = {}
    for (place, _), reply in zip(asking, replies, strict=True):
        with suppress(ValueError):
            found = read_slots(reply, place)
            told.setdefault(same(found), []).append(found)
    return max(told.values(), key=len)[0] if told else None


async def slots_of(address: RedisAddress, places: Sequence[Place], *, seconds: float) -> SlotMap:
    """What the first of these nodes tells that answers in time.

    Raises:
        NoClusterError: none of them does, or they are no nodes.
    """
    problems = []
    asking = [asyncio.ensure_future(_asked(address, place)) for place in dict.fromkeys(places)]
    try:
        for done in asyncio.as_completed(asking, timeout=seconds):
            try:
                return await done
            except TimeoutError:
                break
            except (OSError, EOFError, ValueError, hiredis.HiredisError) as error:
                problems.append(str(error) or type(error).__name__)
    finally:
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    problem = "; ".join(dict.fromkeys(problems)) or f"no node answered within {seconds * 1000:g} ms"
    raise NoClusterError(problem)


async def _asked(address: RedisAddress, place: Place) -> SlotMap:
    username, password = address.credentials()
    commands = [pack("AUTH", *([username] if username else []), password)] if password else []
    for reply in await ask(address, place, *commands, pack(*QUESTION)):
        if isinstance(reply, Exception):
            message = f"the node at {place[0]}:{place[1]} refused: {reply}"
            raise NoClusterError(message)
    found = read_slots(reply, place)
    if not found.ranges:
        message = f"the node at {place[0]}:{place[1]} knows of no slots"
        raise NoClusterError(message)
    return found


def _place(node: Sequence[Any], asked: Place) -> Place | None:
    """Host and port; a node that does not know its own host is where it was asked."""
    host, port = node[0], node[1]
    if host == _UNKNOWN:
        return None
    return (host.decode() if host else asked[0]), int(port)
