"""What an answer stands on: it falls with its view, its phase and its age, and never outlives a newer view."""

import asyncio

import pytest

from planes import MAX_STALENESS, SECOND, TENANT, Plane
from tallygate.data_plane.ports import ViewChange
from tallygate.data_plane.requests import CheckRequest
from tallygate.data_plane.standing import Standings

SSO = CheckRequest(account_id="a", feature_key="sso")


@pytest.fixture
def plane():
    plane = Plane()
    plane.publish_account("a", "enterprise")
    return plane


async def standing_of(plane, request=SSO):
    decision = await plane.checks.check(TENANT, request)
    return Standings(admission=plane.checks.admission).of(TENANT, request, decision)


async def test_an_answer_ages_with_its_view_and_falls_at_max_staleness(plane):
    standing = await standing_of(plane)
    plane.now += SECOND
    assert standing.age(plane.now) == SECOND
    plane.now += MAX_STALENESS - SECOND
    assert standing.age(plane.now) is None


async def test_a_view_that_was_verified_again_carries_its_answers_on(plane):
    standing = await standing_of(plane)
    plane.now += MAX_STALENESS
    await plane.checks.check(TENANT, SSO)
    assert standing.age(plane.now) == 0


async def test_an_answer_in_use_has_its_view_verified_before_its_time(plane):
    standing = await standing_of(plane)
    plane.now += MAX_STALENESS // 2
    assert standing.age(plane.now) == MAX_STALENESS // 2
    for _ in range(10):
        await asyncio.sleep(0)
    plane.now += MAX_STALENESS - 1
    assert standing.age(plane.now) == MAX_STALENESS - 1


async def test_an_announced_change_fells_it_at_once(plane):
    standing = await standing_of(plane)
    version = plane.publish_account("a", "free")
    plane.views.on_change(ViewChange(tenant_id=TENANT, account_id="a", version=version))
    assert standing.age(plane.now) is None


async def test_a_change_found_by_somebody_else_fells_it_at_once(plane):
    standing = await standing_of(plane)
    version = plane.publish_account("a", "free")
    later = CheckRequest(account_id="a", feature_key="sso", min_view_version=version)
    assert not (await plane.checks.check(TENANT, later)).allowed
    assert standing.age(plane.now) is None


async def test_a_possible_gap_in_the_announcements_fells_it(plane):
    standing = await standing_of(plane)
    plane.views.on_gap()
    assert standing.age(plane.now) is None


@pytest.mark.parametrize(
    "request_",
    [
        CheckRequest(account_id="nobody", feature_key="sso"),
        CheckRequest(account_id="a", feature_key="sso", min_view_version=1),
    ],
)
async def test_some_questions_are_asked_anew_each_time(plane, request_):
    assert await standing_of(plane, request_) is None
