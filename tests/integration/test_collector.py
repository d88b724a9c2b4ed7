import asyncio
import time
from dataclasses import replace

import pytest

import patience
from collectors import clean_rig, gap_free, migrated, until
from servers import ValkeyServer
from stream_entries import FEBRUARY, JANUARY, entry
from tallygate.domain.errors import StoreUnavailableError
from tallygate.domain.event import FactKind, FactSource, UsageFact
from tallygate.domain.gating.decision import Pot, PotKind, Reason
from tallygate.metering.collector import CONFLICT, identity_of
from tallygate.storage.redis import keys
from tallygate.storage.sql.metering.events import SqlLedger
from tallygate.storage.sql.metering.rows import FactRows
from tallygate.storage.sql.metering.tables import fact_of, quarantined_events
from tallygate.storage.sql.partition_models import PartitionRow


@pytest.fixture(scope="module")
def valkey():
    with ValkeyServer() as server:
        yield server


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request, tmp_path_factory):
    with migrated(request.param, tmp_path_factory.mktemp("ledger")) as url:
        yield url


@pytest.fixture
async def rig(valkey, database):
    async with clean_rig(valkey, database) as rig:
        yield rig


FULL = UsageFact(
    tenant_id="t",
    account_id="acme",
    feature_key="calls",
    request_id="r",
    kind=FactKind.CONSUME,
    user_id="ada",
    quantity=2**53 - 1,
    pots=(Pot(kind=PotKind.INCLUDED, quantity=1, grant_id=""),),
    dimensions={'"': "\\", "region": "ü"},
    occurred_time=JANUARY + 1,
    recorded_time=JANUARY + 1_999_999,
    period_start=JANUARY,
    period_end=FEBRUARY,
    subscription_id="sub-1",
    plan_key="pro",
    plan_version=7,
    trial=True,
    billable=False,
    carry_in=True,
    view_version=9,
    used=3,
    limit=0,
    reason=Reason.OVERAGE,
    payload_hash=b"\x00\xff",
    source=FactSource(partition=3, epoch="e", entry_id="1-2"),
)


class CrashError(Exception):
    """The process ends here."""


class Crashing:
    """A stream that crashes once at one of its methods, before or after it was done."""

    def __init__(self, stream, method, *, done):
        self._stream = stream
        self._method = method
        self._done = done

    def __getattr__(self, name):
        real = getattr(self._stream, name)
        if name != self._method:
            return real

        async def crash(*args):
            if self._done:
                await real(*args)
            raise CrashError

        return crash


COUNTER = {"u": 50, "i": 20, "o": 5, "g:g1": 25}
POTS = [["I", 3, ""], ["G", 2, "g1"], ["O", 1, ""]]


async def counters(rig, account="acme"):
    meter = keys.meter(0, "t1", account, "api_calls")
    return await rig.redis.hgetall(f"{meter}:{JANUARY}"), await rig.redis.hgetall(meter)


async def with_counters(rig, account="acme"):
    meter = keys.meter(0, "t1", account, "api_calls")
    await rig.redis.hset(f"{meter}:{JANUARY}", mapping=COUNTER)
    await rig.redis.hset(meter, mapping={"g:g1": 40, "r": 0})


GIVEN_BACK = ({b"u": b"44", b"i": b"17", b"o": b"4", b"g:g1": b"23"}, {b"g:g1": b"38", b"r": b"0"})
UNTOUCHED = ({b"u": b"50", b"i": b"20", b"o": b"5", b"g:g1": b"25"}, {b"g:g1": b"40", b"r": b"0"})


async def test_a_fact_arrives_whole(rig):
    await rig.add(
        partition=2,
        request="r-1",
        user="u@x",
        dimensions={"region": "eu", 'od"d': "ü"},
        quantity=6,
        pots=POTS,
        carry_in=True,
        recorded=JANUARY + 5,
    )
    assert await rig.collector().drain() == 1
    (row,) = await rig.rows()
    assert row["sequence"] == 1
    fact = fact_of(row)
    assert (fact.tenant_id, fact.account_id, fact.feature_key, fact.request_id) == ("t1", "acme", "api_calls", "r-1")
    assert (fact.source.partition, fact.source.epoch) == (2, "epoch-2")
    assert [(pot.kind, pot.quantity, pot.grant_id) for pot in fact.pots] == [
        ("INCLUDED", 3, ""),
        ("GRANT", 2, "g1"),
        ("OVERAGE", 1, ""),
    ]
    assert fact.dimensions == {"region": "eu", 'od"d': "ü"}
    assert (fact.period_start, fact.period_end, fact.recorded_time) == (JANUARY, FEBRUARY, JANUARY + 5)
    assert (fact.carry_in, fact.billable, fact.trial, fact.payload_hash) == (True, True, False, b"\xff\x00payload")
    assert await rig.waiting() == 0
    partitions = {row["partition"]: row["last_entry_id"] for row in await rig.rows(PartitionRow.__table__)}
    assert partitions == {0: "0-0", 1: "0-0", 2: fact.source.entry_id, 3: "0-0"}


