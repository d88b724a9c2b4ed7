"""What was written is published, on both databases, to a real Valkey, and read as the data plane reads it."""

import asyncio
from dataclasses import replace

import pytest

import patience
from control_planes import DAY, PARTITIONS, demo_catalog, pro
from tallygate.control_plane.clocks import advance_clock
from tallygate.control_plane.keys import CreateKey, create_key, revoke_key
from tallygate.control_plane.seats import AssignSeat, assign_seat
from tallygate.data_plane.ports import ViewVersions
from tallygate.domain.billing.published import published
from tallygate.domain.credential import Scope, key_digest, mint_key
from tallygate.domain.errors import StoreUnavailableError
from tallygate.records.transactions import Transactions
from tallygate.records.values import Account
from tallygate.storage.redis import keys
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.link.link import RedisLink
from tallygate.storage.redis.views import RedisViews


@pytest.fixture
async def views(valkey, empty):
    """Read where a worker has published everything."""
    await empty.views.mark_intact(await empty.views.begin())
    link = RedisLink(RedisAddress.parse(valkey.url), reply_seconds=2)
    await link.connect()
    yield RedisViews(link, partitions=PARTITIONS)
    await link.close()


async def record_of(plane, account_id="acme"):
    return await plane.record(account_id)


class CrashError(Exception):
    """The process dies between commit and publish."""


class DeadPublisher:
    async def publish_soon(self, tenant_id, version):
        raise CrashError(tenant_id, version)


def dying(plane):
    return Transactions(store=plane.store, publisher=DeadPublisher())


async def test_a_write_is_published_before_it_answers(plane, views):
    await plane.upsert("acme", "pro", time_zone="Europe/Berlin")
    written = await plane.written(
        lambda work, now: assign_seat(work, AssignSeat(account_id="acme", feature_key="seats", user_id="u1"), now=now)
    )
    version = written.view_version
    snapshot = await views.catalog(plane.tenant_id)
    record = (await views.newest(plane.tenant_id, "acme"))[1]
    assert await views.versions(plane.tenant_id, "acme") == ViewVersions(
        catalog=snapshot.version, account=version, applied=version
    )
    assert snapshot.catalog == published(demo_catalog())
    assert record == await record_of(plane)
    assert (record.version, record.seats) == (version, {"seats": ("u1",)})


async def test_what_does_not_exist_is_none_and_version_zero(plane, views):
    assert (await views.newest(plane.tenant_id, "unheard-of"))[1] is None
    assert await views.catalog("nobody") is None
    with pytest.raises(StoreUnavailableError):  # of whom nothing is published, nothing can be said
        await views.newest("nobody", "acme")
    assert await views.key("0" * 64) is None
    assert await views.versions("nobody", "acme") == ViewVersions(catalog=0, account=0, applied=0)


async def test_a_fresh_tenant_has_a_catalogue(empty, views):
    await empty.open_tenant(test=True)
    assert (await views.catalog(empty.tenant_id)).version == 1
    await empty.write(lambda work, now: advance_clock(work, now=now, real=empty.now, by=DAY))
    snapshot = await views.catalog(empty.tenant_id)
    assert (snapshot.version, snapshot.clock_offset) == (2, DAY)


async def test_a_catalogues_version_is_in_every_partition(plane):
    await plane.apply(replace(demo_catalog(), plans={"pro": {2: pro(2)}}))
    found = [await plane.redis.get(keys.catalog_version(number, plane.tenant_id)) for number in range(PARTITIONS)]
    assert len(set(found)) == 1
    assert int(found[0]) == 3


async def test_two_writers_never_share_a_version(plane):
    views = await asyncio.gather(
        *(plane.written(lambda work, _, number=number: work.accounts.put(_account(number))) for number in range(12))
    )
    versions = [written.view_version for written in views]
    assert len(set(versions)) == 12
    assert max(versions) - min(versions) == 11
    assert await plane.outbox.pending(plane.tenant_id, limit=9) == []


