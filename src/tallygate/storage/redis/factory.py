"""Where every connection to Redis comes from: one address, one set of time-outs, whoever asks."""

from dataclasses import dataclass

from redis.asyncio import Redis

from tallygate.data_plane.burst import Burst
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.client import redis_client
from tallygate.storage.redis.link.link import RedisLink

_PATIENCE_SECONDS = 0.25
# A read that waits for news is silent for half a second, and an operator waits rather than be told nothing.
_LONG_SECONDS = 2.0
_OPERATOR_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisFactory:
    """Makes links and clients of one server; `connect_seconds` and `reply_seconds` are the hot path's."""

    address: RedisAddress
    connect_seconds: float = 0.25
    reply_seconds: float = 0.1

    def link(self, burst: Burst | None = None) -> RedisLink:
        """The hot path's connection, not yet connected."""
        return RedisLink(
            self.address, connect_seconds=self.connect_seconds, reply_seconds=self.reply_seconds, burst=burst
        )

    def replica_link(self, seconds: float) -> RedisLink:
        """A connection whose replies wait for replicas, `seconds` at most."""
        patience = seconds + max(self.reply_seconds, _PATIENCE_SECONDS)
        return RedisLink(self.address, connect_seconds=self.connect_seconds, reply_seconds=patience)

    def operator_link(self) -> RedisLink:
        """A connection for what a person has asked for."""
        return RedisLink(self.address, connect_seconds=_OPERATOR_SECONDS, reply_seconds=_OPERATOR_SECONDS)

    def client(self) -> Redis:
        """A client for what is not hot; it waits a little longer than the link does."""
        return self._client(_PATIENCE_SECONDS, _PATIENCE_SECONDS)

    def stream_client(self) -> Redis:
        """A client whose reads wait for news."""
        return self._client(2 * _PATIENCE_SECONDS, _LONG_SECONDS)

    def _client(self, connect_seconds: float, reply_seconds: float) -> Redis:
        return redis_client(
            self.address,
            connect_seconds=max(connect_seconds, self.connect_seconds),
            reply_seconds=max(reply_seconds, self.reply_seconds),
        )