async def test_each_field_of_a_fact_is_kept_as_it_is(rig):
    pots = tuple(Pot(kind=kind, quantity=2**53 - 1, grant_id="g" if kind is PotKind.GRANT else "") for kind in PotKind)
    plain = replace(FULL, request_id="plain", user_id="", pots=(), dimensions={}, limit=None, reason=None)
    facts = [FULL, plain, replace(FULL, request_id="pots", pots=pots), *(replace(FULL, kind=kind) for kind in FactKind)]
    facts = [replace(fact, request_id=f"r{number}") for number, fact in enumerate(facts)]
    async with SqlLedger(rig.engine).transaction() as transaction:
        await transaction.lock({"t"})
        await transaction.append(facts)
    rows = sorted(await rig.rows(), key=lambda row: row["sequence"])
    assert [fact_of(row) for row in rows] == facts


ODD = ['"', "\\", "\\u0041", "'; --", "[1, 2]", "{}", "7", "null", "ü", "𝄞", "a\u200db", "%s", "?", "$[0]"]


async def test_an_identity_of_any_letters_is_known_again(rig):
    facts = [replace(FULL, account_id=odd, feature_key=odd, request_id=odd) for odd in ODD]
    ledger = SqlLedger(rig.engine)
    async with ledger.transaction() as transaction:
        await transaction.lock({"t"})
        await transaction.append(facts)
    async with ledger.transaction() as transaction:
        await transaction.lock({"t"})
        asked = {identity_of(fact) for fact in facts} | {("t", "u", *identity_of(FULL)[2:])}
        assert set(await transaction.known(asked)) == {identity_of(fact) for fact in facts}


@pytest.mark.parametrize(
    ("said", "trial", "pots", "billable", "units"),
    [
        (True, False, [["I", 3, ""], ["G", 2, "g1"], ["O", 1, ""]], True, 4),
        (True, False, [["G", -2, "g1"], ["I", -4, ""]], True, -4),
        (True, False, [["O", 6, ""]], True, 6),
        (True, False, [["G", 4, "g1"], ["G", 2, "g2"]], False, 0),
        (True, False, [["G", -6, "g1"]], False, 0),
        (True, False, [], True, 0),
        (True, True, [["O", 6, ""]], False, 0),
        (False, False, [["O", 6, ""]], False, 0),
    ],
)
async def test_billable_alone_says_whether_anything_may_be_charged(rig, said, trial, pots, billable, units):
    quantity = sum(pot[1] for pot in pots)
    await rig.add(request="r", quantity=quantity, pots=pots, billable=said, trial=trial)
    await rig.collector().drain()
    (row,) = await rig.rows()
    assert (row["billable"], fact_of(row).billable, fact_of(row).billable_quantity) == (billable, billable, units)


def _repaid(quantity, *pots):
    return {"kind": "consume", "quantity": -quantity, "pots": list(pots)}


