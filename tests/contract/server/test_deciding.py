"""What is answered in callbacks, from what was encoded before, is what is explained anew, field by field."""

from dataclasses import replace

import pytest

from hot_server import NOWHERE, SECOND, START, hot_server
from servers import ValkeyServer
from tallygate.domain.account import Grant

GRANTS = tuple(
    Grant(
        grant_id=name,
        feature_key="calls",
        amount=8,
        priority=priority,
        create_time=0,
        effective_time=START + start * SECOND,
        expire_time=START + end * SECOND,
    )
    for name, priority, start, end in (("a", 1, 0, 100), ("b", 2, 50, 500))
)
CHECK, CONSUME, LIMIT, RESET = "CheckEntitlement", "ConsumeQuota", "RateLimit", "ResetUsage"


@pytest.fixture(scope="module")
def valkey():
    with ValkeyServer() as server:
        yield server


@pytest.fixture
async def server(valkey, monkeypatch, kind):
    async with hot_server(valkey, monkeypatch, transport=kind, data_plane={"max_staleness": 100_000}) as running:
        yield running


class Twins:
    """Two accounts that differ in their ids alone: one is asked by callbacks, the other by tasks."""

    def __init__(self, server):
        self.server = server

    async def begin(self, plan_key="hard"):
        for account_id in ("begun", "explained"):
            await self.server.publish_account(account_id, plan_key)
            await self.server.warm(account_id, "calls", "lenient")
        return self

    async def ask(self, name, **fields):
        """The answer, which both gave."""
        begun = await self.server.ask(name, account_id="begun", **fields)
        with self.server.by_tasks():
            other = await self.server.ask(name, account_id="explained", **fields)
        assert begun == other
        return begun

    async def check(self, **fields):
        return (await self.ask(CHECK, **{"feature_key": "calls", **fields})).decision

    async def consume(self, quantity=None, request_id="", **fields):
        named = request_id or f"r{next(self.server.numbers)}"
        asked = {"feature_key": "calls", "quantity": quantity, "request_id": named, **fields}
        return (await self.ask(CONSUME, **asked)).decision


@pytest.fixture
async def twins(server):
    return await Twins(server).begin()


async def test_what_is_allowed_and_denied_up_to_the_exact_limit(twins):
    taken = [await twins.consume(quantity) for quantity in (None, 2, 3, 4, 1, 5)]
    assert [decision.allowed for decision in taken] == [True] * 4 + [False] * 2
    assert [decision.used for decision in taken] == [1, 3, 6, 10, 10, 10]
    checked = [await twins.check(quantity=quantity) for quantity in (0, None, 1, 2**53 - 11)]
    assert [decision.allowed for decision in checked] == [True, False, False, False]


async def test_how_much_is_left_before_anything_was_taken_and_in_between(twins):
    for quantity in (None, 3, 3, 5):
        for asked in (None, 0, 1, 5, 10, 11):
            assert (await twins.check(quantity=asked)).limit == 10
        await twins.consume(quantity)


async def test_overage_is_told_and_so_is_what_paid(server):
    twins = await Twins(server).begin("soft")
    taken = [await twins.consume(quantity) for quantity in (8, 5, 3, 1)]
    assert [len(decision.pots) for decision in taken] == [1, 2, 1, 1]
    assert len({decision.reason for decision in taken}) == 2
    assert (await twins.check(quantity=5)).allowed


async def test_what_has_no_limit_is_counted(server):
    twins = await Twins(server).begin("free")
    assert [(await twins.consume(quantity)).used for quantity in (8, 5, 300)] == [8, 13, 313]
    assert (await twins.check(quantity=5)).unlimited


async def test_a_replay_answers_as_before_and_counts_nothing(twins):
    first = await twins.consume(4, "again")
    await twins.consume(1)
    replayed = (await twins.ask(CONSUME, feature_key="calls", quantity=4, request_id="again")).decision
    assert (replayed.replayed, replayed.used) == (True, 4)
    replayed.replayed = False
    assert replayed == first
    assert (await twins.check()).used == 5


