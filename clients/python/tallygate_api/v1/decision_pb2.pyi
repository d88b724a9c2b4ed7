import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tallygate_api.v1 import error_reason_pb2 as _error_reason_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_UNSPECIFIED: _ClassVar[Reason]
    REASON_ENTITLED: _ClassVar[Reason]
    REASON_WITHIN_LIMIT: _ClassVar[Reason]
    REASON_OVERAGE: _ClassVar[Reason]
    REASON_UNLIMITED: _ClassVar[Reason]
    REASON_ACCOUNT_NOT_FOUND: _ClassVar[Reason]
    REASON_NO_SUBSCRIPTION: _ClassVar[Reason]
    REASON_SUBSCRIPTION_EXPIRED: _ClassVar[Reason]
    REASON_SUSPENDED: _ClassVar[Reason]
    REASON_NOT_IN_PLAN: _ClassVar[Reason]
    REASON_VALUE_NOT_GRANTED: _ClassVar[Reason]
    REASON_QUOTA_EXHAUSTED: _ClassVar[Reason]
    REASON_REFUND_EXCEEDS_USAGE: _ClassVar[Reason]
    REASON_RATE_LIMITED: _ClassVar[Reason]
    REASON_SEAT_LIMIT: _ClassVar[Reason]
    REASON_SEAT_NOT_ASSIGNED: _ClassVar[Reason]
    REASON_STORE_UNAVAILABLE: _ClassVar[Reason]

