"""Laws of the pure engine: burn order, no overshoot, conservation, tiling, and waiting as long as one is told to."""

import itertools
import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tallygate.domain.account import (
    AccountRecord,
    AddOnHolding,
    Grant,
    Override,
    PlanTerm,
    Subscription,
    SubscriptionState,
)
from tallygate.domain.catalog import AddOn, Aggregation, Catalog, Entitlement, Feature, FeatureKind, Overage, Plan
from tallygate.domain.gating import quota_steps, rate_limit
from tallygate.domain.gating.decide import decide_metered, tried
from tallygate.domain.gating.decision import PotKind
from tallygate.domain.gating.merge import merge
from tallygate.domain.gating.quota import MeterState, Mode, OutOfRange, QuotaGate
from tallygate.domain.gating.rate_limit import RateGate
from tallygate.domain.gating.remedies import Metered, Question
from tallygate.domain.gating.resolve import END, Resolver, resolve
from tallygate.domain.gating.segments import segments
from tallygate.domain.gating.usage_periods import interrupted, period_at
from tallygate.domain.limits import Algorithm, LimitOwner, RateLimit
from tallygate.domain.period import Anchor, PeriodRule, PeriodUnit, UsagePeriod
from thorough import some

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
BASE = 1_930_910_400 * SECOND  # 2031-03-10T12:00:00Z
INSTANTS = st.integers(-60, 90).map(lambda hours: BASE + hours * 9 * HOUR)

LAW = settings(deadline=None)  # a busy machine breaks no law

soft = st.builds(
    lambda limit, room: Entitlement(limit=limit, overage=Overage.ALLOW, hard_limit=limit + room),
    st.integers(0, 40),
    st.integers(0, 20),
)
limits = st.one_of(
    st.just(Entitlement(unlimited=True)), st.integers(0, 40).map(lambda n: Entitlement(limit=n)), soft, soft
)
hard = st.integers(0, 40).map(lambda n: Entitlement(limit=n))
bonus = st.one_of(hard, soft)
rules = st.builds(
    PeriodRule,
    every=st.sampled_from([PeriodUnit.HOUR, PeriodUnit.DAY, PeriodUnit.WEEK, PeriodUnit.MONTH]),
    count=st.integers(1, 3),
    anchor=st.sampled_from(Anchor),
)


@st.composite
def spans(draw):
    start = draw(INSTANTS)
    return start, draw(st.one_of(st.none(), st.integers(1, 400).map(lambda hours: start + hours * HOUR)))


@st.composite
def grant_lists(draw, size=4):
    found = []
    for index in range(draw(st.integers(0, size))):
        start, end = draw(spans())
        found.append(
            Grant(
                grant_id=f"g{index}",
                feature_key="f",
                amount=draw(st.integers(1, 30)),
                priority=draw(st.integers(0, 2)),
                effective_time=start,
                expire_time=end,
                create_time=draw(st.integers(0, 1)),
            )
        )
    return tuple(found)


@st.composite
def worlds(draw, entitlements=limits):
    """A catalogue of two plans and an add-on for one metered feature, and an account that holds some of it."""
    plans = {
        key: {1: Plan(plan_key=key, version=1, upgrades_to=("b",), entitlements={"f": value} if value else {})}
        for key, value in (("a", draw(st.one_of(st.none(), entitlements))), ("b", draw(entitlements)))
    }
    catalog = Catalog(
        default_plan=draw(st.sampled_from(["", "a"])),
        features={"f": Feature(feature_key="f", kind=FeatureKind.METERED, usage_period=draw(rules))},
        plans=plans,
        add_ons={"x": {1: AddOn(add_on_key="x", version=1, offered_on=("a", "b"), entitlements={"f": draw(bonus)})}},
    )
    start, end = draw(spans())
    subscription = Subscription(
        subscription_id="s",
        state=draw(st.sampled_from([SubscriptionState.ACTIVE, *SubscriptionState])),
        start_time=start,
        end_time=end,
        trial_end_time=draw(st.one_of(st.none(), st.integers(1, 200).map(lambda hours: start + hours * HOUR))),
        terms=(
            PlanTerm(plan_key="a", plan_version=1, start_time=start),
            PlanTerm(plan_key="b", plan_version=1, start_time=start + draw(st.integers(1, 300)) * HOUR),
        ),
        add_ons=tuple(
            AddOnHolding(add_on_key="x", version=1, quantity=draw(st.integers(1, 3)), start_time=begin, end_time=stop)
            for begin, stop in draw(st.lists(spans(), max_size=2))
        ),
    )
    overrides = tuple(
        Override(override_id=f"o{i}", feature_key="f", entitlement=draw(entitlements), start_time=begin, end_time=stop)
        for i, (begin, stop) in enumerate(draw(st.lists(spans(), max_size=2)))
    )
    record = AccountRecord(
        tenant_id="t",
        account_id="a",
        version=1,
        create_time=draw(INSTANTS),
        time_zone=draw(st.sampled_from(["", "Europe/Zurich", "America/St_Johns"])),
        subscription=draw(st.one_of(st.none(), st.just(subscription))),
        overrides=overrides,
        grants=draw(grant_lists()),
    )
    return catalog, record


