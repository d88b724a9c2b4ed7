"""What is measured against what callers saw: every call once by its status, every decision once by its reason."""

import random
from collections import Counter

import grpc
import pytest

from hot_server import HOUR
from tallygate.domain.gating.decision import DecidedOn
from tallygate_api.v1 import decision_pb2

KINDS = {"calls": "metered", "lenient": "metered", "peak": "metered", "sso": "boolean"}
ACCOUNTS = ("acme", "globex", "initech", "nobody")
ROUNDS = 150
RATE_LIMIT = "rate_limit"


class Outside:
    """Asks, and counts what came back."""

    def __init__(self, server):
        self.server = server
        self.calls, self.decisions, self.degraded = Counter(), Counter(), Counter()
        self.views = 0

    async def ask(self, name, **fields):
        method = f"EntitlementService/{name}"
        try:
            answer = await self.server.ask(name, **fields)
        except grpc.aio.AioRpcError as error:
            self.calls[f'code="{error.code().name}",method="{method}"'] += 1
            return
        self.calls[f'code="OK",method="{method}"'] += 1
        for kind, decision in self.decisions_in(name, answer):
            reason = decision_pb2.Reason.Name(decision.reason).removeprefix("REASON_")
            self.decisions[f'allowed="{str(decision.allowed).lower()}",kind="{kind}",reason="{reason}"'] += 1
            decided_on = decision_pb2.DecidedOn.Name(decision.decided_on).removeprefix("DECIDED_ON_")
            if decided_on != DecidedOn.FRESH:
                self.degraded[f'decided_on="{decided_on}",kind="{kind}"'] += 1

    @staticmethod
    def decisions_in(name, answer):
        if name == "RateLimit":
            return [(RATE_LIMIT, answer)]
        if name == "BatchCheckEntitlements":
            decided = [result.decision for result in answer.results if result.HasField("decision")]
        elif name == "ListEntitlements":
            decided = answer.decisions
        else:
            decided = [answer.decision]
        return [(KINDS[decision.feature_key], decision) for decision in decided]

    async def anything(self, dice, number):
        account, feature = dice.choice(ACCOUNTS), dice.choice([*KINDS, "unknown"])
        match dice.randrange(8):
            case 0 | 1:
                more = dice.choice([{}, {"quantity": 3}, {"user_id": "u"}, {"user_id": "x" * 300}])
                await self.ask("CheckEntitlement", account_id=account, feature_key=feature, **more)
            case 2 | 3:
                accounts, features = dice.sample(ACCOUNTS, 2), dice.sample([*KINDS, "unknown"], dice.randint(1, 3))
                await self.ask("BatchCheckEntitlements", account_ids=accounts, feature_keys=features)
            case 4:
                await self.ask("ListEntitlements", account_id=account)
            case 5 | 6:
                more = dice.choice([{}, {"mode": 2}, {"quantity": -1}, {"request_id": f"r{number - 1}"}])
                fields = {"account_id": account, "feature_key": feature, "request_id": f"r{number}", **more}
                await self.ask("ConsumeQuota", **fields)
            case 7:
                more = dice.choice([{"limit_key": "bucket"}, {"limit_key": "nothing"}, {"limit_key": "sliding"}])
                more |= dice.choice([{}, {"cost": 0}, {"request_id": f"r{number}"}])
                await self.ask("RateLimit", account_id=account, **more)


@pytest.mark.parametrize("seed", [1, 2])
async def test_calls_and_decisions_are_each_counted_once(hot, seed):
    server, dice = await hot(), random.Random(seed)
    for account in ("globex", "initech"):
        await server.publish_account(account, "soft")
    calls, decisions, degraded = (server.counted(f"tallygate_{name}") for name in NAMES)
    outside = Outside(server)
    for number in range(ROUNDS):
        await outside.anything(dice, number)
        if number % 40 == 39:  # a newer version: some calls are asked again underneath
            await server.publish_account("acme", dice.choice(["hard", "soft", "free"]))
    for name, before, seen in zip(NAMES, (calls, decisions, degraded), counters(outside), strict=True):
        assert grown(server.counted(f"tallygate_{name}"), before) == seen, name
    assert outside.degraded, "nothing was answered from a view"


async def test_a_warm_batch_that_one_part_turns_cold_counts_none_twice(hot):
    server = await hot()
    await server.publish_account("globex", "soft")
    outside = Outside(server)
    await outside.ask("BatchCheckEntitlements", account_ids=["acme"], feature_keys=["sso"])
    decisions = server.counted("tallygate_decisions_total")
    outside.decisions.clear()
    for _ in range(3):
        await outside.ask("BatchCheckEntitlements", account_ids=["acme", "globex"], feature_keys=["sso", "calls"])
    assert grown(server.counted("tallygate_decisions_total"), decisions) == outside.decisions


async def test_each_use_of_a_view_in_process_is_a_hit(hot):
    server = await hot()
    await server.warm("acme", "sso", "calls")
    await server.ask("CheckEntitlement", account_id="acme", feature_key="sso")
    before = server.counted("tallygate_view_cache_hits_total")[""]
    for _ in range(10):
        await server.ask("CheckEntitlement", account_id="acme", feature_key="sso")
    assert server.counted("tallygate_view_cache_hits_total")[""] - before == 10


NAMES = ("call_seconds_count", "decisions_total", "degraded_decisions_total")


def counters(outside):
    return outside.calls, outside.decisions, outside.degraded


def grown(now, before):
    return Counter(
        {labels: value - before.get(labels, 0) for labels, value in now.items() if value - before.get(labels, 0)}
    )


def test_the_worlds_limits_are_small_enough_to_be_met():
    assert HOUR["limit"] < ROUNDS
