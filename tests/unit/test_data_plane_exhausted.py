"""A denial that is known: for which quantities it is given again, for how long, and what lifts it."""

from dataclasses import replace

import pytest

from planes import MAX_STALENESS, SECOND, TENANT, Plane
from tallygate.app.data_side import Hearing
from tallygate.data_plane.admission import Admitted
from tallygate.data_plane.consume import Consumes
from tallygate.data_plane.exhausted import Exhausted
from tallygate.data_plane.ports import AdmitReply, UsageReturned, ViewChange
from tallygate.data_plane.programs import CompiledQuota
from tallygate.data_plane.requests import CheckRequest, ConsumeRequest, ResetRequest
from tallygate.domain.account import Grant, PlanTerm, Subscription, SubscriptionState
from tallygate.domain.catalog import Entitlement, Overage
from tallygate.domain.errors import StoreUnavailableError
from tallygate.domain.gating.admit import AdmitStatus
from tallygate.domain.gating.decision import DecidedOn, Decision, Pot, PotKind, Reason
from tallygate.domain.gating.quota import QuotaAnswer

FEATURE = "api_calls"
LIMIT = 1000


class Near:
    """One process's near-cache over one account on plan `free`, whose store a test plays."""

    def __init__(self) -> None:
        self.plane = Plane()
        self.plane.publish_account("a")
        self.exhausted = Exhausted(self.plane.views, max_staleness=MAX_STALENESS)
        self.hearing = Hearing(views=self.plane.views, exhausted=self.exhausted)
        self.consumes = Consumes(admission=self.plane.admission, returned=self.exhausted.drop)
        self.hearing.on_live()

    async def load(self) -> None:
        await self.plane.views.view(TENANT, "a")

    @property
    def compiled(self) -> CompiledQuota | None:
        view = self.plane.views.cached(TENANT, "a")
        if view is None:
            return None
        request = CheckRequest(account_id="a", feature_key=FEATURE)
        return self.plane.checks.compile(TENANT, request, view, self.plane.now)

    def asked(self, *, included: int = LIMIT, offset: int = 0, allowed: bool = False) -> tuple[Admitted, int]:
        """What would be learnt of a question that is sent now, and answered with these figures; and what was heard."""
        compiled, now = self.compiled, self.plane.now
        segment = compiled.segments[0]
        answer = QuotaAnswer(
            allowed=allowed,
            reason=Reason.WITHIN_LIMIT if allowed else Reason.QUOTA_EXHAUSTED,
            granted=0,
            used=included,
            limit=LIMIT,
            remaining=LIMIT - included,
            pots=(),
            segment=0,
            period_start=segment.period_start,
            period_end=segment.period_end,
            left=(Pot(kind=PotKind.INCLUDED, quantity=LIMIT - included),),
        )
        reply = AdmitReply(status=AdmitStatus.DECIDED, now=now + offset, answers=(answer,))
        return Admitted(compiled.view, now + offset, now, compiled.call, reply, compiled), self.exhausted.heard

    def learn(self, asked: tuple[Admitted, int], quantity: int) -> None:
        self.exhausted.learn(asked[0], quantity=quantity, heard=asked[1])

    def deny(self, quantity: int, *, included: int = LIMIT, offset: int = 0) -> None:
        self.learn(self.asked(included=included, offset=offset), quantity)

    async def consume(self, quantity: int) -> Decision:
        request = ConsumeRequest(account_id="a", feature_key=FEATURE, request_id=f"r{quantity}", quantity=quantity)
        return await self.consumes.consume(TENANT, request)

    def check(self, quantity: int) -> Decision | None:
        compiled = self.compiled
        return self.exhausted.decision(compiled, quantity, self.plane.now) if compiled is not None else None


@pytest.fixture
async def near():
    near = Near()
    await near.load()
    return near


def test_what_was_denied_is_denied_again_with_its_age(near):
    near.deny(5, included=998)
    near.plane.now += SECOND
    decision = near.check(5)
    assert (decision.allowed, decision.reason) == (False, Reason.QUOTA_EXHAUSTED)
    assert (decision.decided_on, decision.view_age) == (DecidedOn.CACHED, SECOND)
    assert (decision.limit, decision.used, decision.remaining) == (LIMIT, 998, 2)
    assert decision.view_version == near.compiled.view.version
    assert near.exhausted.hits == 1