def gate_at(held, feature, at, quantity, mode=Mode.ALL_OR_NOTHING):
    around = segments(held, feature, at=at)
    grants = held.grants.get("f", ())
    return QuotaGate(feature_key="f", quantity=quantity, segments=around, grants=grants, mode=mode)


takes = st.lists(
    st.tuples(st.integers(0, 60), st.integers(-25, 40).filter(bool), st.sampled_from(Mode)), min_size=1, max_size=25
)


def run(catalog, record, history):
    """Every step's answer and state, in time."""
    held, feature = resolve(catalog, record), catalog.features["f"]
    state, now = MeterState(), BASE
    for hours, quantity, mode in history:
        now += hours * HOUR
        outcome = quota_steps.step(gate_at(held, feature, now, quantity, mode), state, now=now)
        assert not isinstance(outcome, OutOfRange)
        answer, state = outcome
        yield answer, state


@settings(LAW)
@given(world=worlds(), at=INSTANTS)
def test_phases_tile_time(world, at):
    held = resolve(*world)

    assert held.phases[0].start == 0
    assert held.phases[-1].end == END
    assert all(before.end == after.start for before, after in itertools.pairwise(held.phases))
    assert held.phase_at(at).start <= at < held.phase_at(at).end


@settings(LAW)
@given(world=worlds(), others=st.lists(worlds(), min_size=1, max_size=4))
def test_an_account_holds_the_same_whoever_was_resolved_before_it(world, others):
    catalog, record = world
    together = Resolver(catalog)
    for _, other in others:
        assert together.resolve(other) == resolve(catalog, other)
    assert together.resolve(record) == together.resolve(record) == resolve(catalog, record)


@settings(LAW)
@given(world=worlds(), at=INSTANTS, back=st.booleans())
def test_slots_tile_and_each_lies_in_one_phase_and_period(world, at, back):
    catalog, record = world
    held = resolve(catalog, record)

    found = segments(held, catalog.features["f"], at=at, back=back)

    assert any(segment.start <= at < segment.end for segment in found)
    assert all(before.end == after.start for before, after in itertools.pairwise(found))
    for segment in found:
        phase = held.phase_at(segment.start)
        assert phase.start <= segment.start < segment.end <= phase.end
        assert segment.period_start <= segment.start < segment.end <= segment.period_end
        period = UsagePeriod(segment.period_start, segment.period_end)
        assert period == period_at(held, catalog.features["f"], segment.start)
        assert period == period_at(held, catalog.features["f"], segment.end - 1)
        assert segment.previous_start <= segment.period_start < segment.period_end <= segment.keep_until


@settings(LAW)
@given(world=worlds(), history=takes, seed=st.integers(0, 100))
def test_the_order_in_which_grants_are_recorded_never_matters(world, history, seed):
    catalog, record = world
    shuffled = list(record.grants)
    random.Random(seed).shuffle(shuffled)
    other = AccountRecord(
        **{name: getattr(record, name) for name in AccountRecord.__slots__} | {"grants": tuple(shuffled)}
    )

    assert list(run(catalog, record, history)) == list(run(catalog, other, history))


