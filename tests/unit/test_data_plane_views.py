"""Views: revalidated by version, loaded once, never older than they may be, and never meaning anything else."""

import asyncio
from dataclasses import replace

import pytest

from planes import MAX_STALENESS, SECOND, TENANT, Plane
from tallygate.data_plane.ports import ViewChange
from tallygate.data_plane.requests import CheckRequest
from tallygate.domain.account import PlanTerm
from tallygate.domain.errors import StoreUnavailableError, ViewNotReadyError
from tallygate.domain.gating.decision import DecidedOn, Reason

SSO = CheckRequest(account_id="a", feature_key="sso")


@pytest.fixture
def plane():
    plane = Plane()
    plane.publish_account("a", "enterprise")
    return plane


async def test_a_warm_check_reaches_for_nothing(plane):
    assert (await plane.checks.check(TENANT, SSO)).decided_on is DecidedOn.FRESH
    assert plane.calls() == ["newest", "catalog"]

    plane.now += SECOND
    decision = await plane.checks.check(TENANT, SSO)

    assert plane.calls() == []
    assert (decision.allowed, decision.decided_on, decision.view_age) == (True, DecidedOn.CACHED, SECOND)


async def test_an_old_view_is_verified_by_its_versions_alone(plane):
    await plane.checks.check(TENANT, SSO)
    plane.calls()
    plane.now += MAX_STALENESS

    assert (await plane.checks.check(TENANT, SSO)).decided_on is DecidedOn.FRESH
    assert plane.calls() == ["versions"]


async def test_a_change_is_seen_within_max_staleness_without_an_announcement(plane):
    await plane.checks.check(TENANT, SSO)
    plane.publish_account("a", "free")
    plane.now += MAX_STALENESS - 1
    assert (await plane.checks.check(TENANT, SSO)).allowed

    plane.now += 1

    assert not (await plane.checks.check(TENANT, SSO)).allowed


async def test_a_change_is_seen_at_once_when_announced(plane):
    await plane.checks.check(TENANT, SSO)
    version = plane.publish_account("a", "free")
    plane.views.on_change(ViewChange(tenant_id=TENANT, account_id="a", version=version))

    assert not (await plane.checks.check(TENANT, SSO)).allowed


async def test_a_write_is_read_back_by_its_version(plane):
    await plane.checks.check(TENANT, SSO)
    version = plane.publish_account("a", "free")

    assert not (await plane.checks.check(TENANT, replace(SSO, min_view_version=version))).allowed


async def test_a_version_that_does_not_come_is_said_so(plane):
    with pytest.raises(ViewNotReadyError):
        await plane.checks.check(TENANT, replace(SSO, min_view_version=99))


async def test_callers_that_arrive_together_share_one_load(plane):
    decisions = await asyncio.gather(*(plane.checks.check(TENANT, SSO) for _ in range(50)))

    assert all(decision.allowed for decision in decisions)
    assert plane.calls() == ["newest", "catalog"]


async def test_accounts_share_one_fetch_of_a_published_catalogue(plane):
    for index in range(20):
        plane.publish_account(f"a{index}")
    asked = [CheckRequest(account_id=f"a{index}", feature_key="sso") for index in range(20)]
    await plane.checks.check_many(TENANT, asked)
    plane.publish_catalog()
    plane.now += MAX_STALENESS
    plane.calls()

    await plane.checks.check_many(TENANT, asked)

    assert plane.calls().count("catalog") == 1


async def test_an_account_that_does_not_exist_is_asked_for_each_time_and_not_kept(plane):
    nobody = replace(SSO, account_id="nobody")
    assert (await plane.checks.check(TENANT, nobody)).reason is Reason.ACCOUNT_NOT_FOUND

    plane.publish_account("nobody", "enterprise")

    assert (await plane.checks.check(TENANT, nobody)).allowed


async def test_a_record_that_came_with_a_newer_catalogue_is_read_with_it(plane):
    """The versions were read, then both were published, then the record is read."""
    await plane.checks.check(TENANT, SSO)
    enterprise = plane.catalog.plans["enterprise"]
    newest = replace(enterprise[1], version=2)

    def meanwhile():
        plane.store.before_newest = lambda: None
        plans = {**plane.catalog.plans, "enterprise": {**enterprise, 2: newest}}
        plane.publish_catalog(plans=plans)
        record = plane.store.views.records[TENANT, "a"]
        terms = (PlanTerm(plan_key="enterprise", plan_version=2, start_time=0),)
        plane.publish_account("a", subscription=replace(record.subscription, terms=terms))

    plane.publish_account("a", "enterprise")
    plane.store.before_newest = meanwhile
    plane.now += MAX_STALENESS

    decision = await plane.checks.check(TENANT, SSO)

    assert decision.allowed
    assert decision.sources[0].version == 2


async def test_without_a_store_the_view_serves_until_it_is_too_old(plane):
    await plane.checks.check(TENANT, SSO)
    plane.store.down = True
    plane.now += MAX_STALENESS - 1
    decision = await plane.checks.check(TENANT, SSO)
    assert (decision.allowed, decision.decided_on) == (True, DecidedOn.CACHED)

    plane.now += 1

    with pytest.raises(StoreUnavailableError):
        await plane.checks.check(TENANT, SSO)


