"""What a new connection must show before anybody uses it: credentials, a database, and that it takes writes.

Knows the commands that the hot path uses, refuses to know what they are used for.
"""

from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from typing import Any

from tallygate.storage.redis import keys
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.link.commands import Script
from tallygate.storage.redis.link.errors import Refusal, ReplyError

Call = Callable[..., Awaitable[Any]]
"""Sends one command over one connection; what is awaited is its reply."""

_PROBE = Script(files("tallygate.storage.redis").joinpath("scripts/probe.lua").read_text("utf-8"))
_PROBE_SECONDS = 60
_TWO_SLOTS = "return 0"
_CLUSTER = frozenset({"CROSSSLOT", "MOVED", "ASK"})


class MissingRightsError(ReplyError):
    """This user may not do all that Tallygate does; the text names what is missing."""


class ClusterNodeError(ReplyError):
    """It is a node of a Redis Cluster, where what one script touches would lie on several servers."""


async def greet(call: Call, address: RedisAddress, tags: Sequence[str] | None) -> str:
    """Introduce ourselves, and try everything once; returns why writes are refused for the moment, or nothing.

    `tags` are those of the keys that a node of a cluster has, none if it has none yet: then nothing is tried. None
    stands for a server that is no node.

    Raises:
        ReplyError: the server wants none of it, or this user lacks a right.
        OSError: a file with credentials cannot be read.
    """
    first = _introduced(call, address)  # all in one write: a distant server is greeted in one round trip
    alone = call("EVAL", _TWO_SLOTS, 2, keys.epoch(0), keys.epoch(1)) if tags is None else None
    tried = _tried(call, tags[0] if tags else keys.KEYS_TAG) if tags is None or tags else None
    for reply in first:
        await reply
    if alone is not None:
        await _refuse_cluster(alone)
    return "" if tried is None else await _refused(*tried)


def _introduced(call: Call, address: RedisAddress) -> list[Awaitable[Any]]:
    first: list[Awaitable[Any]] = []
    username, password = address.credentials()
    if password is not None:
        first.append(call("AUTH", *([username] if username else []), password))
    if address.database:
        first.append(call("SELECT", address.database))
    first.append(call("PING"))  # refused while a server loads its data
    return first


def _tried(call: Call, tag: str) -> tuple[Awaitable[Any], Awaitable[Any]]:
    probes = keys.probes(tag)
    return call("EVAL", _PROBE.body, len(probes), *probes), call("EVALSHA", _PROBE.sha1, len(probes), *probes)


async def _refused(probe: Awaitable[Any], again: Awaitable[Any]) -> str:
    refused: Sequence[bytes] = await probe
    await again
    errors = [(name.decode(), _reply(text)) for name, text in zip(refused[::2], refused[1::2], strict=True)]
    missing = [name.lower() for name, error in errors if error.refusal is Refusal.RIGHTS]
    if missing:
        message = f"NOPERM the user must be allowed {', '.join(dict.fromkeys(missing))} on keys ~tg:*"
        raise MissingRightsError(message)
    return _why([error for _, error in errors])


async def _refuse_cluster(reply: Awaitable[Any]) -> None:
    try:
        await reply
    except ReplyError as error:
        if error.code not in _CLUSTER:
            raise
        message = "it is a node of a Redis Cluster, expected one primary, or redis+cluster:// to reach all nodes"
        raise ClusterNodeError(message) from error


async def look(call: Call, tag: str) -> None:
    """A write, to every check that a server makes of one, that changes nothing: not even the append-only file.

    Raises:
        ReplyError: it was refused.
    """
    await call("SETRANGE", keys.probes(tag)[0], 0, "")


async def write(call: Call, tag: str) -> str:
    """Make a real write; returns why it was refused, or nothing.

    Raises:
        ReplyError: the server refuses more than writes.
    """
    try:
        await call("SET", keys.probes(tag)[0], "0", "EX", _PROBE_SECONDS)
    except ReplyError as error:
        return _why([error])
    return ""


def _why(errors: Sequence[ReplyError]) -> str:
    for error in errors:
        if error.refusal is not Refusal.WRITES:
            raise error
    return errors[0].text if errors else ""


def _reply(text: bytes) -> ReplyError:
    return ReplyError(text.decode(errors="replace").removeprefix("-"))