CARRIED = {"quantity": 20, "pots": [["I", 10, ""], ["O", 10, ""]], "billable": False, "carry_in": True}
OWN = {"quantity": 8, "pots": [["O", 8, ""]]}


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    ("taken", "charged"),
    [
        ([CARRIED, _repaid(5, ["O", -5, ""]), OWN], [0, 0, 8]),
        ([CARRIED, OWN, _repaid(13, ["O", -13, ""]), OWN], [0, 8, -8, 8]),
        ([OWN, CARRIED, _repaid(13, ["O", -13, ""]), _repaid(2, ["O", -2, ""])], [8, 0, -8, 0]),
        ([CARRIED, OWN, _repaid(22, ["O", -18, ""], ["I", -4, ""]), OWN], [0, 8, -8, 8]),
        ([CARRIED, _repaid(5, ["O", -5, ""]), OWN, _repaid(9, ["O", -9, ""])], [0, 0, 8, -8]),
        ([OWN, CARRIED, _repaid(4, ["G", -2, "g1"], ["O", -2, ""])], [8, 0, -2]),
        ([{**CARRIED, "carry_in": False}, OWN, _repaid(13, ["O", -13, ""])], [0, 8, -8]),
        ([{**CARRIED, "trial": True}, OWN, _repaid(3, ["O", -3, ""])], [0, 8, -3]),
        ([{**CARRIED, "period": (FEBRUARY, FEBRUARY + 1)}, OWN, _repaid(3, ["O", -3, ""])], [0, 8, -3]),
        ([{**CARRIED, "account": "globex"}, _repaid(3, ["O", -3, ""])], [0, -3]),
        ([_repaid(3, ["O", -3, ""]), OWN], [-3, 8]),  # collected before what it returns
    ],
)
async def test_a_refund_takes_back_no_more_than_was_charged(rig, taken, charged, at_once):
    for fact in taken:
        await rig.add(**fact)
        if not at_once:
            await rig.collector().drain()
    await rig.collector().drain()
    rows = sorted(await rig.rows(), key=lambda row: row["sequence"])
    assert [fact_of(row).billable_quantity for row in rows] == charged
    assert [fact_of(row).billable for row in rows] == [units != 0 for units in charged]
    assert [fact_of(row).quantity for row in rows] == [fact["quantity"] for fact in taken]


async def test_sequences_have_no_gaps_in_any_tenant(rig):
    for number in range(30):
        await rig.add(number % 4, tenant=f"t{number % 3}")
    await rig.collector().drain()
    rows = await rig.rows()
    assert len(rows) == 30
    assert gap_free(rows)


@pytest.mark.parametrize("done", [False, True])
async def test_a_crash_around_the_acknowledgement_is_a_redelivery(rig, done):
    await rig.add(request="r-1")
    with pytest.raises(CrashError):
        await rig.collector(stream=Crashing(rig.stream(), "acknowledge", done=done)).collect()
    second = rig.collector()
    assert await second.drain() == (0 if done else 1)
    assert second.stats.redelivered == (0 if done else 1)
    assert (second.stats.collected, second.stats.late_replays) == (0, 0)
    assert len(await rig.rows()) == 1
    assert await rig.waiting() == 0


async def test_a_redelivery_under_another_epoch_is_no_late_replay(rig):
    await with_counters(rig)
    await rig.add(quantity=6, pots=POTS)
    with pytest.raises(CrashError):
        await rig.collector(stream=Crashing(rig.stream(), "acknowledge", done=False)).collect()
    await rig.redis.set(keys.epoch(0), "!epoch-0b")
    second = rig.collector()
    await second.drain()
    assert (second.stats.redelivered, second.stats.late_replays) == (1, 0)
    assert await counters(rig) == UNTOUCHED


async def test_a_late_replay_is_not_billed_and_gives_its_units_back(rig):
    await with_counters(rig)
    await rig.add(request="r-1", quantity=6, pots=POTS)
    collector = rig.collector()
    await collector.drain()
    await rig.add(request="r-1", quantity=6, pots=POTS)
    await collector.drain()
    assert (collector.stats.collected, collector.stats.late_replays) == (1, 1)
    assert len(await rig.rows()) == 1
    assert await rig.rows(quarantined_events) == []
    assert await counters(rig) == GIVEN_BACK
    assert await rig.waiting() == 0


@pytest.mark.parametrize("done", [False, True])
async def test_a_crash_around_giving_back_gives_back_once(rig, done):
    await with_counters(rig)
    await rig.add(request="r-1", quantity=6, pots=POTS)
    await rig.add(request="r-1", quantity=6, pots=POTS)
    with pytest.raises(CrashError):
        await rig.collector(stream=Crashing(rig.stream(), "give_back", done=done)).collect()
    second = rig.collector()
    await second.drain()
    assert (second.stats.late_replays, second.stats.redelivered) == (0 if done else 1, 0)
    assert len(await rig.rows()) == 1
    assert await counters(rig) == GIVEN_BACK
    assert await rig.waiting() == 0


async def test_two_collectors_with_the_same_late_replay_give_back_once(rig):
    await with_counters(rig)
    await rig.add(request="r-1", quantity=6, pots=POTS)
    await rig.collector().drain()
    await rig.add(request="r-1", quantity=6, pots=POTS)
    slow, fast = rig.stream("slow"), rig.stream("fast", claim_after_seconds=0.0)
    (held,) = await slow.read()
    (claimed,) = await fast.read()
    assert held == claimed
    returned = [await fast.give_back([claimed.fact]), await slow.give_back([held.fact])]
    assert returned == [1, 0]
    assert await counters(rig) == GIVEN_BACK


