import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tallygate_api.v1 import invoice_pb2 as _invoice_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CompareVariantsRequest(_message.Message):
    __slots__ = ("experiment_key", "variants", "start_time", "end_time")
    EXPERIMENT_KEY_FIELD_NUMBER: _ClassVar[int]
    VARIANTS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    experiment_key: str
    variants: _containers.RepeatedScalarFieldContainer[str]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, experiment_key: _Optional[str] = ..., variants: _Optional[_Iterable[str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class VariantOutcome(_message.Message):
    __slots__ = ("variant", "accounts", "converted", "conversion_percent", "revenue")
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    CONVERTED_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_PERCENT_FIELD_NUMBER: _ClassVar[int]
    REVENUE_FIELD_NUMBER: _ClassVar[int]
    variant: str
    accounts: int
    converted: int
    conversion_percent: str
    revenue: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Money]
    def __init__(self, variant: _Optional[str] = ..., accounts: _Optional[int] = ..., converted: _Optional[int] = ..., conversion_percent: _Optional[str] = ..., revenue: _Optional[_Iterable[_Union[_invoice_pb2.Money, _Mapping[str, object]]]] = ...) -> None: ...

class CompareVariantsResponse(_message.Message):
    __slots__ = ("outcomes",)
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedCompositeFieldContainer[VariantOutcome]
    def __init__(self, outcomes: _Optional[_Iterable[_Union[VariantOutcome, _Mapping[str, object]]]] = ...) -> None: ...

class GetReportRequest(_message.Message):
    __slots__ = ("start_time", "end_time")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class ReportedBooks(_message.Message):
    __slots__ = ("currency", "monthly_recurring", "invoiced", "received", "income", "outstanding")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    MONTHLY_RECURRING_FIELD_NUMBER: _ClassVar[int]
    INVOICED_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    INCOME_FIELD_NUMBER: _ClassVar[int]
    OUTSTANDING_FIELD_NUMBER: _ClassVar[int]
    currency: str
    monthly_recurring: _invoice_pb2.Money
    invoiced: _invoice_pb2.Money
    received: _invoice_pb2.Money
    income: _invoice_pb2.Money
    outstanding: _invoice_pb2.Money
    def __init__(self, currency: _Optional[str] = ..., monthly_recurring: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., invoiced: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., received: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., income: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., outstanding: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ...) -> None: ...

class LostAccount(_message.Message):
    __slots__ = ("account_id", "plan_key", "end_time", "reason", "last_activity_time")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LAST_ACTIVITY_TIME_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    plan_key: str
    end_time: _timestamp_pb2.Timestamp
    reason: str
    last_activity_time: _timestamp_pb2.Timestamp
    def __init__(self, account_id: _Optional[str] = ..., plan_key: _Optional[str] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., reason: _Optional[str] = ..., last_activity_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class GetReportResponse(_message.Message):
    __slots__ = ("start_time", "end_time", "books", "accounts_at_start", "accounts_gained", "accounts_lost", "accounts_at_end", "churn_percent", "lost")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_AT_START_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_GAINED_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_LOST_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_AT_END_FIELD_NUMBER: _ClassVar[int]
    CHURN_PERCENT_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    books: _containers.RepeatedCompositeFieldContainer[ReportedBooks]
    accounts_at_start: int
    accounts_gained: int
    accounts_lost: int
    accounts_at_end: int
    churn_percent: str
    lost: _containers.RepeatedCompositeFieldContainer[LostAccount]
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., books: _Optional[_Iterable[_Union[ReportedBooks, _Mapping[str, object]]]] = ..., accounts_at_start: _Optional[int] = ..., accounts_gained: _Optional[int] = ..., accounts_lost: _Optional[int] = ..., accounts_at_end: _Optional[int] = ..., churn_percent: _Optional[str] = ..., lost: _Optional[_Iterable[_Union[LostAccount, _Mapping[str, object]]]] = ...) -> None: ...
