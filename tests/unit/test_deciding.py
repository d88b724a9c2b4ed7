"""Answers of one's own: encoded once for all who are answered alike, and never with anything of another's in them."""

import asyncio
import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planes import MAX_STALENESS, START, TENANT, Plane
from tallygate.data_plane.admission import Admission, Admitted
from tallygate.data_plane.check import Checks
from tallygate.data_plane.consume import Consumes
from tallygate.data_plane.exhausted import Exhausted
from tallygate.data_plane.ports import AdmitReply
from tallygate.data_plane.rate_limit import RateLimits
from tallygate.domain.errors import StoreUnavailableError
from tallygate.domain.gating.admit import AdmitStatus
from tallygate.domain.gating.decision import Pot, PotKind, Reason
from tallygate.domain.gating.quota import QuotaAnswer
from tallygate.domain.gating.rate_limit import RateAnswer
from tallygate.domain.limits import OnUnavailable
from tallygate.server.operations.metrics import Metrics
from tallygate.server.services.deciding import Deciding
from tallygate.server.wire.decision import (
    decode_check,
    decode_consume,
    decode_rate_limit,
    encode_decision,
    encode_rate_limit,
)
from tallygate_api.v1 import entitlement_service_pb2 as wire
from tallygate_api.v1.decision_pb2 import Decision

FEATURE = "api_calls"
ACCOUNTS = {"a": "free", "b": "free", "c": "pro", "d": "enterprise"}
NOW = START + 1_234_567


class PlayedStore:
    """Keeps who is to be told; a test answers."""

    def __init__(self):
        self.asked = []

    def prepare(self, _call):
        return self

    def ask(self, _asked, _about, answered):
        self.asked.append(answered)


class Rig:
    def __init__(self):
        self.plane, self.store, self.metrics = Plane(), PlayedStore(), Metrics()
        self.admission = Admission(views=self.plane.views, gates=self.store, clock=lambda: self.plane.now)
        self.checks = Checks(
            admission=self.admission, exhausted=Exhausted(self.plane.views, max_staleness=MAX_STALENESS)
        )
        self.consumes, self.limits = Consumes(admission=self.admission), RateLimits(admission=self.admission)
        self.deciding = Deciding(self.checks, self.consumes, self.limits, self.metrics, lambda *_: "metered")

    async def load(self):
        version = self.plane.version + 1
        for account_id, plan_key in ACCOUNTS.items():
            self.plane.version = version - 1  # so that what they are answered with does not differ by their versions
            self.plane.publish_account(account_id, plan_key)
            await self.plane.views.view(TENANT, account_id)
        return self

    def view(self, account_id):
        return self.plane.views.cached(TENANT, account_id)

    def ask(self, name, request, outcome):
        """What a call comes to when the store says so."""
        told = []
        assert self.deciding.methods[name](TENANT, request.SerializeToString(), told.append)
        self.store.asked.pop()(outcome)
        (answer,) = told
        return answer

    def counted(self, what):
        lines = self.metrics.exposition().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(what))


@pytest.fixture(scope="module")
def rig():
    return asyncio.run(Rig().load())


def consuming(account_id, request_id, quantity):
    return wire.ConsumeQuotaRequest(
        account_id=account_id, feature_key=FEATURE, request_id=request_id, quantity=quantity
    )


def checking(account_id, quantity):
    return wire.CheckEntitlementRequest(account_id=account_id, feature_key=FEATURE, quantity=quantity)


def reply(answer, now=NOW):
    return AdmitReply(status=AdmitStatus.DECIDED, now=now, answers=(answer,))