async def test_a_lost_announcement_channel_costs_a_look_and_no_view(plane):
    await plane.checks.check(TENANT, SSO)
    plane.views.on_gap()
    plane.calls()
    await plane.checks.check(TENANT, SSO)
    assert plane.calls() == ["versions"]

    plane.store.down = True
    plane.views.on_gap()
    plane.now += SECOND

    assert (await plane.checks.check(TENANT, SSO)).decided_on is DecidedOn.CACHED


async def test_what_is_known_to_be_outdated_never_decides(plane):
    await plane.checks.check(TENANT, SSO)
    plane.store.down = True
    plane.views.on_change(ViewChange(tenant_id=TENANT, account_id="a", version=plane.version + 1))

    with pytest.raises(StoreUnavailableError):
        await plane.checks.check(TENANT, SSO)


async def test_a_caller_that_goes_away_takes_nobody_elses_load_with_it(plane):
    first = asyncio.create_task(plane.checks.check(TENANT, SSO))
    second = asyncio.create_task(plane.checks.check(TENANT, SSO))
    await asyncio.sleep(0)
    first.cancel()

    assert (await second).allowed


async def test_a_view_in_use_is_verified_before_its_time_and_nobody_waits_for_that(plane):
    await plane.checks.check(TENANT, SSO)
    plane.publish_account("a", "free")
    plane.now += MAX_STALENESS // 2 - 1
    await plane.checks.check(TENANT, SSO)
    plane.calls()
    await settle()
    assert plane.calls() == []

    plane.now += 1
    decision = await plane.checks.check(TENANT, SSO)
    assert (decision.allowed, decision.decided_on) == (True, DecidedOn.CACHED)
    await settle()

    assert plane.calls() == ["versions", "versions", "newest"]  # of all that is due, then of what is behind
    assert not (await plane.checks.check(TENANT, SSO)).allowed
    assert plane.calls() == []


async def test_a_view_verified_ahead_outlives_the_store_by_all_of_its_time(plane):
    await plane.checks.check(TENANT, SSO)
    plane.now += MAX_STALENESS // 2
    await plane.checks.check(TENANT, SSO)
    await settle()
    plane.store.down = True
    plane.now += MAX_STALENESS - 1

    assert (await plane.checks.check(TENANT, SSO)).decided_on is DecidedOn.CACHED


async def test_a_view_that_cannot_be_verified_ahead_is_tried_again_but_not_for_each_use(plane):
    await plane.checks.check(TENANT, SSO)
    plane.calls()
    plane.store.down = True
    plane.now += MAX_STALENESS // 2
    for _ in range(3):
        await plane.checks.check(TENANT, SSO)
        await settle()
    assert plane.calls() == ["versions"]

    plane.now += MAX_STALENESS // 8
    await plane.checks.check(TENANT, SSO)
    await settle()

    assert plane.calls() == ["versions"]


async def settle():
    """Let what runs in the background come to its end."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_views_that_are_due_together_are_one_round_trip():
    plane = Plane()
    for account_id in ("a", "b", "c"):
        plane.publish_account(account_id)
        await plane.views.view(TENANT, account_id)
    plane.calls()
    plane.now += MAX_STALENESS // 2
    plane.publish_account("c", "enterprise")  # not announced
    for account_id in ("a", "b", "c"):
        await plane.views.view(TENANT, account_id)
    for _ in range(10):
        await asyncio.sleep(0)
    assert plane.calls() == ["versions", "versions", "newest"]  # all three, then the one that is behind
    plane.now += MAX_STALENESS - 1
    views = [await plane.views.view(TENANT, account_id) for account_id in ("a", "b", "c")]
    assert [view.account_version for view in views] == [2, 3, 5]
    assert [call for call in plane.calls() if call != "versions"] == []


async def test_a_view_that_cannot_be_verified_ahead_is_tried_again_while_it_is_used():
    plane = Plane()
    plane.publish_account("a")
    view = await plane.views.view(TENANT, "a")
    plane.now += MAX_STALENESS // 2
    plane.store.down = True
    for _ in range(3):
        await plane.views.view(TENANT, "a")
        await asyncio.sleep(0)
    plane.store.down = False
    plane.now += MAX_STALENESS // 8
    await plane.views.view(TENANT, "a")
    for _ in range(5):
        await asyncio.sleep(0)
    assert view.verified_time == plane.now


async def test_an_older_load_that_comes_late_replaces_no_newer_view(plane):
    """Two loads overlap: the one that began first ends last, and what it found is older."""
    read, go_on = asyncio.Event(), asyncio.Event()
    newest = plane.store.newest

    async def slowly(tenant_id, account_id):
        found = await newest(tenant_id, account_id)
        if not read.is_set():
            read.set()
            await go_on.wait()
        return found

    plane.store.newest = slowly
    late = asyncio.create_task(plane.views.view(TENANT, "a"))
    await read.wait()
    plane.now += SECOND
    plane.publish_account("a", "free")
    newer = await plane.views.view(TENANT, "a", fresh=True)
    go_on.set()

    assert (await late).record.subscription.terms[0].plan_key == "enterprise"

    assert plane.views.cached(TENANT, "a") is newer
    assert not newer.superseded
    assert not (await plane.checks.check(TENANT, SSO)).allowed
