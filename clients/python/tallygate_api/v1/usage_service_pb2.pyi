import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tallygate_api.v1 import catalog_pb2 as _catalog_pb2
from tallygate_api.v1 import decision_pb2 as _decision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PeriodSelection(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERIOD_SELECTION_UNSPECIFIED: _ClassVar[PeriodSelection]
    PERIOD_SELECTION_CURRENT: _ClassVar[PeriodSelection]
    PERIOD_SELECTION_PREVIOUS: _ClassVar[PeriodSelection]

class FactKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FACT_KIND_UNSPECIFIED: _ClassVar[FactKind]
    FACT_KIND_CONSUME: _ClassVar[FactKind]
    FACT_KIND_REFUND: _ClassVar[FactKind]
    FACT_KIND_LEVEL: _ClassVar[FactKind]
    FACT_KIND_EVENT: _ClassVar[FactKind]
    FACT_KIND_RESET: _ClassVar[FactKind]
PERIOD_SELECTION_UNSPECIFIED: PeriodSelection
PERIOD_SELECTION_CURRENT: PeriodSelection
PERIOD_SELECTION_PREVIOUS: PeriodSelection
FACT_KIND_UNSPECIFIED: FactKind
FACT_KIND_CONSUME: FactKind
FACT_KIND_REFUND: FactKind
FACT_KIND_LEVEL: FactKind
FACT_KIND_EVENT: FactKind
FACT_KIND_RESET: FactKind

class TimeRange(_message.Message):
    __slots__ = ("start_time", "end_time")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class GetUsageRequest(_message.Message):
    __slots__ = ("account_id", "feature_key", "selection", "range", "group_by", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    feature_key: str
    selection: PeriodSelection
    range: TimeRange
    group_by: str
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., selection: _Optional[_Union[PeriodSelection, str]] = ..., range: _Optional[_Union[TimeRange, _Mapping[str, object]]] = ..., group_by: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class UsageRow(_message.Message):
    __slots__ = ("feature_key", "period_start_time", "period_end_time", "aggregation", "quantity", "event_count", "pots", "group")
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    PERIOD_START_TIME_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_TIME_FIELD_NUMBER: _ClassVar[int]
    AGGREGATION_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    POTS_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    feature_key: str
    period_start_time: _timestamp_pb2.Timestamp
    period_end_time: _timestamp_pb2.Timestamp
    aggregation: _catalog_pb2.Aggregation
    quantity: int
    event_count: int
    pots: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Pot]
    group: str
    def __init__(self, feature_key: _Optional[str] = ..., period_start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., period_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., aggregation: _Optional[_Union[_catalog_pb2.Aggregation, str]] = ..., quantity: _Optional[int] = ..., event_count: _Optional[int] = ..., pots: _Optional[_Iterable[_Union[_decision_pb2.Pot, _Mapping[str, object]]]] = ..., group: _Optional[str] = ...) -> None: ...

class GetUsageResponse(_message.Message):
    __slots__ = ("rows", "next_page_token")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[UsageRow]
    next_page_token: str
    def __init__(self, rows: _Optional[_Iterable[_Union[UsageRow, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class BillableEvent(_message.Message):
    __slots__ = ("account_id", "feature_key", "request_id", "kind", "user_id", "quantity", "pots", "dimensions", "occurred_time", "recorded_time", "period_start_time", "period_end_time", "subscription_id", "plan_key", "plan_version", "trial", "billable", "carry_in", "view_version", "billable_quantity", "used", "limit", "reason")
    class DimensionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    POTS_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_TIME_FIELD_NUMBER: _ClassVar[int]
    RECORDED_TIME_FIELD_NUMBER: _ClassVar[int]
    PERIOD_START_TIME_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_TIME_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    PLAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    BILLABLE_FIELD_NUMBER: _ClassVar[int]
    CARRY_IN_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    BILLABLE_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    feature_key: str
    request_id: str
    kind: FactKind
    user_id: str
    quantity: int
    pots: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Pot]
    dimensions: _containers.ScalarMap[str, str]
    occurred_time: _timestamp_pb2.Timestamp
    recorded_time: _timestamp_pb2.Timestamp
    period_start_time: _timestamp_pb2.Timestamp
    period_end_time: _timestamp_pb2.Timestamp
    subscription_id: str
    plan_key: str
    plan_version: int
    trial: bool
    billable: bool
    carry_in: bool
    view_version: int
    billable_quantity: int
    used: int
    limit: int
    reason: _decision_pb2.Reason
    def __init__(self, account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., request_id: _Optional[str] = ..., kind: _Optional[_Union[FactKind, str]] = ..., user_id: _Optional[str] = ..., quantity: _Optional[int] = ..., pots: _Optional[_Iterable[_Union[_decision_pb2.Pot, _Mapping[str, object]]]] = ..., dimensions: _Optional[_Mapping[str, str]] = ..., occurred_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., recorded_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., period_start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., period_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., subscription_id: _Optional[str] = ..., plan_key: _Optional[str] = ..., plan_version: _Optional[int] = ..., trial: _Optional[bool] = ..., billable: _Optional[bool] = ..., carry_in: _Optional[bool] = ..., view_version: _Optional[int] = ..., billable_quantity: _Optional[int] = ..., used: _Optional[int] = ..., limit: _Optional[int] = ..., reason: _Optional[_Union[_decision_pb2.Reason, str]] = ...) -> None: ...

class CloudEvent(_message.Message):
    __slots__ = ("id", "source", "specversion", "type", "subject", "time", "datacontenttype", "sequence", "data")
    ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SPECVERSION_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    DATACONTENTTYPE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    id: str
    source: str
    specversion: str
    type: str
    subject: str
    time: _timestamp_pb2.Timestamp
    datacontenttype: str
    sequence: int
    data: BillableEvent
    def __init__(self, id: _Optional[str] = ..., source: _Optional[str] = ..., specversion: _Optional[str] = ..., type: _Optional[str] = ..., subject: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., datacontenttype: _Optional[str] = ..., sequence: _Optional[int] = ..., data: _Optional[_Union[BillableEvent, _Mapping[str, object]]] = ...) -> None: ...

class ListEventsRequest(_message.Message):
    __slots__ = ("after_sequence", "account_id", "feature_key", "page_size")
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    after_sequence: int
    account_id: str
    feature_key: str
    page_size: int
    def __init__(self, after_sequence: _Optional[int] = ..., account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., page_size: _Optional[int] = ...) -> None: ...

class ListEventsResponse(_message.Message):
    __slots__ = ("events", "next_after_sequence")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[CloudEvent]
    next_after_sequence: int
    def __init__(self, events: _Optional[_Iterable[_Union[CloudEvent, _Mapping[str, object]]]] = ..., next_after_sequence: _Optional[int] = ...) -> None: ...

class FollowEventsRequest(_message.Message):
    __slots__ = ("after_sequence", "account_id", "feature_key")
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    after_sequence: int
    account_id: str
    feature_key: str
    def __init__(self, after_sequence: _Optional[int] = ..., account_id: _Optional[str] = ..., feature_key: _Optional[str] = ...) -> None: ...

class FollowEventsResponse(_message.Message):
    __slots__ = ("event",)
    EVENT_FIELD_NUMBER: _ClassVar[int]
    event: CloudEvent
    def __init__(self, event: _Optional[_Union[CloudEvent, _Mapping[str, object]]] = ...) -> None: ...

class RecordUsageItem(_message.Message):
    __slots__ = ("account_id", "feature_key", "quantity", "request_id", "user_id", "dimensions", "occurred_time", "carry_in")
    class DimensionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_TIME_FIELD_NUMBER: _ClassVar[int]
    CARRY_IN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    feature_key: str
    quantity: int
    request_id: str
    user_id: str
    dimensions: _containers.ScalarMap[str, str]
    occurred_time: _timestamp_pb2.Timestamp
    carry_in: bool
    def __init__(self, account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., quantity: _Optional[int] = ..., request_id: _Optional[str] = ..., user_id: _Optional[str] = ..., dimensions: _Optional[_Mapping[str, str]] = ..., occurred_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., carry_in: _Optional[bool] = ...) -> None: ...

class RecordUsageRequest(_message.Message):
    __slots__ = ("items", "min_view_version")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    MIN_VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[RecordUsageItem]
    min_view_version: int
    def __init__(self, items: _Optional[_Iterable[_Union[RecordUsageItem, _Mapping[str, object]]]] = ..., min_view_version: _Optional[int] = ...) -> None: ...

class RecordUsageOutcome(_message.Message):
    __slots__ = ("decision", "error")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.Decision
    error: _decision_pb2.ErrorStatus
    def __init__(self, decision: _Optional[_Union[_decision_pb2.Decision, _Mapping[str, object]]] = ..., error: _Optional[_Union[_decision_pb2.ErrorStatus, _Mapping[str, object]]] = ...) -> None: ...

class RecordUsageResponse(_message.Message):
    __slots__ = ("outcomes",)
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedCompositeFieldContainer[RecordUsageOutcome]
    def __init__(self, outcomes: _Optional[_Iterable[_Union[RecordUsageOutcome, _Mapping[str, object]]]] = ...) -> None: ...