@settings(LAW)
@given(
    limit=st.integers(0, 60),
    amounts=st.lists(st.integers(1, 20), max_size=3),
    history=st.lists(st.tuples(st.integers(-40, 60).filter(bool), st.sampled_from(Mode)), max_size=40),
)
def test_a_hard_limit_and_its_grants_are_never_overshot(limit, amounts, history):
    plan = Plan(plan_key="a", version=1, entitlements={"f": Entitlement(limit=limit)})
    catalog = Catalog(
        default_plan="a",
        features={"f": Feature(feature_key="f", kind=FeatureKind.METERED)},
        plans={"a": {1: plan}},
    )
    grants = tuple(
        Grant(
            grant_id=f"g{index}",
            feature_key="f",
            amount=amount,
            priority=0,
            effective_time=0,
            expire_time=None,
            create_time=0,
        )
        for index, amount in enumerate(amounts)
    )
    record = AccountRecord(tenant_id="t", account_id="a", version=1, create_time=BASE, grants=grants)
    net = recorded = 0

    for (quantity, mode), (answer, _) in zip(
        history, run(catalog, record, [(0, *step) for step in history]), strict=True
    ):
        net += answer.granted
        recorded += sum(pot.quantity for pot in answer.pots if pot.kind is PotKind.OVERAGE)
        assert 0 <= net - recorded <= limit + sum(amounts)
        assert answer.granted in {0, quantity} or mode is Mode.BEST_EFFORT
        assert answer.allowed or answer.granted == 0
        assert answer.used == net
        assert mode is Mode.ADJUST or not any(p.kind is PotKind.OVERAGE and p.quantity > 0 for p in answer.pots)


@settings(LAW)
@given(
    limit=st.integers(0, 60),
    room=st.integers(0, 30),
    amounts=st.lists(st.integers(1, 20), max_size=3),
    history=st.lists(st.tuples(st.integers(-40, 60).filter(bool), st.sampled_from(Mode)), max_size=40),
)
def test_the_hard_end_of_overage_is_never_overshot_but_by_what_happened_already(limit, room, amounts, history):
    value = Entitlement(limit=limit, overage=Overage.ALLOW, hard_limit=limit + room)
    plan = Plan(plan_key="a", version=1, entitlements={"f": value})
    catalog = Catalog(
        default_plan="a", features={"f": Feature(feature_key="f", kind=FeatureKind.METERED)}, plans={"a": {1: plan}}
    )
    grants = tuple(
        Grant(
            grant_id=f"g{index}", feature_key="f", amount=amount, priority=0, effective_time=0, expire_time=None,
            create_time=0,
        )
        for index, amount in enumerate(amounts)
    )  # fmt: skip
    record = AccountRecord(tenant_id="t", account_id="a", version=1, create_time=BASE, grants=grants)
    end, used = limit + room + sum(amounts), 0

    for (quantity, mode), (answer, _) in zip(
        history, run(catalog, record, [(0, *step) for step in history]), strict=True
    ):
        if mode is not Mode.ADJUST and quantity > 0:
            assert answer.allowed == (quantity <= end - used or (mode is Mode.BEST_EFFORT and used < end))
            assert not answer.allowed or answer.used <= end
        used = answer.used


@given(
    parts=st.lists(st.tuples(st.one_of(hard, soft), st.integers(1, 4)), min_size=1, max_size=5),
    endless=st.booleans(),
)
def test_limits_add_up_and_so_do_the_rooms_above_them(parts, endless):
    feature = Feature(feature_key="f", kind=FeatureKind.METERED)
    more = [(Entitlement(limit=0, overage=Overage.ALLOW), 1)] if endless else []

    merged = merge(feature, [*parts, *more])

    assert merged.limit == sum(part.limit * quantity for part, quantity in parts)
    ends = sum((part.hard_limit or part.limit) * quantity for part, quantity in parts)
    assert merged.end == (None if endless else ends)


@settings(LAW)
@given(world=worlds(), history=takes)
def test_what_is_used_is_what_the_pots_paid_and_no_pot_is_negative(world, history):
    for answer, state in run(*world, history):
        assert sum(pot.quantity for pot in answer.pots) == answer.granted
        for counter in state.counters.values():
            assert counter.used == counter.included + counter.overage + sum(counter.grants.values())
            assert min(counter.included, counter.overage, *counter.grants.values(), 0) == 0
        for grant_id, burnt in state.burnt.items():
            assert burnt == sum(counter.grants.get(grant_id, 0) for counter in state.counters.values())


