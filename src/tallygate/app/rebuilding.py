"""Joins what rebuilds counters that Redis has lost: the facts in SQL, the account records, and Redis. Loads SQL."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from functools import partial

from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.app import clock
from tallygate.app.data_side import RedisSide
from tallygate.domain.catalog import Catalog
from tallygate.domain.gating.resolve import EntitlementSet, Resolver
from tallygate.domain.gating.usage_periods import begins_with_another
from tallygate.domain.period import UsagePeriod
from tallygate.metering.auditing import Auditor, Mends, log
from tallygate.metering.comparing import Difference
from tallygate.metering.rebuilding import Rebuilder
from tallygate.metering.recounting import MeterId
from tallygate.metering.whole import WholePartitions
from tallygate.records.epochs import EpochKeeper, EpochLedger
from tallygate.records.rebuilds import Standing
from tallygate.records.stores import Store
from tallygate.settings import Settings
from tallygate.storage.redis.audits import RedisAudits
from tallygate.storage.redis.counters import RedisCounters
from tallygate.storage.sql.metering.counts import SqlCountedFacts

_AT_ONCE = 500
_MICROSECONDS = 1_000_000


def counter_store(settings: Settings, redis: RedisSide) -> RedisCounters:
    """Where this installation's counters live."""
    return RedisCounters(
        factory=redis.factory,
        partitions=settings.redis.partitions,
        replay_window=int(settings.data_plane.replay_window * _MICROSECONDS),
        clock=clock.now,
    )


def new_rebuilder(
    engine: AsyncEngine,
    store: Store,
    counters: RedisCounters,
    keeper: EpochKeeper,
    recorded: Callable[[], Awaitable[None]],
) -> Rebuilder:
    """Rebuilds what this keeper finds lost."""
    return Rebuilder(
        ledger=keeper.ledger,
        facts=SqlCountedFacts(engine),
        store=counters,
        apart=partial(apart_among, store),
        standing=keeper.standing,
        clock=clock.now,
        sleep=asyncio.sleep,
        recorded=recorded,
    )


def new_auditor(
    engine: AsyncEngine,
    store: Store,
    audits: RedisAudits,
    ledger: EpochLedger,
    standing: Standing,
    *,
    mends: Mends = Mends.LOW,
    tell: Callable[[Difference, bool], None] = log,
) -> Auditor:
    """Compares counters with the facts in this database, and tells of each difference."""
    return Auditor(
        facts=SqlCountedFacts(engine),
        store=audits,
        apart=partial(apart_among, store),
        standing=standing,
        whole=WholePartitions(ledger),
        clock=clock.now,
        sleep=asyncio.sleep,
        mends=mends,
        tell=tell,
    )


async def apart_among(store: Store, trials: Collection[tuple[MeterId, int]]) -> set[tuple[MeterId, int]]:
    """Those of these trials, by their start, with which a period of the calendar begins."""
    by_tenant: dict[str, dict[str, list[tuple[MeterId, int]]]] = defaultdict(lambda: defaultdict(list))
    for meter, start in trials:
        by_tenant[meter[0]][meter[1]].append((meter, start))
    found: set[tuple[MeterId, int]] = set()
    for tenant_id, accounts in by_tenant.items():
        ordered = sorted(accounts)
        for begin in range(0, len(ordered), _AT_ONCE):
            some = ordered[begin : begin + _AT_ONCE]
            async with store.read(tenant_id) as work:
                catalog, records = await work.catalog.load(), await work.accounts.records(some)
            resolver = Resolver(catalog)
            for record in records:
                held = resolver.resolve(record)
                found |= {each for each in accounts[record.account_id] if _is_apart(catalog, held, each)}
    return found


def _is_apart(catalog: Catalog, held: EntitlementSet, trial: tuple[MeterId, int]) -> bool:
    (_, _, feature_key), start = trial
    feature = catalog.features.get(feature_key)
    whole = next((each for each in held.trials if each[0] <= start < each[1]), None)
    if feature is None or whole is None:
        return False
    return begins_with_another(held, feature, UsagePeriod(*whole))
