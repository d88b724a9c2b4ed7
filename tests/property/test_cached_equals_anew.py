"""What is kept of decisions, over random worlds and times, against the same decision made anew, field by field."""

import asyncio
from dataclasses import dataclass, fields, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from planes import MAX_STALENESS, SECOND, START, TENANT, Plane
from searches import LENIENT
from tallygate.data_plane.cached_decisions import MOVING
from tallygate.data_plane.ports import ViewChange
from tallygate.data_plane.requests import CheckRequest
from tallygate.domain.account import Override, PlanTerm, Subscription, SubscriptionState
from tallygate.domain.catalog import Entitlement
from tallygate.domain.gating.decide import decide
from tallygate.domain.gating.decision import DecidedOn, Decision
from tallygate.domain.gating.remedies import Question
from tallygate.domain.gating.resolve import resolve
from tallygate.server.operations.metrics import Metrics
from tallygate.server.services.answers import Answers
from tallygate.server.wire.decision import encode_decision
from tallygate_api.v1 import entitlement_service_pb2 as wire

FEATURES = ("sso", "retention_days", "seats")
ACCOUNTS = ("a", "b")
HOUR = 3_600 * SECOND

hours = st.integers(-3, 12).map(lambda count: START + count * HOUR)
overrides = st.builds(
    Override,
    override_id=st.sampled_from(["o1", "o2"]),
    feature_key=st.sampled_from(FEATURES),
    entitlement=st.sampled_from(
        [
            Entitlement(enabled=True, number=5, limit=4),
            Entitlement(enabled=False, number=90, limit=0),
            Entitlement(unlimited=True),
        ]
    ),
    start_time=hours,
    end_time=st.one_of(st.none(), st.integers(1, 8).map(lambda count: START + count * HOUR + 1)),
)
accounts = st.fixed_dictionaries(
    {
        "plan": st.sampled_from(["free", "pro", "enterprise"]),
        "next": st.one_of(st.none(), st.tuples(hours, st.sampled_from(["free", "enterprise"]))),
        "state": st.sampled_from([SubscriptionState.ACTIVE, SubscriptionState.SUSPENDED, SubscriptionState.CANCELED]),
        "end": st.one_of(st.none(), hours),
        "overrides": st.lists(overrides, max_size=2, unique_by=lambda override: override.override_id),
        "seats": st.sampled_from([(), ("ann",), ("ann", "bob", "cid")]),
    }
)
questions = st.builds(
    CheckRequest,
    account_id=st.sampled_from(ACCOUNTS),
    feature_key=st.sampled_from(FEATURES),
    user_id=st.sampled_from(["", "ann", "bob"]),
    quantity=st.sampled_from([None, 0, 1, 3]),
    requested_values=st.sampled_from([(), ("7",), ("30", "400")]),
)


@dataclass(frozen=True)
class Asks:
    """Ask, and then again what was kept."""

    request: CheckRequest


@dataclass(frozen=True)
class Publishes:
    """A newer account or, without one, a newer catalogue; not all of it is announced at once."""

    account: tuple[str, dict] | None
    announced: bool


@dataclass(frozen=True)
class Waits:
    """So many microseconds; a gap in the announcements may be met."""

    time: int
    gap: bool


steps = st.lists(
    st.one_of(
        questions.map(Asks),
        questions.map(Asks),
        st.builds(
            Publishes,
            account=st.one_of(st.none(), st.tuples(st.sampled_from(ACCOUNTS), accounts)),
            announced=st.booleans(),
        ),
        st.builds(
            Waits,
            time=st.one_of(st.integers(0, MAX_STALENESS), st.integers(0, 5).map(lambda count: count * HOUR)),
            gap=st.sampled_from([False, False, False, True]),
        ),
    ),
    min_size=4,
    max_size=25,
)


