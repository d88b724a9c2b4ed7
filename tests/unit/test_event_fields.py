"""A fact has the same fields in the domain, the stream, SQL and on the wire."""

from dataclasses import fields

from tallygate.domain.event import UsageFact
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
