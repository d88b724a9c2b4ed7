import asyncio
from contextlib import suppress

import pytest

from control_planes import DAY, NOW
from tallygate.control_plane.accounts import get_account
from tallygate.control_plane.clocks import advance_clock, get_clock, set_clock
from tallygate.control_plane.keys import CreateKey, create_key, list_keys, revoke_key
from tallygate.control_plane.tenants import CreateTenant, create_tenant, open_test_tenant
from tallygate.domain.credential import Scope, key_digest, mint_key
from tallygate.domain.errors import (
    AccountNotFoundError,
    ConflictError,
    InvalidFieldError,
    NotATestTenantError,
    StoreUnavailableError,
    TenantNotFoundError,
)
from tallygate.domain.key_errors import ApiKeyNotFoundError
from tallygate.records.paging import PageRequest
from tallygate.records.values import SubscriptionQuery

DATA = frozenset({Scope.DATA})


def secret(plane, number=0) -> str:
    return mint_key(f"{number:03d}{plane.tenant_id}".encode().ljust(32, b"x")[:32])


async def create(plane, number=0, **options):
    request = CreateKey(**{"scopes": DATA, **options})
    return await plane.write(
        lambda work, _: create_key(work, request, secret=secret(plane, number), real_now=plane.now)
    )


async def test_keys_are_kept_as_digests_and_listed_by_their_first_characters(plane):
    made = await create(plane, name="backend", expire_time=NOW + DAY)
    (listed,) = (await plane.read(lambda work, _: list_keys(work))).items
    assert listed.digest == key_digest(secret(plane))
    assert listed.shown == secret(plane)[:9]
    assert (listed.record, listed.record.name) == (made.record, "backend")


async def test_two_keys_live_side_by_side_and_one_is_revoked(plane):
    old, new = await create(plane, 1, name="backend"), await create(plane, 2, name="backend")
    await plane.write(lambda work, _: revoke_key(work, old.record.key_id, real_now=NOW + 5))
    again = await plane.write(lambda work, _: revoke_key(work, old.record.key_id, real_now=NOW + 9))
    assert again.record.revoke_time == NOW + 5
    listed = {key.record.key_id: key for key in (await plane.read(lambda work, _: list_keys(work))).items}
    assert listed[new.record.key_id].record.revoke_time is None
    with pytest.raises(ApiKeyNotFoundError):
        await plane.write(lambda work, _: revoke_key(work, "key_nothing", real_now=NOW))


async def test_the_same_secret_is_one_key(plane):
    assert (await create(plane)).record == (await create(plane)).record


@pytest.mark.parametrize("wrong", [{"scopes": frozenset()}, {"expire_time": NOW}, {"name": "a\nb"}])
async def test_impossible_keys_are_refused(plane, wrong):
    with pytest.raises(InvalidFieldError):
        await create(plane, **wrong)


async def test_a_key_belongs_to_one_tenant(plane):
    await create(plane)
    taken = secret(plane)
    other = CreateTenant(tenant_id=f"{plane.tenant_id}-2")
    await create_tenant(plane.transactions, other, now=NOW)
    with pytest.raises(ConflictError):
        await plane.transactions.write(
            other.tenant_id,
            lambda work, _: create_key(work, CreateKey(scopes=DATA), secret=taken, real_now=NOW),
            now=NOW,
        )


async def test_a_tenant_is_created_once_and_unknown_ones_are_not_found(plane):
    with pytest.raises(ConflictError):
        await plane.open_tenant()
    with pytest.raises(TenantNotFoundError):
        await plane.transactions.read("nobody", lambda work, _: list_keys(work), now=NOW)


async def test_a_test_clock_moves_forwards_only_and_moves_the_tenants_now(empty):
    await empty.open_tenant(test=True)
    clock = await empty.write(lambda work, now: advance_clock(work, now=now, real=NOW, by=40 * DAY))
    assert (clock.now, clock.offset) == (NOW + 40 * DAY, 40 * DAY)
    await empty.write(lambda work, now: advance_clock(work, now=now, real=NOW, to=NOW + 41 * DAY))
    assert (await empty.read(lambda work, now: get_clock(work, now=now, real=NOW))).now == NOW + 41 * DAY
    with pytest.raises(InvalidFieldError):
        await empty.write(lambda work, now: advance_clock(work, now=now, real=NOW, to=NOW))
    assert (await empty.upsert("acme")).account.create_time == NOW + 41 * DAY