def answered(rig, account_id, request, asked):
    """An answer to this request as the store may give it, and the quota that it was asked of."""
    view, quantity = rig.view(account_id), asked["quantity"]
    compiled = (rig.consumes if asked["takes"] else rig.checks).compile(TENANT, request, view, rig.plane.now)
    segment, used = compiled.segments[0], asked["used"]
    over = min(asked["over"], quantity) if asked["takes"] and asked["allows"] else 0
    paid = ((PotKind.INCLUDED, quantity - over), (PotKind.OVERAGE, over))
    reason = Reason.OVERAGE if over else Reason.UNLIMITED if segment.limit is None else Reason.WITHIN_LIMIT
    taken = asked["takes"] and asked["allows"]
    answer = QuotaAnswer(
        allowed=asked["allows"],
        reason=reason if asked["allows"] else Reason.QUOTA_EXHAUSTED,
        granted=quantity if taken else 0,
        used=used,
        limit=segment.limit,
        remaining=None if segment.limit is None else max(0, segment.limit - used),
        pots=tuple(Pot(kind=kind, quantity=units) for kind, units in paid if units) if taken else (),
        segment=0,
        period_start=segment.period_start + (7_000_001 if asked["was_reset"] else 0),
        period_end=segment.period_end,
        left=() if taken else (Pot(kind=PotKind.INCLUDED, quantity=(segment.limit or 0) - used),),
        replayed=asked["replayed"] and taken,
    )
    return compiled, answer


calls = st.fixed_dictionaries(
    {
        "account_id": st.sampled_from(list(ACCOUNTS)),
        "takes": st.booleans(),
        "allows": st.sampled_from([True, True, True, False]),
        "quantity": st.sampled_from([1, 2, 300, 2**40]),
        "used": st.one_of(st.integers(0, 2_000), st.just(1_000)),
        "over": st.sampled_from([0, 0, 0, 1, 5]),
        "was_reset": st.sampled_from([False, False, False, True]),
        "replayed": st.sampled_from([False, False, False, True]),
        "pause": st.integers(0, 10**7),
    }
)
numbers = itertools.count()


@settings(max_examples=150, deadline=None)
@given(st.lists(calls, min_size=2, max_size=12))
def test_each_answer_is_its_own_whoever_was_answered_before(rig, history):
    for asked in history:
        if asked["takes"]:
            message = consuming(asked["account_id"], f"r{next(numbers)}", asked["quantity"])
            request = decode_consume(message)
        else:
            message = checking(asked["account_id"], asked["quantity"])
            request = decode_check(message)
        compiled, answer = answered(rig, asked["account_id"], request, asked)
        told = reply(answer, NOW + asked["pause"])
        admitted = Admitted(compiled.view, told.now, rig.plane.now, compiled.call, told, compiled)
        if asked["takes"]:
            got = wire.ConsumeQuotaResponse.FromString(rig.ask("ConsumeQuota", message, told)).decision
            assert got == encode_decision(rig.consumes.explained(request, admitted))
        else:
            got = wire.CheckEntitlementResponse.FromString(rig.ask("CheckEntitlement", message, told)).decision
            assert got == encode_decision(rig.checks.explained(request, admitted))


TAKEN = {"takes": True, "allows": True, "quantity": 5, "used": 5, "over": 0, "was_reset": False, "replayed": False}


def take(rig, account_id, request_id):
    message = consuming(account_id, request_id, 5)
    compiled, answer = answered(rig, account_id, decode_consume(message), TAKEN)
    return compiled, rig.ask("ConsumeQuota", message, reply(answer))


async def test_accounts_that_are_answered_alike_share_what_is_alike():
    rig = await Rig().load()
    shown = {account_id: take(rig, account_id, f"of {account_id}")[0].shown[0] for account_id in "abc"}
    assert shown["a"] is shown["b"]
    assert shown["a"] is not shown["c"]


