"""What questions are compiled to: kept as long as nothing that they rest on changes, and bounded without a cliff."""

from dataclasses import replace

import pytest

from planes import SECOND, TENANT, Plane
from tallygate.data_plane.admission import Admission
from tallygate.data_plane.check import Checks
from tallygate.data_plane.consume import Consumes
from tallygate.data_plane.ports import AdmitReply, Asked
from tallygate.data_plane.rate_limit import RateLimits
from tallygate.data_plane.requests import CheckRequest, ConsumeRequest, RateLimitRequest
from tallygate.domain.account import Grant, Pause
from tallygate.domain.errors import EventBacklogError, RequestIdReusedError, StaleViewError
from tallygate.domain.gating.admit import AdmitStatus
from tallygate.domain.gating.identity import effect_digest, payload_hash

FEATURE = "api_calls"


class CountingStore:
    """Counts what is made ready, and answers as a test says."""

    def __init__(self):
        self.prepared = []
        self.answers = []
        self.asked = []

    def prepare(self, call):
        self.prepared.append(call)
        return self

    def ask(self, asked, _about, answered):
        self.asked.append(asked)
        answered(self.answers.pop(0))


class Rig:
    def __init__(self):
        self.plane, self.store = Plane(), CountingStore()
        self.admission = Admission(views=self.plane.views, gates=self.store, clock=lambda: self.plane.now)
        self.checks, self.consumes = Checks(admission=self.admission), Consumes(admission=self.admission)
        self.limits = RateLimits(admission=self.admission)

    async def view(self, account_id="a"):
        return await self.plane.views.view(TENANT, account_id)

    async def consumed(self, **fields):
        request = ConsumeRequest(account_id="a", feature_key=FEATURE, request_id="r", **fields)
        return self.consumes.compile(TENANT, request, await self.view(), self.plane.now)


@pytest.fixture
async def rig():
    rig = Rig()
    rig.plane.publish_account("a", "pro")
    await rig.view()
    return rig


async def test_whoever_asks_alike_shares_a_program(rig):
    first = await rig.consumed(quantity=3)
    assert await rig.consumed(quantity=700, user_id="u", dimensions={"k": "v"}) is first
    assert (len(rig.store.prepared), len(rig.store.prepared[0].gates[0].gate.segments)) == (1, 1)
    refund = await rig.consumed(quantity=-3)
    assert refund is not first
    assert rig.store.prepared[1].gates[0].gate.quantity < 0


async def test_a_check_and_a_consume_know_the_same_denial(rig):
    request = CheckRequest(account_id="a", feature_key=FEATURE)
    checked = rig.checks.compile(TENANT, request, await rig.view(), rig.plane.now)
    assert checked.near is (await rig.consumed()).near is not None


async def test_it_ends_with_its_slot_and_with_its_view(rig):
    first = await rig.consumed()
    rig.plane.now = first.end - 1
    assert await rig.consumed() is first
    rig.plane.now = first.end
    assert (await rig.consumed()).start == first.end
    rig.plane.publish_account("a", "pro")
    await rig.plane.views.view(TENANT, "a", fresh=True)
    assert (await rig.consumed()).view is not first.view


