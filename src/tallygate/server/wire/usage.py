"""Usage rows, events in CloudEvents shape, and usage that already happened."""

from collections.abc import Mapping

from tallygate.data_plane.requests import ConsumeRequest
from tallygate.domain.catalog import Feature
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.event import FactKind, UsageFact
from tallygate.domain.gating.decision import Pot
from tallygate.domain.gating.quota import Mode
from tallygate.domain.instants import rfc3339
from tallygate.metering.ports import RecordedFact
from tallygate.metering.usage import PeriodUsage
from tallygate.metering.windows import Window
from tallygate.server.wire.catalog import AGGREGATION
from tallygate.server.wire.decision import REASON, encode_pot
from tallygate.server.wire.scalars import (
    WireEnum,
    entries,
    identifier,
    optional_identifier,
    optional_instant,
    optional_quantity,
    timestamp,
)
from tallygate_api.v1 import decision_pb2
from tallygate_api.v1 import usage_service_pb2 as wire

FACT_KIND = WireEnum(wire.FactKind, FactKind)
_TYPE = "tallygate.usage.v1"


def decode_window(request: wire.GetUsageRequest, now: int) -> Window:
    """The periods that the request asks for; nothing said is the current one.

    Raises:
        InvalidFieldError: there is no such selection, or the range is empty.
    """
    if request.WhichOneof("period") != "range":
        return Window(now=now, previous=_previous(request.selection))
    start, end = _instant(request.range, "start_time") or 0, _instant(request.range, "end_time")
    end = now if end is None else end
    if start >= end:
        name = "end_time" if request.range.HasField("end_time") else "start_time"
        raise InvalidFieldError(field=f"range.{name}", expected="a start before the end", got=rfc3339(end))
    return Window(now=now, start=start, end=end)


def _previous(selection: int) -> bool:
    if selection not in wire.PeriodSelection.values():
        expected = "PERIOD_SELECTION_CURRENT or PERIOD_SELECTION_PREVIOUS"
        raise InvalidFieldError(field="selection", expected=expected, got=selection)
    return selection == wire.PERIOD_SELECTION_PREVIOUS


def _instant(interval: wire.TimeRange, name: str) -> int | None:
    try:
        return optional_instant(interval, name)
    except InvalidFieldError as error:
        told = error.metadata
        raise InvalidFieldError(field=f"range.{name}", expected=told["expected"], got=told["got"]) from None


def decode_item(item: wire.RecordUsageItem, *, min_view_version: int) -> ConsumeRequest:
    """A use that already happened: counted whatever the limit."""
    return ConsumeRequest(
        account_id=identifier(item.account_id, "account_id"),
        feature_key=identifier(item.feature_key, "feature_key"),
        request_id=identifier(item.request_id, "request_id"),
        quantity=optional_quantity(item, "quantity"),
        user_id=optional_identifier(item.user_id, "user_id"),
        mode=Mode.ADJUST,
        dimensions=_dimensions(item.dimensions),
        occurred_time=optional_instant(item, "occurred_time"),
        carry_in=item.carry_in,
        min_view_version=min_view_version,
    )


def _dimensions(values: Mapping[str, str]) -> dict[str, str]:
    for key, value in values.items():
        if "\x00" in value:
            raise InvalidFieldError(field=f"dimensions[{key}]", expected="no NUL")
    return entries(values, "dimensions")


def encode_usage(feature: Feature, usage: PeriodUsage, *, grouped: bool) -> wire.UsageRow:
    """What was used of a feature in one period."""
    return wire.UsageRow(
        feature_key=feature.feature_key,
        period_start_time=timestamp(usage.period.start),
        period_end_time=timestamp(usage.period.end),
        aggregation=AGGREGATION.encode(feature.aggregation),
        quantity=usage.value,
        event_count=usage.events,
        pots=[encode_pot(pot) for pot in usage.pots],
        group=usage.group if grouped and usage.group else None,
    )


def encode_event(recorded: RecordedFact) -> wire.CloudEvent:
    """A fact as CloudEvents has it; its sequence makes it unique for its source, the tenant."""
    fact = recorded.fact
    return wire.CloudEvent(
        id=str(recorded.sequence),
        source=f"/tallygate/tenants/{fact.tenant_id}",
        specversion="1.0",
        type=_TYPE,
        subject=fact.account_id,
        time=timestamp(fact.recorded_time),
        datacontenttype="application/json",
        sequence=recorded.sequence,
        data=_fact(fact),
    )


def _fact(fact: UsageFact) -> wire.BillableEvent:
    return wire.BillableEvent(
        account_id=fact.account_id,
        feature_key=fact.feature_key,
        request_id=fact.request_id,
        kind=FACT_KIND.encode(fact.kind),
        user_id=fact.user_id,
        quantity=fact.quantity,
        pots=[_pot(pot) for pot in fact.pots],
        dimensions=fact.dimensions,
        occurred_time=timestamp(fact.occurred_time),
        recorded_time=timestamp(fact.recorded_time),
        period_start_time=timestamp(fact.period_start),
        period_end_time=timestamp(fact.period_end),
        subscription_id=fact.subscription_id,
        plan_key=fact.plan_key,
        plan_version=fact.plan_version,
        trial=fact.trial,
        billable=fact.billable,
        billable_quantity=fact.billable_quantity,
        carry_in=fact.carry_in,
        view_version=fact.view_version,
        used=fact.used,
        limit=fact.limit,
        reason=REASON.encode(fact.reason) if fact.reason is not None else None,
    )


def _pot(pot: Pot) -> decision_pb2.Pot:
    encoded = encode_pot(pot)
    encoded.uncharged = pot.uncharged
    return encoded