def test_it_is_what_the_store_would_have_been_explained_as_then(near):
    near.deny(5, included=998)
    near.plane.now += SECOND
    compiled, now = near.compiled, near.plane.now
    fresh = compiled.decision(compiled.near.denial.answer, now, quantity=7, at=now)
    assert near.check(7) == replace(fresh, decided_on=DecidedOn.CACHED, view_age=SECOND)


def test_nothing_is_known_of_smaller_quantities(near):
    near.deny(5, included=998)
    assert near.check(4) is None
    assert near.check(0) is None
    assert near.check(5) is not None


def test_each_quantity_is_told_what_unblocks_it_and_when(near):
    near.deny(2)
    few, many = near.check(2), near.check(LIMIT + 1)
    reset = near.compiled.segments[0].period_end
    assert few.retry_after == reset - near.plane.now
    assert many.retry_after is None
    tops = [next(o.limit for o in d.unblock_options if o.kind.value == "TOP_UP") for d in (few, many)]
    assert tops == [LIMIT + 2, 2 * LIMIT + 1]
    near.plane.now += SECOND
    assert near.check(2).retry_after == few.retry_after - SECOND


def test_the_smallest_quantity_is_kept_as_long_as_newer_figures_deny_it(near):
    near.deny(2, included=999)
    near.deny(9, included=999)
    assert near.check(2).used == 999
    near.deny(9, included=998)
    assert near.check(2) is None
    assert near.check(9) is not None


def test_newer_figures_that_leave_room_lift_it(near):
    near.deny(3, included=998)
    near.learn(near.asked(included=998, allowed=True), 1)
    assert near.check(3) is not None
    near.learn(near.asked(included=997, allowed=True), 1)
    assert near.check(3) is None


def test_the_store_is_asked_again_after_max_staleness(near):
    near.deny(1)
    near.plane.now += MAX_STALENESS - 1
    near.plane.views.confirm(near.compiled.view, near.plane.now)
    assert near.check(1) is not None
    near.plane.now += 1
    assert near.check(1) is None
    near.deny(1)
    assert near.check(1).view_age == 0


def test_a_clock_that_was_set_back_makes_nothing_younger(near):
    near.deny(1)
    near.plane.now -= 1
    assert near.check(1) is None


@pytest.mark.parametrize("early", [-1, 1])
async def test_it_ends_with_its_period_by_the_stores_clock(near, early):
    """The store's clock decides what has begun: here it is ten seconds ahead of this process's, or behind it."""
    ahead = 10 * SECOND * early
    near.plane.now = near.compiled.segments[0].period_end - 11 * SECOND
    await near.load()
    near.deny(1, offset=ahead)
    near.plane.now += SECOND
    decision = near.check(1)
    if early > 0:
        assert decision is None
    else:
        assert decision.retry_after == 20 * SECOND


async def test_it_ends_with_its_phase(near):
    """A plan change that was booked needs no announcement when its time has come."""
    changes = near.plane.now + SECOND
    terms = (
        PlanTerm(plan_key="free", plan_version=1, start_time=0),
        PlanTerm(plan_key="pro", plan_version=1, start_time=changes),
    )
    subscription = Subscription(subscription_id="s", state=SubscriptionState.ACTIVE, start_time=0, terms=terms)
    version = near.plane.publish_account("a", subscription=subscription)
    near.hearing.on_change(ViewChange(tenant_id=TENANT, account_id="a", version=version))
    await near.load()
    near.deny(1)
    near.plane.now = changes - 1
    assert near.check(1).retry_after == 1
    near.plane.now = changes
    assert near.check(1) is None


async def test_a_view_change_lifts_it(near):
    near.deny(1)
    version = near.plane.publish_account("a", "pro")
    near.hearing.on_change(ViewChange(tenant_id=TENANT, account_id="a", version=version))
    assert near.check(1) is None
    await near.load()
    assert near.check(1) is None


def test_what_was_returned_elsewhere_lifts_it(near):
    near.deny(1)
    near.hearing.on_return(UsageReturned(tenant_id=TENANT, account_id="b", feature_key=FEATURE))
    assert near.check(1) is not None
    near.hearing.on_return(UsageReturned(tenant_id=TENANT, account_id="a", feature_key=FEATURE))
    assert near.check(1) is None