async def test_what_expired_is_not_made_again_by_giving_back(rig):
    meter = keys.meter(0, "t1", "acme", "api_calls")
    await rig.redis.hset(meter, mapping={"g:g1": 40})
    for _ in range(2):
        await rig.add(request="r-1", quantity=6, pots=POTS)
    await rig.collector().drain()
    assert await rig.redis.exists(f"{meter}:{JANUARY}") == 0
    assert await rig.redis.hgetall(meter) == {b"g:g1": b"38"}


async def test_giving_back_a_refund_takes_and_a_level_nothing(rig):
    await with_counters(rig)
    for _ in range(2):
        await rig.add(request="refund", quantity=-6, pots=[["O", -1, ""], ["G", -2, "g1"], ["I", -3, ""]])
        await rig.add(request="level", kind="level", quantity=9)
    collector = rig.collector()
    await collector.drain()
    assert {row["request_id"]: row["kind"] for row in await rig.rows()} == {"refund": "refund", "level": "level"}
    assert collector.stats.late_replays == 2
    period, meter = await counters(rig)
    assert period == {b"u": b"56", b"i": b"23", b"o": b"6", b"g:g1": b"27"}
    assert meter[b"g:g1"] == b"42"


async def test_another_payload_is_quarantined_once_and_reported(rig, caplog):
    await with_counters(rig)
    await rig.add(request="r-1", payload=b"one")
    other = await rig.add(request="r-1", payload=b"other", quantity=9)
    with pytest.raises(CrashError):
        await rig.collector(stream=Crashing(rig.stream(), "acknowledge", done=False)).collect()
    second = rig.collector()
    await second.drain()
    assert len(await rig.rows()) == 1
    (row,) = await rig.rows(quarantined_events)
    assert (row["entry_id"], row["tenant_id"], row["account_id"]) == (other.decode(), "t1", "acme")
    assert row["problem"] == CONFLICT
    assert b"other" in row["raw"]
    assert second.stats.quarantined == 0  # counted by the first
    assert [other.decode() in record.getMessage() for record in caplog.records] == [True]
    assert await counters(rig) == UNTOUCHED
    assert await rig.waiting() == 0


POISON = {
    "no fields of ours": {b"x": b"y"},
    "no msgpack": {b"c": b"\xc1", b"f": b"\xc1"},
    "half an entry": {b"c": entry()[b"c"]},
    "cut short": {b"c": entry()[b"c"][:-4], b"f": entry()[b"f"]},
    "a map": {b"c": b"\x80", b"f": b"\x80"},
    "too few": {b"c": b"\x91\x01", b"f": b"\x91\x01"},
    "no UTF-8": entry(request="\udcff".encode("utf-8", "surrogatepass").decode("latin-1")) | {b"c": b"\xdc\x00\x0b"},
    "a NUL": entry(request="a\0b"),
    "no such kind": entry(kind="gift"),
    "no such pot": entry(pots=[["X", 1, ""]]),
    "a fraction": entry(quantity=1.5),
    "an instant past the calendar": entry(at=2**62),
    "nested without end": {b"c": b"\x91" * 5000, b"f": b"\x91" * 5000},
}


async def test_poison_is_quarantined_raw_and_blocks_nothing(rig):
    for fields in POISON.values():
        await rig.add_raw(fields)
        await rig.add()
    collector = rig.collector()
    await collector.drain()
    assert len(await rig.rows()) == len(POISON)
    rows = await rig.rows(quarantined_events)
    assert len(rows) == collector.stats.quarantined == len(POISON)
    assert all(row["problem"].startswith("undecodable: ") for row in rows)
    assert all(any(value in row["raw"] for value in POISON["nested without end"].values()) for row in rows[-1:])
    assert await rig.waiting() == 0


async def test_empty_lua_tables_are_empty_maps_and_lists(rig):
    await rig.add_raw(entry(dimensions=[], pots=[]))  # type: ignore[arg-type]
    await rig.collector().drain()
    (row,) = await rig.rows()
    assert (row["dimensions"], row["pots"]) == ({}, [])


async def test_what_the_database_refuses_is_quarantined_alone(rig, monkeypatch):
    for number in range(9):
        await rig.add(request=f"r{number}")

    def row(self, fact, sequence, *, real=FactRows.row):
        values = real(self, fact, sequence)
        return (None, *values[1:]) if fact.request_id == "r5" else values

    monkeypatch.setattr(FactRows, "row", row)
    collector = rig.collector()
    await collector.drain()
    rows = await rig.rows()
    assert len(rows) == 8
    assert gap_free(rows)
    assert len(await rig.rows(quarantined_events)) == 1


