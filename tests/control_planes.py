"""A whole control plane for tests: a database, a Valkey, and the demo catalogue; each test gets a tenant of its own."""

import itertools
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.control_plane.accounts import UpsertAccount, upsert_account
from tallygate.control_plane.catalog import ApplyCatalog, apply_catalog
from tallygate.control_plane.proposals import ChangePlan, When
from tallygate.control_plane.subscription_changes import change_plan
from tallygate.control_plane.tenants import CreateTenant, create_tenant
from tallygate.domain.catalog import (
    AddOn,
    Aggregation,
    Catalog,
    Entitlement,
    Feature,
    FeatureKind,
    Overage,
    Plan,
    Trial,
    ValueType,
)
from tallygate.domain.limits import Algorithm, DescriptorRule, LimitOwner, RateLimit, RateLimitRule
from tallygate.domain.prices import Price, RecurringPrice, UsagePrice
from tallygate.records.lookup import account_record
from tallygate.records.publishing import OutboxPublisher
from tallygate.records.transactions import Transactions, UseCase, Written
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.factory import RedisFactory
from tallygate.storage.redis.publisher import RedisPublisher
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.outbox import SqlOutbox
from tallygate.storage.sql.unit_of_work import SqlStore

PARTITIONS = 8
SECOND = 1_000_000
DAY = 86_400 * SECOND
NOW = 1_793_491_200 * SECOND  # 2026-11-01T00:00:00Z


@dataclass(slots=True)
class ControlPlane:
    """Everything that the composition root would join, for one tenant."""

    engine: AsyncEngine
    redis: Redis
    store: SqlStore
    outbox: SqlOutbox
    views: RedisPublisher
    publisher: OutboxPublisher
    transactions: Transactions
    tenant_id: str = field(default_factory=lambda: f"t-{uuid.uuid4().hex[:12]}")
    now: int = NOW
    ids: Any = field(default_factory=lambda: itertools.count(1))

    def new_id(self) -> str:
        return f"{next(self.ids):06d}-{self.tenant_id}"

    async def write(self, use_case: UseCase[Any]) -> Any:
        return (await self.written(use_case)).value

    async def written(self, use_case: UseCase[Any]) -> Written[Any]:
        return await self.transactions.write(self.tenant_id, use_case, now=self.now)

    async def read(self, use_case: UseCase[Any]) -> Any:
        return await self.transactions.read(self.tenant_id, use_case, now=self.now)

    async def open_tenant(self, *, test: bool = False) -> None:
        request = CreateTenant(tenant_id=self.tenant_id, test=test)
        await create_tenant(self.transactions, request, now=self.now)

    async def apply(self, document: Catalog | None = None, **options: Any) -> Any:
        request = ApplyCatalog(document=document or demo_catalog(), **options)
        return await self.write(lambda work, now: apply_catalog(work, request, now=now))

    async def upsert(self, account_id: str, plan_key: str = "", *, trial: bool = False, **options: Any) -> Any:
        days = None if trial else 0
        request = UpsertAccount(account_id=account_id, plan_key=plan_key, trial_days=days, **options)
        return await self.write(lambda work, now: upsert_account(work, request, now=now, new_id=self.new_id))

    async def record(self, account_id: str) -> Any:
        return await self.read(lambda work, _: account_record(work, account_id))

    async def change_plan(self, account_id: str, plan_key: str) -> Any:
        request = ChangePlan(account_id=account_id, plan_key=plan_key, when=When.NOW)
        return await self.write(lambda work, now: change_plan(work, request, now=now))


@asynccontextmanager
async def control_plane(database_url: str, redis_url: str) -> AsyncIterator[ControlPlane]:
    """Join a control plane on a migrated database and a running Valkey; it has no tenant yet."""
    engine = create_engine(database_url)
    redis = RedisFactory(address=RedisAddress.parse(redis_url), connect_seconds=15, reply_seconds=15).client()
    store, outbox = SqlStore(engine=engine), SqlOutbox(engine=engine)
    views = RedisPublisher(redis, partitions=PARTITIONS)
    publisher = OutboxPublisher(store=store, outbox=outbox, views=views, keys=views)
    transactions = Transactions(store=store, publisher=publisher)
    try:
        yield ControlPlane(engine, redis, store, outbox, views, publisher, transactions)
    finally:
        await transactions.drain()
        await redis.aclose()
        await engine.dispose()


