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


async def greet(call: Call, address: RedisAddress) -> str:
    """Introduce ourselves, and try everything once; returns why writes are refused for the moment, or nothing.

    Raises:
        ReplyError: the server wants none of it, or this user lacks a right.
        OSError: a file with credentials cannot be read.
    """
    first: list[Awaitable[Any]] = []  # all in one write: a distant server is greeted in one round trip
    username, password = address.credentials()
    if password is not None:
        first.append(call("AUTH", *([username] if username else []), password))
    if address.database:
        first.append(call("SELECT", address.database))
    first.append(call("PING"))  # refused while a server loads its data
    alone = call("EVAL", _TWO_SLOTS, 2, keys.epoch(0), keys.epoch(1))
    probe = call("EVAL", _PROBE.body, len(keys.PROBES), *keys.PROBES)
    again = call("EVALSHA", _PROBE.sha1, len(keys.PROBES), *keys.PROBES)
    for reply in first:
        await reply
    await _refuse_cluster(alone)
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
        message = "it is a node of a Redis Cluster, expected one primary (replicas and sentinels beside it are fine)"
        raise ClusterNodeError(message) from error


async def look(call: Call) -> None:
    """A write, to every check that a server makes of one, that changes nothing: not even the append-only file.

    Raises:
        ReplyError: it was refused.
    """
    await call("SETRANGE", keys.PROBES[0], 0, "")


async def write(call: Call) -> str:
    """Make a real write; returns why it was refused, or nothing.

    Raises:
        ReplyError: the server refuses more than writes.
    """
    try:
        await call("SET", keys.PROBES[0], "0", "EX", _PROBE_SECONDS)
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
