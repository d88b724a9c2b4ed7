"""Whether replicas have what a reply told of, in a cluster: the node that replied has replicas of its own."""

from weakref import WeakKeyDictionary

from tallygate.storage.redis.link.cluster import ClusterLink
from tallygate.storage.redis.link.confirming import Confirmations, Told
from tallygate.storage.redis.link.link import LinkDownError, RedisLink


class NodeConfirmations:
    """`Confirmations` of each node that anybody asks of; `replies_within` bounds what one waits for, in seconds."""

    def __init__(self, cluster: ClusterLink, *, replicas: int, seconds: float, replies_within: float) -> None:
        self._cluster = cluster
        self._replicas = replicas
        self._seconds = seconds
        self._replies_within = replies_within
        self._nodes: WeakKeyDictionary[RedisLink, Confirmations] = WeakKeyDictionary()
        self._refused = 0

    @property
    def refused(self) -> int:
        """Of how many replies it is not known that replicas have them."""
        return self._refused + sum(node.refused for node in self._nodes.values())

    def confirm(self, told: Told, partition: int) -> None:
        """Tell whether replicas have all that the node of this partition has done by now."""
        try:
            node = self._cluster.at(partition)
        except LinkDownError:
            self._refused += 1
            told(False)  # noqa: FBT003 - that is what it takes
            return
        if node not in self._nodes:
            link = node.twin(reply_seconds=self._replies_within)
            self._nodes[node] = Confirmations(node, link, replicas=self._replicas, seconds=self._seconds)
        self._nodes[node].confirm(told)

    def retime(self, *, connect_seconds: float, reply_seconds: float) -> None:
        """Wait so long from now on, for connections and for what replicas say."""
        self._replies_within = reply_seconds
        for node in self._nodes.values():
            node.retime(connect_seconds=connect_seconds, reply_seconds=reply_seconds)

    async def close(self) -> None:
        """Whoever waits still is told that it is not known."""
        for node in self._nodes.values():
            await node.close()