def demo_catalog() -> Catalog:
    """The demo world's catalogue, by its names."""
    return Catalog(
        currency="USD",
        time_zone="UTC",
        default_plan="free",
        features={
            "sso": Feature(feature_key="sso", kind=FeatureKind.BOOLEAN),
            "retention_days": Feature(feature_key="retention_days", kind=FeatureKind.STATIC, unit="day"),
            "support": Feature(
                feature_key="support",
                kind=FeatureKind.STATIC,
                value_type=ValueType.ENUM,
                values=("community", "email", "phone"),
            ),
            "api_calls": Feature(feature_key="api_calls", kind=FeatureKind.METERED, unit="call"),
            "visitors": Feature(
                feature_key="visitors",
                kind=FeatureKind.METERED,
                aggregation=Aggregation.UNIQUE,
                unique_by="visitor",
            ),
            "seats": Feature(feature_key="seats", kind=FeatureKind.SEAT),
        },
        rate_limits={
            "api_rps": RateLimitRule(limit_key="api_rps", owner=LimitOwner.ACCOUNT, algorithm=Algorithm.TOKEN_BUCKET),
            "login_attempts": RateLimitRule(
                limit_key="login_attempts",
                owner=LimitOwner.TENANT,
                algorithm=Algorithm.SLIDING_WINDOW,
                descriptor=(DescriptorRule(key="action", value="login"), DescriptorRule(key="remote_address")),
                value=RateLimit(limit=5, window=60 * SECOND),
            ),
        },
        plans={"free": {1: _free()}, "pro": {1: pro()}, "enterprise": {1: _enterprise()}},
        add_ons={
            "sso-addon": {
                1: AddOn(
                    add_on_key="sso-addon",
                    version=1,
                    offered_on=("free", "pro"),
                    max_quantity=1,
                    entitlements={"sso": Entitlement(enabled=True)},
                )
            },
            "api-pack": {
                1: AddOn(
                    add_on_key="api-pack",
                    version=1,
                    offered_on=("free", "pro"),
                    entitlements={"api_calls": Entitlement(limit=5_000)},
                )
            },
        },
    )


def pro(version: int = 1, *, seats: int = 10, overage: Overage = Overage.DENY) -> Plan:
    """The plan `pro`, in versions that differ in their seats."""
    return Plan(
        plan_key="pro",
        version=version,
        upgrades_to=("enterprise",),
        trial=Trial(days=14, ends_in="free"),
        entitlements={
            "retention_days": Entitlement(number=30),
            "api_calls": Entitlement(limit=100_000, overage=Overage.ALLOW),
            "seats": Entitlement(limit=seats, overage=overage),
        },
        rate_limits={"api_rps": RateLimit(limit=100, window=SECOND, burst=200)},
        prices=(
            Price(recurring=RecurringPrice(amount="49.00")),
            Price(usage=UsagePrice(feature_key="api_calls", unit_amount="0.0001", per_units=1_000)),
        ),
    )


def _free() -> Plan:
    return Plan(
        plan_key="free",
        version=1,
        upgrades_to=("pro", "enterprise"),
        entitlements={
            "retention_days": Entitlement(number=7),
            "api_calls": Entitlement(limit=1_000),
            "seats": Entitlement(limit=3),
        },
        rate_limits={"api_rps": RateLimit(limit=5, window=SECOND, burst=5)},
    )


def _enterprise() -> Plan:
    return Plan(
        plan_key="enterprise",
        version=1,
        entitlements={
            "sso": Entitlement(enabled=True),
            "retention_days": Entitlement(number=365),
            "support": Entitlement(text="phone"),
            "api_calls": Entitlement(unlimited=True),
            "seats": Entitlement(limit=100),
        },
        rate_limits={"api_rps": RateLimit(limit=1_000, window=SECOND)},
    )
