"""A Redis Cluster of three primaries under the product: the same decisions, events and views, wherever a key lies."""

import asyncio
import itertools
import secrets

import pytest

from clusters import cluster
from collectors import until
from faults.callers import CATALOG, Caller, Refusal, written
from faults.installations import PARTITIONS, Installation, sqlite
from servers import ValkeyServer, redis_binary
from tallygate.app.diagnosis import diagnose
from tallygate.app.recovery import audit_usage
from tallygate.app.redis_place import redis_factory
from tallygate.domain.credential import ENTROPY_BYTES, mint_key
from tallygate.storage.redis import keys
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.link.cluster import ClusterLink
from tallygate.storage.redis.link.link import ConnectError, RedisLink
from tallygate.storage.redis.scattered import HandBack, _Run
from tallygate_api.v1 import entitlement_service_pb2 as pb
from tenants import eventually
from thorough import THOROUGH
from world_server import ServerDriver
from worlds import load_world, run_world, world_paths

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
        request = self.request(account, algorithm, address, cost, request_id)
        return await written(self.caller.ask(self.caller._entitlements.RateLimit, request))

    def request(self, account, algorithm, address, cost, request_id):
        entries = {algorithm: "1", "address": address}
        descriptors = [pb.DescriptorEntry(key=key, value=value) for key, value in entries.items()]
        return pb.RateLimitRequest(account_id=account, descriptors=descriptors, cost=cost, request_id=request_id)

    def node_of(self, account):
        """Who has an account's counters."""
        number = next(n for n in range(PARTITIONS) if self._holds(n, account))
        return self.nodes.node_of(keys.epoch(number))

    def _holds(self, number, account):
        return self.nodes.node_of(keys.epoch(number)).command("KEYS", f"tg:{{{number}}}:a:*:{account}")

    async def take_some(self):
        """Of every account, so that it has a counter, and an event of it."""
        asking = [self.caller.consume(account, 1, request_id=self.fresh()) for account in ACCOUNTS]
        assert not any(isinstance(each, Refusal) for each in await asyncio.gather(*asking))
        await self.events()

    async def used(self, account):
        """As soon as anybody may say so; until then it is UNAVAILABLE."""
        refused = set()

        async def answered():
            answer = await self.caller.check(account, "api_calls")
            refused.update({answer.code.name} if isinstance(answer, Refusal) else ())
            return None if isinstance(answer, Refusal) else (answer.used,)

        (used,) = await eventually(answered)
        assert refused <= {"UNAVAILABLE"}
        return used

    async def events(self):
        await until(lambda: self.installation.waiting() == 0)
        return [each.data for each in (await written(self.caller.events())).events]


@pytest.fixture(scope="module", params=["valkey", "redis"] if THOROUGH else ["valkey"])
def nodes(request):
    with cluster(binary=redis_binary() if request.param == "redis" else None) as found:
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


async def test_a_node_is_refused_by_name_as_a_lone_server_and_a_lone_server_as_a_node(nodes):
    node = RedisAddress.parse(nodes.primaries[0].url)
    with pytest.raises(ConnectError, match="refused: it is a node of a Redis Cluster, expected one primary, or redis"):
        await RedisLink(node, connect_seconds=15).connect()
    with ValkeyServer(tcp=True) as lone:
        cluster_of = RedisAddress.parse(lone.url.replace("redis://", "redis+cluster://"))
        with pytest.raises(ConnectError, match=r"cannot find the nodes of redis\+cluster:.* cluster support disabled"):
            await ClusterLink(cluster_of, partitions=2, connect_seconds=15).connect()


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


WORLDS = world_paths() if THOROUGH else world_paths()[::24]


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
async def test_a_world_of_decisions_comes_out_as_on_one_server(world, path):
    key = mint_key(secrets.token_bytes(ENTROPY_BYTES))
    await run_world(load_world(path), ServerDriver(world.caller.channel, key))


async def test_what_comes_together_leaves_in_one_write_a_node(world):
    link = redis_factory(world.installation.settings(), RedisAddress.parse(world.nodes.url)).operator_link()
    await link.connect()
    try:
        for node in (node for _, node in link.nodes()):
            await node.call("PING")
        batches = link.counters.batches
        replies = [link.call("GET", keys.epoch(number)) for number in range(PARTITIONS)]
        assert None not in await asyncio.gather(*replies)
        assert link.counters.batches - batches == 3
    finally:
        await link.close()


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
    assert world.application.exposition().decode().count("tallygate_redis_node_up{") == 3


async def elsewhere(world, account, monkeypatch):
    """An address that is at home in another partition than the account."""
    seen = []
    with monkeypatch.context() as looking:
        look = _Run.look
        looking.setattr(_Run, "look", lambda *arguments: seen.append(arguments) or look(*arguments))
        for number in range(64):
            await world.limited(account, "fixed_window", address := f"{account} from {number}", cost=0)
            if seen:
                return address
    pytest.fail("all addresses are at home with the account")


async def test_without_giving_back_the_shared_limit_would_be_lost(world, monkeypatch):
    """What the tests above rest on: nobody else returns what was taken elsewhere."""
    monkeypatch.setattr(HandBack, "give", lambda *arguments: arguments[-1]())
    account = ACCOUNTS[8]
    address = await elsewhere(world, account, monkeypatch)
    assert (await world.limited(account, "fixed_window", address, cost=3)).allowed
    answers = [await world.limited(account, "fixed_window", address) for _ in range(3)]
    assert [remaining(each)["shared"] for each in answers] == [1, 0, 0]


