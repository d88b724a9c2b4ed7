import datetime

from google.protobuf import duration_pb2 as _duration_pb2
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

class ConsumeMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONSUME_MODE_UNSPECIFIED: _ClassVar[ConsumeMode]
    CONSUME_MODE_ALL_OR_NOTHING: _ClassVar[ConsumeMode]
    CONSUME_MODE_BEST_EFFORT: _ClassVar[ConsumeMode]
    CONSUME_MODE_ADJUST: _ClassVar[ConsumeMode]
CONSUME_MODE_UNSPECIFIED: ConsumeMode
CONSUME_MODE_ALL_OR_NOTHING: ConsumeMode
CONSUME_MODE_BEST_EFFORT: ConsumeMode
CONSUME_MODE_ADJUST: ConsumeMode

class CheckEntitlementRequest(_message.Message):
    __slots__ = ("account_id", "feature_key", "user_id", "quantity", "requested_values", "min_view_version", "at_time")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_VALUES_FIELD_NUMBER: _ClassVar[int]
    MIN_VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    AT_TIME_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    feature_key: str
    user_id: str
    quantity: int
    requested_values: _containers.RepeatedScalarFieldContainer[str]
    min_view_version: int
    at_time: _timestamp_pb2.Timestamp
    def __init__(self, account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., user_id: _Optional[str] = ..., quantity: _Optional[int] = ..., requested_values: _Optional[_Iterable[str]] = ..., min_view_version: _Optional[int] = ..., at_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class CheckEntitlementResponse(_message.Message):
    __slots__ = ("decision",)
    DECISION_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.Decision
    def __init__(self, decision: _Optional[_Union[_decision_pb2.Decision, _Mapping[str, object]]] = ...) -> None: ...

class BatchCheckEntitlementsRequest(_message.Message):
    __slots__ = ("account_ids", "feature_keys", "user_id", "quantity", "min_view_version", "at_time")
    ACCOUNT_IDS_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEYS_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    MIN_VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    AT_TIME_FIELD_NUMBER: _ClassVar[int]
    account_ids: _containers.RepeatedScalarFieldContainer[str]
    feature_keys: _containers.RepeatedScalarFieldContainer[str]
    user_id: str
    quantity: int
    min_view_version: int
    at_time: _timestamp_pb2.Timestamp
    def __init__(self, account_ids: _Optional[_Iterable[str]] = ..., feature_keys: _Optional[_Iterable[str]] = ..., user_id: _Optional[str] = ..., quantity: _Optional[int] = ..., min_view_version: _Optional[int] = ..., at_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class BatchCheckEntitlementsResult(_message.Message):
    __slots__ = ("account_id", "feature_key", "decision", "error")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    feature_key: str
    decision: _decision_pb2.Decision
    error: _decision_pb2.ErrorStatus
    def __init__(self, account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., decision: _Optional[_Union[_decision_pb2.Decision, _Mapping[str, object]]] = ..., error: _Optional[_Union[_decision_pb2.ErrorStatus, _Mapping[str, object]]] = ...) -> None: ...

class BatchCheckEntitlementsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchCheckEntitlementsResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BatchCheckEntitlementsResult, _Mapping[str, object]]]] = ...) -> None: ...

class ListEntitlementsRequest(_message.Message):
    __slots__ = ("account_id", "user_id", "at_time", "min_view_version")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    AT_TIME_FIELD_NUMBER: _ClassVar[int]
    MIN_VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    user_id: str
    at_time: _timestamp_pb2.Timestamp
    min_view_version: int
    def __init__(self, account_id: _Optional[str] = ..., user_id: _Optional[str] = ..., at_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., min_view_version: _Optional[int] = ...) -> None: ...

class ListEntitlementsResponse(_message.Message):
    __slots__ = ("decisions", "view_version")
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Decision]
    view_version: int
    def __init__(self, decisions: _Optional[_Iterable[_Union[_decision_pb2.Decision, _Mapping[str, object]]]] = ..., view_version: _Optional[int] = ...) -> None: ...

class ConsumeQuotaRequest(_message.Message):
    __slots__ = ("account_id", "feature_key", "quantity", "request_id", "user_id", "mode", "dimensions", "occurred_time", "min_view_version")
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
    MODE_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_TIME_FIELD_NUMBER: _ClassVar[int]
    MIN_VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    feature_key: str
    quantity: int
    request_id: str
    user_id: str
    mode: ConsumeMode
    dimensions: _containers.ScalarMap[str, str]
    occurred_time: _timestamp_pb2.Timestamp
    min_view_version: int
    def __init__(self, account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., quantity: _Optional[int] = ..., request_id: _Optional[str] = ..., user_id: _Optional[str] = ..., mode: _Optional[_Union[ConsumeMode, str]] = ..., dimensions: _Optional[_Mapping[str, str]] = ..., occurred_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., min_view_version: _Optional[int] = ...) -> None: ...

