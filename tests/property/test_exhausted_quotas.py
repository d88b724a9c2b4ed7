"""Two sidecars over random histories: what one denies by heart, the store would deny, once all has been announced."""

import asyncio
import itertools
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import patience
from collectors import until
from searches import FOR_PLANTED_BUGS, LENIENT
from servers import ValkeyServer
from tallygate.app.data_side import DataSide, Hearing, build_data_side, open_redis
from tallygate.data_plane.check import Checks
from tallygate.data_plane.requests import CheckRequest, ConsumeRequest, ResetRequest
from tallygate.domain.account import AccountRecord, PlanTerm, Subscription, SubscriptionState
from tallygate.domain.catalog import Catalog, CatalogSnapshot, Entitlement, Feature, FeatureKind, Plan
from tallygate.server.operations.metrics import Metrics
from tallygate.server.services.deciding import Deciding
from tallygate.settings import DataPlaneSettings, RedisSettings, Settings
from tallygate.storage.redis import keys
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.announcement_codec import change_announcement
from tallygate.storage.redis.announcements import RedisAnnouncements
from tallygate.storage.redis.factory import RedisFactory
from tallygate.storage.redis.publisher import RedisPublisher
from tallygate_api.v1 import decision_pb2
from tallygate_api.v1 import entitlement_service_pb2 as wire

PARTITIONS = 2
LIMIT = 5
NEVER = 3600.0
CATALOG = Catalog(
    features={"calls": Feature(feature_key="calls", kind=FeatureKind.METERED)},
    plans={"small": {1: Plan(plan_key="small", version=1, entitlements={"calls": Entitlement(limit=LIMIT)})}},
)


@dataclass(frozen=True)
class Step:
    """What one of the two sidecars is asked; a quantity below zero is returned, None resets."""

    sidecar: int
    quantity: int | None
    looks: bool


