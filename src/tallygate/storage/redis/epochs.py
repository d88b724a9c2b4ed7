"""Epochs as the scripts see them: one string a partition."""

from collections.abc import Mapping, Sequence

from tallygate.domain.errors import StoreUnavailableError
from tallygate.storage.redis import keys
from tallygate.storage.redis.link.link import LinkError, RedisLink, ReplyError


class RedisEpochs:
    """`EpochBoard` over the link."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def read(self, partitions: Sequence[int]) -> Mapping[int, str]:
        """The epochs shown; partitions without one are left out."""
        try:
            pending = [(partition, self._link.call("GET", keys.epoch(partition))) for partition in partitions]
            found = {partition: await reply for partition, reply in pending}
        except (LinkError, ReplyError) as error:
            raise StoreUnavailableError from error
        return {partition: raw.decode() for partition, raw in found.items() if raw is not None}

    async def show(self, epochs: Mapping[int, str]) -> None:
        """Show epochs, replacing what was shown."""
        try:
            for reply in [self._link.call("SET", keys.epoch(p), epoch) for p, epoch in epochs.items()]:
                await reply
        except (LinkError, ReplyError) as error:
            raise StoreUnavailableError from error
