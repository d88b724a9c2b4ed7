"""Where every connection to Redis comes from: one address, one set of time-outs, whoever asks."""

from dataclasses import dataclass

from redis.asyncio import Redis

from tallygate.data_plane.burst import Burst
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.client import redis_client
from tallygate.storage.redis.cluster_client import ClusterRedis
from tallygate.storage.redis.link.cluster import AnyLink, ClusterLink
from tallygate.storage.redis.link.confirming import Confirmations
from tallygate.storage.redis.link.confirming_nodes import NodeConfirmations
from tallygate.storage.redis.link.link import RedisLink

_PATIENCE_SECONDS = 0.25
# A read that waits for news is silent for half a second, and an operator waits rather than be told nothing.
_LONG_SECONDS = 2.0
_OPERATOR_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisFactory:
    """Makes links and clients of one server, or of one cluster, which has the keys of so many `partitions`.

    `connect_seconds` and `reply_seconds` are the hot path's.
    """

    address: RedisAddress
    connect_seconds: float = 0.25
    reply_seconds: float = 0.1
    partitions: int = 64

    def link(self, burst: Burst | None = None) -> AnyLink:
        """The hot path's connection, not yet connected."""
        return self._link(self.connect_seconds, self.reply_seconds, burst)

    def confirmations(self, hot: AnyLink, *, replicas: int, seconds: float) -> Confirmations | NodeConfirmations:
        """Who confirms that so many replicas have what the hot link was answered, within `seconds`."""
        patience = seconds + max(self.reply_seconds, _PATIENCE_SECONDS)
        if isinstance(hot, ClusterLink):
            return NodeConfirmations(hot, replicas=replicas, seconds=seconds, replies_within=patience)
        link = RedisLink(self.address, connect_seconds=self.connect_seconds, reply_seconds=patience)
        return Confirmations(hot, link, replicas=replicas, seconds=seconds)

    def operator_link(self) -> AnyLink:
        """A connection for what a person has asked for."""
        return self._link(_OPERATOR_SECONDS, _OPERATOR_SECONDS)

    def client(self) -> Redis:
        """A client for what is not hot; it waits a little longer than the link does."""
        return self._client(_PATIENCE_SECONDS, _PATIENCE_SECONDS)

    def stream_client(self) -> Redis:
        """A client whose reads wait for news."""
        return self._client(2 * _PATIENCE_SECONDS, _LONG_SECONDS)

    def listening_client(self) -> Redis:
        """A client of any one server, which hears what is announced on all."""
        return self._one_server(_PATIENCE_SECONDS, _PATIENCE_SECONDS)

    def _link(self, connect_seconds: float, reply_seconds: float, burst: Burst | None = None) -> AnyLink:
        if not self.address.seeds:
            return RedisLink(self.address, connect_seconds=connect_seconds, reply_seconds=reply_seconds, burst=burst)
        return ClusterLink(
            self.address,
            partitions=self.partitions,
            connect_seconds=connect_seconds,
            reply_seconds=reply_seconds,
            burst=burst,
        )

    def _client(self, connect_seconds: float, reply_seconds: float) -> Redis:
        if not self.address.seeds:
            return self._one_server(connect_seconds, reply_seconds)
        return ClusterRedis(
            ClusterLink(
                self.address,
                partitions=self.partitions,
                connect_seconds=max(connect_seconds, self.connect_seconds),
                reply_seconds=max(reply_seconds, self.reply_seconds),
            )
        )

    def _one_server(self, connect_seconds: float, reply_seconds: float) -> Redis:
        return redis_client(
            self.address,
            connect_seconds=max(connect_seconds, self.connect_seconds),
            reply_seconds=max(reply_seconds, self.reply_seconds),
        )
