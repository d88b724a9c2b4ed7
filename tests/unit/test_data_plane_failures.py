"""When the store is away: policies answer in one place, and never by accident."""

from dataclasses import replace

import pytest

from planes import TENANT, Plane
from tallygate.data_plane.requests import CheckRequest, ConsumeRequest, RateLimitRequest
from tallygate.domain.errors import InvalidFieldError, StoreUnavailableError, ViewNotReadyError
from tallygate.domain.gating.decision import DecidedOn, Reason
from tallygate.domain.limits import OnUnavailable

CALLS = CheckRequest(account_id="a", feature_key="api_calls")
TAKE = ConsumeRequest(account_id="a", feature_key="api_calls", request_id="r")
LIMIT = RateLimitRequest(account_id="a", limit_key="api_rps")


@pytest.fixture
async def plane():
    plane = Plane()
    plane.publish_account("a", seats={"seats": ("ann",)})
    await plane.checks.entitlements(TENANT, "a")
    plane.store.down = True
    return plane


async def opened():
    plane = Plane()
    calls = replace(plane.catalog.features["api_calls"], on_unavailable=OnUnavailable.OPEN)
    plane.publish_catalog(features={**plane.catalog.features, "api_calls": calls})
    plane.publish_account("a")
    await plane.checks.entitlements(TENANT, "a")
    plane.store.down = True
    return plane


async def test_a_quota_is_closed_by_default(plane):
    with pytest.raises(StoreUnavailableError):
        await plane.checks.check(TENANT, CALLS)
    with pytest.raises(StoreUnavailableError):
        await plane.consumes.consume(TENANT, TAKE)

    assert (plane.admission.degraded.closed, plane.admission.degraded.opened) == (2, 0)


async def test_an_open_quota_allows_and_says_that_it_counted_nothing():
    plane = await opened()

    for decision in (await plane.checks.check(TENANT, CALLS), await plane.consumes.consume(TENANT, TAKE)):
        assert (decision.allowed, decision.reason) == (True, Reason.STORE_UNAVAILABLE)
        assert (decision.decided_on, decision.granted_quantity) == (DecidedOn.FALLBACK, 0)

    assert plane.admission.degraded.opened == 2
    assert plane.store.gates.facts == []


async def test_a_rate_limit_is_open_by_default_unless_one_that_matches_is_closed(plane):
    decision = await plane.rate_limits.take(TENANT, LIMIT)
    assert (decision.allowed, decision.reason, decision.decided_on) == (
        True,
        Reason.STORE_UNAVAILABLE,
        DecidedOn.FALLBACK,
    )

    plane.store.down = False
    rule = replace(plane.catalog.rate_limits["api_rps"], on_unavailable=OnUnavailable.CLOSED)
    version = plane.publish_catalog(rate_limits={**plane.catalog.rate_limits, "api_rps": rule})
    await plane.views.view(TENANT, "a", min_view_version=version)
    plane.store.down = True

    with pytest.raises(StoreUnavailableError):
        await plane.rate_limits.take(TENANT, LIMIT)


async def test_a_version_that_was_asked_for_is_not_waived_by_a_policy():
    plane = await opened()
    plane.store.down = False

    with pytest.raises(ViewNotReadyError):
        await plane.checks.check(TENANT, replace(CALLS, min_view_version=99))
    with pytest.raises(ViewNotReadyError):
        await plane.rate_limits.take(TENANT, replace(LIMIT, min_view_version=99))


async def test_a_batch_answers_what_the_view_can_and_fails_the_rest_alone(plane):
    keys = ["api_calls", "sso", "retention_days", "seats", "storage_bytes"]
    asked = [CheckRequest(account_id="a", feature_key=key, user_id="ann") for key in keys]

    calls, sso, days, seats, storage = await plane.checks.check_many(TENANT, asked)

    assert isinstance(calls, StoreUnavailableError)
    assert isinstance(storage, StoreUnavailableError)
    assert (sso.reason, days.value, seats.reason) == (Reason.NOT_IN_PLAN, 7, Reason.ENTITLED)
    assert {decision.decided_on for decision in (sso, days, seats)} <= {DecidedOn.CACHED, DecidedOn.FRESH}


async def test_an_account_that_was_never_seen_cannot_be_decided(plane):
    with pytest.raises(StoreUnavailableError):
        await plane.checks.check(TENANT, CheckRequest(account_id="b", feature_key="sso"))


async def test_the_last_catalogue_seen_answers_for_an_account_that_was_never_in_process():
    plane = await opened()
    check, consume = (replace(asked, account_id="b") for asked in (CALLS, TAKE))
    assert (await plane.checks.check(TENANT, check)).reason is Reason.STORE_UNAVAILABLE
    assert (await plane.consumes.consume(TENANT, consume)).allowed
    assert (await plane.rate_limits.take(TENANT, replace(LIMIT, account_id="b"))).allowed
    with pytest.raises(StoreUnavailableError):
        await plane.checks.check(TENANT, CheckRequest(account_id="b", feature_key="seats"))


@pytest.mark.parametrize("quantity", [-1, 2**53])
async def test_a_check_of_an_impossible_quantity_is_refused(plane, quantity):
    with pytest.raises(InvalidFieldError):
        await plane.checks.check(TENANT, replace(CALLS, feature_key="seats", quantity=quantity))


async def test_a_consume_without_a_request_id_is_refused(plane):
    plane.store.down = False

    with pytest.raises(InvalidFieldError):
        await plane.consumes.consume(TENANT, replace(TAKE, request_id=""))
