"""Two sidecars: a change binds the one that missed its announcement at its very next consume."""

import asyncio
import time

import pytest

from collectors import until
from faults.callers import CATALOG, Caller, decided_on, new_world, reason, written
from faults.installations import PARTITIONS
from faults.planted import fails_without, script
from tallygate.data_plane.views import Views
from tallygate.domain.gating.admit import AdmitStatus
from tallygate.storage.redis.announcements import RedisAnnouncements
from tallygate.storage.redis.gates import RedisProgram

STALENESS = 2.0


the_catalogue_s_version = script(
    "the catalogue's version", (" or (there[3 * i + HOME_CATALOGUE] or '0') ~= catalogue and 'STALE_VIEW'", "")
)
the_record_s_version = script(
    "the record's version", ("if (redis.call('HGET', record, 'v') or '0') ~= version then return 'STALE_VIEW' end", "")
)


def announcements(monkeypatch, _module):
    monkeypatch.setattr(RedisAnnouncements, "listen", deaf)


def the_version_that_is_asked_for(monkeypatch, module):
    the_record_s_version(monkeypatch, module)
    monkeypatch.setattr(Views, "holds", lambda _self, view, *_, **__: not view.superseded)


def the_age_of_views(monkeypatch, module):
    monkeypatch.setattr(module, "STALENESS", 600.0)


@pytest.fixture
async def control(installation, key):
    async with installation.role("all") as application, Caller(application.grpc_address, key) as caller:
        await new_world(caller, "acme", "globex")
        yield caller


async def deaf(_self, _listener):
    """Announcements of which nothing is heard, and nobody knows it."""
    await asyncio.Event().wait()


@pytest.fixture
async def missed(installation, key, control, monkeypatch):  # noqa: ARG001 - after it: its listener hears
    """A sidecar that hears no announcement, and does not know it."""
    monkeypatch.setattr(RedisAnnouncements, "listen", deaf)
    async with (
        installation.role("data", max_staleness=STALENESS) as application,
        Caller(application.grpc_address, key) as caller,
    ):
        yield caller


@pytest.fixture
async def heard(installation, key, control):  # noqa: ARG001 - it needs a world
    """A sidecar that believes its view for very long, unless it hears of a change."""
    async with (
        installation.role("data", max_staleness=60) as application,
        Caller(application.grpc_address, key) as caller,
    ):
        yield caller


@pytest.fixture
def statuses(monkeypatch):
    """What the scripts answered, of all sidecars of this process."""
    seen, ask = [], RedisProgram.ask

    def asked(self, items, about, answered):
        def told(reply):
            seen.append(reply.status)
            answered(reply)

        ask(self, items, about, told)

    monkeypatch.setattr(RedisProgram, "ask", asked)
    return seen


@fails_without(the_record_s_version)
async def test_a_downgrade_binds_the_sidecar_that_missed_it_at_its_next_consume(control, missed, statuses):
    assert (await missed.consume("acme", 5, request_id="r1")).limit == 1000
    await written(control.change_plan("acme", "small"))
    statuses.clear()
    answer = await missed.consume("acme", 1, request_id="r2")
    assert (answer.allowed, reason(answer), answer.limit, answer.used) == (False, "QUOTA_EXHAUSTED", 3, 5)
    assert statuses == [AdmitStatus.STALE_VIEW, AdmitStatus.DECIDED]


async def test_without_the_scripts_comparison_the_old_limit_would_have_been_enforced(control, missed, installation):
    """What the script compares with is put back to what stood before the change."""
    assert (await missed.consume("acme", 5, request_id="r1")).allowed
    [record] = [
        name
        for partition in range(PARTITIONS)
        for name in installation.valkey.command("KEYS", f"tg:{{{partition}}}:a:*acme*")
    ]
    before = installation.valkey.command("HGET", record, "v")
    await written(control.change_plan("acme", "small"))
    assert installation.valkey.command("HGET", record, "v") != before
    installation.valkey.command("HSET", record, "v", before)
    assert (await missed.consume("acme", 1, request_id="r2")).allowed


@fails_without(the_catalogue_s_version)
async def test_a_new_catalogue_binds_the_sidecar_that_missed_it(control, missed, statuses):
    assert (await missed.consume("globex", 1, request_id="r1")).allowed
    plan = CATALOG["plans"]["large"] | {"version": 2}
    entitlements = plan["entitlements"] | {"api_calls": {"limit": 1}}
    await written(
        control.apply(CATALOG | {"plans": CATALOG["plans"] | {"large": plan | {"entitlements": entitlements}}})
    )
    statuses.clear()
    answer = await missed.consume("globex", 1, request_id="r2")
    assert answer.allowed, "a new version moves nobody by itself"
    assert statuses[0] is AdmitStatus.STALE_VIEW


@fails_without(announcements)
async def test_with_announcements_a_check_sees_a_change_within_a_second(control, heard):
    assert (await heard.check("acme", "sso")).allowed
    await written(control.change_plan("acme", "small"))
    committed = time.monotonic()
    await until(lambda: _denies(heard, "acme"))
    assert time.monotonic() - committed <= 1.0


@fails_without(the_age_of_views)
async def test_without_announcements_within_max_staleness(control, missed):
    answer = await missed.check("acme", "sso")
    assert answer.allowed
    await written(control.change_plan("acme", "small"))
    committed = time.monotonic()
    answer = await missed.check("acme", "sso")
    assert (answer.allowed, decided_on(answer)) == (True, "CACHED"), "this sidecar was to miss the announcement"
    await until(lambda: _denies(missed, "acme"))
    assert time.monotonic() - committed <= STALENESS + 0.5


@fails_without(the_version_that_is_asked_for)
async def test_a_caller_who_names_the_version_reads_its_own_write(control, missed):
    assert (await missed.consume("acme", 5, request_id="r1")).allowed
    changed = await written(control.change_plan("acme", "small"))
    answer = await missed.consume("acme", 1, request_id="r2", version=changed.view_version)
    assert not answer.allowed
    assert answer.view_version == changed.view_version


@fails_without(announcements)
async def test_announcements_that_are_cut_off_all_the_time_change_nothing_but_latency(control, heard, valkey):
    """Its listener is thrown out again and again: each time it verifies its views instead."""
    assert (await heard.check("acme", "sso")).allowed
    cutting = asyncio.create_task(_cut_off(valkey))
    try:
        await written(control.change_plan("acme", "small"))
        committed = time.monotonic()
        await until(lambda: _denies(heard, "acme"))
        assert time.monotonic() - committed <= 1.0
        assert not (await heard.consume("acme", 4, request_id="r1")).allowed
    finally:
        cutting.cancel()


async def _denies(caller, account):
    return not (await caller.check(account, "sso")).allowed


async def _cut_off(valkey):
    while True:
        await asyncio.to_thread(valkey.command, "CLIENT", "KILL", "TYPE", "pubsub")
        await asyncio.sleep(0.05)
