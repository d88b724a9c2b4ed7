"""A Redis Cluster of three primaries under the product: the same decisions, events and views, wherever a key lies."""

import asyncio
import itertools

import pytest

from clusters import cluster
from collectors import until
from faults.callers import CATALOG, Caller, written
from faults.installations import PARTITIONS, Installation, sqlite
from tallygate.app.diagnosis import diagnose
from tallygate.domain.credential import mint_key
from tallygate.storage.redis import keys
from tallygate_api.v1 import entitlement_service_pb2 as pb

ACCOUNTS = [f"account-{number}" for number in range(12)]
HOUR = "3600s"
ALGORITHMS = ("fixed_window", "token_bucket", "sliding_window")
DOCUMENT = CATALOG | {
    "rate_limits": CATALOG["rate_limits"]
    | {f"own_{name}": {"owner": "account", "algorithm": name, "descriptor": [{"key": name}]} for name in ALGORITHMS}
    | {
        f"shared_{name}": {
            "owner": "tenant",
            "algorithm": name,
            "descriptor": [{"key": name}, {"key": "address"}],
            "value": {"limit": 5, "window": HOUR},
        }
        for name in ALGORITHMS
    },
    "plans": {
        "large": CATALOG["plans"]["large"]
        | {
            "rate_limits": CATALOG["plans"]["large"]["rate_limits"]
            | {f"own_{name}": {"limit": 3, "window": HOUR} for name in ALGORITHMS}
        }
    },
}


class World:
    """A server of all roles on a cluster, and one tenant's caller."""

    def __init__(self, nodes, installation, application, caller):
        self.nodes, self.installation, self.application, self.caller = nodes, installation, application, caller
        self.numbers = itertools.count()

    def fresh(self):
        return f"r{next(self.numbers)}"

    async def limited(self, account, algorithm, address, *, cost=1, request_id=""):
        """The account's own limit and that of the address, which all accounts share, together."""
        entries = {algorithm: "1", "address": address}
        request = pb.RateLimitRequest(
            account_id=account,
            descriptors=[pb.DescriptorEntry(key=key, value=value) for key, value in entries.items()],
            cost=cost,
            request_id=request_id,
        )
        return await written(self.caller.ask(self.caller._entitlements.RateLimit, request))

    async def events(self):
        await until(lambda: self.installation.waiting() == 0)
        return [each.data for each in (await written(self.caller.events())).events]


@pytest.fixture(scope="module")
def nodes():
    with cluster() as found:
        yield found


@pytest.fixture(scope="module")
async def world(nodes, tmp_path_factory):
    installation = Installation(nodes, sqlite(tmp_path_factory.mktemp("cluster")))
    key = mint_key(b"cluster".ljust(32, b"."))
    async with installation.role("all") as application, Caller(application.grpc_address, key) as caller:
        await written(caller.apply(DOCUMENT))
        for account in ACCOUNTS:
            await written(caller.account(account, "large"))
        yield World(nodes, installation, application, caller)


def remaining(answer):
    kinds = {status.limit_key.partition("_")[0]: status.remaining for status in answer.statuses}
    return {name: kinds[name] for name in ("own", "shared")}


async def test_units_are_taken_once_wherever_an_account_is_at_home(world):
    ids = {account: world.fresh() for account in ACCOUNTS}
    for replayed in (False, True):
        answers = await asyncio.gather(*(world.caller.consume(each, 2, request_id=ids[each]) for each in ACCOUNTS))
        assert [(each.allowed, each.used, each.replayed) for each in answers] == [(True, 2, replayed)] * len(ACCOUNTS)
    checks = await asyncio.gather(*(world.caller.check(each, "api_calls") for each in ACCOUNTS))
    assert [each.used for each in checks] == [2] * len(ACCOUNTS)
    assert [each.allowed for each in [await world.caller.check(name, "sso") for name in ACCOUNTS]] == [True] * 12
    mine = [each for each in await world.events() if each.request_id in ids.values()]
    assert sorted((each.account_id, each.request_id, each.quantity) for each in mine) == sorted(
        (account, request_id, 2) for account, request_id in ids.items()
    )
    homes = {world.nodes.node_of(keys.epoch(number)).port for number in range(PARTITIONS)}
    assert len(homes) == 3, "every node has some"
    assert all(node.command("DBSIZE") > 0 for node in world.nodes.primaries)


