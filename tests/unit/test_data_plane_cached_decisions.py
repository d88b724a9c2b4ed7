"""What an answer stands on: it falls with its view, its phase and its age, and never outlives a newer view."""

import asyncio
from dataclasses import replace

import pytest

from planes import MAX_STALENESS, SECOND, START, TENANT, Plane
from tallygate.data_plane.ports import ViewChange
from tallygate.data_plane.requests import CheckRequest
from tallygate.domain.gating.decision import DecidedOn, Reason

SSO = CheckRequest(account_id="a", feature_key="sso")


@pytest.fixture
def plane():
    plane = Plane()
    plane.publish_account("a", "enterprise")
    return plane


async def kept(plane, request=SSO):
    """Ask, so that it is kept."""
    await plane.checks.check(TENANT, request)
    return plane


def age(plane, request=SSO):
    """How old what stands for this question is; None where nothing does."""
    place = TENANT, request.account_id, request.feature_key
    found = plane.cached_decisions.find(*place, plane.now, request.user_id, request.quantity, request.requested_values)
    return None if found is None else found.age(plane.now)


async def test_an_answer_ages_with_its_view_and_falls_at_max_staleness(plane):
    await kept(plane)
    plane.now += SECOND
    assert age(plane) == SECOND
    plane.now += MAX_STALENESS - SECOND
    assert age(plane) is None


async def test_a_view_that_was_verified_again_carries_its_answers_on(plane):
    await kept(plane)
    plane.now += MAX_STALENESS
    await plane.checks.check(TENANT, SSO)
    assert age(plane) == 0


async def test_an_answer_in_use_has_its_view_verified_before_its_time(plane):
    await kept(plane)
    plane.now += MAX_STALENESS // 2
    assert age(plane) == MAX_STALENESS // 2
    for _ in range(10):
        await asyncio.sleep(0)
    plane.now += MAX_STALENESS - 1
    assert age(plane) == MAX_STALENESS - 1


async def test_an_announced_change_fells_it_at_once(plane):
    await kept(plane)
    version = plane.publish_account("a", "free")
    plane.views.on_change(ViewChange(tenant_id=TENANT, account_id="a", version=version))
    assert age(plane) is None


async def test_a_change_found_by_somebody_else_fells_it_at_once(plane):
    await kept(plane)
    version = plane.publish_account("a", "free")
    later = CheckRequest(account_id="a", feature_key="sso", min_view_version=version)
    assert not (await plane.checks.check(TENANT, later)).allowed
    assert not plane.cached_decisions.find(TENANT, "a", "sso", plane.now).common.decision.allowed


async def test_a_possible_gap_in_the_announcements_fells_it(plane):
    await kept(plane)
    plane.views.on_gap()
    assert age(plane) is None


@pytest.mark.parametrize(
    "request_",
    [
        CheckRequest(account_id="nobody", feature_key="sso"),
        CheckRequest(account_id="a", feature_key="sso", at_time=START),
        CheckRequest(account_id="a", feature_key="api_calls"),
    ],
)
async def test_some_questions_are_asked_anew_each_time(plane, request_):
    await kept(plane, request_)
    assert age(plane, request_) is None


async def test_a_decision_on_one_pair_of_versions_is_none_on_another_with_the_same_newest(plane):
    """Catalogue and account have a version each, and the newer one alone is told."""
    await kept(plane)  # catalogue 1, account 2
    old = await plane.views.view(TENANT, "a")
    asked = replace(SSO, min_view_version=plane.publish_catalog())
    await plane.checks.check(TENANT, asked)
    decision = await plane.checks.check(TENANT, SSO)
    plane.version -= 1  # the account's next version is the catalogue's
    version = plane.publish_account("a", "free")
    plane.views.on_change(ViewChange(tenant_id=TENANT, account_id="a", version=version))
    denied = await plane.checks.check(TENANT, SSO)
    assert (decision.allowed, denied.allowed, decision.view_version) == (True, False, denied.view_version)
    plane.cached_decisions.keep(SSO, decision, old, plane.now)  # told late
    found = plane.cached_decisions.find(TENANT, "a", "sso", plane.now)
    assert found.decision(plane.now) == replace(denied, decided_on=DecidedOn.CACHED)


async def test_one_entry_serves_whoever_asks_about_a_boolean_and_each_user_of_a_seat_has_one(plane):
    plane.publish_account("b", "enterprise", seats={"seats": ("ann",)})
    await kept(plane)
    for user in ("ann", "bob", ""):
        assert age(plane, replace(SSO, user_id=user, quantity=7)) == 0
    seat = CheckRequest(account_id="b", feature_key="seats")
    for user in ("ann", "bob"):
        await kept(plane, replace(seat, user_id=user))
    found = [plane.cached_decisions.find(TENANT, "b", "seats", plane.now, user) for user in ("ann", "bob", "cid")]
    assert [one and one.common.decision.reason for one in found] == [Reason.ENTITLED, Reason.SEAT_NOT_ASSIGNED, None]


async def test_accounts_that_are_answered_alike_share_what_they_have_in_common(plane):
    plane.publish_account("b", "enterprise")
    for account_id in ("a", "b"):
        await kept(plane, replace(SSO, account_id=account_id))
    one, other = (plane.cached_decisions.find(TENANT, account_id, "sso", plane.now) for account_id in ("a", "b"))
    assert one.common is other.common
    assert one.decision(plane.now).view_version != other.decision(plane.now).view_version
