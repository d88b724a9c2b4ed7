"""UsageService: what was counted, the events behind it, and usage that happened elsewhere."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from tallygate.data_plane.recording import Consume, Outcome, record
from tallygate.data_plane.requests import ConsumeRequest
from tallygate.domain.catalog import Catalog, Feature, FeatureKind
from tallygate.domain.errors import InvalidFieldError, TallygateError
from tallygate.domain.fields import checked_page
from tallygate.domain.gating.resolve import EntitlementSet, resolve
from tallygate.metering.feed import follow
from tallygate.metering.ports import EventReader, Meter, UsageReader
from tallygate.metering.windows import Window, usage_in
from tallygate.records.lookup import account_record, feature_of
from tallygate.records.paging import key_of, slice_of
from tallygate.records.ports import UnitOfWork
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork, page_request
from tallygate.server.wire.decision import encode_decision, encode_error
from tallygate.server.wire.scalars import MAX_BATCH, identifier, optional_identifier, quantity
from tallygate.server.wire.usage import decode_item, decode_window, encode_event, encode_usage
from tallygate_api.v1 import usage_service_pb2 as wire


class UsageServicer:
    """Serves UsageService."""

    def __init__(self, work: TenantWork, *, events: EventReader, usage: UsageReader, consume: Consume) -> None:
        self._work = work
        self._events = events
        self._usage = usage
        self._consume = consume

    async def GetUsage(self, request: wire.GetUsageRequest, call: Call) -> wire.GetUsageResponse:  # noqa: N802 - the wire's name
        """Usage by period and feature, each in its feature's aggregation."""
        account_id = identifier(request.account_id, "account_id")
        feature_key = optional_identifier(request.feature_key, "feature_key")
        optional_identifier(request.group_by, "group_by")
        page = page_request(request.page_size, request.page_token)

        async def load(work: UnitOfWork, now: int) -> tuple[list[Feature], EntitlementSet, int]:
            catalog, record = await work.catalog.load(), await account_record(work, account_id)
            return _metered(catalog, feature_key), resolve(catalog, record), now

        features, held, now = await self._work.read(call, load)
        window = decode_window(request, now)
        rows: list[wire.UsageRow] = []
        for feature in features:
            rows += await self._rows(request, call, feature, held, window)
        found = slice_of(page, rows, _row_key)
        return wire.GetUsageResponse(rows=found.items, next_page_token=found.next_page_token)

    async def ListEvents(self, request: wire.ListEventsRequest, call: Call) -> wire.ListEventsResponse:  # noqa: N802 - the wire's name
        """Events after a sequence."""
        after = quantity(request.after_sequence, "after_sequence", at_least=0)
        account_id = optional_identifier(request.account_id, "account_id")
        feature_key = optional_identifier(request.feature_key, "feature_key")
        limit = checked_page(request.page_size)
        head = await self._events.head(call.tenant_id)
        found = await self._events.events_after(
            call.tenant_id, after, account_id=account_id, feature_key=feature_key, limit=limit
        )
        last = found[-1].sequence if found else after
        # What a short page did not answer up to the head was not asked for, and need not be looked at again.
        following = last if len(found) == limit else max(last, head)
        return wire.ListEventsResponse(events=map(encode_event, found), next_after_sequence=following)

    async def FollowEvents(  # noqa: N802 - the wire's name
        self, request: wire.FollowEventsRequest, call: Call
    ) -> AsyncGenerator[wire.FollowEventsResponse, None]:
        """Events after a sequence, then as they come."""
        after = quantity(request.after_sequence, "after_sequence", at_least=0)
        account_id = optional_identifier(request.account_id, "account_id")
        feature_key = optional_identifier(request.feature_key, "feature_key")
        source = follow(self._events, call.tenant_id, after=after, account_id=account_id, feature_key=feature_key)
        async with aclosing(source) as facts:
            async for recorded in facts:
                yield wire.FollowEventsResponse(event=encode_event(recorded))

    async def RecordUsage(self, request: wire.RecordUsageRequest, call: Call) -> wire.RecordUsageResponse:  # noqa: N802 - the wire's name
        """Count what already happened, each item with its own outcome."""
        if not 0 < len(request.items) <= MAX_BATCH:
            raise InvalidFieldError(field="items", expected=f"1 to {MAX_BATCH} of them", got=len(request.items))

        version = quantity(request.min_view_version, "min_view_version", at_least=0)
        read = [_read(item, version) for item in request.items]
        uses = [use for use in read if isinstance(use, ConsumeRequest)]
        made = iter(await record(self._consume, call.tenant_id, uses))
        outcomes = [each if isinstance(each, TallygateError) else next(made) for each in read]
        return wire.RecordUsageResponse(outcomes=map(_encode_outcome, outcomes))

    async def _rows(
        self, request: wire.GetUsageRequest, call: Call, feature: Feature, held: EntitlementSet, window: Window
    ) -> list[wire.UsageRow]:
        meter = Meter(
            tenant_id=call.tenant_id,
            account_id=request.account_id,
            feature_key=feature.feature_key,
            group_by=request.group_by,
        )
        found = await usage_in(self._usage, meter, feature, held, window)
        return [encode_usage(feature, each, grouped=bool(request.group_by)) for each in found]


def _read(item: wire.RecordUsageItem, min_view_version: int) -> ConsumeRequest | TallygateError:
    try:
        return decode_item(item, min_view_version=min_view_version)
    except TallygateError as error:
        return error


def _encode_outcome(outcome: Outcome) -> wire.RecordUsageOutcome:
    if isinstance(outcome, TallygateError):
        return wire.RecordUsageOutcome(error=encode_error(outcome))
    return wire.RecordUsageOutcome(decision=encode_decision(outcome))


def _metered(catalog: Catalog, feature_key: str) -> list[Feature]:
    if not feature_key:
        return [each for each in catalog.features.values() if each.kind is FeatureKind.METERED]
    feature = feature_of(catalog, feature_key)
    if feature.kind is not FeatureKind.METERED:
        raise InvalidFieldError(field="feature_key", expected="a metered feature", got=feature_key)
    return [feature]


def _row_key(row: wire.UsageRow) -> str:
    """By feature, period and group."""
    starts, ends = row.period_start_time.ToMicroseconds(), row.period_end_time.ToMicroseconds()
    return key_of(row.feature_key, starts, ends, row.group)
