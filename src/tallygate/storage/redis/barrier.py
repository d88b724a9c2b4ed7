"""Are all events that were admitted before now in SQL? Entries leave a stream only after their commit."""

from collections.abc import Awaitable, Callable, Collection

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from tallygate.domain.errors import StoreUnavailableError
from tallygate.storage.redis import keys
from tallygate.storage.redis.client import reaching

_PAUSE_SECONDS = 0.05


class RedisBarrier:
    """Waits until what a partition's stream held at a moment has been collected."""

    __slots__ = ("_partitions", "_patience", "_redis", "_sleep")

    def __init__(
        self, redis: Redis, *, partitions: int, sleep: Callable[[float], Awaitable[None]], patience_seconds: float = 3.0
    ) -> None:
        self._redis = redis
        self._partitions = partitions
        self._sleep = sleep
        self._patience = patience_seconds

    async def passed(self, tenant_id: str, account_ids: Collection[str]) -> None:
        """Return when no event of these accounts that was admitted before the call waits to be collected.

        Each partition is asked once, however many of the accounts live there.

        Raises:
            StoreUnavailableError: some still wait after a few seconds, or the store cannot be reached.
        """
        homes = {keys.partition_of(self._partitions, tenant_id, account_id) for account_id in account_ids}
        async with reaching(self._redis):
            newest = {stream: await self._newest(stream) for stream in map(keys.stream, sorted(homes))}
            for _ in range(max(1, round(self._patience / _PAUSE_SECONDS))):
                newest = {stream: last for stream, last in newest.items() if await self._waits(stream, last)}
                if not newest:
                    return
                await self._sleep(_PAUSE_SECONDS)
        raise StoreUnavailableError(store="events", waits="to be collected")

    async def _waits(self, stream: str, last: str | None) -> bool:
        """Whether the stream still holds an entry up to this one."""
        return last is not None and bool(await self._redis.xrange(stream, "-", last, count=1))

    async def _newest(self, stream: str) -> str | None:
        """The id that the stream gave out last; None where it never gave out one."""
        try:
            information = await self._redis.xinfo_stream(stream)
        except ResponseError as error:
            if "no such key" in str(error).lower():
                return None
            raise
        last = information["last-generated-id"]
        return last.decode() if isinstance(last, bytes) else str(last)
