import asyncio
from contextlib import aclosing

import pytest

import patience
from collectors import migrated, short_sleep
from stream_entries import FEBRUARY, JANUARY
from tallygate.domain.errors import StoreUnavailableError
from tallygate.domain.event import FactKind, FactSource, UsageFact
from tallygate.metering.feed import follow
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.metering.events import SqlEventReader, SqlLedger


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def engine(request, tmp_path_factory):
    with migrated(request.param, tmp_path_factory.mktemp("feed")) as url:
        engine = create_engine(url)
        yield engine
        await engine.dispose()


@pytest.fixture
def tenant(request):
    return request.node.nodeid


def fact(tenant, request_id, account="acme"):
    return UsageFact(
        tenant_id=tenant,
        account_id=account,
        feature_key="f",
        request_id=request_id,
        kind=FactKind.CONSUME,
        quantity=1,
        occurred_time=JANUARY,
        recorded_time=JANUARY,
        period_start=JANUARY,
        period_end=FEBRUARY,
        source=FactSource(partition=0, epoch="e", entry_id="1-1"),
    )


async def record(engine, *facts):
    async with SqlLedger(engine).transaction() as transaction:
        await transaction.lock({fact.tenant_id for fact in facts})
        await transaction.append(facts)


async def take(count, feed):
    async with aclosing(feed), asyncio.timeout(patience.SECONDS):
        return [await anext(feed) for _ in range(count)]


async def test_pages_are_bound_to_tenant_and_account(engine, tenant):
    await record(
        engine, fact(tenant, "1"), fact(tenant, "2", "globex"), fact(f"{tenant}-other", "3"), fact(tenant, "4")
    )
    reader = SqlEventReader(engine)
    assert await reader.head(tenant) == 3
    assert await reader.head("nobody") == 0
    assert [(r.sequence, r.fact.request_id) for r in await reader.events_after(tenant, 0)] == [
        (1, "1"),
        (2, "2"),
        (3, "4"),
    ]
    assert [r.sequence for r in await reader.events_after(tenant, 1, limit=1)] == [2]
    assert [r.fact.request_id for r in await reader.events_after(tenant, 0, account_id="globex")] == ["2"]
    assert await reader.events_after(tenant, 3) == []


async def test_what_was_recorded_comes_back_equal(engine, tenant):
    stored = fact(tenant, "1")
    await record(engine, stored)
    assert (await SqlEventReader(engine).events_after(tenant, 0))[0].fact == stored


async def test_following_two_writers_misses_and_repeats_nothing(engine, tenant):
    feed = follow(SqlEventReader(engine), tenant, page=7, sleep=short_sleep)
    received = asyncio.create_task(take(200, feed))

    async def write(name):
        for number in range(20):
            await record(engine, *(fact(tenant, f"{name}-{number}-{n}") for n in range(5)))

    await asyncio.gather(write("one"), write("two"))
    assert [recorded.sequence for recorded in await received] == list(range(1, 201))


@pytest.mark.parametrize("fails", [False, True])
async def test_a_follower_that_is_cancelled_ends_after_its_reading(fails):
    begun, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    class Reader:
        async def head(self, _tenant_id):
            begun.set()
            await go_on.wait()
            ended.set()
            if fails:
                raise StoreUnavailableError

    feed = follow(Reader(), "t")
    follower = asyncio.ensure_future(anext(feed))
    await begun.wait()
    follower.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await follower
    assert ended.is_set()


async def test_following_one_account_skips_the_others_and_resumes(engine, tenant):
    await record(engine, *(fact(tenant, str(n), "acme" if n % 10 else "globex") for n in range(40)))
    reader = SqlEventReader(engine)
    feed = follow(reader, tenant, account_id="globex", page=3, sleep=short_sleep)
    assert [r.fact.request_id for r in await take(4, feed)] == ["0", "10", "20", "30"]
    rest = take(2, follow(reader, tenant, after=11, account_id="globex", page=1, sleep=short_sleep))
    assert [r.sequence for r in await rest] == [21, 31]


async def test_a_failed_transaction_takes_no_sequence_number(engine, tenant):
    await record(engine, fact(tenant, "1"))

    async def crash():
        async with SqlLedger(engine).transaction() as transaction:
            await transaction.lock({tenant})
            await transaction.append([fact(tenant, "2")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await crash()
    await record(engine, fact(tenant, "3"))
    assert [(r.sequence, r.fact.request_id) for r in await SqlEventReader(engine).events_after(tenant, 0)] == [
        (1, "1"),
        (2, "3"),
    ]
