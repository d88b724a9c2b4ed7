import asyncio

import pytest

import patience
from control_planes import PARTITIONS
from servers import ValkeyServer
from tallygate.data_plane.ports import UsageReturned, ViewChange
from tallygate.domain.errors import StoreUnavailableError
from tallygate.records.values import Change
from tallygate.storage.redis import keys
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.announcements import RedisAnnouncements
from tallygate.storage.redis.factory import RedisFactory
from tallygate.storage.redis.link.link import RedisLink
from tallygate.storage.redis.publisher import RedisPublisher
from tallygate.storage.redis.views import RedisViews


@pytest.fixture
def valkey():
    with ValkeyServer() as server:
        yield server


async def soon(condition, seconds=patience.SECONDS):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - it is another task's list, not an event
            await asyncio.sleep(0.01)


class Listener:
    """What one sidecar hears."""

    def __init__(self, server: ValkeyServer) -> None:
        self.changes: list[ViewChange] = []
        self.returned: list[UsageReturned] = []
        self.gaps = 0
        self.live = False
        self.client = RedisFactory(address=RedisAddress.parse(server.url)).client()
        self.task = asyncio.create_task(RedisAnnouncements(self.client, sleep=asyncio.sleep).listen(self))

    def on_change(self, change: ViewChange) -> None:
        self.changes.append(change)

    def on_return(self, returned: UsageReturned) -> None:
        self.returned.append(returned)

    def on_gap(self) -> None:
        self.gaps += 1
        self.live = False

    def on_live(self) -> None:
        self.gaps += 1
        self.live = True

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])
        await self.client.aclose()


@pytest.fixture
async def listener(valkey):
    made = Listener(valkey)
    yield made
    await made.close()


@pytest.fixture
async def publisher(valkey):
    client = RedisFactory(address=RedisAddress.parse(valkey.url), connect_seconds=15, reply_seconds=15).client()
    yield RedisPublisher(client, partitions=PARTITIONS)
    await client.aclose()


async def announce(publisher, version, account_id="acme"):
    await publisher.finish("t", version, [Change(tenant_id="t", account_id=account_id, version=version)])


async def test_every_listener_hears_a_change_within_a_second(valkey, listener, publisher):
    other = Listener(valkey)
    await soon(lambda: listener.gaps and other.gaps)
    await announce(publisher, 7)
    async with asyncio.timeout(1):
        await soon(lambda: listener.changes and other.changes)
    assert listener.changes == other.changes == [ViewChange(tenant_id="t", account_id="acme", version=7)]
    await other.close()


async def test_a_listener_comes_back_after_a_restart_and_says_that_it_may_have_missed_some(valkey, listener, publisher):
    await soon(lambda: listener.gaps == 1)
    assert listener.live
    valkey.kill()
    await soon(lambda: not listener.live)
    valkey.start()
    await soon(lambda: listener.live)

    async def heard():
        while not listener.changes:
            await announce(publisher, 9)
            await asyncio.sleep(0.05)

    await asyncio.wait_for(heard(), patience.SECONDS)


async def test_a_server_that_fell_silent_is_left(valkey, listener):
    await soon(lambda: listener.gaps == 1)
    valkey.pause()
    await soon(lambda: not listener.live)
    valkey.resume()
    await soon(lambda: listener.live)


async def test_what_is_no_announcement_is_passed_over(valkey, listener, publisher):
    await soon(lambda: listener.gaps == 1)
    for rubbish in ("", "[]", "{}", '{"tenant_id": "t"}', '{"tenant_id": "t", "feature_key": "f"}', "\xff"):
        valkey.command("PUBLISH", keys.CHANGES_CHANNEL, rubbish)
    await announce(publisher, 3, account_id="")
    await soon(lambda: listener.changes)
    assert listener.changes == [ViewChange(tenant_id="t", account_id="", version=3)]


async def test_a_paused_server_is_unavailable_in_time(valkey, publisher):
    await announce(publisher, 1)
    valkey.pause()
    publisher = RedisPublisher(RedisFactory(address=RedisAddress.parse(valkey.url)).client(), partitions=PARTITIONS)
    started = asyncio.get_running_loop().time()
    with pytest.raises(StoreUnavailableError):
        await announce(publisher, 2)
    with pytest.raises(StoreUnavailableError):
        await publisher.is_intact()
    assert asyncio.get_running_loop().time() - started < 2
    valkey.resume()


async def test_a_server_that_forgot_its_scripts_learns_them_again(valkey, publisher):
    await announce(publisher, 1)
    valkey.command("SCRIPT", "FLUSH")
    await announce(publisher, 2)
    assert valkey.command("GET", keys.applied(PARTITIONS, "t")) == b"2"


async def test_another_server_is_not_the_one_that_was_published_to(valkey, publisher):
    assert not await publisher.is_intact()
    assert await publisher.mark_intact(await publisher.begin())
    assert await publisher.is_intact()
    noted = valkey.command("GET", keys.PUBLISHED_TO)
    valkey.restart()
    valkey.command("SET", keys.PUBLISHED_TO, noted)  # as an AOF would bring it back
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailableError):
        await publisher.is_intact()  # the pooled connection died with the old server
    assert not await publisher.is_intact()


async def test_a_damaged_document_is_unavailable_and_no_other_answer(valkey):
    link = RedisLink(RedisAddress.parse(valkey.url), reply_seconds=2)
    await link.connect()
    views = RedisViews(link, partitions=PARTITIONS)
    valkey.command("HSET", keys.catalog(PARTITIONS, "t"), "v", 1, "d", '{"version": "x"}')
    with pytest.raises(StoreUnavailableError):
        await views.catalog("t")
    await link.close()
    with pytest.raises(StoreUnavailableError):
        await views.versions("t", "acme")