class ConsumeQuotaResponse(_message.Message):
    __slots__ = ("decision",)
    DECISION_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.Decision
    def __init__(self, decision: _Optional[_Union[_decision_pb2.Decision, _Mapping[str, object]]] = ...) -> None: ...

class ResetUsageRequest(_message.Message):
    __slots__ = ("account_id", "feature_key", "request_id", "min_view_version")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    feature_key: str
    request_id: str
    min_view_version: int
    def __init__(self, account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., request_id: _Optional[str] = ..., min_view_version: _Optional[int] = ...) -> None: ...

class ResetUsageResponse(_message.Message):
    __slots__ = ("period_start_time", "period_end_time", "view_version", "replayed", "closed_quantity")
    PERIOD_START_TIME_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_TIME_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    CLOSED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    period_start_time: _timestamp_pb2.Timestamp
    period_end_time: _timestamp_pb2.Timestamp
    view_version: int
    replayed: bool
    closed_quantity: int
    def __init__(self, period_start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., period_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ..., replayed: _Optional[bool] = ..., closed_quantity: _Optional[int] = ...) -> None: ...

class DescriptorEntry(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: str
    def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class RateLimitRequest(_message.Message):
    __slots__ = ("account_id", "limit_key", "descriptors", "cost", "request_id", "min_view_version")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_KEY_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTORS_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    limit_key: str
    descriptors: _containers.RepeatedCompositeFieldContainer[DescriptorEntry]
    cost: int
    request_id: str
    min_view_version: int
    def __init__(self, account_id: _Optional[str] = ..., limit_key: _Optional[str] = ..., descriptors: _Optional[_Iterable[_Union[DescriptorEntry, _Mapping[str, object]]]] = ..., cost: _Optional[int] = ..., request_id: _Optional[str] = ..., min_view_version: _Optional[int] = ...) -> None: ...

class LimitStatus(_message.Message):
    __slots__ = ("limit_key", "owner", "algorithm", "allowed", "limit", "remaining", "window", "reset_time", "retry_after", "burst", "source")
    LIMIT_KEY_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    RESET_TIME_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_FIELD_NUMBER: _ClassVar[int]
    BURST_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    limit_key: str
    owner: _catalog_pb2.LimitOwner
    algorithm: _catalog_pb2.Algorithm
    allowed: bool
    limit: int
    remaining: int
    window: _duration_pb2.Duration
    reset_time: _timestamp_pb2.Timestamp
    retry_after: _duration_pb2.Duration
    burst: int
    source: _decision_pb2.Source
    def __init__(self, limit_key: _Optional[str] = ..., owner: _Optional[_Union[_catalog_pb2.LimitOwner, str]] = ..., algorithm: _Optional[_Union[_catalog_pb2.Algorithm, str]] = ..., allowed: _Optional[bool] = ..., limit: _Optional[int] = ..., remaining: _Optional[int] = ..., window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping[str, object]]] = ..., reset_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., retry_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping[str, object]]] = ..., burst: _Optional[int] = ..., source: _Optional[_Union[_decision_pb2.Source, _Mapping[str, object]]] = ...) -> None: ...

class RateLimitResponse(_message.Message):
    __slots__ = ("allowed", "reason", "binding_limit_key", "statuses", "retry_after", "view_version", "decided_on", "view_age", "replayed")
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BINDING_LIMIT_KEY_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    DECIDED_ON_FIELD_NUMBER: _ClassVar[int]
    VIEW_AGE_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    allowed: bool
    reason: _decision_pb2.Reason
    binding_limit_key: str
    statuses: _containers.RepeatedCompositeFieldContainer[LimitStatus]
    retry_after: _duration_pb2.Duration
    view_version: int
    decided_on: _decision_pb2.DecidedOn
    view_age: _duration_pb2.Duration
    replayed: bool
    def __init__(self, allowed: _Optional[bool] = ..., reason: _Optional[_Union[_decision_pb2.Reason, str]] = ..., binding_limit_key: _Optional[str] = ..., statuses: _Optional[_Iterable[_Union[LimitStatus, _Mapping[str, object]]]] = ..., retry_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ..., decided_on: _Optional[_Union[_decision_pb2.DecidedOn, str]] = ..., view_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping[str, object]]] = ..., replayed: _Optional[bool] = ...) -> None: ...