async def test_it_ends_where_a_grant_begins_or_ends(rig):
    now = rig.plane.now
    grants = tuple(
        Grant(
            grant_id=name,
            feature_key=FEATURE,
            amount=1,
            priority=0,
            create_time=0,
            effective_time=now + start * SECOND,
            expire_time=now + end * SECOND,
        )
        for name, start, end in (("g1", -9, 9), ("g2", 5, 99))
    )
    rig.plane.publish_account("a", "pro", grants=grants)
    await rig.plane.views.view(TENANT, "a", fresh=True)
    found = []
    for _ in range(3):
        compiled = await rig.consumed()
        found.append((compiled.start - now) // SECOND)
        rig.plane.now = compiled.end
    assert found == [-9, 5, 9]
    assert compiled.near is None


async def test_another_instant_is_asked_with_all_slots_and_not_kept(rig):
    first = await rig.consumed(occurred_time=rig.plane.now - SECOND)
    assert await rig.consumed(occurred_time=rig.plane.now - SECOND) is not first
    assert len(first.segments) > 1


async def test_limits_are_compiled_by_what_they_are_matched_with(rig):
    view, now = await rig.view(), rig.plane.now
    request = RateLimitRequest(account_id="a", limit_key="api_rps")
    first = rig.limits.compile(TENANT, request, view, now)
    assert rig.limits.compile(TENANT, replace(request, cost=5, request_id="r"), view, now) is first
    looks = rig.limits.compile(TENANT, replace(request, cost=0), view, now)
    assert (looks is not first, looks.call.peek) == (True, True)


async def test_that_of_a_limit_ends_where_its_account_may_call_no_more(rig):
    now = rig.plane.now
    subscription = (await rig.view()).record.subscription
    pause = Pause(start_time=now + 10 * SECOND, end_time=now + 20 * SECOND)
    rig.plane.publish_account("a", "pro", subscription=replace(subscription, pauses=(pause,)))
    view = await rig.plane.views.view(TENANT, "a", fresh=True)
    request = RateLimitRequest(account_id="a", limit_key="api_rps")
    found = [rig.limits.compile(TENANT, request, view, now + seconds * SECOND) for seconds in (0, 9, 10, 19, 20)]
    assert [compiled is None for compiled in found] == [False, False, True, True, False]
    assert found[0] is found[1]
    assert found[4] is not found[0]


async def test_each_call_of_a_limit_is_who_it_says_whatever_was_asked_before(rig):
    view, now = await rig.view(), rig.plane.now
    for cost, request_id in ((1, "r1"), (1, "r2"), (2, "r1"), (None, "r1"), (1, ""), (0, "r1"), (2, "r3")):
        request = RateLimitRequest(account_id="a", limit_key="api_rps", cost=cost, request_id=request_id)
        price = 1 if cost is None else cost
        compiled = rig.limits.compile(TENANT, request, view, now)
        (asked,) = compiled.asked(TENANT, request, price)
        digest = effect_digest(tenant_id=TENANT, account_id="a", gate_key="api_rps", request_id=request_id)
        hashed = payload_hash(quantity=price, mode="RATE", dimensions={})
        assert asked == (Asked(price, digest, hashed) if request_id and price else Asked(price))


async def test_what_an_account_keeps_is_bounded_and_the_oldest_goes(rig):
    view, now = await rig.view(), rig.plane.now
    for number in range(300):
        request = RateLimitRequest(account_id="a", limit_key="api_rps", descriptor=(("n", str(number)),))
        newest = rig.limits.compile(TENANT, request, view, now)
    assert len(view.programs) == 256
    assert rig.limits.compile(TENANT, request, view, now) is newest


async def ask(rig, *statuses):
    rig.store.answers = [AdmitReply(status=status, now=rig.plane.now) for status in statuses]
    return await rig.consumes.consume(TENANT, ConsumeRequest(account_id="a", feature_key=FEATURE, request_id="r"))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (AdmitStatus.EVENT_BACKLOG, EventBacklogError),
        (AdmitStatus.REQUEST_ID_REUSED, RequestIdReusedError),
    ],
)
async def test_a_status_that_decides_nothing_ends_the_call(rig, status, error):
    with pytest.raises(error):
        await ask(rig, status)
    assert len(rig.store.asked) == 1


@pytest.mark.parametrize("status", [AdmitStatus.STALE_VIEW, AdmitStatus.SEGMENTS_MISSED])
async def test_it_is_asked_three_times_at_most(rig, status):
    with pytest.raises(StaleViewError):
        await ask(rig, *[status] * 3)
    assert len(rig.store.asked) == 3


async def test_a_stale_view_is_loaded_once_for_all_who_learn_of_it(rig):
    rig.plane.publish_account("a", "free")
    with pytest.raises(EventBacklogError):
        await ask(rig, AdmitStatus.STALE_VIEW, AdmitStatus.EVENT_BACKLOG)
    assert [call.account_version for call in rig.store.prepared] == [2, 3]
