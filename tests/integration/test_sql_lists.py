"""Lists newest first, over both databases: what is of one instant comes as it was added, page by page, each once."""

import asyncio
from itertools import pairwise

import pytest
from sqlalchemy import update

from tallygate.billing.gateway_events import list_events
from tallygate.billing.orders import list_orders
from tallygate.domain.billing.orders import Order
from tallygate.records.gateway_events import Effect, EventQuery, ToldEvent
from tallygate.records.orders import OrderQuery
from tallygate.records.paging import PageRequest
from tallygate.records.values import Account, Tenant
from tallygate.storage.sql.billing.order_tables import orders
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.schema import migrate
from tallygate.storage.sql.unit_of_work import SqlStore

NOW = 1_793_491_200_000_000


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/tallygate.db"
    else:
        url = request.getfixturevalue("postgres").create_database()
    await asyncio.to_thread(migrate, url)
    engine = create_engine(url)
    found = SqlStore(engine=engine)
    for tenant in ("t", "u"):
        await found.create_tenant(Tenant(tenant_id=tenant, create_time=0))
    yield found
    await engine.dispose()


async def pages(store, ask, size=2):
    """All that a list answers, page by page; no page but the last is smaller than was asked for."""
    found, token = [], ""
    while True:
        async with store.read("t") as work:
            page = await ask(work, PageRequest(page_size=size, page_token=token))
        found.append(list(page.items))
        token = page.next_page_token
        if not token:
            assert all(len(one) == size for one in found[:-1])
            return [one for part in found for one in part]


async def put(store, name, *, at=NOW, tenant="t"):
    async with store.write(tenant) as work:
        await work.accounts.put(Account(account_id="a", create_time=0))
        await work.orders.put(Order(order_id=name, account_id="a", items=(), create_time=at))
        await work.commit()


async def test_what_is_of_one_instant_is_listed_as_it_was_added(store):
    for name in ("m", "z", "a", "k", "b"):
        await put(store, name)
    await put(store, "n", at=NOW - 1)
    await put(store, "c", at=NOW + 1)
    await put(store, "x", tenant="u")
    await put(store, "z")  # changed, which makes it no newer
    for size in (1, 2, 3, 7, 100):
        asked = await pages(store, lambda work, page: list_orders(work, OrderQuery(limit=0), page), size)
        assert [one.order_id for one in asked] == ["c", "b", "k", "a", "z", "m", "n"]


async def test_a_list_that_grows_between_two_pages_repeats_and_skips_nothing(store):
    for name in ("m", "z", "a"):
        await put(store, name)
    async with store.read("t") as work:
        first = await list_orders(work, OrderQuery(limit=0), PageRequest(page_size=1))
    await put(store, "b")
    async with store.read("t") as work:
        rest = await list_orders(work, OrderQuery(limit=0), PageRequest(page_token=first.next_page_token))
    assert [[one.order_id for one in each.items] for each in (first, rest)] == [["a"], ["z", "m"]]


async def test_ids_of_two_gateways_may_be_the_same(store):
    told = [(gateway, name) for name in ("e2", "e1") for gateway in ("stripe", "paypal")]
    for gateway, name in told:
        async with store.write("t") as work:
            await work.gateway_events.add(
                ToldEvent(
                    gateway=gateway,
                    event_id=name,
                    kind="charge",
                    subject="",
                    effect=Effect.APPLIED,
                    digest="",
                    time=NOW,
                    create_time=NOW,
                )
            )
            await work.commit()
    asked = await pages(store, lambda work, page: list_events(work, EventQuery(limit=0), page), 1)
    assert [(one.gateway, one.event_id) for one in asked] == told[::-1]


async def test_rows_from_before_there_were_numbers_keep_their_order_and_come_before_the_others(store):
    for name in ("b", "c", "a", "z"):
        await put(store, name)
    async with store.write("t") as work:
        for name in ("a", "b", "c"):
            await work.scope.execute(update(orders).where(orders.c.order_id == name).values(sequence=0))
        await work.commit()
    asked = await pages(store, lambda work, page: list_orders(work, OrderQuery(limit=0), page), 1)
    assert [one.order_id for one in asked] == ["z", "c", "b", "a"]
    assert all(older.create_time == newer.create_time for newer, older in pairwise(asked))
