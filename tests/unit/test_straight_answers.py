"""Answers of plain calls: encoded once for all who are answered alike, and never with anything of another's in them."""

import asyncio
import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planes import MAX_STALENESS, START, TENANT, Plane
from tallygate.data_plane.exhausted import Exhausted
from tallygate.data_plane.plain import Plans
from tallygate.data_plane.ports import PlainStatus
from tallygate.domain.catalog import OnUnavailable
from tallygate.domain.errors import StoreUnavailableError
from tallygate.server.operations.metrics import Metrics
from tallygate.server.services.straight import Straight
from tallygate.server.wire.decision import encode_decision, encode_rate_limit
from tallygate_api.v1 import entitlement_service_pb2 as wire
from tallygate_api.v1.decision_pb2 import Decision

FEATURE = "api_calls"
ACCOUNTS = {"a": "free", "b": "free", "c": "pro", "d": "enterprise"}
NOW = START + 1_234_567


class PlainStore:
    """Keeps who is to be told; a test answers."""

    def __init__(self):
        self.asked = []

    def quota(self, _call, _slot):
        return self

    def rates(self, _call):
        return self

    def look(self, answered):
        self.asked.append(answered)

    def take(self, *about):
        self.asked.append(about[-1])


class Rig:
    def __init__(self):
        self.plane, self.store = Plane(), PlainStore()
        self.plans = Plans(self.plane.admission, self.plane.rate_limits, self.store)
        self.metrics = Metrics()
        self.straight = Straight(self.plans, self.metrics, Exhausted(self.plans, max_staleness=MAX_STALENESS))
        self.told = []

    async def load(self):
        version = self.plane.version + 1
        for account_id, plan_key in ACCOUNTS.items():
            self.plane.version = version - 1  # so that what they are answered with does not differ by their versions
            self.plane.publish_account(account_id, plan_key)
            await self.plane.views.view(TENANT, account_id)
        return self

    def plan(self, account_id):
        return self.plans.quota(TENANT, account_id, FEATURE, now=self.plane.now)

    def ask(self, name, request, *answer):
        """What a call comes to when the store says so."""
        self.told.clear()
        assert self.straight.methods[name](TENANT, request.SerializeToString(), self.told.append)
        self.store.asked.pop()(*answer)
        (outcome,) = self.told
        return outcome

    def consume(self, account_id, request_id, quantity, *answer):
        request = wire.ConsumeQuotaRequest(
            account_id=account_id, feature_key=FEATURE, request_id=request_id, quantity=quantity
        )
        return self.ask("ConsumeQuota", request, *answer)

    def check(self, account_id, quantity, *answer):
        request = wire.CheckEntitlementRequest(account_id=account_id, feature_key=FEATURE, quantity=quantity)
        return self.ask("CheckEntitlement", request, *answer)

    def rate_limit(self, account_id, *answer):
        request = wire.RateLimitRequest(account_id=account_id, limit_key="api_rps")
        return self.ask("RateLimit", request, *answer)

    def counted(self, what):
        lines = self.metrics.exposition().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(what))


@pytest.fixture(scope="module")
def rig():
    return asyncio.run(Rig().load())


def decided(rig, account_id, status, figures, *, quantity, request_id=""):
    """The decision as it is explained for this call alone."""
    plan = rig.plan(account_id)
    return encode_decision(plan.decision(status, NOW, figures, quantity=quantity, request_id=request_id))


def figures(rig, account_id, used, included, over, *, was_reset):
    plan = rig.plan(account_id)
    start = plan.slots[plan.index].period_start
    return [used, included, over, start + 7_000_001 if was_reset else start]


calls = st.fixed_dictionaries(
    {
        "account_id": st.sampled_from(list(ACCOUNTS)),
        "takes": st.booleans(),
        "quantity": st.sampled_from([1, 2, 300, 2**40]),
        "used": st.integers(0, 2_000),
        "over": st.sampled_from([0, 0, 0, 1, 5]),
        "outcome": st.sampled_from([PlainStatus.TAKEN] * 4 + [PlainStatus.DENIED]),
        "was_reset": st.sampled_from([False, False, False, True]),
    }
)
numbers = itertools.count()


@settings(max_examples=150, deadline=None)
@given(st.lists(calls, min_size=2, max_size=12))
def test_each_answer_is_its_own_whoever_was_answered_before(rig, history):
    for asked in history:
        account_id, quantity = asked["account_id"], asked["quantity"]
        over = min(asked["over"], quantity) if asked["takes"] else 0
        used = asked["used"] + quantity
        said = figures(rig, account_id, used, used - over, over, was_reset=asked["was_reset"])
        if asked["takes"]:
            request_id = f"r{next(numbers)}"
            data = rig.consume(account_id, request_id, quantity, asked["outcome"], NOW, said)
            got = wire.ConsumeQuotaResponse.FromString(data).decision
            status = asked["outcome"]
        else:
            request_id, status = "", PlainStatus.SEEN
            got = wire.CheckEntitlementResponse.FromString(rig.check(account_id, quantity, status, NOW, said)).decision
        assert got == decided(rig, account_id, status, said, quantity=quantity, request_id=request_id)


