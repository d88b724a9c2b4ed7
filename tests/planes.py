"""A data plane over memory whose store can be counted and taken away, with a clock by hand."""

import asyncio
from dataclasses import replace

from tallygate.data_plane.admission import Admission
from tallygate.data_plane.cached_decisions import CachedDecisions
from tallygate.data_plane.check import Checks
from tallygate.data_plane.consume import Consumes
from tallygate.data_plane.rate_limit import RateLimits
from tallygate.data_plane.view import ViewOptions
from tallygate.data_plane.views import Views
from tallygate.domain.account import AccountRecord, PlanTerm, Subscription, SubscriptionState
from tallygate.domain.catalog import CatalogSnapshot
from tallygate.domain.errors import StoreUnavailableError
from tallygate.server.wire.catalog import decode_catalog
from tallygate.storage.memory import MemoryGates, MemoryProgram, MemoryViews
from worlds import DECISIONS, catalog_message, read_yaml

TENANT = "t"
SECOND = 1_000_000
START = 1_930_910_400 * SECOND
MAX_STALENESS = 5 * SECOND


class Store:
    """The memory store behind a line that counts its calls and can be cut."""

    def __init__(self, plane: "Plane") -> None:
        self.views = MemoryViews()
        self.gates = MemoryGates(lambda: plane.now, views=self.views)
        self.calls: list[str] = []
        self.down = False
        self.before_newest = lambda: None

    async def _reach(self, name: str) -> None:
        self.calls.append(name)
        await asyncio.sleep(0)
        if self.down:
            raise StoreUnavailableError

    async def versions(self, tenant_id, account_id):
        await self._reach("versions")
        return await self.views.versions(tenant_id, account_id)

    async def all_versions(self, tenant_id, account_ids):
        await self._reach("versions")
        return await self.views.all_versions(tenant_id, account_ids)

    async def catalog(self, tenant_id):
        await self._reach("catalog")
        return await self.views.catalog(tenant_id)

    async def newest(self, tenant_id, account_id):
        await self._reach("newest")
        self.before_newest()
        return await self.views.newest(tenant_id, account_id)

    def prepare(self, call):
        return MemoryProgram(self.admit, call)

    async def admit(self, call):
        await self._reach("admit")
        return await self.gates.admit(call)


class Plane:
    """Use-cases over one store, as one process would hold them."""

    def __init__(self) -> None:
        self.now = START
        self.version = 0
        self.store = Store(self)
        self.catalog = decode_catalog(catalog_message(read_yaml(DECISIONS / "catalogs" / "demo.yaml")))
        self.views = Views(self.store, clock=lambda: self.now, sleep=self._sleep, options=ViewOptions())
        admission = Admission(views=self.views, gates=self.store, clock=lambda: self.now)
        self.admission = admission
        self.cached_decisions = CachedDecisions(self.views, capacity=1_000)
        self.checks = Checks(admission=admission, cached_decisions=self.cached_decisions)
        self.consumes = Consumes(admission=admission)
        self.rate_limits = RateLimits(admission=admission)
        self.publish_catalog()

    async def _sleep(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)
        await asyncio.sleep(0)

    def publish_catalog(self, **changes) -> int:
        self.version += 1
        self.catalog = replace(self.catalog, **changes)
        snapshot = CatalogSnapshot(tenant_id=TENANT, version=self.version, catalog=self.catalog)
        self.store.views.publish(snapshot)
        return self.version

    def publish_account(self, account_id: str, plan_key: str = "free", **changes) -> int:
        self.version += 1
        subscription = Subscription(
            subscription_id=f"sub-{account_id}",
            state=SubscriptionState.ACTIVE,
            start_time=0,
            terms=(PlanTerm(plan_key=plan_key, plan_version=1, start_time=0),),
        )
        record = AccountRecord(
            tenant_id=TENANT,
            account_id=account_id,
            version=self.version,
            create_time=START,
            subscription=subscription,
        )
        self.store.views.publish(replace(record, **changes))
        return self.version

    def calls(self) -> list[str]:
        """The store's calls since this was asked last."""
        seen, self.store.calls = self.store.calls, []
        return seen
