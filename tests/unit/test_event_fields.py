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
