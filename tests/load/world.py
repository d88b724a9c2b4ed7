"""One installation under load: Valkey, a sidecar in role `data`, the bench catalogue, accounts, and an echo server.

A sidecar in role `all` sets it up through the control plane; another one can then serve in its place.
"""

import asyncio
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import grpc

from child_processes import temporary_directory
from clusters import Cluster
from load.catalog import NEVER, PLAN, bench_catalog
from load.population import add_accounts
from load.processes import EchoServer, Sidecar
from load.requests import GRANTED_ACCOUNT
from servers import ValkeyServer
from tallygate.app import create_key, create_tenant
from tallygate.domain.credential import key_digest, mint_key
from tallygate.settings import Settings
from tallygate.storage.documents import KEY
from tallygate.storage.redis import keys
from tallygate_api.v1 import account_service_pb2 as accounts
from tallygate_api.v1 import account_service_pb2_grpc as accounts_grpc
from tallygate_api.v1 import catalog_service_pb2 as catalogs
from tallygate_api.v1 import catalog_service_pb2_grpc as catalogs_grpc

CONTROLLED_ACCOUNT = "acct-control"
"""An account that the control plane made, to compare the written ones with."""
_SECONDS = 10


class World:
    """Started on construction; `close()` ends every process and removes every file."""

    def __init__(
        self, transport: str, *, fsync: str, population: int, tcp: bool = False, nodes: Cluster | None = None
    ) -> None:
        """On a Valkey of its own, or on these nodes, which are the caller's."""
        self.transport = transport
        self.tcp = tcp
        self.fsync = fsync
        self.key = mint_key(os.urandom(32))
        self.directory = temporary_directory("tg-load-")
        (self.directory / "key").write_text(self.key)
        self._own = ValkeyServer(append_only=True, append_fsync=fsync).start() if nodes is None else None
        self.valkey: Any = nodes or self._own
        self.sidecar = self._sidecar("all", {})
        self.sidecar.start()
        self._set_up()
        self.tenant_id = self._tenant_id()
        self.populated = 0
        self.populate(population)
        self.serve("data")
        self.echo = EchoServer(self.directory, transport, tcp=tcp)
        self._calls = 0

    @property
    def name(self) -> str:
        """The transport, and what it listens on where that is no Unix socket."""
        return f"{self.transport}, TCP" if self.tcp else self.transport

    @property
    def nodes(self) -> list[ValkeyServer]:
        """The servers that have the keys."""
        return self.valkey.nodes if isinstance(self.valkey, Cluster) else [self.valkey]

    @property
    def headers(self) -> dict[str, str]:
        """The metadata of every call."""
        return {"authorization": f"Bearer {self.key}"}

    def serve(self, role: str, settings: Mapping[str, object] | None = None) -> None:
        """Let a sidecar of this role serve in place of the present one."""
        self.sidecar.stop()
        self.sidecar = self._sidecar(role, settings or {})
        self.sidecar.start()

    def beside(self, settings: Mapping[str, object], *, tcp: bool | None = None) -> Sidecar:
        """Another sidecar of role `data` on the same Valkey, not started; it is the caller's to stop."""
        return self._sidecar("data", settings, scratch_directory(), tcp=tcp)

    def populate(self, count: int) -> None:
        """Have at least `count` accounts."""
        if count > self.populated:
            add_accounts(self.valkey, self.tenant_id, range(self.populated, count))
            self.populated = count

    def another_tenant(self, name: str, population: int) -> dict[str, str]:
        """The metadata of calls of another tenant, on the same catalogue and with as many accounts of the same ids."""
        self.serve("all")
        key = asyncio.run(self._new_key(name))
        headers = {"authorization": f"Bearer {key}"}
        deadline = time.monotonic() + _SECONDS
        while not self._is_applied(headers):
            assert time.monotonic() < deadline, "the tenant's key was not published"
            time.sleep(0.1)
        add_accounts(self.valkey, name, range(population))
        self.serve("data")
        return headers

    async def _new_key(self, tenant_id: str) -> str:
        settings = Settings(data_dir=self.directory)
        await create_tenant(settings, tenant_id=tenant_id)
        _, key = await create_key(settings, tenant_id=tenant_id, name="load", scopes={"control", "data"})
        return key

    def _is_applied(self, headers: Mapping[str, str]) -> bool:
        with grpc.insecure_channel(self.sidecar.address) as channel:
            request = catalogs.ApplyCatalogRequest(catalog=bench_catalog())
            try:
                catalogs_grpc.CatalogServiceStub(channel).ApplyCatalog(
                    request, timeout=_SECONDS, metadata=list(headers.items())
                )
            except grpc.RpcError as error:
                if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                    return False
                raise
        return True

    def take_numbers(self, count: int) -> int:
        """The first of `count` numbers that no call of this world has used."""
        first = self._calls
        self._calls += count
        return first

    def forget_events(self) -> None:
        """Empty the streams, as a collector would have; role `data` has none."""
        for partition in range(64):
            self.valkey.command("XTRIM", keys.stream(partition), "MAXLEN", "0")

    def close(self) -> None:
        self.sidecar.stop()
        self.echo.stop()
        if self._own is not None:
            self._own.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _sidecar(
        self, role: str, settings: Mapping[str, object], directory: Path | None = None, *, tcp: bool | None = None
    ) -> Sidecar:
        fixed = {
            "ROLE": role,
            "REDIS__URL": self.valkey.url,
            "BOOTSTRAP_KEY_FILE": self.directory / "key",
            "SERVER__TRANSPORT": self.transport,
        }
        return Sidecar(directory or self.directory, {**fixed, **settings}, tcp=self.tcp if tcp is None else tcp)

    def _set_up(self) -> None:
        metadata = [("authorization", f"Bearer {self.key}")]
        with grpc.insecure_channel(self.sidecar.address) as channel:
            request = catalogs.ApplyCatalogRequest(catalog=bench_catalog())
            catalogs_grpc.CatalogServiceStub(channel).ApplyCatalog(request, timeout=_SECONDS, metadata=metadata)
            stub = accounts_grpc.AccountServiceStub(channel)
            for account_id in (CONTROLLED_ACCOUNT, GRANTED_ACCOUNT):
                account = accounts.UpsertAccountRequest(account_id=account_id, plan_key=PLAN)
                stub.UpsertAccount(account, timeout=_SECONDS, metadata=metadata)
            grant = accounts.CreateGrantRequest(account_id=GRANTED_ACCOUNT, feature_key="api_calls", amount=NEVER)
            stub.CreateGrant(grant, timeout=_SECONDS, metadata=metadata)

    def _tenant_id(self) -> str:
        document = self.valkey.command("HGET", keys.api_key(key_digest(self.key)), "d")
        return KEY.validate_json(document).tenant_id


def scratch_directory() -> Path:
    """A directory that is removed after the run."""
    return temporary_directory("tg-load-")
