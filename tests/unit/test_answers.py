"""Answers put together of what stands: what is given is the decision that stands, with the age that it has now."""

import pytest

from planes import SECOND, TENANT, Plane
from tallygate.data_plane.requests import CheckRequest
from tallygate.domain.account import Override
from tallygate.domain.catalog import Entitlement
from tallygate.server.operations.metrics import Metrics
from tallygate.server.services.answers import Answers
from tallygate.server.wire.decision import encode_decision
from tallygate_api.v1 import decision_pb2
from tallygate_api.v1 import entitlement_service_pb2 as wire

CACHED = decision_pb2.DECIDED_ON_CACHED


class Rig:
    """A plane with two accounts, one of which gets `sso` in an hour, and what answers of it."""

    def __init__(self):
        self.plane, self.metrics = Plane(), Metrics()
        soon = self.plane.now + 3_600 * SECOND
        override = Override(override_id="o", feature_key="sso", entitlement=Entitlement(enabled=True), start_time=soon)
        self.plane.publish_account("a", "enterprise")
        self.plane.publish_account("b", "free", overrides=(override,), seats={"seats": ("ann",)})
        self.answers = Answers(self.plane.cached_decisions, lambda: self.plane.now, self.metrics)

    async def ask(self, account_id, feature_key="sso", **more):
        request = CheckRequest(account_id=account_id, feature_key=feature_key, **more)
        return encode_decision(await self.plane.checks.check(TENANT, request))

    def check(self, account_id, feature_key="sso", **more):
        request = wire.CheckEntitlementRequest(account_id=account_id, feature_key=feature_key, **more)
        data = self.answers.get(TENANT, request.SerializeToString())
        return None if data is None else wire.CheckEntitlementResponse.FromString(data).decision

    def batch(self, *account_ids, **more):
        more = {"feature_keys": ["sso"], **more}
        request = wire.BatchCheckEntitlementsRequest(account_ids=account_ids, **more)
        data = self.answers.get_batch(TENANT, request.SerializeToString())
        return None if data is None else wire.BatchCheckEntitlementsResponse.FromString(data).results


@pytest.fixture
def rig():
    return Rig()


@pytest.mark.parametrize(("age", "told"), [(0, 0), (1, 1), (1_000, 1), (1_001, 2), (2_499_999, 2_500)])
async def test_the_age_is_told_in_milliseconds_and_never_too_young(rig, age, told):
    first = await rig.ask("a")
    rig.plane.now += age
    again = rig.check("a")
    assert again.view_age.ToMilliseconds() == told
    first.decided_on = CACHED
    first.view_age.FromMilliseconds(told)
    assert again == first


async def test_when_it_would_pass_comes_nearer(rig):
    first = await rig.ask("b")
    assert (first.allowed, first.retry_after.ToSeconds()) == (False, 3_600)
    rig.plane.now += 123_456
    assert rig.check("b").retry_after.ToMicroseconds() == 3_600 * SECOND - 123_456
    assert rig.batch("b")[0].decision.retry_after == rig.check("b").retry_after


async def test_a_batch_is_put_together_in_the_order_that_is_asked(rig):
    for account_id in ("a", "b"):
        await rig.ask(account_id)
    found = rig.batch("b", "a", "b")
    assert [(result.account_id, result.feature_key) for result in found] == [("b", "sso"), ("a", "sso"), ("b", "sso")]
    assert [result.decision for result in found] == [rig.check("b"), rig.check("a"), rig.check("b")]
    assert rig.batch("a", "c") is None


async def test_an_answer_is_counted_as_cached_with_its_age(rig):
    await rig.ask("a")
    rig.plane.now += SECOND
    rig.check("a")
    shown = rig.metrics.exposition().decode()
    assert 'tallygate_degraded_decisions_total{decided_on="CACHED",kind="boolean"} 1.0' in shown
    assert 'tallygate_decisions_total{allowed="true",kind="boolean",reason="ENTITLED"} 1.0' in shown
    assert "tallygate_view_age_seconds_sum 1.0" in shown


@pytest.mark.parametrize(
    "more",
    [
        {"min_view_version": 1},
        {"at_time": {"seconds": 1}},
        {"quantity": -1},
        {"quantity": 2**53},
        {"user_id": "x" * 256},
        {"user_id": "a\nb"},
        {"requested_values": [""]},
    ],
    ids=str,
)
async def test_what_is_not_plain_or_not_allowed_is_sent_on(rig, more):
    await rig.ask("a")
    assert rig.check("a") is not None
    assert rig.check("a", **more) is None


@pytest.mark.parametrize(
    "more",
    [
        {"min_view_version": 1},
        {"at_time": {"seconds": 1}},
        {"at_time": {}},
        {"quantity": -1},
        {"quantity": 2**53},
        {"user_id": "x" * 256},
        {"account_ids": ["a"] * 1_001},
    ],
    ids=lambda more: str(more)[:40],
)
async def test_a_batch_that_is_not_plain_or_not_allowed_is_sent_on_whole(rig, more):
    for account_id in ("a", "b"):
        await rig.ask(account_id)
    asked = {"account_ids": ["a", "b"], **more}
    accounts = asked.pop("account_ids")
    assert rig.batch("a", "b") is not None
    assert rig.batch(*accounts, **asked) is None


async def test_an_empty_batch_is_sent_on(rig):
    await rig.ask("a")
    assert rig.batch() is None


async def test_bytes_that_are_no_request_are_sent_on(rig):
    assert (rig.answers.get(TENANT, b"\xff"), rig.answers.get_batch(TENANT, b"\xff")) == (None, None)