async def test_a_replay_of_the_last_units_is_no_denial(twins):
    await twins.consume(10, "all")
    assert (await twins.ask(CONSUME, feature_key="calls", quantity=10, request_id="all")).decision.allowed
    assert not (await twins.consume(1)).allowed


async def test_after_a_reset_a_new_period_is_counted(twins):
    await twins.consume(9)
    await twins.check()
    await twins.server.set_time(START + 60 * SECOND)
    for account_id in ("begun", "explained"):
        await twins.server.ask(RESET, account_id=account_id, feature_key="calls", request_id="reset")
    assert (await twins.check()).used == 0
    decision = await twins.consume(2)
    assert (decision.used, decision.remaining) == (2, 8)
    assert decision.period_start_time.ToMicroseconds() == START + 60 * SECOND
    assert (await twins.consume(1)).used == 3


async def test_user_and_dimensions_change_nothing_about_the_answer_and_reach_the_fact(twins):
    about = {"user_id": "üser", "dimensions": {"region": "eu", "path": "/ä"}}
    assert (await twins.consume(2, **about)).used == 2
    await twins.check(user_id="üser")
    first, second = await twins.server.facts()
    assert (first.user_id, first.dimensions) == ("üser", {"region": "eu", "path": "/ä"})
    assert replace(first, account_id="", source=NOWHERE) == replace(second, account_id="", source=NOWHERE)


@pytest.mark.parametrize("name", ["bucket", "window"])
async def test_one_rate_limit_taken_and_denied(twins, name):
    fields = {"limit_key": name, "descriptors": [{"key": "path", "value": "/"}]}
    answers = [await twins.ask(LIMIT, **fields) for _ in range(6)]
    assert not answers[-1].allowed
    assert answers[-1].HasField("retry_after")
    assert not (await twins.ask(LIMIT, **fields, cost=99)).HasField("retry_after")


async def test_several_rate_limits_are_taken_together_or_not_at_all(twins):
    path = [{"key": "path", "value": "/"}]
    taken = [await twins.ask(LIMIT, descriptors=path) for _ in range(3)]
    assert [answer.binding_limit_key for answer in taken] == ["window"] * 3
    denied = await twins.ask(LIMIT, descriptors=path)
    assert {status.limit_key: status.remaining for status in denied.statuses} == {"bucket": 1, "window": 0}
    assert (await twins.ask(LIMIT, limit_key="bucket")).allowed
    assert not (await twins.ask(LIMIT, limit_key="bucket")).allowed


async def test_a_denial_like_an_earlier_one_has_its_own_figures(twins):
    path = [{"key": "path", "value": "/"}]

    async def denied(*costs, **fields):
        """What is denied now, and a little later, when nothing was freed."""
        found = []
        for pause, cost in ((pause, cost) for pause in (0, 7, 100) for cost in costs):
            await twins.server.set_time(twins.server.now + pause * SECOND)
            found.append(await twins.ask(LIMIT, **(fields or {"descriptors": path}), cost=cost))
        assert not any(answer.allowed for answer in found)
        return [(answer.binding_limit_key, answer.HasField("retry_after")) for answer in found]

    assert set(await denied(4, 5)) == {("window", False), ("bucket", False)}  # more than either ever gives
    assert [(await twins.ask(LIMIT, descriptors=path)).allowed for _ in range(3)] == [True] * 3
    assert set(await denied(1)) == {("window", True)}
    assert (await twins.ask(LIMIT, limit_key="bucket")).allowed
    assert set(await denied(1, 2, 3)) == {("window", True)}
    assert set(await denied(3, 4, limit_key="bucket")) == {("bucket", True)}
    assert set(await denied(4, 99)) == {("window", False), ("bucket", False)}
    await twins.server.set_time(twins.server.now + 3600 * SECOND)
    assert (await twins.ask(LIMIT, descriptors=path)).allowed


