"""Answers given again: only while their view holds, with their age, and never for another question."""

import asyncio

import grpc
import pytest

from conftest import bearer
from tallygate_api.v1 import account_service_pb2, catalog_service_pb2, decision_pb2
from tallygate_api.v1 import catalog_pb2 as catalog
from tallygate_api.v1 import entitlement_service_pb2 as wire
from tallygate_api.v1.account_service_pb2_grpc import AccountServiceStub
from tallygate_api.v1.catalog_service_pb2_grpc import CatalogServiceStub
from tallygate_api.v1.entitlement_service_pb2_grpc import EntitlementServiceStub

CACHED, FRESH = decision_pb2.DECIDED_ON_CACHED, decision_pb2.DECIDED_ON_FRESH


def plan(version, *, enabled):
    entitlements = {"sso": catalog.Entitlement(enabled=enabled), "calls": catalog.Entitlement(limit=10)}
    return catalog.Plan(version=version, entitlements=entitlements)


def document(version=1, *, enabled=True):
    features = {
        "sso": catalog.Feature(kind=catalog.FEATURE_KIND_BOOLEAN),
        "calls": catalog.Feature(kind=catalog.FEATURE_KIND_METERED),
    }
    return catalog.Catalog(
        schema="tallygate.catalog.v1", currency="USD", features=features, plans={"pro": plan(version, enabled=enabled)}
    )


class World:
    """A tenant of its own with two accounts on plan `pro`."""

    def __init__(self, server, channel):
        self.metadata = bearer(server.new_test_tenant())
        self.entitlements = EntitlementServiceStub(channel)
        self.catalogs = CatalogServiceStub(channel)
        self.accounts = AccountServiceStub(channel)

    async def begin(self):
        request = catalog_service_pb2.ApplyCatalogRequest(catalog=document())
        await self.catalogs.ApplyCatalog(request, metadata=self.metadata, timeout=60)
        for account_id in ("acme", "globex"):
            await self.subscribe(account_id)

    async def subscribe(self, account_id):
        request = account_service_pb2.UpsertAccountRequest(account_id=account_id, plan_key="pro")
        return await self.accounts.UpsertAccount(request, metadata=self.metadata, timeout=60)

    async def check(self, account_id="acme", feature_key="sso", **more):
        request = wire.CheckEntitlementRequest(account_id=account_id, feature_key=feature_key, **more)
        return (await self.entitlements.CheckEntitlement(request, metadata=self.metadata, timeout=60)).decision

    async def batch(self, *feature_keys, **more):
        request = wire.BatchCheckEntitlementsRequest(account_ids=["acme", "globex"], feature_keys=feature_keys, **more)
        return (await self.entitlements.BatchCheckEntitlements(request, metadata=self.metadata, timeout=60)).results


@pytest.fixture
async def world(live_server):
    async with grpc.aio.insecure_channel(live_server.address) as channel:
        world = World(live_server, channel)
        await world.begin()
        yield world


async def test_the_same_question_is_answered_again_with_its_age(world):
    first = await world.check()
    again = [await world.check() for _ in range(3)]
    assert first.allowed
    assert {decision.decided_on for decision in again} == {CACHED}
    ages = [decision.view_age.ToMicroseconds() for decision in again]
    assert ages == sorted(ages)
    assert ages[0] > 0
    for decision in (first, *again):
        decision.ClearField("view_age")
        decision.ClearField("decided_on")
    assert all(decision == first for decision in again)


async def test_a_change_is_seen_though_the_question_was_answered_before(world):
    assert (await world.check()).allowed
    assert (await world.batch("sso"))[0].decision.allowed
    request = catalog_service_pb2.ApplyCatalogRequest(
        catalog=document(2, enabled=False), migrate=catalog_service_pb2.MIGRATE_NOW
    )
    await world.catalogs.ApplyCatalog(request, metadata=world.metadata, timeout=60)
    for _ in range(200):
        if not (await world.check()).allowed and not (await world.batch("sso"))[0].decision.allowed:
            return
        await asyncio.sleep(0.01)
    pytest.fail("the change was not seen within 2 s")


async def test_other_questions_get_answers_of_their_own(world):
    assert (await world.check()).allowed
    assert not (await world.check("initech")).allowed
    assert (await world.check("globex")).feature_key == "sso"
    with pytest.raises(grpc.aio.AioRpcError, match="no such feature"):
        await world.check(feature_key="other")


async def test_what_is_read_from_the_store_is_never_given_again(world):
    assert {(await world.check(feature_key="calls")).decided_on for _ in range(3)} == {FRESH}
    request = wire.ConsumeQuotaRequest(account_id="acme", feature_key="calls", quantity=4, request_id="r")
    await world.entitlements.ConsumeQuota(request, metadata=world.metadata, timeout=60)
    assert (await world.check(feature_key="calls")).used == 4
    assert (await world.batch("calls"))[0].decision.used == 4


async def test_a_batch_is_answered_again_as_it_was(world):
    first = await world.batch("sso")
    again = await world.batch("sso")
    assert [(r.account_id, r.feature_key, r.decision.allowed) for r in first] == [
        (r.account_id, r.feature_key, r.decision.allowed) for r in again
    ]
    assert [r.account_id for r in again] == ["acme", "globex"]
    assert {r.decision.decided_on for r in again} == {CACHED}
    mixed = await world.batch("sso", "calls")
    assert [r.feature_key for r in mixed] == ["sso", "calls", "sso", "calls"]


async def test_another_tenant_never_gets_this_ones_answer(world, live_server):
    assert (await world.check()).allowed
    world.metadata = bearer(live_server.new_test_tenant())
    with pytest.raises(grpc.aio.AioRpcError, match="no such feature"):
        await world.check()
