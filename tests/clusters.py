"""A Redis Cluster of real processes: primaries that share all slots, each perhaps with a replica that takes over."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import Any

import patience
from child_processes import free_port
from servers import ValkeyServer

SLOTS = 16_384
FAILOVER_MS = 1_500
CALM_MS = 60_000
"""Nobody is taken for dead: a busy machine's nodes are silent for long."""


class Cluster:
    """Nodes that know each other; keys are found where they are."""

    def __init__(self, primaries: Sequence[ValkeyServer], replicas: Sequence[ValkeyServer]) -> None:
        self.primaries = list(primaries)
        self.replicas = list(replicas)
        self._homes: dict[int, ValkeyServer] = {}
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    @property
    def nodes(self) -> list[ValkeyServer]:
        return [*self.primaries, *self.replicas]

    def command(self, *args: str | bytes | int) -> Any:
        """A command about one key, on the node that has it; the key stands behind the command's first word."""
        return self.node_of(str(args[1])).command(*args)

    def node_of(self, key: str, seen_by: ValkeyServer | None = None) -> ValkeyServer:
        """Who has a key, as a living node sees it."""
        asked = seen_by or next(node for node in self.nodes if node.alive)
        slot = asked.command("CLUSTER", "KEYSLOT", key)
        port = next(owner[1] for first, last, owner, *_ in asked.command("CLUSTER", "SLOTS") if first <= slot <= last)
        return next(node for node in self.nodes if node.port == port)

    def node_of_partition(self, number: int) -> ValkeyServer:
        """The node that has a partition's keys; asked once."""
        if number not in self._homes:
            self._homes[number] = self.node_of(f"tg:{{{number}}}:epoch")
        return self._homes[number]

    def impatient(self) -> None:
        """From now on a primary that is silent for so long is taken for dead."""
        self._configure(FAILOVER_MS)

    def calm(self) -> None:
        self._configure(CALM_MS)

    def _configure(self, node_timeout_ms: int) -> None:
        for node in self.nodes:
            node.command("CONFIG", "SET", "cluster-node-timeout", node_timeout_ms)

    def flush(self) -> None:
        for node in self.nodes:
            if node.command("ROLE")[0] == b"master":
                node.command("FLUSHALL")


def id_of(node: ValkeyServer) -> str:
    return bytes(node.command("CLUSTER", "MYID")).decode()


@contextlib.contextmanager
def cluster(*, replicas: bool = False, binary: str | None = None, spare: bool = False) -> Iterator[Cluster]:
    """Three primaries that share all slots, `replicas` with one each, `spare` with a fourth that has none."""
    with contextlib.ExitStack() as stack:

        def node() -> ValkeyServer:
            options = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
            options += ("--cluster-node-timeout", str(CALM_MS), "--cluster-config-file", "nodes.conf")
            options += ("--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0")
            return stack.enter_context(ValkeyServer(tcp=True, append_only=True, binary=binary, options=options))

        primaries = [node() for _ in range(4 if spare else 3)]
        followers = [node() for _ in range(3)] if replicas else []
        for number, (one, first) in enumerate(zip(primaries, range(0, SLOTS, -(-SLOTS // 3)), strict=False)):
            one.command("CLUSTER", "ADDSLOTSRANGE", first, min(SLOTS, first + -(-SLOTS // 3)) - 1)
            one.command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        found = Cluster(primaries, followers)
        for other in found.nodes[1:]:
            bus = _option(other, "--cluster-port")
            primaries[0].command("CLUSTER", "MEET", "127.0.0.1", other.port, bus)
        _wait(lambda: all(_knows(one, len(found.nodes)) for one in found.nodes))
        for replica, primary in zip(followers, primaries, strict=False):
            replica.command("CLUSTER", "REPLICATE", id_of(primary))
        _wait(lambda: all(b"cluster_state:ok" in one.command("CLUSTER", "INFO") for one in found.nodes))
        _wait(lambda: all(b"master_link_status:up" in each.command("INFO", "replication") for each in followers))
        yield found


def _knows(node: ValkeyServer, count: int) -> bool:
    lines = bytes(node.command("CLUSTER", "NODES")).decode().splitlines()
    return len(lines) == count and not any("handshake" in line for line in lines)


def _option(node: ValkeyServer, name: str) -> str:
    return node._options[node._options.index(name) + 1]


def _wait(ready: Any) -> None:
    deadline = time.monotonic() + patience.SECONDS
    while not ready():
        assert time.monotonic() < deadline, "the nodes did not find each other"
        time.sleep(0.02)
