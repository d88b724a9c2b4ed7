"""The hot half of the application on a real Valkey, on either transport, with its clock and the store's set by hand.

What is published to it is written here, so no control plane runs; what it counted can be read.
"""

import contextlib
import itertools
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest

from conftest import bearer
from script_time import time_keys, timed
from servers import ValkeyServer
from tallygate.app import clock
from tallygate.app.data_side import build_data_side, open_redis
from tallygate.app.serving import build_serving
from tallygate.domain.account import AccountRecord, Grant, PlanTerm, Subscription, SubscriptionState
from tallygate.domain.catalog import CatalogSnapshot
from tallygate.domain.credential import KeyRecord, Scope, key_digest, mint_key
from tallygate.domain.event import FactSource, UsageFact
from tallygate.records.values import StoredKey
from tallygate.server.wire.catalog import decode_catalog
from tallygate.settings import DataPlaneSettings, RedisSettings, ServerSettings, Settings
from tallygate.storage.redis import gates as redis_gates
from tallygate.storage.redis import keys
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.fact_codec import read_entry
from tallygate.storage.redis.factory import RedisFactory
from tallygate.storage.redis.gates import RedisGates
from tallygate.storage.redis.publisher import RedisPublisher
from tenants import request_of, rpc
from worlds import catalog_message

SECOND = 1_000_000
START = 1_930_910_400 * SECOND
PARTITIONS = 2
EPOCH = "e1"
NOWHERE = FactSource(partition=0, epoch="", entry_id="0-0")
CALLS_LOG = logging.getLogger("tallygate.server.calls.wrapper")
HOUR = {"limit": 4, "window": "3600s"}
DOCUMENT: dict[str, Any] = {
    "currency": "USD",
    "features": {
        "calls": {"kind": "metered"},
        "lenient": {"kind": "metered", "on_unavailable": "open"},
        "peak": {"kind": "metered", "aggregation": "max"},
        "sso": {"kind": "boolean"},
    },
    "rate_limits": {
        "bucket": {"owner": "account", "algorithm": "token_bucket"},
        "strict": {
            "owner": "account",
            "algorithm": "fixed_window",
            "descriptor": [{"key": "strict"}],
            "on_unavailable": "closed",
        },
        "window": {"owner": "account", "algorithm": "fixed_window", "descriptor": [{"key": "path"}]},
        "sliding": {"owner": "account", "algorithm": "sliding_window", "descriptor": [{"key": "sliding"}]},
        "tenants": {
            "owner": "tenant",
            "algorithm": "fixed_window",
            "descriptor": [{"key": "address"}],
            "value": HOUR,
        },
    },
    "plans": {
        name: {
            "version": 1,
            "entitlements": {"calls": calls, "lenient": {"limit": 10}, "peak": {"limit": 5}, "sso": {"enabled": True}},
            "rate_limits": {"bucket": HOUR, "window": {"limit": 3, "window": "3600s"}, "strict": HOUR, "sliding": HOUR},
        }
        for name, calls in (
            ("hard", {"limit": 10}),
            ("soft", {"limit": 10, "overage": "allow"}),
            ("free", {"unlimited": True}),
        )
    },
}