def _account(number):
    return Account(account_id=f"a{number}", create_time=0)


async def test_a_crash_between_commit_and_publish_is_made_good(plane, views):
    await plane.upsert("acme", "free")
    before = await views.versions(plane.tenant_id, "acme")
    alive, plane.transactions = plane.transactions, dying(plane)
    with pytest.raises(CrashError):
        await plane.change_plan("acme", "pro")
    assert await views.versions(plane.tenant_id, "acme") == before
    plane.transactions = alive
    await plane.publisher.publish_pending()
    record = (await views.newest(plane.tenant_id, "acme"))[1]
    assert record == await record_of(plane)
    after = await views.versions(plane.tenant_id, "acme")
    assert (after.account, after.applied) == (before.account + 1, before.applied + 1)
    assert plane.tenant_id not in await plane.outbox.tenants()


async def test_the_worker_makes_it_good_by_itself(plane, views):
    alive, plane.transactions = plane.transactions, dying(plane)
    with pytest.raises(CrashError):
        await plane.upsert("acme", "pro")
    plane.transactions = alive
    slept = asyncio.Event()

    async def sleep(_seconds):
        slept.set()
        await asyncio.Event().wait()

    worker = asyncio.create_task(plane.publisher.run(sleep))
    await asyncio.wait_for(slept.wait(), patience.SECONDS)
    worker.cancel()
    assert (await views.newest(plane.tenant_id, "acme"))[1] == await record_of(plane)


async def test_an_older_publish_that_comes_late_replaces_nothing(plane, views):
    await plane.upsert("acme", "free")
    older, old_catalog = await record_of(plane), await views.catalog(plane.tenant_id)
    await plane.change_plan("acme", "pro")
    await plane.apply(replace(demo_catalog(), plans={"pro": {2: pro(2)}}))
    newest = await views.versions(plane.tenant_id, "acme")
    await plane.views.publish_accounts([older])
    await plane.views.publish_catalog(old_catalog)
    await plane.views.finish(plane.tenant_id, 1, [])
    assert await views.versions(plane.tenant_id, "acme") == newest
    assert (await views.newest(plane.tenant_id, "acme"))[1] == await record_of(plane)
    assert (await views.catalog(plane.tenant_id)).version == newest.catalog


async def test_more_changes_than_one_batch_are_published_before_the_watermark_says_so(plane, views, monkeypatch):
    said, finish = [], plane.views.finish

    async def spy(tenant_id, applied, changes):
        said.append(applied)
        await finish(tenant_id, applied, changes)

    monkeypatch.setattr(plane.views, "finish", spy)

    async def many(work, _):
        for number in range(1_200):
            await work.accounts.put(_account(number))

    written = await plane.written(many)
    assert (await views.versions(plane.tenant_id, "a1199")).account == written.view_version
    assert (await views.versions(plane.tenant_id, "a0")).applied == written.view_version
    assert said == [written.view_version - 1, written.view_version - 1, written.view_version]


async def test_keys_are_published_and_revoked_for_every_reader(plane, views):
    secret = mint_key(plane.tenant_id.encode().ljust(32, b"k")[:32])
    request = CreateKey(scopes=frozenset({Scope.DATA, Scope.READ_ONLY}), name="n", expire_time=plane.now + DAY)
    made = await plane.write(lambda work, _: create_key(work, request, secret=secret, real_now=plane.now))
    first = await views.table_version()
    assert await views.key(key_digest(secret)) == made.record
    await plane.write(lambda work, _: revoke_key(work, made.record.key_id, real_now=plane.now))
    assert (await views.key(key_digest(secret))).revoke_time == plane.now
    assert await views.table_version() > first
    await plane.views.publish_keys([replace(made, version=1)])  # a publisher that was overtaken
    assert (await views.key(key_digest(secret))).revoke_time == plane.now