def test_an_answer_to_what_was_asked_before_the_return_is_not_kept(near):
    """It comes on another connection than the announcement: which of them is read first says nothing."""
    denial = near.asked()
    near.hearing.on_return(UsageReturned(tenant_id=TENANT, account_id="a", feature_key=FEATURE))
    near.learn(denial, 1)
    assert near.check(1) is None
    near.deny(1)
    assert near.check(1) is not None


def test_returns_of_others_do_not_keep_it_from_being_learnt(near):
    denial = near.asked()
    near.hearing.on_return(UsageReturned(tenant_id=TENANT, account_id="b", feature_key=FEATURE))
    near.learn(denial, 1)
    assert near.check(1) is not None


async def test_without_a_live_subscription_nothing_is_used_or_learnt(near):
    near.deny(1)
    near.hearing.on_gap()
    await near.load()
    assert near.compiled is not None
    assert near.check(1) is None
    near.deny(1)
    assert near.check(1) is None


async def test_what_is_from_before_the_subscription_stays_unused_when_it_is_live_again(near):
    near.deny(1)
    asked_before = near.asked()
    near.hearing.on_gap()
    await near.load()
    asked_between = near.asked()
    near.hearing.on_live()
    await near.load()
    assert near.check(1) is None
    for denial in (asked_before, asked_between):
        near.learn(denial, 1)
        assert near.check(1) is None
    near.deny(1)
    assert near.check(1) is not None


def test_before_the_first_subscription_nothing_is_kept(near):
    near.exhausted = Exhausted(near.plane.views, max_staleness=MAX_STALENESS)
    near.deny(1)
    assert near.check(1) is None


async def test_a_refund_of_our_own_lifts_it_before_its_caller_knows(near):
    near.deny(1)
    await near.consume(2)
    assert near.check(1) is not None
    assert (await near.consume(-1)).allowed
    assert near.check(1) is None


async def test_a_refund_of_which_nobody_knows_whether_it_happened_lifts_it(near):
    near.deny(1)
    near.plane.store.down = True
    with pytest.raises(StoreUnavailableError):
        await near.consume(-1)
    assert near.check(1) is None


@pytest.mark.parametrize("down", [False, True])
async def test_a_reset_of_our_own_lifts_it(near, down):
    near.deny(1)
    near.plane.store.down = down
    try:
        await near.consumes.reset(TENANT, ResetRequest(account_id="a", feature_key=FEATURE, request_id="r"))
    except StoreUnavailableError:
        assert down
    assert near.check(1) is None


async def test_a_quota_that_grants_pay_for_is_never_denied_from_here(near):
    """Time alone may refill it: nobody announces that a grant takes effect."""
    grant = Grant(
        grant_id="g",
        feature_key=FEATURE,
        amount=5,
        priority=0,
        effective_time=near.plane.now + SECOND,
        expire_time=None,
        create_time=0,
    )
    near.deny(1)
    version = near.plane.publish_account("a", grants=(grant,))
    near.hearing.on_change(ViewChange(tenant_id=TENANT, account_id="a", version=version))
    await near.load()
    assert near.compiled.near is None


async def test_what_leaves_room_up_to_the_hard_end_of_overage_ends_a_denial():
    near = Near()
    plan = near.plane.catalog.plans["free"][1]
    soft = Entitlement(limit=LIMIT, overage=Overage.ALLOW, hard_limit=LIMIT + 100)
    free = replace(plan, entitlements={**plan.entitlements, FEATURE: soft})
    near.plane.publish_catalog(plans={**near.plane.catalog.plans, "free": {1: free}})
    await near.load()

    def asked(over, *, allowed):
        admitted, heard = near.asked(allowed=allowed)
        left = (Pot(kind=PotKind.INCLUDED, quantity=0), Pot(kind=PotKind.OVERAGE, quantity=-over))
        answers = (replace(admitted.reply.answers[0], used=LIMIT + over, left=left),)
        return replace(admitted, reply=replace(admitted.reply, answers=answers)), heard

    near.learn(asked(50, allowed=False), 60)
    denied = near.check(60)
    assert (denied.reason, denied.hard_limit, denied.shortfall) == (Reason.QUOTA_EXHAUSTED, LIMIT + 100, 10)
    near.learn(asked(45, allowed=True), 5)
    assert near.check(60) is not None
    near.learn(asked(40, allowed=True), 5)
    assert near.check(60) is None