class HotServer:
    """A started server of one tenant, its channel, and what is published to it."""

    def __init__(self, valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]) -> None:
        self.valkey = valkey
        self.now = START
        self.prepared: list[Any] = []
        self.tenant_id = "t"
        self.version = 0
        self.plans: dict[str, str] = {}
        self.numbers = itertools.count(1)
        self.settings = Settings(
            role="data",
            redis=RedisSettings(
                url=valkey.url, partitions=PARTITIONS, connect_timeout=30, read_timeout=options.get("read_timeout", 30)
            ),
            server=ServerSettings(
                grpc_address="127.0.0.1:0", transport=options["transport"], **options.get("server", {})
            ),
            data_plane=DataPlaneSettings(**options.get("data_plane", {})),
        )
        monkeypatch.setattr(clock, "now", lambda: self.now)
        monkeypatch.setattr(redis_gates, "ADMIT", timed())
        prepare = RedisGates.prepare

        def preparing(gates: RedisGates, call: Any) -> Any:
            self.prepared.append(call)
            return prepare(gates, call)

        monkeypatch.setattr(RedisGates, "prepare", preparing)

    async def start(self) -> None:
        self.redis_py = RedisFactory(address=RedisAddress.parse(self.valkey.url), reply_seconds=30).client()
        self.publisher = RedisPublisher(self.redis_py, partitions=PARTITIONS)
        await self.redis_py.flushall()
        await self.set_time(START)
        await self.set_epoch(EPOCH)
        self.redis = await open_redis(self.settings)
        self.data = build_data_side(self.settings, self.redis)
        self.serving = build_serving(self.settings, self.redis, self.data, None)
        self.transport: Any = self.serving.transport
        self.calls = self.transport._calls
        await self.transport.start()
        self.channel = grpc.aio.insecure_channel(self.transport.addresses[0].target)
        await self.publish_catalog(DOCUMENT)
        await self.publish_key("data", Scope.DATA)
        await self.publisher.mark_intact(await self.publisher.begin())

    async def close(self) -> None:
        await self.channel.close()
        await self.transport.stop()
        await self.redis.close()
        await self.redis_py.aclose()

    # What is published

    async def set_time(self, now: int) -> None:
        """Both clocks, which stand still."""
        self.now = now
        await self.redis_py.mset(time_keys(now))

    async def set_epoch(self, epoch: str) -> None:
        await self.redis_py.mset({keys.epoch(partition): epoch for partition in range(PARTITIONS)})

    async def publish_catalog(self, document: dict[str, Any]) -> None:
        self.version += 1
        catalog = decode_catalog(catalog_message(document))
        await self.publisher.publish_catalog(
            CatalogSnapshot(tenant_id=self.tenant_id, version=self.version, catalog=catalog)
        )

    async def publish_account(self, account_id: str, plan_key: str = "hard", *, grants: tuple[Grant, ...] = ()) -> None:
        """An account; those with the same plan differ in nothing but their id."""
        terms = (PlanTerm(plan_key=plan_key, plan_version=1, start_time=0),)
        live = SubscriptionState.ACTIVE
        subscription = Subscription(subscription_id="sub", state=live, start_time=0, terms=terms)
        record = AccountRecord(
            tenant_id=self.tenant_id,
            account_id=account_id,
            version=self.version,
            create_time=0,
            subscription=subscription,
            grants=grants,
        )
        await self.publisher.publish_accounts([record])

    async def publish_key(self, name: str, *scopes: Scope, **more: Any) -> None:
        record = KeyRecord(key_id=name, tenant_id=self.tenant_id, scopes=frozenset(scopes), **more)
        self.key_version = getattr(self, "key_version", 0) + 1
        stored = StoredKey(
            record=record, digest=key_digest(key_of(name)), shown="", create_time=0, version=self.key_version
        )
        await self.publisher.publish_keys([stored])

    # Calls

    def ask(self, name: str, /, key: str | None = "data", timeout: float | None = 20, **fields: Any) -> Any:
        """A call of the RPC of this name."""
        request = request_of(name, **fields)
        return rpc(self.channel, name)(request, metadata=bearer(key_of(key)) if key else None, timeout=timeout)

    def raw(self, name: str, body: bytes, *, key: str | None = "data") -> Any:
        """As `ask`, for a body that need not be a request."""
        call = self.channel.unary_unary(f"/tallygate.v1.EntitlementService/{name}")
        return call(body, metadata=bearer(key_of(key)) if key else None, timeout=60)

    async def warm(self, account_id: str, *names: str) -> None:
        """Load view and key; from here on calls of the account find what they need."""
        for name in names or ("calls",):
            await self.ask("CheckEntitlement", account_id=account_id, feature_key=name)
        await self.ask("RateLimit", account_id=account_id, limit_key="bucket", cost=0)

    @contextlib.contextmanager
    def by_tasks(self) -> Iterator[None]:
        """While calls are logged one by one, each has a task of its own, and is explained anew."""
        before = CALLS_LOG.level
        CALLS_LOG.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            CALLS_LOG.setLevel(before)

    # What is left of them

    def at_work(self) -> int:
        """Calls that anybody still knows of."""
        registered = [server.registered for server in getattr(self.transport, "_servers", ())]
        return int(self.calls.in_flight()) + sum(registered)

    def counted(self, name: str) -> dict[str, float]:
        """The counts of a metric's samples, by what stands between their braces."""
        lines = self.serving.metrics.exposition().decode().splitlines()
        found = [line.removeprefix(name).rpartition(" ") for line in lines if line.startswith((name + "{", name + " "))]
        return {",".join(sorted(labels.strip("{}").split(","))): float(value) for labels, _, value in found}

    def answered(self, name: str, code: str) -> float:
        """How many calls of a method ended with this status."""
        labels = f'code="{code}",method="EntitlementService/{name}"'
        return self.counted("tallygate_call_seconds_count").get(labels, 0.0)

    async def facts(self) -> list[UsageFact | None]:
        """What happened, as the streams tell it."""
        entries = [
            entry for partition in range(PARTITIONS) for _, entry in await self.redis_py.xrange(keys.stream(partition))
        ]
        return [read_entry(NOWHERE, entry).fact for entry in entries]


def key_of(name: str) -> str:
    return mint_key(name.encode().ljust(32, b"."))


@contextlib.asynccontextmanager
async def hot_server(valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch, **options: Any) -> AsyncIterator[HotServer]:
    """A started server, with nothing but its tenant's catalogue and key `data`."""
    server = HotServer(valkey, monkeypatch, options)
    await server.start()
    try:
        yield server
    finally:
        await server.close()
