"""redis-py's commands over the link to a cluster: each goes where its key is, and is followed as the link follows.

What a pipeline holds leaves at once and is no transaction: on several servers there is none.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, ResponseError
from typing_extensions import override

from tallygate.storage.redis.link.cluster import ClusterLink
from tallygate.storage.redis.link.errors import LinkError, ReplyError

_POLL_SECONDS = 0.1
_Command = tuple[tuple[Any, ...], Mapping[str, Any]]


class ClusterRedis(Redis):
    """A client over a link of its own, which it finds and connects at its first use, and closes."""

    def __init__(self, link: ClusterLink) -> None:
        super().__init__(connection_pool=ConnectionPool(protocol=2))  # which nobody asks for a connection
        self.link = link
        self._used = False

    async def ready(self) -> None:
        """Connect, if nobody has.

        Raises:
            RedisConnectionError: no node can be reached.
        """
        if self._used:
            return
        try:
            await self.link.connect()
        except LinkError as error:
            raise RedisConnectionError(str(error)) from error
        self._used = True

    async def replies(self, commands: Sequence[_Command], *, raise_on_error: bool = True) -> list[Any]:
        """What redis-py makes of the replies to these commands.

        Raises:
            RedisConnectionError: one of them was not answered.
            ResponseError: one of them was refused, unless refusals are to be among the replies.
        """
        await self.ready()
        pending = [self._sent(*args) for args, _ in commands]
        raw = await asyncio.gather(*pending, return_exceptions=True)
        found = [self._read(reply, *command) for reply, command in zip(raw, commands, strict=True)]
        for each in found:
            if isinstance(each, RedisConnectionError) or (raise_on_error and isinstance(each, Exception)):
                raise each
        return found

    @override
    async def execute_command(self, *args: Any, **options: Any) -> Any:
        return (await self.replies([(args, options)]))[0]

    @override
    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return _Pipeline(self)

    @override
    async def xreadgroup(
        self,
        groupname: Any,
        consumername: Any,
        streams: Mapping[Any, Any],
        count: int | None = None,
        block: int | None = None,
        *_: Any,
        **__: Any,
    ) -> Any:
        """Each stream by itself, for one command reads streams of one slot; waiting is asking again."""
        loop = asyncio.get_running_loop()
        end = loop.time() + (block or 0) / 1_000
        while True:
            async with self.pipeline() as pipeline:
                for stream, after in streams.items():
                    pipeline.xreadgroup(groupname, consumername, {stream: after}, count=count)
                found = [each for reply in await pipeline.execute() for each in reply]
            if found or loop.time() >= end:
                return found
            await asyncio.sleep(_POLL_SECONDS)

    @override
    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await self.link.close()
        await super().aclose(close_connection_pool)

    def _sent(self, *args: Any) -> asyncio.Future[Any]:  # noqa: ANN401 - redis-py's own
        words = [*args[0].split(), *args[1:]]
        try:
            return self.link.call(*[word if isinstance(word, bytes | int) else str(word) for word in words])
        except LinkError as error:
            failed = asyncio.get_running_loop().create_future()
            failed.set_exception(error)
            return failed

    def _read(self, reply: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        if isinstance(reply, ReplyError):
            kind = NoScriptError if reply.code == "NOSCRIPT" else ResponseError
            return kind(reply.text)
        if isinstance(reply, LinkError):
            return RedisConnectionError(str(reply))
        if isinstance(reply, BaseException):
            raise reply
        read = self.response_callbacks.get(args[0])
        return reply if read is None else read(reply, **{k: v for k, v in options.items() if k != "keys"})


async def within_reach(redis: Redis, partitions: Iterable[int]) -> list[int]:
    """Those of these partitions whose server can be asked now; a lone one is asked, whatever it says.

    Raises:
        RedisConnectionError: no node of a cluster can be.
    """
    if not isinstance(redis, ClusterRedis):
        return list(partitions)
    await redis.ready()
    found = [partition for partition in partitions if redis.link.reaches(partition)]
    if not found:
        raise RedisConnectionError(redis.link.last_error)
    return found


class _Pipeline(Pipeline):
    """Commands for several nodes, kept until they are executed."""

    def __init__(self, client: ClusterRedis) -> None:
        super().__init__(client.connection_pool, client.response_callbacks, transaction=False, shard_hint=None)
        self._client = client

    @override
    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        commands, self.command_stack = self.command_stack, []
        return await self._client.replies(commands, raise_on_error=raise_on_error)