async def test_a_denial_is_explained_once_while_the_store_answers_the_same(monkeypatch):
    rig, explained = await Rig().load(), []
    asked = {**TAKEN, "allows": False, "used": 1_000}
    explain = Consumes.explained
    monkeypatch.setattr(Consumes, "explained", lambda *args: explained.append(args) or explain(*args))
    waits = []
    for number, later in enumerate((0, 3_000_000, 5_000_000)):
        message = consuming("a", f"r{number}", 5)
        _, answer = answered(rig, "a", decode_consume(message), asked)
        data = rig.ask("ConsumeQuota", message, reply(answer, NOW + later))
        decision = wire.ConsumeQuotaResponse.FromString(data).decision
        assert (decision.request_id, decision.shortfall, decision.allowed) == (f"r{number}", 5, False)
        waits.append(decision.retry_after.seconds * 1_000_000 + decision.retry_after.nanos // 1_000)
    assert [waits[0] - wait for wait in waits] == [0, 3_000_000, 5_000_000]
    assert len(explained) == 1


async def test_no_text_is_set_on_an_answer_that_is_kept():
    """A message keeps the memory of every text that it ever held: a million ids would be forty megabytes."""
    rig = await Rig().load()
    for request_id in ("r1", "r2"):
        compiled, data = take(rig, "a", request_id)
        assert wire.ConsumeQuotaResponse.FromString(data).decision.request_id == request_id
    assert [Decision.FromString(shown.blank()).request_id for shown in compiled.shown] == [""]


def test_an_answer_is_counted_once_whether_or_not_it_is_given_again(rig):
    before = rig.counted("tallygate_decisions_total")
    for _ in range(3):
        take(rig, "a", "r")
        limit(rig, allowed=True, remaining=3)
    limit(rig, allowed=False, remaining=0)
    assert rig.counted("tallygate_decisions_total") - before == 7


def limit(rig, *, allowed, remaining, reset_after=0, now=NOW):
    """What is answered to a call that one limit allows or denies, and how that is explained."""
    message = wire.RateLimitRequest(account_id="a", limit_key="api_rps")
    answer = RateAnswer(
        allowed=allowed,
        limit=5,
        remaining=remaining,
        reset_after=reset_after,
        retry_after=0 if allowed else 7,
        decided_time=now,
    )
    request, view = decode_rate_limit(message), rig.view("a")
    compiled = rig.limits.compile(TENANT, request, view, rig.plane.now)
    admitted = Admitted(view, now, rig.plane.now, compiled.call, reply(answer, now), compiled)
    return rig.ask("RateLimit", message, reply(answer, now)), encode_rate_limit(rig.limits.decision(request, admitted))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 10**7), st.integers(0, 10**7))))
def test_a_rate_limits_answer_is_its_own_too(rig, history):
    for allowed, remaining, reset, pause in history:
        data, explained = limit(rig, allowed=allowed, remaining=remaining, reset_after=reset, now=NOW + pause)
        assert wire.RateLimitResponse.FromString(data) == explained


async def test_a_store_that_is_away_is_answered_by_the_policy_under_the_calls_own_id():
    rig = await Rig().load()
    away = StoreUnavailableError()
    assert isinstance(rig.ask("ConsumeQuota", consuming("a", "r1", 1), away), StoreUnavailableError)
    assert isinstance(rig.ask("CheckEntitlement", checking("a", 1), away), StoreUnavailableError)
    feature = replace(rig.plane.catalog.features[FEATURE], on_unavailable=OnUnavailable.OPEN)
    rig.plane.publish_catalog(features={**rig.plane.catalog.features, FEATURE: feature})
    await rig.plane.views.view(TENANT, "a", fresh=True)
    for request_id in ("r2", "r3"):
        answer = rig.ask("ConsumeQuota", consuming("a", request_id, 1), away)
        assert wire.ConsumeQuotaResponse.FromString(answer).decision.request_id == request_id
    message = wire.RateLimitRequest(account_id="a", limit_key="api_rps")
    assert wire.RateLimitResponse.FromString(rig.ask("RateLimit", message, away)).allowed


def test_what_cannot_be_read_is_left_to_the_servicer(rig):
    for method in rig.deciding.methods.values():
        assert not method(TENANT, b"\xff\xff\xff", lambda _: None)


@pytest.mark.parametrize("name", ["ConsumeQuota", "CheckEntitlement"])
def test_an_answer_that_is_not_there_ends_the_call_once(rig, name):
    message = consuming("b", "r", 1) if name == "ConsumeQuota" else checking("b", 1)
    assert isinstance(rig.ask(name, message, AdmitReply(status=AdmitStatus.DECIDED, now=NOW)), Exception)


async def test_only_what_the_store_compared_confirms_the_view():
    rig = await Rig().load()
    view = rig.view("a")
    view.verified_time = START - 1
    rig.ask("ConsumeQuota", consuming("a", "r", 1), AdmitReply(status=AdmitStatus.EVENT_BACKLOG, now=NOW))
    assert view.verified_time == START - 1
    take(rig, "a", "r")
    assert view.verified_time == START
