import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tallygate_api.v1 import invoice_pb2 as _invoice_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RejectReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REJECT_REASON_UNSPECIFIED: _ClassVar[RejectReason]
    REJECT_REASON_UNKNOWN: _ClassVar[RejectReason]
    REJECT_REASON_CHARGE_LIMIT_EXCEEDED: _ClassVar[RejectReason]
    REJECT_REASON_TOO_MANY_CHARGES: _ClassVar[RejectReason]
    REJECT_REASON_INVALID_FORMAT: _ClassVar[RejectReason]

class ChargeRunState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHARGE_RUN_STATE_UNSPECIFIED: _ClassVar[ChargeRunState]
    CHARGE_RUN_STATE_OPEN: _ClassVar[ChargeRunState]
    CHARGE_RUN_STATE_REJECTED: _ClassVar[ChargeRunState]
    CHARGE_RUN_STATE_ACCEPTED: _ClassVar[ChargeRunState]
REJECT_REASON_UNSPECIFIED: RejectReason
REJECT_REASON_UNKNOWN: RejectReason
REJECT_REASON_CHARGE_LIMIT_EXCEEDED: RejectReason
REJECT_REASON_TOO_MANY_CHARGES: RejectReason
REJECT_REASON_INVALID_FORMAT: RejectReason
CHARGE_RUN_STATE_UNSPECIFIED: ChargeRunState
CHARGE_RUN_STATE_OPEN: ChargeRunState
CHARGE_RUN_STATE_REJECTED: ChargeRunState
CHARGE_RUN_STATE_ACCEPTED: ChargeRunState

class ChargeLimit(_message.Message):
    __slots__ = ("subscription_id", "limit")
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    subscription_id: str
    limit: _invoice_pb2.Money
    def __init__(self, subscription_id: _Optional[str] = ..., limit: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ...) -> None: ...

class GetChargeLimitRequest(_message.Message):
    __slots__ = ("account_id", "product_key")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_KEY_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    product_key: str
    def __init__(self, account_id: _Optional[str] = ..., product_key: _Optional[str] = ...) -> None: ...

class GetChargeLimitResponse(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: ChargeLimit
    def __init__(self, limit: _Optional[_Union[ChargeLimit, _Mapping[str, object]]] = ...) -> None: ...

class RaiseChargeLimitRequest(_message.Message):
    __slots__ = ("account_id", "limit")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    limit: _invoice_pb2.Money
    def __init__(self, account_id: _Optional[str] = ..., limit: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ...) -> None: ...

class RaiseChargeLimitResponse(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: ChargeLimit
    def __init__(self, limit: _Optional[_Union[ChargeLimit, _Mapping[str, object]]] = ...) -> None: ...

class AppCharge(_message.Message):
    __slots__ = ("charge_id", "amount", "text")
    CHARGE_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    charge_id: str
    amount: _invoice_pb2.Money
    text: str
    def __init__(self, charge_id: _Optional[str] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., text: _Optional[str] = ...) -> None: ...

class ListChargesRequest(_message.Message):
    __slots__ = ("account_id",)
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    def __init__(self, account_id: _Optional[str] = ...) -> None: ...

class ListChargesResponse(_message.Message):
    __slots__ = ("charges", "total", "limit", "period_start", "period_end", "reasons", "product_key")
    CHARGES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_START_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_KEY_FIELD_NUMBER: _ClassVar[int]
    charges: _containers.RepeatedCompositeFieldContainer[AppCharge]
    total: _invoice_pb2.Money
    limit: ChargeLimit
    period_start: _timestamp_pb2.Timestamp
    period_end: _timestamp_pb2.Timestamp
    reasons: _containers.RepeatedScalarFieldContainer[RejectReason]
    product_key: str
    def __init__(self, charges: _Optional[_Iterable[_Union[AppCharge, _Mapping[str, object]]]] = ..., total: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., limit: _Optional[_Union[ChargeLimit, _Mapping[str, object]]] = ..., period_start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., period_end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., reasons: _Optional[_Iterable[_Union[RejectReason, str]]] = ..., product_key: _Optional[str] = ...) -> None: ...

class ChargeRun(_message.Message):
    __slots__ = ("subscription_id", "product_key", "period_start", "period_end", "state", "total", "reasons", "attempts", "update_time", "next_time")
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_KEY_FIELD_NUMBER: _ClassVar[int]
    PERIOD_START_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    NEXT_TIME_FIELD_NUMBER: _ClassVar[int]
    subscription_id: str
    product_key: str
    period_start: _timestamp_pb2.Timestamp
    period_end: _timestamp_pb2.Timestamp
    state: ChargeRunState
    total: _invoice_pb2.Money
    reasons: _containers.RepeatedScalarFieldContainer[RejectReason]
    attempts: int
    update_time: _timestamp_pb2.Timestamp
    next_time: _timestamp_pb2.Timestamp
    def __init__(self, subscription_id: _Optional[str] = ..., product_key: _Optional[str] = ..., period_start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., period_end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., state: _Optional[_Union[ChargeRunState, str]] = ..., total: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., reasons: _Optional[_Iterable[_Union[RejectReason, str]]] = ..., attempts: _Optional[int] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., next_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class ListChargeRunsRequest(_message.Message):
    __slots__ = ("account_id",)
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    def __init__(self, account_id: _Optional[str] = ...) -> None: ...

class ListChargeRunsResponse(_message.Message):
    __slots__ = ("runs",)
    RUNS_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[ChargeRun]
    def __init__(self, runs: _Optional[_Iterable[_Union[ChargeRun, _Mapping[str, object]]]] = ...) -> None: ...
