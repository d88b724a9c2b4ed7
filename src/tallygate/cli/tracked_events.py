"""Events of trackers, as uses that happened: CloudEvents 1.0, Segment's `track` calls, and Snowplow's enriched events.

What tells an event apart is its source and its id: together they are the use's request_id, so the same once more is
recorded once. Whose it is and which feature it used is read where each form has it.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.json_lines import LineError, read_json
from tallygate_api.v1 import usage_service_pb2 as wire

_LONGEST = 1_024


class UntrackedError(LineError):
    """A line is no event that can be recorded; its text says why."""


def tracked(text: str | bytes) -> wire.RecordUsageItem:
    """The use that one event in JSON tells of.

    Raises:
        LineError: it is no JSON; as UntrackedError: it is of none of these forms, or lacks what a use must say.
    """
    event = read_json(text.encode() if isinstance(text, str) else text)
    if not isinstance(event, dict):
        msg = "expected one JSON object"
        raise UntrackedError(msg)
    if "specversion" in event:
        return _cloud_event(event)
    if "messageId" in event:
        return _segment(event)
    if "event_id" in event:
        return _snowplow(event)
    msg = "expected a CloudEvent (specversion), a Segment call (messageId) or a Snowplow event (event_id)"
    raise UntrackedError(msg)


def _cloud_event(event: Mapping[str, Any]) -> wire.RecordUsageItem:
    """`subject` is the account, `type` the feature; `data` may say quantity and user_id, all else are dimensions."""
    told = {key: value for key, value in _object(event, "data").items() if key not in {"quantity", "user_id"}}
    return _item(
        source=_text(event, "source"),
        event_id=_text(event, "id"),
        account=_text(event, "subject"),
        feature=_text(event, "type"),
        time=event.get("time"),
        quantity=_object(event, "data").get("quantity"),
        user=_object(event, "data").get("user_id"),
        dimensions=told,
    )


def _segment(event: Mapping[str, Any]) -> wire.RecordUsageItem:
    """`event` is the feature, the group of its context the account, else the user; `properties` are dimensions."""
    if event.get("type") != "track":
        msg = f"a Segment call of type {event.get('type')!r}: only track is a use"
        raise UntrackedError(msg)
    context, told = _object(event, "context"), dict(_object(event, "properties"))
    quantity = told.pop("quantity", None)
    return _item(
        source=f"segment/{event.get('projectId', '')}",
        event_id=_text(event, "messageId"),
        account=str(context.get("groupId") or event.get("userId") or ""),
        feature=_text(event, "event"),
        time=event.get("timestamp"),
        quantity=quantity,
        user=event.get("userId"),
        dimensions=told,
    )


def _snowplow(event: Mapping[str, Any]) -> wire.RecordUsageItem:
    """`event_name` is the feature, `user_id` the account; what `unstruct_event` holds are dimensions."""
    told = dict(_object(_object(_object(event, "unstruct_event"), "data"), "data"))
    quantity = told.pop("quantity", None)
    return _item(
        source=f"snowplow/{_text(event, 'app_id')}",
        event_id=_text(event, "event_id"),
        account=_text(event, "user_id"),
        feature=_text(event, "event_name"),
        time=event.get("derived_tstamp") or event.get("collector_tstamp"),
        quantity=quantity,
        user=event.get("domain_userid"),
        dimensions=told,
    )


def _item(
    *,
    source: str,
    event_id: str,
    account: str,
    feature: str,
    time: object,
    quantity: object,
    user: object,
    dimensions: Mapping[str, Any],
) -> wire.RecordUsageItem:
    if quantity is not None and (isinstance(quantity, bool) or not isinstance(quantity, int)):
        msg = f"quantity: expected a whole number, got {quantity!r}"
        raise UntrackedError(msg)
    said, when = {key: _said(value) for key, value in dimensions.items()}, None if time is None else _instant(time)
    try:
        return wire.RecordUsageItem(
            account_id=account,
            feature_key=feature,
            request_id=f"{source}/{event_id}",
            quantity=quantity,
            user_id=str(user or ""),
            dimensions=said,
            occurred_time=when,
        )
    except ValueError:  # what no message can carry
        msg = "expected texts in UTF-8, and a quantity of 64 bits"
        raise UntrackedError(msg) from None


def _instant(time: object) -> Timestamp:
    """An instant; one without an offset is in UTC, as Snowplow writes it."""
    stamp = Timestamp()
    try:
        moment = datetime.fromisoformat(str(time))
        stamp.FromDatetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except ValueError:
        msg = f"time: expected an instant as 2026-03-01T12:00:00Z, got {time!r}"
        raise UntrackedError(msg) from None
    return stamp


def _said(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) > _LONGEST:
        msg = f"a dimension of {len(text)} characters, at most {_LONGEST}"
        raise UntrackedError(msg)
    return text


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not value:
        msg = f"{name}: expected text"
        raise UntrackedError(msg)
    return value


def _object(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = event.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        msg = f"{name}: expected an object"
        raise UntrackedError(msg)
    return value