async def test_everything_is_republished_after_the_store_was_emptied(plane, views):
    await plane.upsert("acme", "pro")
    secret = mint_key(plane.tenant_id.encode().ljust(32, b"e")[:32])
    request = CreateKey(scopes=frozenset({Scope.DATA}))
    made = await plane.write(lambda work, _: create_key(work, request, secret=secret, real_now=plane.now))
    before = await views.versions(plane.tenant_id, "acme")
    table = await views.table_version()
    await plane.views.mark_intact(await plane.views.begin())
    assert await plane.views.is_intact()
    await plane.redis.flushall()
    assert not await plane.views.is_intact()
    await plane.publisher.republish_all()
    assert await plane.views.is_intact()
    assert await views.versions(plane.tenant_id, "acme") == before
    assert (await views.newest(plane.tenant_id, "acme"))[1] == await record_of(plane)
    assert await views.key(key_digest(secret)) == made.record
    assert await views.table_version() > table


@pytest.mark.parametrize("loss", ["flushall", "restart"])
async def test_what_is_lost_while_everything_is_published_is_published_again(plane, views, valkey, loss, monkeypatch):
    """The second tenant's part stands; what the first one's was is gone, so that not everything is there."""
    await plane.upsert("acme", "pro")
    await plane.redis.flushall()
    whole = plane.publisher.republish

    async def then_lost(tenant_id):
        await whole(tenant_id)
        await (plane.redis.flushall() if loss == "flushall" else asyncio.to_thread(valkey.restart))

    with monkeypatch.context() as once:
        once.setattr(type(plane.publisher), "republish", lambda _, tenant_id: then_lost(tenant_id))
        await plane.publisher.republish_all()
    assert not await plane.views.is_intact()
    await plane.publisher.republish_all()
    assert await plane.views.is_intact()
    assert (await views.newest(plane.tenant_id, "acme"))[1] == await record_of(plane)


@pytest.mark.parametrize("known", [True, False])
async def test_what_is_not_there_is_called_unknown_only_where_everything_was_published(plane, views, known):
    """A server that was emptied holds what was written since; one that started on an older copy lacks that."""
    await plane.upsert("acme", "pro")
    secret = mint_key(plane.tenant_id.encode().ljust(32, b"n")[:32])
    request = CreateKey(scopes=frozenset({Scope.DATA}))
    await plane.write(lambda work, _: create_key(work, request, secret=secret, real_now=plane.now))
    if known:
        await plane.redis.flushall()
    else:
        await plane.redis.script_flush()  # what a server forgets that starts anew
    await plane.publisher.republish(plane.tenant_id)
    assert (await views.key(key_digest(secret))).tenant_id == plane.tenant_id
    assert (await views.newest(plane.tenant_id, "acme"))[1] == await record_of(plane)
    for _ in range(2):
        with pytest.raises(StoreUnavailableError):
            await views.key("0" * 64)
        with pytest.raises(StoreUnavailableError):
            await views.newest(plane.tenant_id, "unheard-of")
    assert bool(await views.table_version()) is not known
    await plane.publisher.republish_all()
    assert await views.key("0" * 64) is None
    assert (await views.newest(plane.tenant_id, "unheard-of"))[1] is None
    assert await views.table_version()


async def test_a_write_whose_publishing_fails_is_still_a_write(plane, views, monkeypatch):
    async def unreachable(*_):
        raise StoreUnavailableError(store="redis")

    monkeypatch.setattr(plane.views, "publish_accounts", unreachable)
    view = await plane.upsert("acme", "pro")
    assert view.account.account_id == "acme"
    assert (await views.newest(plane.tenant_id, "acme"))[1] is None
    monkeypatch.undo()
    await plane.publisher.publish_pending()
    assert (await views.newest(plane.tenant_id, "acme"))[1] == await record_of(plane)


async def test_a_cancelled_callers_write_is_done_and_published(plane, views):
    call = asyncio.create_task(plane.upsert("acme", "pro"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await plane.transactions.drain()
    assert ((await views.newest(plane.tenant_id, "acme"))[1]).subscription is not None
