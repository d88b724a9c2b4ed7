"""Where every connection to Redis comes from: one address, one set of time-outs, whoever asks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from weakref import WeakKeyDictionary

from redis.asyncio import Redis

from tallygate.data_plane.burst import Burst
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.client import redis_client, retime_client
from tallygate.storage.redis.cluster_client import ClusterRedis
from tallygate.storage.redis.link.cluster import AnyLink, ClusterLink
from tallygate.storage.redis.link.confirming import Confirmations
from tallygate.storage.redis.link.confirming_nodes import NodeConfirmations
from tallygate.storage.redis.link.link import RedisLink

_PATIENCE_SECONDS = 0.25
# A read that waits for news is silent for half a second, and an operator waits rather than be told nothing.
_LONG_SECONDS = 2.0
_OPERATOR_SECONDS = 5.0


Times = Callable[[float, float], tuple[float, float]]
"""How long a connection may take to be there and to answer, where the hot path's may take so long."""

Made = AnyLink | Confirmations | NodeConfirmations | Redis
M = TypeVar("M", bound=Made)


@dataclass(slots=True, kw_only=True, eq=False)
class RedisFactory:
    """Makes links and clients of one server, or of one cluster, which has the keys of so many `partitions`.

    `connect_seconds` and `reply_seconds` are the hot path's; all but an operator's follow them (`retime`).
    """

    address: RedisAddress
    connect_seconds: float = 0.25
    reply_seconds: float = 0.1
    partitions: int = 64
    _made: WeakKeyDictionary[Made, Times] = field(default_factory=WeakKeyDictionary)

    def retime(self, *, connect_seconds: float, reply_seconds: float) -> None:
        """Have what was made here, and what will be, wait so long from now on."""
        self.connect_seconds, self.reply_seconds = connect_seconds, reply_seconds
        for made, times in list(self._made.items()):
            connect, reply = times(connect_seconds, reply_seconds)
            if isinstance(made, Redis):
                retime_client(made, connect_seconds=connect, reply_seconds=reply)
            else:
                made.retime(connect_seconds=connect, reply_seconds=reply)

    def link(self, burst: Burst | None = None) -> AnyLink:
        """The hot path's connection, not yet connected."""
        link = self._link(self.connect_seconds, self.reply_seconds, burst)
        return self._kept(link, lambda connect, reply: (connect, reply))

    def confirmations(self, hot: AnyLink, *, replicas: int, seconds: float) -> Confirmations | NodeConfirmations:
        """Who confirms that so many replicas have what the hot link was answered, within `seconds`."""

        def times(connect: float, reply: float) -> tuple[float, float]:
            return connect, seconds + max(reply, _PATIENCE_SECONDS)

        connect, patience = times(self.connect_seconds, self.reply_seconds)
        if isinstance(hot, ClusterLink):
            of_nodes = NodeConfirmations(hot, replicas=replicas, seconds=seconds, replies_within=patience)
            return self._kept(of_nodes, times)
        link = RedisLink(self.address, connect_seconds=connect, reply_seconds=patience)
        return self._kept(Confirmations(hot, link, replicas=replicas, seconds=seconds), times)

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
        return self._one_server(_at_least(_PATIENCE_SECONDS, _PATIENCE_SECONDS))

    def _kept(self, made: M, times: Times) -> M:
        self._made[made] = times
        return made

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

    def _client(self, least_connect: float, least_reply: float) -> Redis:
        times = _at_least(least_connect, least_reply)
        if not self.address.seeds:
            return self._one_server(times)
        connect, reply = times(self.connect_seconds, self.reply_seconds)
        link = ClusterLink(self.address, partitions=self.partitions, connect_seconds=connect, reply_seconds=reply)
        return ClusterRedis(self._kept(link, times))

    def _one_server(self, times: Times) -> Redis:
        connect, reply = times(self.connect_seconds, self.reply_seconds)
        return self._kept(redis_client(self.address, connect_seconds=connect, reply_seconds=reply), times)


def _at_least(least_connect: float, least_reply: float) -> Times:
    return lambda connect, reply: (max(least_connect, connect), max(least_reply, reply))