class DecidedOn(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECIDED_ON_UNSPECIFIED: _ClassVar[DecidedOn]
    DECIDED_ON_FRESH: _ClassVar[DecidedOn]
    DECIDED_ON_CACHED: _ClassVar[DecidedOn]
    DECIDED_ON_FALLBACK: _ClassVar[DecidedOn]

class PotKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POT_KIND_UNSPECIFIED: _ClassVar[PotKind]
    POT_KIND_INCLUDED: _ClassVar[PotKind]
    POT_KIND_GRANT: _ClassVar[PotKind]
    POT_KIND_OVERAGE: _ClassVar[PotKind]

class SourceKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SOURCE_KIND_UNSPECIFIED: _ClassVar[SourceKind]
    SOURCE_KIND_PLAN: _ClassVar[SourceKind]
    SOURCE_KIND_ADD_ON: _ClassVar[SourceKind]
    SOURCE_KIND_OVERRIDE: _ClassVar[SourceKind]
    SOURCE_KIND_GRANT: _ClassVar[SourceKind]
    SOURCE_KIND_TRIAL: _ClassVar[SourceKind]
    SOURCE_KIND_DEFAULT_PLAN: _ClassVar[SourceKind]

class UnblockKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNBLOCK_KIND_UNSPECIFIED: _ClassVar[UnblockKind]
    UNBLOCK_KIND_ADD_ON: _ClassVar[UnblockKind]
    UNBLOCK_KIND_UPGRADE: _ClassVar[UnblockKind]
    UNBLOCK_KIND_SEAT: _ClassVar[UnblockKind]
    UNBLOCK_KIND_TOP_UP: _ClassVar[UnblockKind]
REASON_UNSPECIFIED: Reason
REASON_ENTITLED: Reason
REASON_WITHIN_LIMIT: Reason
REASON_OVERAGE: Reason
REASON_UNLIMITED: Reason
REASON_ACCOUNT_NOT_FOUND: Reason
REASON_NO_SUBSCRIPTION: Reason
REASON_SUBSCRIPTION_EXPIRED: Reason
REASON_SUSPENDED: Reason
REASON_NOT_IN_PLAN: Reason
REASON_VALUE_NOT_GRANTED: Reason
REASON_QUOTA_EXHAUSTED: Reason
REASON_REFUND_EXCEEDS_USAGE: Reason
REASON_RATE_LIMITED: Reason
REASON_SEAT_LIMIT: Reason
REASON_SEAT_NOT_ASSIGNED: Reason
REASON_STORE_UNAVAILABLE: Reason
DECIDED_ON_UNSPECIFIED: DecidedOn
DECIDED_ON_FRESH: DecidedOn
DECIDED_ON_CACHED: DecidedOn
DECIDED_ON_FALLBACK: DecidedOn
POT_KIND_UNSPECIFIED: PotKind
POT_KIND_INCLUDED: PotKind
POT_KIND_GRANT: PotKind
POT_KIND_OVERAGE: PotKind
SOURCE_KIND_UNSPECIFIED: SourceKind
SOURCE_KIND_PLAN: SourceKind
SOURCE_KIND_ADD_ON: SourceKind
SOURCE_KIND_OVERRIDE: SourceKind
SOURCE_KIND_GRANT: SourceKind
SOURCE_KIND_TRIAL: SourceKind
SOURCE_KIND_DEFAULT_PLAN: SourceKind
UNBLOCK_KIND_UNSPECIFIED: UnblockKind
UNBLOCK_KIND_ADD_ON: UnblockKind
UNBLOCK_KIND_UPGRADE: UnblockKind
UNBLOCK_KIND_SEAT: UnblockKind
UNBLOCK_KIND_TOP_UP: UnblockKind

class Pot(_message.Message):
    __slots__ = ("kind", "grant_id", "quantity", "uncharged")
    KIND_FIELD_NUMBER: _ClassVar[int]
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    UNCHARGED_FIELD_NUMBER: _ClassVar[int]
    kind: PotKind
    grant_id: str
    quantity: int
    uncharged: int
    def __init__(self, kind: _Optional[_Union[PotKind, str]] = ..., grant_id: _Optional[str] = ..., quantity: _Optional[int] = ..., uncharged: _Optional[int] = ...) -> None: ...

class StringList(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, values: _Optional[_Iterable[str]] = ...) -> None: ...

class Value(_message.Message):
    __slots__ = ("bool_value", "number_value", "text_value", "list_value")
    BOOL_VALUE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_VALUE_FIELD_NUMBER: _ClassVar[int]
    TEXT_VALUE_FIELD_NUMBER: _ClassVar[int]
    LIST_VALUE_FIELD_NUMBER: _ClassVar[int]
    bool_value: bool
    number_value: int
    text_value: str
    list_value: StringList
    def __init__(self, bool_value: _Optional[bool] = ..., number_value: _Optional[int] = ..., text_value: _Optional[str] = ..., list_value: _Optional[_Union[StringList, _Mapping[str, object]]] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("kind", "key", "version", "quantity")
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    kind: SourceKind
    key: str
    version: int
    quantity: int
    def __init__(self, kind: _Optional[_Union[SourceKind, str]] = ..., key: _Optional[str] = ..., version: _Optional[int] = ..., quantity: _Optional[int] = ...) -> None: ...

class UnblockOption(_message.Message):
    __slots__ = ("kind", "key", "limit")
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    kind: UnblockKind
    key: str
    limit: int
    def __init__(self, kind: _Optional[_Union[UnblockKind, str]] = ..., key: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("allowed", "reason", "feature_key", "value", "unlimited", "limit", "used", "remaining", "granted_quantity", "pots", "period_start_time", "reset_time", "retry_after", "sources", "unblock_options", "view_version", "decided_on", "view_age", "replayed", "request_id", "hard_limit", "shortfall", "grants_left")
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNLIMITED_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    GRANTED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    POTS_FIELD_NUMBER: _ClassVar[int]
    PERIOD_START_TIME_FIELD_NUMBER: _ClassVar[int]
    RESET_TIME_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    UNBLOCK_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    DECIDED_ON_FIELD_NUMBER: _ClassVar[int]
    VIEW_AGE_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    HARD_LIMIT_FIELD_NUMBER: _ClassVar[int]
    SHORTFALL_FIELD_NUMBER: _ClassVar[int]
    GRANTS_LEFT_FIELD_NUMBER: _ClassVar[int]
    allowed: bool
    reason: Reason
    feature_key: str
    value: Value
    unlimited: bool
    limit: int
    used: int
    remaining: int
    granted_quantity: int
    pots: _containers.RepeatedCompositeFieldContainer[Pot]
    period_start_time: _timestamp_pb2.Timestamp
    reset_time: _timestamp_pb2.Timestamp
    retry_after: _duration_pb2.Duration
    sources: _containers.RepeatedCompositeFieldContainer[Source]
    unblock_options: _containers.RepeatedCompositeFieldContainer[UnblockOption]
    view_version: int
    decided_on: DecidedOn
    view_age: _duration_pb2.Duration
    replayed: bool
    request_id: str
    hard_limit: int
    shortfall: int
    grants_left: _containers.RepeatedCompositeFieldContainer[Pot]
    def __init__(self, allowed: _Optional[bool] = ..., reason: _Optional[_Union[Reason, str]] = ..., feature_key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping[str, object]]] = ..., unlimited: _Optional[bool] = ..., limit: _Optional[int] = ..., used: _Optional[int] = ..., remaining: _Optional[int] = ..., granted_quantity: _Optional[int] = ..., pots: _Optional[_Iterable[_Union[Pot, _Mapping[str, object]]]] = ..., period_start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., reset_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., retry_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping[str, object]]] = ..., sources: _Optional[_Iterable[_Union[Source, _Mapping[str, object]]]] = ..., unblock_options: _Optional[_Iterable[_Union[UnblockOption, _Mapping[str, object]]]] = ..., view_version: _Optional[int] = ..., decided_on: _Optional[_Union[DecidedOn, str]] = ..., view_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping[str, object]]] = ..., replayed: _Optional[bool] = ..., request_id: _Optional[str] = ..., hard_limit: _Optional[int] = ..., shortfall: _Optional[int] = ..., grants_left: _Optional[_Iterable[_Union[Pot, _Mapping[str, object]]]] = ...) -> None: ...

class ErrorStatus(_message.Message):
    __slots__ = ("code", "message", "reason", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    reason: _error_reason_pb2.ErrorReason
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., reason: _Optional[_Union[_error_reason_pb2.ErrorReason, str]] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...