class Sidecar:
    """The data plane of one process, with an ear of its own; what it is told is noted before it is passed on."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.marker = -1
        self.requests = itertools.count()
        self.client = RedisFactory(address=RedisAddress.parse(url)).client()
        self.data: DataSide
        self.deciding: Deciding

    async def start(self) -> None:
        options = Settings(
            role="data",
            redis=RedisSettings(url=self.url, partitions=PARTITIONS, **patience.REDIS),
            data_plane=DataPlaneSettings(max_staleness=NEVER),
        )
        self.redis = await open_redis(options)
        self.link = self.redis.link
        self.data = build_data_side(options, self.redis)
        data = self.data
        self.deciding = Deciding(data.checks, data.consumes, data.rate_limits, Metrics(), lambda *_: "metered")
        self.listening = asyncio.create_task(RedisAnnouncements(self.client, sleep=asyncio.sleep).listen(self))
        await until(lambda: self.data.exhausted.heard)

    async def close(self) -> None:
        while not self.listening.done():  # a cancellation that meets a timeout is swallowed by the client library
            self.listening.cancel()
            await asyncio.wait([self.listening], timeout=0.1)
        await self.client.aclose()
        await self.redis.close()

    def on_change(self, change) -> None:
        if change.tenant_id == "marker":
            self.marker = change.version
        self.data.hearing.on_change(change)

    def on_return(self, returned) -> None:
        self.data.hearing.on_return(returned)

    def on_gap(self) -> None:
        self.data.hearing.on_gap()

    def on_live(self) -> None:
        self.data.hearing.on_live()

    async def do(self, account: str, step: Step) -> None:
        if step.quantity is None:
            request = ResetRequest(account_id=account, feature_key="calls", request_id=self._request_id())
            await self.data.consumes.reset("t", request)
        elif step.looks:
            await self.check(account, abs(step.quantity))
        elif step.quantity > 0:
            await self.take(account, step.quantity)
        else:
            asked = {"account_id": account, "feature_key": "calls", "quantity": step.quantity}
            await self.data.consumes.consume("t", ConsumeRequest(**asked, request_id=self._request_id()))

    async def check(self, account: str, quantity: int) -> Any:
        """The decision of a check as a caller gets it."""
        request = wire.CheckEntitlementRequest(account_id=account, feature_key="calls", quantity=quantity)
        data = await self._decided("CheckEntitlement", request)
        return wire.CheckEntitlementResponse.FromString(data).decision

    async def take(self, account: str, quantity: int) -> None:
        asked = {"account_id": account, "feature_key": "calls", "quantity": quantity, "request_id": self._request_id()}
        await self._decided("ConsumeQuota", wire.ConsumeQuotaRequest(**asked))

    async def allows(self, account: str, quantity: int) -> bool:
        """What the store says."""
        request = CheckRequest(account_id=account, feature_key="calls", quantity=quantity)
        return (await Checks(admission=self.data.admission).check("t", request)).allowed

    async def _decided(self, method: str, request: Any) -> bytes:
        told: asyncio.Future = asyncio.get_running_loop().create_future()
        self.deciding.methods[method]("t", request.SerializeToString(), told.set_result)
        answer = await told
        assert not isinstance(answer, Exception), answer
        return answer

    def _request_id(self) -> str:
        return f"{id(self)}-{next(self.requests)}"


class Rig:
    """Two sidecars on one real server, driven from synchronous tests."""

    def __init__(self) -> None:
        self.server = ValkeyServer().start()
        self.runner = asyncio.Runner()
        self.accounts = itertools.count(1)
        self.markers = itertools.count()
        self.sidecars = [Sidecar(self.server.url) for _ in range(2)]
        self.known = 0
        self.runner.run(self._start())

    async def _start(self) -> None:
        for partition in range(PARTITIONS):
            self.server.command("SET", keys.epoch(partition), "e1")
        self.client = RedisFactory(address=RedisAddress.parse(self.server.url)).client()
        self.publisher = RedisPublisher(self.client, partitions=PARTITIONS)
        await self.publisher.publish_catalog(CatalogSnapshot(tenant_id="t", version=1, catalog=CATALOG))
        for sidecar in self.sidecars:
            await sidecar.start()

    async def _close(self) -> None:
        for sidecar in self.sidecars:
            await sidecar.close()
        await self.client.aclose()

    def close(self) -> None:
        self.runner.run(self._close())
        self.runner.close()
        self.server.close()

    async def new_account(self) -> str:
        """An account that both have seen."""
        number = next(self.accounts)
        terms = (PlanTerm(plan_key="small", plan_version=1, start_time=0),)
        held = Subscription(subscription_id="s", state=SubscriptionState.ACTIVE, start_time=0, terms=terms)
        record = AccountRecord(tenant_id="t", account_id=f"a{number}", version=number, create_time=0, subscription=held)
        await self.publisher.publish_accounts([record])
        for sidecar in self.sidecars:
            assert await sidecar.allows(record.account_id, LIMIT)
        return record.account_id

    async def all_is_heard(self) -> None:
        """Whatever was announced until here: it comes in order."""
        marker = next(self.markers)
        await self.client.publish(keys.CHANGES_CHANNEL, change_announcement("marker", "", marker))
        await until(lambda: all(sidecar.marker >= marker for sidecar in self.sidecars))

    async def hold_to_the_store(self, account: str) -> None:
        for sidecar in self.sidecars:
            for quantity in (3, 1, LIMIT):
                decision = await sidecar.check(account, quantity)
                if decision is None or decision.decided_on != decision_pb2.DECIDED_ON_CACHED:
                    continue
                self.known += 1
                assert not decision.allowed
                assert not await sidecar.allows(account, quantity), quantity

    def run(self, history: list[list[Step]]) -> None:
        """Each burst at once, then what is known by heart is held to the store."""

        async def drive() -> None:
            account = await self.new_account()
            for burst in history:
                await asyncio.gather(*(self.sidecars[step.sidecar].do(account, step) for step in burst))
                await self.all_is_heard()
                await self.hold_to_the_store(account)

        self.runner.run(drive())


looks = st.builds(Step, st.integers(0, 1), st.integers(1, LIMIT), st.just(True))
takes = st.builds(Step, st.integers(0, 1), st.integers(1, 3), st.just(False))
returns = st.builds(Step, st.integers(0, 1), st.integers(-3, -1), st.just(False))
resets = st.builds(Step, st.integers(0, 1), st.none(), st.just(False))
bursts = st.lists(st.one_of(looks, looks, takes, takes, takes, returns, resets), min_size=1, max_size=8)
histories = st.lists(bursts, min_size=1, max_size=8)


@pytest.fixture(scope="module")
def rig():
    rig = Rig()
    yield rig
    rig.close()


@settings(max_examples=120, deadline=None, suppress_health_check=LENIENT)
@given(history=histories)
def test_what_is_denied_by_heart_the_store_would_deny(rig, history):
    rig.run(history)


def test_that_was_about_something(rig):
    rig.known = 0
    takes_all, looks = Step(0, LIMIT, looks=False), Step(1, 1, looks=True)
    rig.run([[takes_all], [looks], [looks]])
    assert rig.known >= 3


def test_a_sidecar_that_is_deaf_for_returns_is_caught(rig, monkeypatch):
    monkeypatch.setattr(Hearing, "on_return", lambda *_: None)

    @FOR_PLANTED_BUGS
    @given(history=histories)
    def search(history):
        rig.run(history)

    with pytest.raises(AssertionError):
        search()