class World:
    """A plane, and everything that was ever asked of it."""

    def __init__(self):
        self.plane = Plane()
        self.asked = []
        self.answers = Answers(self.plane.cached_decisions, lambda: self.plane.now, Metrics())
        self.given = 0

    def publish(self, account_id, drawn):
        plans = [PlanTerm(plan_key=drawn["plan"], plan_version=1, start_time=0)]
        if drawn["next"] is not None:
            plans.append(PlanTerm(plan_key=drawn["next"][1], plan_version=1, start_time=drawn["next"][0]))
        subscription = Subscription(
            subscription_id="s", state=drawn["state"], start_time=0, terms=tuple(plans), end_time=drawn["end"]
        )
        return self.plane.publish_account(
            account_id,
            subscription=subscription,
            overrides=tuple(drawn["overrides"]),
            seats={"seats": drawn["seats"]},
        )

    async def do(self, step):
        plane = self.plane
        match step:
            case Waits():
                plane.now += step.time
                if step.gap:
                    plane.views.on_gap()
            case Publishes():
                account_id, drawn = step.account or ("", None)
                version = self.publish(account_id, drawn) if account_id else plane.publish_catalog()
                if step.announced:
                    plane.views.on_change(ViewChange(tenant_id=TENANT, account_id=account_id, version=version))
            case Asks():
                await plane.checks.check(TENANT, step.request)
                self.asked.append(step.request)
        for _ in range(3):
            await asyncio.sleep(0)
        self.compare()

    def compare(self):
        """Whatever was asked: what stands for it is what would be decided now, on the view that it stands on."""
        for request in self.asked:
            place = TENANT, request.account_id, request.feature_key
            rest = request.user_id, request.quantity, request.requested_values
            cached = self.plane.cached_decisions.find(*place, self.plane.now, *rest)
            if cached is None:
                continue
            self.given += 1
            wanted = self.anew(cached.view, request)
            assert cached.decision(self.plane.now) == wanted
            assert self.told(request) == encode_decision(replace(wanted, view_age=-(-wanted.view_age // 1_000) * 1_000))

    def anew(self, view, request):
        """The decision by the engine alone, from the documents that the view was made of."""
        catalog = view.snapshot.catalog
        age = self.plane.now - view.verified_time
        assert 0 <= age < MAX_STALENESS
        quantity = 1 if request.quantity is None else request.quantity
        question = Question(
            feature=catalog.features[request.feature_key],
            quantity=quantity,
            user_id=request.user_id,
            requested_values=request.requested_values,
            at=self.plane.now,
        )
        decision = decide(catalog, resolve(catalog, view.record), question)
        version = max(view.snapshot.version, view.record.version)
        return replace(decision, view_version=version, decided_on=DecidedOn.CACHED, view_age=age)

    def told(self, request):
        message = wire.CheckEntitlementRequest(
            account_id=request.account_id,
            feature_key=request.feature_key,
            user_id=request.user_id,
            quantity=request.quantity,
            requested_values=request.requested_values,
        )
        told = self.answers.get(TENANT, message.SerializeToString())
        decision = wire.CheckEntitlementResponse.FromString(told).decision
        if not request.requested_values:
            message = wire.BatchCheckEntitlementsRequest(
                account_ids=[request.account_id],
                feature_keys=[request.feature_key],
                user_id=request.user_id,
                quantity=request.quantity,
            )
            batch = self.answers.get_batch(TENANT, message.SerializeToString())
            (result,) = wire.BatchCheckEntitlementsResponse.FromString(batch).results
            assert result == wire.BatchCheckEntitlementsResult(
                account_id=request.account_id, feature_key=request.feature_key, decision=decision
            )
        return decision


async def lived(worlds, history):
    world = World()
    for account_id, drawn in zip(ACCOUNTS, worlds, strict=True):
        world.publish(account_id, drawn)
    for step in history:
        await world.do(step)
    return world


@settings(max_examples=200, deadline=None, suppress_health_check=LENIENT)
@given(worlds=st.tuples(accounts, accounts), history=steps)
def test_what_stands_is_what_would_be_decided_now(worlds, history):
    asyncio.run(lived(worlds, history))


def test_every_field_of_a_decision_moves_or_is_compared():
    assert {field.name for field in fields(Decision)} >= MOVING
    assert {"retry_after", "view_version", "decided_on", "view_age"} == MOVING


def test_most_of_what_is_asked_again_stands():
    account = {
        "plan": "free",
        "next": None,
        "state": SubscriptionState.ACTIVE,
        "end": None,
        "overrides": [],
        "seats": (),
    }
    asks = [Asks(CheckRequest(account_id="a", feature_key=key)) for key in FEATURES]
    assert asyncio.run(lived((account, account), asks * 2)).given == 3 + 6 + 3 * 4