async def test_no_limit_is_passed_by_many_at_once(world):
    account = ACCOUNTS[0]
    before = (await written(world.caller.check(account, "api_calls"))).used
    answers = await asyncio.gather(*(world.caller.consume(account, 100, request_id=world.fresh()) for _ in range(20)))
    assert sum(each.allowed for each in answers) == (1000 - before) // 100


async def test_an_accounts_own_rate_limit_is_at_home_with_it(world):
    answers = [await written(world.caller.rate_limit(each)) for each in ACCOUNTS]
    assert all(each.allowed for each in answers)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_shared_limit_elsewhere_is_given_back_where_the_account_denies(world, algorithm):
    """It is taken first; of all addresses some are at home on each node, and with the account on some."""
    one, other = ACCOUNTS[1], ACCOUNTS[2]
    for number in range(2):
        address = f"{algorithm}-{number}"
        if number == 1:
            one, other = ACCOUNTS[3], ACCOUNTS[4]
        taken = [remaining(await world.limited(one, algorithm, address)) for _ in range(3)]
        assert taken == [{"own": 2 - n, "shared": 4 - n} for n in range(3)]
        for _ in range(3):
            denied = await world.limited(one, algorithm, address)
            assert (denied.allowed, denied.binding_limit_key) == (False, f"own_{algorithm}")
            assert remaining(denied) == {"own": 0, "shared": 2}, "what stands, and nothing is taken of either"
        assert remaining(await world.limited(other, algorithm, address, cost=2)) == {"own": 1, "shared": 0}
        denied = await world.limited(other, algorithm, address)
        assert (denied.allowed, denied.binding_limit_key) == (False, f"shared_{algorithm}")
        assert remaining(denied) == {"own": 1, "shared": 0}


async def test_a_retry_of_what_was_taken_in_several_places_takes_nothing(world):
    account, request_id = ACCOUNTS[5], world.fresh()
    first = await world.limited(account, "fixed_window", "retried", request_id=request_id)
    again = await world.limited(account, "fixed_window", "retried", request_id=request_id)
    assert (first.replayed, again.replayed) == (False, True)
    assert remaining(again) == remaining(first) == {"own": 2, "shared": 4}


async def test_a_retry_of_what_was_denied_is_decided_anew(world):
    """What was given back is not remembered either."""
    account, request_id = ACCOUNTS[6], world.fresh()
    assert (await world.limited(account, "token_bucket", "denied", cost=2)).allowed
    for _ in range(2):
        answer = await world.limited(account, "token_bucket", "denied", cost=2, request_id=request_id)
        assert (answer.allowed, answer.replayed, remaining(answer)) == (False, False, {"own": 1, "shared": 3})


async def test_what_is_published_is_seen_at_once(world):
    account = ACCOUNTS[7]
    version = (await written(world.caller.override(account, "api_calls", {"limit": 1}))).view_version
    answers = [await written(world.caller.consume(account, 1, request_id=world.fresh(), version=version)) for _ in "ab"]
    used = (await written(world.caller.check(account, "api_calls"))).used
    assert not answers[-1].allowed
    assert used >= 1


async def test_doctor_and_readiness_look_at_each_node(world):
    found = {each.name: each for each in await diagnose(world.installation.settings())}
    assert {name for name, each in found.items() if not each.ok} == set()
    assert "3 nodes" in found["cluster"].detail
    assert (await world.application.readiness())["redis"].ok
