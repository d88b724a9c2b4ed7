import asyncio

import pytest

from tallygate.domain.credential import KeyRecord, Scope, key_digest, mint_key
from tallygate.domain.errors import StoreUnavailableError, UnauthenticatedError
from tallygate.domain.key_errors import KeyExpiredError, KeyRevokedError
from tallygate.server.calls.authentication import AuthenticationOptions, Authenticator

KEY = mint_key(b"k" * 32)
OTHER = mint_key(b"o" * 32)


class Table:
    """A key table whose readings a test can hold up."""

    def __init__(self):
        self.records = {key_digest(KEY): record()}
        self.version, self.reads, self.error = 1, 0, None
        self.gate, self.reading = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def key(self, digest):
        self.reads += 1
        self.reading.set()
        found = self.records.get(digest)
        await self.gate.wait()
        if self.error:
            raise self.error
        return found

    async def table_version(self):
        if self.error:
            raise self.error
        return self.version


def record(**more):
    return KeyRecord(key_id="k", tenant_id="demo", scopes=frozenset({Scope.DATA}), **more)


class World:
    def __init__(self, **options):
        self.table, self.now, self.steady = Table(), 0, 0.0
        self.authenticator = Authenticator(
            self.table,
            clock=lambda: self.now,
            steady=lambda: self.steady,
            options=AuthenticationOptions(**options),
            open_test_tenant=None,
        )

    async def ask(self, key=KEY):
        return await self.authenticator.authenticate(f"Bearer {key}")


async def test_a_cached_key_outlives_the_store_by_max_staleness_only():
    world = World(max_staleness=5)
    await world.authenticator.refresh()
    await world.ask()
    world.table.error = StoreUnavailableError()
    world.steady = 4.9
    assert (await world.ask()).tenant_id == "demo"
    world.steady = 5.1
    with pytest.raises(StoreUnavailableError):
        await world.ask()
    world.table.error = None
    await world.authenticator.refresh()
    assert (await world.ask()).tenant_id == "demo"


async def test_each_look_at_the_table_keeps_cached_keys_young():
    world = World(max_staleness=5)
    await world.ask()
    for second in range(20):
        world.steady = float(second)
        await world.authenticator.refresh()
    world.steady += 1
    await world.authenticator.refresh()
    reads = world.table.reads
    await world.ask()
    await world.ask()
    assert world.table.reads <= reads + 1


async def test_a_key_expires_at_its_instant_though_it_is_cached():
    world = World()
    world.table.records[key_digest(KEY)] = record(expire_time=100)
    world.now = 99
    await world.ask()
    world.now = 100
    with pytest.raises(KeyExpiredError):
        await world.ask()


async def test_unknown_keys_are_asked_for_once_a_second():
    world = World()
    for _ in range(5):
        with pytest.raises(UnauthenticatedError):
            await world.ask(OTHER)
    assert world.table.reads == 1
    world.steady = 1.1
    world.table.records[key_digest(OTHER)] = record()
    assert (await world.ask(OTHER)).key_id == "k"


async def test_what_is_no_key_is_never_asked_for():
    world = World()
    for text in ("tg_short", KEY[:-1] + ("0" if KEY[-1] != "0" else "1"), "", KEY + "x"):
        with pytest.raises(UnauthenticatedError):
            await world.ask(text)
    assert world.table.reads == 0