def resumes(held, feature, now):
    """Whether a trial holds after which a period goes on whose count nobody asked for: nothing is promised of it."""
    return interrupted(held, feature, now) is not None


@settings(LAW, max_examples=some(300))
@given(world=worlds(), history=takes, quantity=st.integers(1, 60), hours=st.integers(0, 200))
def test_waiting_exactly_retry_after_lets_the_same_quantity_pass(world, history, quantity, hours):
    catalog, record = world
    held, feature = resolve(catalog, record), catalog.features["f"]
    state = [*run(catalog, record, history)][-1][1]
    now = BASE + (sum(step[0] for step in history) + hours) * HOUR

    def ask(at):
        gate = gate_at(held, feature, at, quantity)
        answer, _ = quota_steps.step(gate, state, now=at)
        metered = Metered(answer=answer, segments=gate.segments, now=at)
        return decide_metered(catalog, held, Question(feature=feature, quantity=quantity, at=at), metered)

    decision = ask(now)
    if decision.allowed:
        assert decision.retry_after is None
    elif decision.retry_after is not None:
        assert ask(now + decision.retry_after).allowed
        assert resumes(held, feature, now) or not ask(now + decision.retry_after - 1).allowed
    else:
        assert not any(ask(now + days * DAY).allowed for days in (1, 7, 31, 62, 400))


@settings(LAW, max_examples=some(300))
@given(
    world=worlds(),
    aggregation=st.sampled_from([Aggregation.MAX, Aggregation.LATEST]),
    history=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=10),
    hours=st.integers(0, 200),
)
def test_one_more_than_a_level_passes_where_it_has_room_and_after_exactly_retry_after(
    world, aggregation, history, hours
):
    catalog, record = world
    feature = replace(catalog.features["f"], aggregation=aggregation)
    held, state, now = resolve(catalog, record), MeterState(), BASE

    def look(at):
        gate = replace(gate_at(held, feature, at, None), aggregation=aggregation)
        answer, _ = quota_steps.step(gate, state, now=at)
        question = Question(feature=feature, quantity=1, beyond=True, at=at)
        metered = tried(question, Metered(answer=answer, segments=gate.segments, now=at))
        return decide_metered(catalog, held, question, metered)

    for wait, level in history:
        now += wait * HOUR
        gate = replace(gate_at(held, feature, now, level, Mode.ADJUST), aggregation=aggregation)
        _, state = quota_steps.step(gate, state, now=now)
    now += hours * HOUR

    decision = look(now)
    if decision.limit is not None:
        end = decision.limit if decision.hard_limit is None else decision.hard_limit
        assert decision.allowed == (decision.used + 1 <= end)
    if decision.allowed:
        assert decision.retry_after is None
    elif decision.retry_after is not None:
        assert look(now + decision.retry_after).allowed
        assert resumes(held, feature, now) or not look(now + decision.retry_after - 1).allowed
    else:
        assert not any(look(now + days * DAY).allowed for days in (1, 7, 31, 62, 400))


@settings(LAW, max_examples=some(200))
@given(world=worlds(), history=takes, quantity=st.integers(1, 60))
def test_an_option_is_offered_if_and_only_if_buying_it_helps(world, history, quantity):
    catalog, record = world
    held, feature = resolve(catalog, record), catalog.features["f"]
    state = [*run(catalog, record, history)][-1][1]
    now = BASE + sum(step[0] for step in history) * HOUR
    gate = gate_at(held, feature, now, quantity)
    answer, _ = quota_steps.step(gate, state, now=now)
    question = Question(feature=feature, quantity=quantity, at=now)
    decision = decide_metered(catalog, held, question, Metered(answer=answer, segments=gate.segments, now=now))
    phase = held.phase_at(now)
    if decision.allowed or phase.denial is not None or not phase.subscription_id:
        return
    subscription = record.subscription

    def passes(**changes):
        bought = Subscription(**{name: getattr(subscription, name) for name in Subscription.__slots__} | changes)
        after = AccountRecord(
            **{name: getattr(record, name) for name in AccountRecord.__slots__} | {"subscription": bought}
        )
        outcome, _ = quota_steps.step(gate_at(resolve(catalog, after), feature, now, quantity), state, now=now)
        return outcome.allowed

    one_more = AddOnHolding(add_on_key="x", version=1, quantity=1, start_time=now)
    upgraded = (
        *(t for t in subscription.terms if t.start_time < now),
        PlanTerm(plan_key="b", plan_version=1, start_time=now),
    )
    offered = {option.key for option in decision.unblock_options}
    assert ("x" in offered) == passes(add_ons=(*subscription.add_ons, one_more))
    assert ("b" in offered) == passes(terms=upgraded)


