import asyncio
import contextlib
from dataclasses import replace

from tallygate.domain.event import FactKind, FactSource, UsageFact
from tallygate.metering.collector import CONFLICT, Collector, identity_of, sort_out
from tallygate.metering.ports import Delivery, Recorded


def delivery(entry_id, request_id="r", payload=b"p", *, recorded=None, **source):
    at = FactSource(**{"partition": 0, "epoch": "e", "entry_id": entry_id, **source})
    fact = UsageFact(
        tenant_id="t",
        account_id="a",
        feature_key="f",
        request_id=request_id,
        kind=FactKind.CONSUME,
        quantity=1,
        occurred_time=0,
        recorded_time=int(entry_id) if recorded is None else recorded,
        period_start=0,
        period_end=1,
        payload_hash=payload,
        source=at,
    )
    return Delivery(source=at, raw=b"", fact=fact)


def known(*deliveries):
    return {
        identity_of(d.fact): Recorded(
            source=d.source, recorded_time=d.fact.recorded_time, payload_hash=d.fact.payload_hash
        )
        for d in deliveries
    }


def shape(found):
    return tuple(len(part) for part in (found.fresh, found.redelivered, found.late, found.broken))


def test_what_nobody_recorded_is_fresh():
    assert shape(sort_out([delivery("1"), delivery("2", "other")], {})) == (2, 0, 0, 0)


def test_the_same_entry_is_a_redelivery_in_the_ledger_and_in_the_batch():
    assert shape(sort_out([delivery("1")], known(delivery("1")))) == (0, 1, 0, 0)
    assert shape(sort_out([delivery("1"), delivery("1")], {})) == (1, 1, 0, 0)


def test_another_entry_with_the_same_payload_is_a_late_replay():
    assert shape(sort_out([delivery("2")], known(delivery("1")))) == (0, 0, 1, 0)
    assert shape(sort_out([delivery("1"), delivery("2"), delivery("3")], {})) == (1, 0, 2, 0)


def test_another_payload_is_broken_and_does_not_become_the_first():
    found = sort_out([delivery("2", payload=b"x"), delivery("3", payload=b"x")], known(delivery("1")))
    assert shape(found) == (0, 0, 0, 2)
    assert {d.problem for d in found.broken} == {CONFLICT}


def test_an_entry_keeps_its_identity_over_a_change_of_epoch():
    assert shape(sort_out([delivery("1", epoch="later")], known(delivery("1")))) == (0, 1, 0, 0)


def test_the_same_entry_id_after_a_loss_or_elsewhere_is_another_entry():
    first = known(delivery("1"))
    assert shape(sort_out([delivery("1", recorded=99, epoch="later")], first)) == (0, 0, 1, 0)
    assert shape(sort_out([delivery("1", partition=3)], first)) == (0, 0, 1, 0)


def test_what_cannot_be_read_is_broken_with_its_own_problem():
    poison = replace(delivery("1"), fact=None, problem="undecodable")
    found = sort_out([poison, delivery("2")], {})
    assert shape(found) == (1, 0, 0, 1)
    assert found.broken == [poison]


def test_a_repetition_of_what_the_store_has_forgotten_counts_once_and_is_not_given_back():
    ((identity, recorded),) = known(delivery("1")).items()
    forgotten = {identity: replace(recorded, forgotten=True)}
    found = sort_out([delivery("2"), delivery("1"), delivery("3", payload=b"x")], forgotten)
    assert shape(found) == (0, 1, 0, 1)
    assert found.recounted == [delivery("2").source]


async def test_who_waits_between_rounds_sees_all_that_was_read_before_in_the_ledger():
    read, committed = asyncio.Event(), []

    class Stream:
        async def read(self):
            await read.wait()
            return [delivery("1")]

        async def acknowledge(self, sources):
            assert sources

    class Ledger:
        @contextlib.asynccontextmanager
        async def transaction(self):
            yield self
            committed.append(1)

        async def lock(self, _tenants):
            pass

        async def known(self, _identities):
            return {}

        async def append(self, facts):
            assert facts
            return ()

        async def quarantine(self, _deliveries):
            return 0

    collector = Collector(Stream(), Ledger(), clock=lambda: 0)
    await collector.between_rounds()
    round_ = asyncio.create_task(collector.collect())
    await asyncio.sleep(0)
    waiting = asyncio.create_task(collector.between_rounds())
    await asyncio.sleep(0)
    assert not waiting.done()
    read.set()
    await waiting
    assert committed == [1]
    assert await round_ == 1