async def test_callers_that_arrive_together_share_one_reading_that_none_can_cancel():
    world = World()
    world.table.gate.clear()
    callers = [asyncio.create_task(world.ask()) for _ in range(10)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    callers[0].cancel()
    world.table.gate.set()
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert all(outcome.key_id == "k" for outcome in outcomes[1:])
    assert world.table.reads == 1


async def test_a_reading_from_before_a_revocation_is_not_kept():
    world = World()
    await world.authenticator.refresh()
    world.table.gate.clear()
    slow = asyncio.create_task(world.ask())
    await world.table.reading.wait()
    world.table.records[key_digest(KEY)] = record(revoke_time=0)
    world.table.version += 1
    await world.authenticator.refresh()
    world.table.gate.set()
    await slow
    with pytest.raises(UnauthenticatedError):
        await world.ask()


async def test_the_cache_is_bounded():
    world = World(cached_keys=10)
    for number in range(50):
        with pytest.raises(UnauthenticatedError):
            await world.ask(mint_key(bytes([number]) * 32))
    assert len(world.authenticator._unknown) <= 10


async def test_in_testing_an_unknown_key_opens_a_tenant_of_its_own():
    opened = []

    async def open_test_tenant(key):
        opened.append(key)
        return record()

    world = World()
    world.authenticator._open_test_tenant = open_test_tenant
    await asyncio.gather(*(world.ask(OTHER) for _ in range(5)))
    await world.ask(OTHER)
    assert opened == [OTHER]


async def test_the_poll_survives_a_store_that_is_away():
    world = World()
    world.table.error = StoreUnavailableError()
    naps = []

    async def sleep(seconds):
        naps.append(seconds)
        if len(naps) == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await world.authenticator.run(sleep)
    assert naps == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("end", ["expire_time", "revoke_time"])
async def test_a_key_that_will_end_is_known_until_then_and_no_longer(end):
    world = World()
    world.table.records[key_digest(KEY)] = record(**{end: 100})
    await world.authenticator.refresh()
    await world.ask()
    await world.ask()
    world.now = 99
    assert world.authenticator.known(f"Bearer {KEY}").key_id == "k"
    world.now = 100
    assert world.authenticator.known(f"Bearer {KEY}") is None


async def test_a_key_that_was_valid_when_the_store_went_away_serves_policies_until_the_bound():
    world = World(max_staleness=5, outage=100)
    await world.authenticator.refresh()
    await world.ask()
    world.table.error = StoreUnavailableError()
    world.steady = 100.0
    with pytest.raises(StoreUnavailableError):
        await world.ask()
    assert (await world.authenticator.authenticate(f"Bearer {KEY}", in_outage=True)).key_id == "k"
    with pytest.raises(StoreUnavailableError):
        await world.authenticator.authenticate(f"Bearer {OTHER}", in_outage=True)
    world.steady = 100.1
    with pytest.raises(StoreUnavailableError):
        await world.authenticator.authenticate(f"Bearer {KEY}", in_outage=True)


async def test_a_keys_own_end_ends_it_in_an_outage_too():
    world = World(max_staleness=5, outage=100)
    world.table.records[key_digest(KEY)] = record(expire_time=50)
    await world.authenticator.refresh()
    await world.ask()
    world.table.error = StoreUnavailableError()
    world.steady, world.now = 20.0, 49
    assert (await world.authenticator.authenticate(f"Bearer {KEY}", in_outage=True)).key_id == "k"
    world.now = 50
    with pytest.raises(KeyExpiredError):
        await world.authenticator.authenticate(f"Bearer {KEY}", in_outage=True)


async def test_a_revocation_reaches_a_key_when_the_store_is_back():
    world = World(max_staleness=5, outage=100)
    await world.authenticator.refresh()
    await world.ask()
    world.table.error, world.steady = StoreUnavailableError(), 20.0
    await world.authenticator.authenticate(f"Bearer {KEY}", in_outage=True)
    world.table.error = None
    world.table.records[key_digest(KEY)] = record(revoke_time=0)
    world.table.version += 1
    with pytest.raises(KeyRevokedError):
        await world.authenticator.authenticate(f"Bearer {KEY}", in_outage=True)


async def test_keys_are_known_again_after_a_change_before_their_callers_come_back():
    world = World(max_staleness=5, outage=100)
    world.table.records[key_digest(OTHER)] = record()
    await world.authenticator.refresh()
    await world.ask()
    await world.ask(OTHER)
    world.table.version += 1
    world.table.records[key_digest(OTHER)] = record(revoke_time=0)
    await world.authenticator.refresh()
    world.table.error, world.steady = StoreUnavailableError(), 20.0
    assert (await world.authenticator.authenticate(f"Bearer {KEY}", in_outage=True)).key_id == "k"
    with pytest.raises(KeyRevokedError):
        await world.authenticator.authenticate(f"Bearer {OTHER}", in_outage=True)


async def test_a_table_that_was_emptied_says_nothing_about_any_key():
    world = World(max_staleness=5, outage=100)
    await world.authenticator.refresh()
    await world.ask()
    world.table.records.clear()
    world.table.version = 0
    world.steady = 4.0
    await world.authenticator.refresh()
    assert (await world.ask()).key_id == "k"
    world.steady = 5.1
    with pytest.raises(StoreUnavailableError):
        await world.ask()
    assert (await world.authenticator.authenticate(f"Bearer {KEY}", in_outage=True)).key_id == "k"


async def test_the_listeners_own_key_is_known_before_its_first_caller_comes():
    world = World(max_staleness=5, outage=100, listener_key=KEY)
    await world.authenticator.refresh()
    assert world.table.reads == 1
    await world.authenticator.refresh()
    assert world.table.reads == 1
    world.table.error, world.steady = StoreUnavailableError(), 20.0
    assert (await world.authenticator.authenticate(None, in_outage=True)).key_id == "k"