ALGORITHMS = st.sampled_from(Algorithm)
rates = st.builds(
    RateLimit,
    limit=st.one_of(st.integers(1, 5), st.integers(1, 2_000)),
    window=st.sampled_from([SECOND, 7 * SECOND, 90 * SECOND, HOUR]),
    burst=st.one_of(st.none(), st.integers(1, 5), st.integers(1, 3_000)),
)
costs = st.one_of(st.integers(1, 5), st.integers(1, 4_000))
calls = st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(0, 5) | st.integers(0, 400)), max_size=30)


def rate_gate(algorithm, rate, cost):
    return RateGate(limit_key="l", owner=LimitOwner.ACCOUNT, descriptor=(), algorithm=algorithm, rate=rate, cost=cost)


def after(algorithm, rate, history):
    state, now = None, BASE
    for wait, cost in history:
        now += wait
        answer, stepped = rate_limit.step(rate_gate(algorithm, rate, cost), state, now=now)
        state = stepped if answer.allowed else state
    return state, now


@settings(LAW)
@given(algorithm=ALGORITHMS, rate=rates, history=calls, cost=costs)
def test_waiting_exactly_retry_after_lets_the_same_cost_pass(algorithm, rate, history, cost):
    state, now = after(algorithm, rate, history)
    gate = rate_gate(algorithm, rate, cost)

    answer, _ = rate_limit.step(gate, state, now=now)

    if answer.retry_after is None:
        assert not rate_limit.step(gate, None, now=now)[0].allowed
    else:
        assert rate_limit.step(gate, state, now=now + answer.retry_after)[0].allowed
        if not answer.allowed:
            assert not rate_limit.step(gate, state, now=now + answer.retry_after - 1)[0].allowed


@settings(LAW, max_examples=some(1_000))
@given(
    algorithm=ALGORITHMS,
    rate=rates,
    history=calls,
    cost=costs,
    more=st.integers(0, 5) | st.integers(0, 2_000),
    larger=st.integers(0, 5_000),
)
def test_raising_a_rate_limit_never_delays(algorithm, rate, history, cost, more, larger):
    state, now = after(algorithm, rate, history)
    size = rate.limit if rate.burst is None else rate.burst
    raised = RateLimit(limit=rate.limit + more, window=rate.window, burst=size + larger)

    before, _ = rate_limit.step(rate_gate(algorithm, rate, cost), state, now=now)
    since, _ = rate_limit.step(rate_gate(algorithm, raised, cost), state, now=now)

    assert since.allowed or not before.allowed
    if before.retry_after is not None:
        assert since.retry_after is not None
        assert since.retry_after <= before.retry_after


@settings(LAW)
@given(rate=rates, history=calls)
def test_a_fixed_window_never_admits_more_than_its_limit(rate, history):
    state, now, admitted = None, BASE, {}
    for wait, cost in history:
        now += wait
        answer, stepped = rate_limit.step(rate_gate(Algorithm.FIXED_WINDOW, rate, cost), state, now=now)
        if answer.allowed:
            state = stepped
            admitted[now // rate.window] = admitted.get(now // rate.window, 0) + cost

    assert all(total <= rate.limit for total in admitted.values())


@settings(LAW)
@given(rate=rates, history=calls)
def test_a_sliding_window_never_admits_more_than_its_limit_in_any_window(rate, history):
    state, now, admitted = None, BASE, []
    for wait, cost in history:
        now += wait
        answer, stepped = rate_limit.step(rate_gate(Algorithm.SLIDING_WINDOW, rate, cost), state, now=now)
        if answer.allowed:
            state = stepped
            admitted.append((now, cost))

    for end, _ in admitted:
        assert sum(cost for at, cost in admitted if end - rate.window < at <= end) <= rate.limit