async def test_a_test_clock_starts_in_the_past_once_stands_and_runs_again(empty):
    await empty.open_tenant(test=True)
    past = NOW - 400 * DAY

    async def put(to=None, *, standing=None):
        return await empty.write(lambda work, now: set_clock(work, now=now, real=empty.now, to=to, standing=standing))

    assert (await put(past, standing=True)).standing
    empty.now += DAY
    account = (await empty.upsert("acme")).account
    assert account.create_time == past  # it stands, and so do all that happens
    with pytest.raises(InvalidFieldError, match="time"):
        await put(past - 1)
    moved = await empty.write(lambda work, now: advance_clock(work, now=now, real=empty.now, by=DAY))
    assert (moved.now, moved.offset, moved.standing) == (past + DAY, past - NOW, True)
    running = await put(standing=False)
    assert (running.now, running.standing) == (past + DAY, False)
    empty.now += DAY
    clock = await empty.read(lambda work, now: get_clock(work, now=now, real=empty.now))
    assert (clock.now, clock.offset) == (past + 2 * DAY, past - NOW)
    assert (await put(past + 3 * DAY)).now == past + 3 * DAY


async def test_a_test_clock_goes_into_the_past_only_before_there_are_accounts(empty):
    await empty.open_tenant(test=True)
    await empty.upsert("acme")
    with pytest.raises(InvalidFieldError, match="time"):
        await empty.write(lambda work, now: set_clock(work, now=now, real=NOW, to=NOW - 1, standing=True))


async def test_a_real_tenants_clock_stands(plane):
    with pytest.raises(NotATestTenantError):
        await plane.write(lambda work, now: advance_clock(work, now=now, real=NOW, by=1))


async def test_an_unknown_key_opens_one_test_tenant_however_many_come_at_once(empty):
    unknown = secret(empty, 7)
    opened = await asyncio.gather(*(open_test_tenant(empty.transactions, unknown, now=NOW) for _ in range(6)))
    assert len({key.record.tenant_id for key in opened}) == 1
    tenant_id = opened[0].record.tenant_id
    clock = await empty.transactions.read(tenant_id, lambda work, now: get_clock(work, now=now, real=NOW), now=NOW)
    assert clock.offset == 0


async def test_a_key_of_somebody_that_is_not_published_yet_opens_nothing(plane):
    """As when the first call with a key that was just minted comes before the key table."""
    own = secret(plane, 8)
    await plane.write(lambda work, _: create_key(work, CreateKey(scopes=DATA), secret=own, real_now=NOW))
    before = await plane.transactions.store.tenant_ids(after="", limit=1000)
    with pytest.raises(StoreUnavailableError):
        await open_test_tenant(plane.transactions, own, now=NOW)
    assert await plane.transactions.store.tenant_ids(after="", limit=1000) == before


async def test_no_repository_reaches_into_another_tenant(plane):
    """Two tenants with equal ids; whatever one writes, the other's rows stay as they were."""
    other = f"{plane.tenant_id}-2"
    await create_tenant(plane.transactions, CreateTenant(tenant_id=other), now=NOW)
    await plane.upsert("acme", "pro")
    with pytest.raises(AccountNotFoundError):
        await plane.transactions.read(other, lambda work, now: get_account(work, "acme", now=now), now=NOW)
    before = await plane.read(lambda work, now: get_account(work, "acme", now=now))

    async def meddle(work, now):
        for action in (
            work.users.remove("acme", ["u"]),
            work.seats.unassign("acme", "", ["u"]),
            work.overrides.delete("acme", "o"),
        ):
            assert not await action
        assert not await work.subscriptions.list(SubscriptionQuery(now=now, limit=9))
        assert not await work.overrides.list("acme")
        assert not await work.grants.list("acme")
        assert await work.seats.get("acme", "seats", "u") is None
        assert not await work.seats.list("acme", "", after=("", ""), limit=9)
        assert not await work.accounts.list(after="", limit=9, plan_key="pro", now=now)
        assert await work.keys.newest(before=None, limit=9) == []
        assert await work.catalog.publish_times() == {}
        assert not await work.accounts.records(["acme"])
        use = await work.subscriptions.use(now=now)
        assert (use.plans, use.serving) == ({}, {})
        assert await work.keys.list(after="", limit=9) == []
        assert (await work.catalog.load()).plans == {}

    with suppress(AccountNotFoundError):
        await plane.transactions.write(other, meddle, now=NOW)
    assert await plane.read(lambda work, now: get_account(work, "acme", now=now)) == before


async def test_keys_are_listed_newest_first(plane):
    made = [await create(plane, number) for number in range(3)]
    plane.now += DAY
    made += [await create(plane, number) for number in range(3, 5)]
    seen, token = [], ""
    while True:
        request = PageRequest(page_size=2, page_token=token)
        page = await plane.read(lambda work, _, request=request: list_keys(work, request))
        seen += list(page.items)
        token = page.next_page_token
        if not token:
            break
    newest = sorted(made, key=lambda key: (key.create_time, key.record.key_id), reverse=True)
    assert [key.record.key_id for key in seen] == [key.record.key_id for key in newest]
    assert seen[0].create_time == NOW + DAY
