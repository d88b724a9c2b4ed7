"""Batches and races: one call for an account's meters, and a stale view that takes nothing."""

from dataclasses import replace

import pytest

from planes import TENANT, Plane
from tallygate.data_plane.requests import CheckRequest, ConsumeRequest, RateLimitRequest
from tallygate.domain.errors import FeatureNotFoundError, InvalidFieldError
from tallygate.domain.gating.decision import Reason


@pytest.fixture
def plane():
    plane = Plane()
    for account_id, plan_key in (("a", "free"), ("b", "pro")):
        plane.publish_account(account_id, plan_key)
    return plane


async def test_the_meters_of_one_account_are_read_in_one_call(plane):
    keys = ["api_calls", "sso", "storage_bytes", "seats"]
    asked = [CheckRequest(account_id=account, feature_key=key) for account in ("a", "b") for key in keys]
    await plane.checks.check_many(TENANT, asked)
    plane.calls()

    together = await plane.checks.check_many(TENANT, asked)

    assert plane.calls() == ["admit", "admit"]
    alone = [await plane.checks.check(TENANT, request) for request in asked]
    assert together == alone


async def test_a_list_of_everything_is_one_call(plane):
    await plane.checks.entitlements(TENANT, "a")
    plane.calls()

    decisions = await plane.checks.entitlements(TENANT, "a")

    assert plane.calls() == ["admit"]
    assert [decision.feature_key for decision in decisions] == sorted(plane.catalog.features)


async def test_a_level_without_room_is_denied_in_lists_and_batches_as_alone(plane):
    full = ConsumeRequest(account_id="a", feature_key="storage_bytes", request_id="r", quantity=1_073_741_824)
    await plane.consumes.consume(TENANT, full)
    look = CheckRequest(account_id="a", feature_key="storage_bytes")

    listed = {decision.feature_key: decision for decision in await plane.checks.entitlements(TENANT, "a")}
    (batched,) = await plane.checks.check_many(TENANT, [look])

    for decision in (listed["storage_bytes"], batched, await plane.checks.check(TENANT, look)):
        assert (decision.allowed, decision.reason, decision.remaining) == (False, Reason.QUOTA_EXHAUSTED, 0)
    assert listed["api_calls"].allowed


async def test_one_that_cannot_be_decided_fails_alone(plane):
    await plane.consumes.consume(
        TENANT, ConsumeRequest(account_id="a", feature_key="api_calls", request_id="r", quantity=1)
    )
    most = 2**53 - 1
    asked = [
        CheckRequest(account_id="a", feature_key="api_calls", quantity=2),
        CheckRequest(account_id="a", feature_key="nothing"),
        CheckRequest(account_id="a", feature_key="storage_bytes", quantity=-1),
        CheckRequest(account_id="a", feature_key="sso"),
        CheckRequest(account_id="a", feature_key="api_calls", quantity=3),
        CheckRequest(account_id="nobody", feature_key="sso"),
    ]

    two, missing, negative, sso, three, nobody = await plane.checks.check_many(TENANT, asked)

    assert (two.allowed, three.allowed, two.remaining) == (True, True, 999)
    assert isinstance(missing, FeatureNotFoundError)
    assert isinstance(negative, InvalidFieldError)
    assert (sso.reason, nobody.reason) == (Reason.NOT_IN_PLAN, Reason.ACCOUNT_NOT_FOUND)
    plane.publish_account("c", "pro")
    asked = [CheckRequest(account_id="c", feature_key=key, quantity=most) for key in ("api_calls", "storage_bytes")]
    await plane.consumes.consume(
        TENANT, ConsumeRequest(account_id="c", feature_key="api_calls", request_id="r", quantity=1)
    )
    overflow, storage = await plane.checks.check_many(TENANT, asked)
    assert isinstance(overflow, InvalidFieldError)
    assert storage.reason is Reason.QUOTA_EXHAUSTED


async def test_a_downgrade_that_was_missed_binds_all_the_same(plane):
    """The view says pro, the store knows better: the script takes nothing, the view is reloaded, free decides."""
    take = ConsumeRequest(account_id="b", feature_key="api_calls", request_id="r", quantity=1_001)
    await plane.checks.check(TENANT, CheckRequest(account_id="b", feature_key="api_calls"))
    plane.publish_account("b", "free")
    plane.calls()

    decision = await plane.consumes.consume(TENANT, take)

    assert (decision.allowed, decision.limit) == (False, 1_000)
    assert plane.calls() == ["admit", "versions", "newest", "admit"]


async def test_a_named_limit_out_of_use_matches_nothing(plane):
    rule = replace(plane.catalog.rate_limits["api_rps"], archived=True)
    version = plane.publish_catalog(rate_limits={**plane.catalog.rate_limits, "api_rps": rule})

    decision = await plane.rate_limits.take(
        TENANT, RateLimitRequest(account_id="a", limit_key="api_rps", min_view_version=version)
    )

    assert (decision.allowed, decision.reason, decision.statuses) == (True, Reason.UNLIMITED, ())


async def test_a_negative_cost_is_refused(plane):
    with pytest.raises(InvalidFieldError):
        await plane.rate_limits.take(TENANT, RateLimitRequest(account_id="a", limit_key="api_rps", cost=-1))
