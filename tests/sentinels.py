"""Sentinels as real processes: they watch a primary and promote its replica when it is gone."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from servers import ValkeyServer

SERVICE = "tallygate"
QUORUM = 2
DOWN_AFTER_MS = 1_000
AT_ONCE = ("--repl-diskless-sync-delay", "0")
"""A replica is filled without waiting for others, as docs/durability.md advises where features are strict."""


class SentinelServer(ValkeyServer):
    """One sentinel of this primary; with `tls`, as the primary's, it speaks that with the primary, too."""

    def __init__(
        self,
        primary: ValkeyServer,
        *,
        binary: str | None = None,
        password: str | None = None,
        tls: Mapping[str, Path] | None = None,
    ) -> None:
        super().__init__(tcp=True, binary=binary, password=password, tls=tls)
        told = [f"requirepass {password}"] if password else []
        if tls:
            told += [f"tls-port {self.tls_port}", "tls-replication yes", "tls-auth-clients no"]
            told += [f"tls-{name} {path}" for name, path in tls.items()]
        watches = f"sentinel monitor {SERVICE} 127.0.0.1 {primary.tls_port or primary.port} {QUORUM}"
        secret = [f"sentinel auth-pass {SERVICE} {primary.password}"] if primary.password else []
        (self.directory / "sentinel.conf").write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {self.directory}\n"
            + "\n".join([*told, watches, *secret, ""])
            + f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}\n"
            f"sentinel failover-timeout {SERVICE} 10000\n"
        )

    def _spawn(self) -> None:
        self._start_with([self.binary, str(self.directory / "sentinel.conf"), "--sentinel"])

    def primary_port(self) -> int:
        """Which server this one calls the primary."""
        return int(self.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)[1])

    def knows_all(self) -> bool:
        """Whether it has met the replica and the two other sentinels, so that a failover can begin."""
        told = self.command("SENTINEL", "MASTER", SERVICE)
        of = dict(zip(told[::2], told[1::2], strict=True))
        return (of[b"num-slaves"], of[b"num-other-sentinels"]) == (b"1", b"2")


class Watched:
    """A primary, its replica, and the three sentinels that watch them."""

    def __init__(self, primary: ValkeyServer, replica: ValkeyServer, sentinels: list[SentinelServer]) -> None:
        self.servers = [primary, replica]
        self.sentinels = sentinels
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in sentinels)
        self.url = f"redis+sentinel://{hosts}/{SERVICE}"

    def primary(self) -> ValkeyServer:
        """The server that the first sentinel calls the primary."""
        port = self.sentinels[0].primary_port()
        return next(server for server in self.servers if server.port == port)

    def ready(self) -> bool:
        return all(sentinel.knows_all() for sentinel in self.sentinels)


@contextlib.contextmanager
def watched(binary: str | None = None) -> Iterator[Watched]:
    """Two servers and three sentinels, not yet acquainted."""
    with contextlib.ExitStack() as stack:
        primary, replica = (
            stack.enter_context(ValkeyServer(tcp=True, append_only=True, binary=binary, options=AT_ONCE))
            for _ in range(2)
        )
        replica.command("REPLICAOF", "127.0.0.1", primary.port)
        sentinels = [stack.enter_context(SentinelServer(primary, binary=binary)) for _ in range(3)]
        yield Watched(primary, replica, sentinels)
