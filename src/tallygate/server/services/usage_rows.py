"""Which periods of a feature were asked for, and the rows of their usage."""

from dataclasses import dataclass

from tallygate.domain.catalog import Feature
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.gating.resolve import EntitlementSet
from tallygate.domain.gating.slots import period_at
from tallygate.metering.ports import Meter, UsageReader
from tallygate.metering.usage import PeriodUsage, usage
from tallygate.server.wire.scalars import optional_instant
from tallygate.server.wire.usage import encode_usage
from tallygate_api.v1 import usage_service_pb2 as wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The periods asked for: all that overlap [start, end), or without these the current or the previous one."""

    now: int
    previous: bool = False
    start: int | None = None
    end: int | None = None


def window_of(request: wire.GetUsageRequest, now: int) -> Window:
    """What the request asks for; nothing said is the current period.

    Raises:
        InvalidFieldError: there is no such selection, or the range is empty.
    """
    if request.WhichOneof("period") != "range":
        return Window(now=now, previous=_previous(request.selection))
    start, end = _instant(request.range, "start_time") or 0, _instant(request.range, "end_time")
    end = now if end is None else end
    if start >= end:
        name = "end_time" if request.range.HasField("end_time") else "start_time"
        raise InvalidFieldError(field=f"range.{name}", expected="a start before the end", got=end)
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


async def usage_rows(
    reader: UsageReader,
    feature: Feature,
    held: EntitlementSet,
    window: Window,
    *,
    tenant_id: str,
    account_id: str,
    group_by: str,
) -> list[wire.UsageRow]:
    """The rows of one feature, by period and group."""
    meter = Meter(tenant_id=tenant_id, account_id=account_id, feature_key=feature.feature_key, group_by=group_by)
    current = period_at(held, feature, window.now)
    before = period_at(held, feature, current.start - 1) if current.start else current
    if window.start is not None and window.end is not None:
        found = await usage(reader, meter, feature, start=window.start, end=window.end, now=window.now)
    else:
        known = (before, current)
        found = await usage(reader, meter, feature, start=before.start, end=current.end, now=window.now, known=known)
        found = _chosen(found, window, current.start)
    return [encode_usage(feature, each, grouped=bool(group_by)) for each in found]


def _chosen(found: list[PeriodUsage], window: Window, natural_start: int) -> list[PeriodUsage]:
    """The period that contains now, or the one that ended before it: a reset has cut one in two."""
    current = next((each.period for each in found if each.period.contains(window.now)), None)
    if not window.previous:
        return [each for each in found if each.period == current]
    start = current.start if current is not None else natural_start
    ended = [each.period for each in found if each.period.end <= start]
    last = max(ended, key=lambda period: period.start, default=None)
    return [each for each in found if each.period == last]