async def test_who_dies_in_between_has_taken_too_much_and_never_too_little(world, monkeypatch):
    account, request_id = ACCOUNTS[9], world.fresh()
    address = await elsewhere(world, account, monkeypatch)
    with monkeypatch.context() as dying:
        dying.setattr(_Run, "_took", lambda *_: None)
        answer = await world.caller.ask(
            world.caller._entitlements.RateLimit, world.request(account, "fixed_window", address, 2, request_id), 0.5
        )
        assert answer.code.name in {"DEADLINE_EXCEEDED", "UNAVAILABLE"}
    assert remaining(await world.limited(account, "fixed_window", address, cost=0)) == {"own": 3, "shared": 3}
    for _ in range(2):
        again = await world.limited(account, "fixed_window", address, cost=2, request_id=request_id)
        assert remaining(again) == {"own": 1, "shared": 3}, "the same call takes what is missing, once"
        assert again.allowed


async def test_an_audit_compares_the_counters_of_all_nodes(world):
    await world.take_some()
    told = []
    audit = await audit_usage(world.installation.settings(), repair=False, tell=lambda *each: told.append(each))
    assert audit.meters >= len(ACCOUNTS)
    assert told == []


async def test_a_node_that_lost_all_is_rebuilt_and_no_other_is_touched(world):
    await world.take_some()
    before = {account: await world.used(account) for account in ACCOUNTS}
    assert 0 not in before.values()
    lost = world.node_of(ACCOUNTS[0])
    others = [account for account in ACCOUNTS if world.node_of(account) is not lost]
    assert others
    lost.command("FLUSHALL")
    answers = [await world.caller.check(account, "api_calls") for account in others]
    assert [each.used for each in answers] == [before[account] for account in others]
    await until(lambda: world.application._redis.link.vouched)
    assert {account: await world.used(account) for account in ACCOUNTS} == before


@pytest.mark.skipif(not THOROUGH, reason="a node that starts again is none for two seconds: make faults")
async def test_a_node_that_is_gone_fails_its_own_partitions(world):
    """Where a cluster may lack some slots; who starts meanwhile serves the others."""
    gone = world.node_of(ACCOUNTS[0])
    others = [account for account in ACCOUNTS if world.node_of(account) is not gone]
    before = {account: await world.used(account) for account in ACCOUNTS}
    for node in world.nodes.primaries:
        node.command("CONFIG", "SET", "cluster-require-full-coverage", "no")
    await asyncio.to_thread(gone.kill)

    async def refused():
        return isinstance(await world.caller.check(ACCOUNTS[0], "api_calls"), Refusal)

    await until(refused)
    ids = {each: world.fresh() for each in others}
    answers = await asyncio.gather(*(world.caller.consume(each, 1, request_id=ids[each]) for each in others))
    assert not any(isinstance(each, Refusal) for each in answers)
    taken = {ids[each] for each, answer in zip(others, answers, strict=True) if answer.allowed}
    assert taken

    async def collected():
        events = (await written(world.caller.events())).events
        return taken <= {each.data.request_id for each in events}

    await until(collected)  # though nobody reads the streams of the one that is gone
    other = next(node for node in world.nodes.primaries if node is not gone)
    link = world.application._redis.link
    again = link.at(next(n for n in range(PARTITIONS) if world.nodes.node_of(keys.epoch(n), other) is other))
    connects = again.generation
    other.command("SCRIPT", "FLUSH")  # as if it had started anew, on what it had
    other.command("CLIENT", "KILL", "TYPE", "normal")
    await until(lambda: again.generation > connects and again.connected and again.vouched)
    ready = (await world.application.readiness())["redis"]
    assert (ready.ok, str(gone.port) in ready.detail) == (False, True)
    assert f'tallygate_redis_node_up{{node="127.0.0.1:{gone.port}"}} 0.0' in world.application.exposition().decode()
    found = {each.name: each for each in await diagnose(world.installation.settings())}
    assert not found["cluster"].ok
    assert str(gone.port) in found["cluster"].detail
    async with world.installation.role("data") as late, Caller(late.grpc_address, world.caller.key) as caller:
        answers = [await caller.check(account, "api_calls") for account in others]
        assert not any(isinstance(each, Refusal) for each in answers)
    await asyncio.to_thread(gone.start)
    assert await world.used(ACCOUNTS[0]) == before[ACCOUNTS[0]]


async def test_an_audit_finds_counters_without_events_on_every_node(world):
    auditor = world.application._control.collecting.auditor
    (page,) = [page async for page in auditor.facts.accounts()]
    tenant = page[0][0]
    strays = [
        f"{keys.meter(keys.partition_of(PARTITIONS, tenant, account), tenant, account, 'canary')}:1767225600000000"
        for account in ACCOUNTS
    ]
    assert len({world.nodes.node_of(stray) for stray in strays}) == 3
    for stray in strays:
        world.nodes.command("HSET", stray, "u", 2, "i", 2, "o", 0)
    await until(lambda: world.installation.waiting() == 0)
    await until(lambda: not auditor.standing.lost)  # what was rebuilt counts at once, and is audited a moment later
    found = await auditor.audit(hurry=True)
    assert (found.drifting, found.surplus, found.missing) == (len(ACCOUNTS), 2 * len(ACCOUNTS), 0)
    for stray in strays:
        world.nodes.command("DEL", stray)