def test_accounts_that_are_answered_alike_share_what_is_alike(rig):
    for account_id in ("a", "b"):
        said = figures(rig, account_id, 5, 5, 0, was_reset=False)
        rig.consume(account_id, f"of {account_id}", 5, PlainStatus.TAKEN, NOW, said)
        rig.check(account_id, 1, PlainStatus.SEEN, NOW, said)
    a, b = rig.plan("a"), rig.plan("b")
    assert a.shown_taken is b.shown_taken
    assert a.shown_seen is b.shown_seen
    assert a.shown_taken is not rig.plan("c").shown_taken


def test_no_text_is_set_on_an_answer_that_is_kept(rig):
    """A message keeps the memory of every text that it ever held: a million ids would be forty megabytes."""
    said = figures(rig, "a", 5, 5, 0, was_reset=False)
    for request_id in ("r1", "r2"):
        rig.consume("a", request_id, 5, PlainStatus.TAKEN, NOW, said)
    assert rig.plan("a").shown_taken.decision.request_id == ""
    numbers = {field.name: field.number for field in Decision.DESCRIPTOR.fields}
    last = max(field.number for field, _ in rig.plan("a").shown_taken.decision.ListFields())
    assert numbers["request_id"] > last, "it is written behind all others"


def test_an_answer_is_counted_once_whether_or_not_it_is_given_again(rig):
    before = rig.counted("tallygate_decisions_total")
    said = figures(rig, "a", 5, 5, 0, was_reset=False)
    for _ in range(3):
        rig.consume("a", "r", 5, PlainStatus.TAKEN, NOW, said)
        rig.check("a", 1, PlainStatus.SEEN, NOW, said)
        rig.rate_limit("a", PlainStatus.TAKEN, NOW, [1, 3, 0, 0])
    rig.rate_limit("a", PlainStatus.DENIED, NOW, [0, 0, 0, 200_000])
    assert rig.counted("tallygate_decisions_total") - before == 10


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 10**7), st.integers(0, 10**7))))
def test_a_rate_limits_answer_is_its_own_too(rig, history):
    for allowed, remaining, reset, pause in history:
        said, at = [int(allowed), remaining, reset, 0 if allowed else 7], NOW + pause
        status = PlainStatus.TAKEN if allowed else PlainStatus.DENIED
        got = wire.RateLimitResponse.FromString(rig.rate_limit("a", status, at, said))
        request = wire.RateLimitRequest(account_id="a", limit_key="api_rps").SerializeToString()
        plan = rig.plans.known_rates(TENANT, request, now=rig.plane.now)
        assert got == encode_rate_limit(plan.decision(at, said, rig.plane.rate_limits))


def test_what_is_undecided_is_left_to_the_servicer_and_its_plan_is_dropped(rig):
    plan = rig.plan("a")
    assert rig.consume("a", "r", 1, PlainStatus.UNDECIDED, NOW, [""]) is None
    assert rig.plan("a") is not plan
    plan = rig.plan("a")
    assert rig.check("a", 1, PlainStatus.UNDECIDED, NOW, [""]) is None
    assert rig.plan("a") is not plan
    assert rig.rate_limit("a", PlainStatus.UNDECIDED, NOW, [""]) is None
    assert rig.plans._rates == {}


def test_a_check_of_more_than_can_be_counted_is_left_to_the_servicer(rig):
    said = figures(rig, "d", 2**53 - 1, 2**53 - 1, 0, was_reset=False)
    assert rig.check("d", 1, PlainStatus.SEEN, NOW, said) is None
    assert rig.check("d", 0, PlainStatus.SEEN, NOW, said) is not None


async def test_a_store_that_is_away_is_answered_by_the_policy_under_the_calls_own_id():
    rig = await Rig().load()
    assert isinstance(rig.consume("a", "r1", 1, PlainStatus.UNAVAILABLE, 0, ()), StoreUnavailableError)
    assert isinstance(rig.check("a", 1, PlainStatus.UNAVAILABLE, 0, ()), StoreUnavailableError)
    feature = replace(rig.plane.catalog.features[FEATURE], on_unavailable=OnUnavailable.OPEN)
    rig.plane.publish_catalog(features={**rig.plane.catalog.features, FEATURE: feature})
    await rig.plane.views.view(TENANT, "a", fresh=True)
    for request_id in ("r2", "r3"):
        answer = rig.consume("a", request_id, 1, PlainStatus.UNAVAILABLE, 0, ())
        assert wire.ConsumeQuotaResponse.FromString(answer).decision.request_id == request_id
    assert rig.rate_limit("a", PlainStatus.UNAVAILABLE, 0, ()) is not None


@pytest.mark.parametrize("status", [PlainStatus.TAKEN, PlainStatus.DENIED, PlainStatus.SEEN])
def test_figures_that_are_not_there_end_the_call_once(rig, status):
    assert isinstance(rig.check("b", 1, status, NOW, [1]), Exception)
    assert isinstance(rig.consume("b", "r", 1, status, NOW, [1]), Exception)


def test_only_what_the_store_compared_confirms_the_view(rig):
    plan = rig.plan("a")
    plan.view.verified_time = START - 1
    said = figures(rig, "a", 1, 1, 0, was_reset=False)
    rig.consume("a", "r", 1, PlainStatus.UNDECIDED, NOW, [""])
    rig.check("a", 1, PlainStatus.UNDECIDED, NOW, [""])
    assert plan.view.verified_time == START - 1
    rig.check("a", 1, PlainStatus.SEEN, NOW, said)
    assert plan.view.verified_time == START