async def test_the_binding_limit_is_named_anew_with_each_answer(twins):
    path = [{"key": "path", "value": "/"}]
    binding = [(await twins.ask(LIMIT, descriptors=path)).binding_limit_key]
    await twins.ask(LIMIT, limit_key="bucket")
    binding.append((await twins.ask(LIMIT, descriptors=path)).binding_limit_key)  # both have one left
    assert binding == ["window", "bucket"]


async def test_time_drains_buckets_and_closes_windows(twins):
    for name in ("bucket", "window"):
        fields = {"limit_key": name, "descriptors": [{"key": "path", "value": "/"}]}
        allowed = []
        for pause in (0, 0, 0, 0, 0, 1800, 900, 3600):
            await twins.server.set_time(twins.server.now + pause * SECOND)
            allowed.append((await twins.ask(LIMIT, **fields)).allowed)
        assert False in allowed[:5]
        assert allowed[-1]


async def test_a_tenants_own_limit(twins):
    for address in ("a", "b"):
        fields = {"limit_key": "tenants", "descriptors": [{"key": "address", "value": address}]}
        if address == "b":
            with twins.server.by_tasks():
                others = [await twins.server.ask(LIMIT, **fields) for _ in range(6)]
        else:
            begun = [await twins.server.ask(LIMIT, **fields) for _ in range(6)]
    assert begun == others
    assert [answer.allowed for answer in begun] == [True] * 4 + [False] * 2


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        (CHECK, {"feature_key": "calls", "at_time": {"seconds": START // SECOND + 60}}),
        (CHECK, {"feature_key": "peak"}),
        (CONSUME, {"feature_key": "peak", "request_id": "p", "quantity": 3}),
        (CONSUME, {"feature_key": "calls", "request_id": "b", "mode": "CONSUME_MODE_BEST_EFFORT", "quantity": 30}),
        (CONSUME, {"feature_key": "calls", "request_id": "a", "mode": "CONSUME_MODE_ADJUST", "quantity": 30}),
        (CONSUME, {"feature_key": "calls", "request_id": "o", "occurred_time": {"seconds": START // SECOND - 60}}),
        (LIMIT, {"limit_key": "bucket", "request_id": "l"}),
        (LIMIT, {"limit_key": "bucket", "cost": 0}),
        (LIMIT, {"limit_key": "sliding", "descriptors": [{"key": "sliding", "value": "x"}]}),
    ],
    ids=str,
)
async def test_whatever_is_asked_is_answered_alike_again_and_again(twins, name, fields):
    for number in range(3):
        again = {**fields, "request_id": f"{fields['request_id']}{number}"} if "request_id" in fields else fields
        await twins.ask(name, **again)
        await twins.ask(name, **again)


async def test_what_grants_pay_for_is_told_as_long_as_they_are_in_force(twins):
    twins.server.version += 1
    for account_id in ("begun", "explained"):
        await twins.server.publish_account(account_id, grants=GRANTS)
    shown = []
    for pause in (0, 0, 0, 60, 60):
        await twins.server.set_time(twins.server.now + pause * SECOND)
        shown.append(await twins.consume(5))
        await twins.check()
    assert [[pot.grant_id for pot in decision.pots] for decision in shown] == [[""], [""], ["a"], ["a", "b"], ["b"]]
    assert [sorted(source.key for source in decision.sources if source.key in "ab") for decision in shown[2:]] == [
        ["a"],
        ["a", "b"],
        ["b"],
    ]


async def test_each_call_is_counted_once(twins):
    async def counts():
        await twins.consume(6)
        await twins.consume(6)
        await twins.check()
        await twins.ask(LIMIT, limit_key="bucket")

    calls = {name: twins.server.answered(name, "OK") for name in (CHECK, CONSUME, LIMIT)}
    decisions = twins.server.counted("tallygate_decisions_total")
    await counts()
    after = {name: twins.server.answered(name, "OK") - calls[name] for name in calls}
    assert after == {CHECK: 2, CONSUME: 4, LIMIT: 2}
    made = twins.server.counted("tallygate_decisions_total")
    assert sorted(made[key] - decisions.get(key, 0) for key in made if made[key] != decisions.get(key, 0)) == [2, 2, 4]
    assert twins.server.at_work() == 0