async def test_two_collectors_at_once_record_each_fact_once(rig):
    for number in range(600):
        await rig.add(number % 4, tenant=f"t{number % 2}", request=f"r{number % 500}", pots=[])
    collectors = [rig.collector("a", stream=rig.stream("a", per_partition=20)), rig.collector("b")]
    running = [asyncio.create_task(collector.run()) for collector in collectors]
    await until(rig.collected)
    for collector in collectors:
        collector.stop()
    await asyncio.gather(*running)
    rows = await rig.rows()
    assert len({(row["tenant_id"], row["request_id"]) for row in rows}) == len(rows) == 500
    assert gap_free(rows)
    assert sum(collector.stats.collected for collector in collectors) == 500
    assert sum(collector.stats.late_replays for collector in collectors) == 100


async def test_entries_of_a_dead_collector_are_claimed(rig):
    await rig.add(1)
    assert len(await rig.stream("dead").read()) == 1
    patient = rig.collector("b", stream=rig.stream("b", claim_after_seconds=60))
    assert await patient.collect() == 0
    heir = rig.collector("c", stream=rig.stream("c", claim_after_seconds=0.0))
    assert await heir.drain() == 1
    assert len(await rig.rows()) == 1


async def test_lost_groups_are_made_again(rig):
    collector = rig.collector()
    await collector.drain()
    await rig.redis.flushall()
    await rig.add()
    await collector.drain()
    assert len(await rig.rows()) == 1


async def test_a_collector_leaves_its_groups_unless_it_holds_entries(rig):
    stream = rig.stream("leaving")
    await rig.add(0)
    await stream.read()
    await stream.close()
    consumers = [len(await rig.redis.xinfo_consumers(keys.stream(number), "billing")) for number in range(4)]
    assert consumers == [1, 0, 0, 0]


async def test_lag_counts_what_waits_and_how_long(rig):
    collector = rig.collector()
    await collector._look()
    assert (collector.stats.lag_entries, collector.stats.lag_seconds) == (0, 0.0)
    first = await rig.add(0)
    await rig.add(3)
    rig.clock.now = int(first.split(b"-")[0]) * 1000 + 7_000_000
    await collector._look()
    assert (collector.stats.lag_entries, collector.stats.lag_seconds) == (2, 7.0)


class Failing:
    """A ledger that is down until it is told otherwise."""

    def __init__(self, ledger):
        self._ledger = ledger
        self.down = True

    def transaction(self):
        if self.down:
            raise StoreUnavailableError(store="sql")
        return self._ledger.transaction()


async def test_an_outage_of_the_ledger_loses_nothing_and_shows_as_lag(rig):
    ledger = Failing(SqlLedger(rig.engine))
    collector = rig.collector(ledger=ledger)
    first = await rig.add(0)
    running = asyncio.create_task(collector.run())
    await until(lambda: collector.stats.failures >= 3)
    await rig.add(1)
    rig.clock.now = int(first.split(b"-")[0]) * 1000 + 3_000_000
    await until(lambda: collector.stats.lag_entries == 2)
    assert collector.stats.lag_seconds == 3.0
    ledger.down = False
    await until(rig.collected)
    collector.stop()
    await running
    assert (len(await rig.rows()), collector.stats.redelivered) == (2, 0)


async def test_stopping_during_an_outage_leaves_the_entries(rig):
    await rig.add()
    collector = rig.collector(ledger=Failing(None))
    running = asyncio.create_task(collector.run())
    await until(lambda: collector.stats.failures)
    collector.stop()
    await asyncio.wait_for(running, patience.SECONDS)
    assert await rig.waiting() == 1
    assert await rig.collector("b", stream=rig.stream("b", claim_after_seconds=0.0)).drain() == 1


async def test_throughput(rig):
    async with rig.redis.pipeline(transaction=False) as pipeline:
        for number in range(5000):
            pipeline.xadd(keys.stream(number % 4), entry(account=f"a{number % 100}", request=f"x{number}"))
        await pipeline.execute()
    collector = rig.collector(stream=rig.stream(per_partition=125))
    started = time.perf_counter()
    assert await collector.drain() == 5000
    seconds = time.perf_counter() - started
    print(f"\n5,000 events into {rig.engine.dialect.name}: {seconds:.2f} s, {5000 / seconds:,.0f} events/s")  # noqa: T201 - the figure is the point
    assert collector.stats.collected == 5000
