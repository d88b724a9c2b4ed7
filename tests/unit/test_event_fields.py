"""A fact has the same fields in the domain, the stream, SQL and on the wire."""

from dataclasses import fields

import msgpack
import pytest

from stream_entries import entry
from tallygate.domain.event import FactSource, UsageFact
from tallygate.storage.redis import fact_codec
from tallygate.storage.sql.metering.tables import billable_events
from tallygate_api.v1.usage_service_pb2 import BillableEvent

FIELDS = {each.name for each in fields(UsageFact)} - {"source"}
WHERE_IT_STOOD = {"sequence", "partition", "epoch", "entry_id"}
NOT_SHOWN = {"tenant_id", "payload_hash"}
ON_THE_WIRE = {"period_start": "period_start_time", "period_end": "period_end_time"}


def test_the_stream_has_each_field_once():
    names = [name for name, _ in (*fact_codec._CONTEXT, *fact_codec._FACT)]
    assert sorted(names) == sorted(FIELDS)


def test_sql_has_each_field():
    assert {column.name for column in billable_events.columns} == FIELDS | WHERE_IT_STOOD


def test_the_wire_has_each_field():
    shown = {ON_THE_WIRE.get(name, name) for name in FIELDS - NOT_SHOWN}
    assert set(BillableEvent.DESCRIPTOR.fields_by_name) == shown | {"billable_quantity"}


SOURCE = FactSource(partition=0, epoch="e", entry_id="1-1")


def as_text(entry_):
    """What Lua writes of bytes."""
    return {name: msgpack.packb(msgpack.unpackb(packed), use_bin_type=False) for name, packed in entry_.items()}


@pytest.mark.parametrize("payload", [b"\xff\x00payload", b"payloads"])
def test_an_entry_is_read_alike_whether_bytes_were_written_as_such_or_as_text(payload):
    written = entry(payload=payload, user="\u00fcber", dimensions={"\u00e4": "\u00f6"})
    fact = fact_codec.read_entry(SOURCE, written).fact
    assert (fact.payload_hash, fact.user_id, fact.dimensions) == (payload, "\u00fcber", {"\u00e4": "\u00f6"})
    assert fact_codec.read_entry(SOURCE, as_text(written)).fact == fact


@pytest.mark.parametrize(
    "pots", [[["I", True, ""]], [["I", 1.0, ""]], [["I", "1", ""]], [[1]], [1], "I", [["J", 1, ""]]]
)
def test_pots_that_are_none_are_refused(pots):
    assert fact_codec.read_entry(SOURCE, entry(pots=[["I", 1, ""]])).fact is not None
    found = fact_codec.read_entry(SOURCE, entry(pots=pots))
    assert found.fact is None
    assert found.problem.startswith("undecodable: ")


def told(**said):
    """An entry as of today: its fact says what the answer said, too."""
    fact = entry(**said)
    more = [said.get("quantity", 1), 9, "WITHIN_LIMIT"]
    return fact | {b"f": msgpack.packb(msgpack.unpackb(fact[b"f"]) + more)}


def placed(name, place, value):
    """An entry with something else in one place."""
    fields = told()
    array = msgpack.unpackb(fields[name])
    array[place] = value
    return fields | {name: msgpack.packb(array)}


GOOD = [told(), told(quantity=-2), told(quantity=5, pots=[["G", 5, "g1"]]), told(account="\u00fcber", trial=True)]
BAD = {
    "nothing": None,
    "no fact": {b"c": told()[b"c"]},
    "a short one": {**told(), b"f": msgpack.packb([1, 2])},
    "no msgpack": {**told(), b"c": b"\xc1"},
    "a NUL": placed(b"c", 1, "a\0b"),
    "no text": placed(b"c", 3, 7),
    "no truth": placed(b"c", 6, 2),
    "a truth for a number": placed(b"f", 0, True),
    "too large a number": placed(b"f", 0, 2**63),
    "no whole number": placed(b"f", 0, 1.0),
    "no such instant": placed(b"f", 2, 2**62),
    "no kind": placed(b"c", 9, "guess"),
    "no reason": placed(b"f", 12, "BECAUSE"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=list(BAD))
def test_an_entry_is_read_alike_alone_and_among_others(bad):
    """Neither one of the version before nor one that is none changes what the others say, or is let through by them."""
    among = [*GOOD[:2], bad, entry(), *GOOD[2:]]
    together = fact_codec.read_entries([(SOURCE, fields) for fields in among])
    assert together == [fact_codec.read_entry(SOURCE, fields) for fields in among]
    assert [delivery.fact is None for delivery in together] == [False, False, True, False, False, False]
    assert together[2].problem.startswith("undecodable: ")


def test_entries_that_are_alike_keep_each_its_own():
    found = [delivery.fact for delivery in fact_codec.read_entries([(SOURCE, fields) for fields in GOOD])]
    assert [fact.quantity for fact in found] == [1, -2, 5, 1]
    assert [fact.kind.value for fact in found] == ["consume", "refund", "consume", "consume"]
    assert [fact.billable for fact in found] == [True, True, False, False]
    assert [fact.account_id for fact in found] == ["acme", "acme", "acme", "\u00fcber"]
    assert {fact.limit for fact in found} == {9}
