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

class TimelineStep(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIMELINE_STEP_UNSPECIFIED: _ClassVar[TimelineStep]
    TIMELINE_STEP_INVOICING: _ClassVar[TimelineStep]
    TIMELINE_STEP_PAYMENT: _ClassVar[TimelineStep]
    TIMELINE_STEP_COMMISSION: _ClassVar[TimelineStep]

class TimelineState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIMELINE_STATE_UNSPECIFIED: _ClassVar[TimelineState]
    TIMELINE_STATE_UPCOMING: _ClassVar[TimelineState]
    TIMELINE_STATE_RUNNING: _ClassVar[TimelineState]
    TIMELINE_STATE_DONE: _ClassVar[TimelineState]

class ShareKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SHARE_KIND_UNSPECIFIED: _ClassVar[ShareKind]
    SHARE_KIND_PROVIDER: _ClassVar[ShareKind]
    SHARE_KIND_BROKER: _ClassVar[ShareKind]
    SHARE_KIND_PROCESSING: _ClassVar[ShareKind]
    SHARE_KIND_PORTION: _ClassVar[ShareKind]
    SHARE_KIND_LICENCE: _ClassVar[ShareKind]
    SHARE_KIND_ACCOUNT: _ClassVar[ShareKind]

class ShareRounding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SHARE_ROUNDING_UNSPECIFIED: _ClassVar[ShareRounding]
    SHARE_ROUNDING_DOWN: _ClassVar[ShareRounding]
    SHARE_ROUNDING_HALF_UP: _ClassVar[ShareRounding]
    SHARE_ROUNDING_HALF_EVEN: _ClassVar[ShareRounding]

class PartnerKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PARTNER_KIND_UNSPECIFIED: _ClassVar[PartnerKind]
    PARTNER_KIND_PROVIDER: _ClassVar[PartnerKind]
    PARTNER_KIND_ACCOUNT: _ClassVar[PartnerKind]
    PARTNER_KIND_PROCESSOR: _ClassVar[PartnerKind]
    PARTNER_KIND_TENANT: _ClassVar[PartnerKind]
    PARTNER_KIND_PLATFORM: _ClassVar[PartnerKind]

class BillState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BILL_STATE_UNSPECIFIED: _ClassVar[BillState]
    BILL_STATE_SUBMITTED: _ClassVar[BillState]
    BILL_STATE_INVOICED: _ClassVar[BillState]
    BILL_STATE_CANCELLED: _ClassVar[BillState]

class BillPeriod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BILL_PERIOD_UNSPECIFIED: _ClassVar[BillPeriod]
    BILL_PERIOD_DAY: _ClassVar[BillPeriod]
    BILL_PERIOD_WEEK: _ClassVar[BillPeriod]
    BILL_PERIOD_SEMI_MONTH: _ClassVar[BillPeriod]
    BILL_PERIOD_MONTH: _ClassVar[BillPeriod]
    BILL_PERIOD_YEAR: _ClassVar[BillPeriod]

class RecurringBillState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECURRING_BILL_STATE_UNSPECIFIED: _ClassVar[RecurringBillState]
    RECURRING_BILL_STATE_SUBMITTED: _ClassVar[RecurringBillState]
    RECURRING_BILL_STATE_ACTIVE: _ClassVar[RecurringBillState]
    RECURRING_BILL_STATE_EXPIRED: _ClassVar[RecurringBillState]
    RECURRING_BILL_STATE_CANCELLED: _ClassVar[RecurringBillState]
TIMELINE_STEP_UNSPECIFIED: TimelineStep
TIMELINE_STEP_INVOICING: TimelineStep
TIMELINE_STEP_PAYMENT: TimelineStep
TIMELINE_STEP_COMMISSION: TimelineStep
TIMELINE_STATE_UNSPECIFIED: TimelineState
TIMELINE_STATE_UPCOMING: TimelineState
TIMELINE_STATE_RUNNING: TimelineState
TIMELINE_STATE_DONE: TimelineState
SHARE_KIND_UNSPECIFIED: ShareKind
SHARE_KIND_PROVIDER: ShareKind
SHARE_KIND_BROKER: ShareKind
SHARE_KIND_PROCESSING: ShareKind
SHARE_KIND_PORTION: ShareKind
SHARE_KIND_LICENCE: ShareKind
SHARE_KIND_ACCOUNT: ShareKind
SHARE_ROUNDING_UNSPECIFIED: ShareRounding
SHARE_ROUNDING_DOWN: ShareRounding
SHARE_ROUNDING_HALF_UP: ShareRounding
SHARE_ROUNDING_HALF_EVEN: ShareRounding
PARTNER_KIND_UNSPECIFIED: PartnerKind
PARTNER_KIND_PROVIDER: PartnerKind
PARTNER_KIND_ACCOUNT: PartnerKind
PARTNER_KIND_PROCESSOR: PartnerKind
PARTNER_KIND_TENANT: PartnerKind
PARTNER_KIND_PLATFORM: PartnerKind
BILL_STATE_UNSPECIFIED: BillState
BILL_STATE_SUBMITTED: BillState
BILL_STATE_INVOICED: BillState
BILL_STATE_CANCELLED: BillState
BILL_PERIOD_UNSPECIFIED: BillPeriod
BILL_PERIOD_DAY: BillPeriod
BILL_PERIOD_WEEK: BillPeriod
BILL_PERIOD_SEMI_MONTH: BillPeriod
BILL_PERIOD_MONTH: BillPeriod
BILL_PERIOD_YEAR: BillPeriod
RECURRING_BILL_STATE_UNSPECIFIED: RecurringBillState
RECURRING_BILL_STATE_SUBMITTED: RecurringBillState
RECURRING_BILL_STATE_ACTIVE: RecurringBillState
RECURRING_BILL_STATE_EXPIRED: RecurringBillState
RECURRING_BILL_STATE_CANCELLED: RecurringBillState

class GetBillingTimelineRequest(_message.Message):
    __slots__ = ("month",)
    MONTH_FIELD_NUMBER: _ClassVar[int]
    month: str
    def __init__(self, month: _Optional[str] = ...) -> None: ...

class TimelineEntry(_message.Message):
    __slots__ = ("step", "day", "time", "state", "documents", "unpaid")
    STEP_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    UNPAID_FIELD_NUMBER: _ClassVar[int]
    step: TimelineStep
    day: str
    time: _timestamp_pb2.Timestamp
    state: TimelineState
    documents: int
    unpaid: int
    def __init__(self, step: _Optional[_Union[TimelineStep, str]] = ..., day: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., state: _Optional[_Union[TimelineState, str]] = ..., documents: _Optional[int] = ..., unpaid: _Optional[int] = ...) -> None: ...

class GetBillingTimelineResponse(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[TimelineEntry]
    def __init__(self, entries: _Optional[_Iterable[_Union[TimelineEntry, _Mapping[str, object]]]] = ...) -> None: ...

class Share(_message.Message):
    __slots__ = ("kind", "provider", "account_id", "partner_account_id", "proposed_percent", "accepted_percent", "fixed_amount", "rounding", "start_time")
    KIND_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PARTNER_ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_PERCENT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_PERCENT_FIELD_NUMBER: _ClassVar[int]
    FIXED_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    ROUNDING_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    kind: ShareKind
    provider: str
    account_id: str
    partner_account_id: str
    proposed_percent: str
    accepted_percent: str
    fixed_amount: _invoice_pb2.Money
    rounding: ShareRounding
    start_time: _timestamp_pb2.Timestamp
    def __init__(self, kind: _Optional[_Union[ShareKind, str]] = ..., provider: _Optional[str] = ..., account_id: _Optional[str] = ..., partner_account_id: _Optional[str] = ..., proposed_percent: _Optional[str] = ..., accepted_percent: _Optional[str] = ..., fixed_amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., rounding: _Optional[_Union[ShareRounding, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class SetShareRequest(_message.Message):
    __slots__ = ("share",)
    SHARE_FIELD_NUMBER: _ClassVar[int]
    share: Share
    def __init__(self, share: _Optional[_Union[Share, _Mapping[str, object]]] = ...) -> None: ...

class SetShareResponse(_message.Message):
    __slots__ = ("share",)
    SHARE_FIELD_NUMBER: _ClassVar[int]
    share: Share
    def __init__(self, share: _Optional[_Union[Share, _Mapping[str, object]]] = ...) -> None: ...

class ListSharesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSharesResponse(_message.Message):
    __slots__ = ("shares",)
    SHARES_FIELD_NUMBER: _ClassVar[int]
    shares: _containers.RepeatedCompositeFieldContainer[Share]
    def __init__(self, shares: _Optional[_Iterable[_Union[Share, _Mapping[str, object]]]] = ...) -> None: ...

class Bill(_message.Message):
    __slots__ = ("bill_id", "provider", "account_id", "text", "price", "units", "third_party", "state", "create_time", "cancel_time", "period_start", "period_end")
    BILL_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    THIRD_PARTY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CANCEL_TIME_FIELD_NUMBER: _ClassVar[int]
    PERIOD_START_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_FIELD_NUMBER: _ClassVar[int]
    bill_id: str
    provider: str
    account_id: str
    text: str
    price: _invoice_pb2.Money
    units: str
    third_party: bool
    state: BillState
    create_time: _timestamp_pb2.Timestamp
    cancel_time: _timestamp_pb2.Timestamp
    period_start: _timestamp_pb2.Timestamp
    period_end: _timestamp_pb2.Timestamp
    def __init__(self, bill_id: _Optional[str] = ..., provider: _Optional[str] = ..., account_id: _Optional[str] = ..., text: _Optional[str] = ..., price: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., units: _Optional[str] = ..., third_party: _Optional[bool] = ..., state: _Optional[_Union[BillState, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., cancel_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., period_start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., period_end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class RecurringBill(_message.Message):
    __slots__ = ("recurring_bill_id", "provider", "account_id", "text", "price", "period", "frequency", "cycles", "start_time", "initial", "state", "made", "create_time", "cancel_time")
    RECURRING_BILL_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    CYCLES_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    INITIAL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MADE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CANCEL_TIME_FIELD_NUMBER: _ClassVar[int]
    recurring_bill_id: str
    provider: str
    account_id: str
    text: str
    price: _invoice_pb2.Money
    period: BillPeriod
    frequency: int
    cycles: int
    start_time: _timestamp_pb2.Timestamp
    initial: _invoice_pb2.Money
    state: RecurringBillState
    made: int
    create_time: _timestamp_pb2.Timestamp
    cancel_time: _timestamp_pb2.Timestamp
    def __init__(self, recurring_bill_id: _Optional[str] = ..., provider: _Optional[str] = ..., account_id: _Optional[str] = ..., text: _Optional[str] = ..., price: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., period: _Optional[_Union[BillPeriod, str]] = ..., frequency: _Optional[int] = ..., cycles: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., initial: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., state: _Optional[_Union[RecurringBillState, str]] = ..., made: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., cancel_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class SubmitRecurringBillRequest(_message.Message):
    __slots__ = ("bill",)
    BILL_FIELD_NUMBER: _ClassVar[int]
    bill: RecurringBill
    def __init__(self, bill: _Optional[_Union[RecurringBill, _Mapping[str, object]]] = ...) -> None: ...

class SubmitRecurringBillResponse(_message.Message):
    __slots__ = ("bill",)
    BILL_FIELD_NUMBER: _ClassVar[int]
    bill: RecurringBill
    def __init__(self, bill: _Optional[_Union[RecurringBill, _Mapping[str, object]]] = ...) -> None: ...

class CancelRecurringBillRequest(_message.Message):
    __slots__ = ("provider", "recurring_bill_id")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    RECURRING_BILL_ID_FIELD_NUMBER: _ClassVar[int]
    provider: str
    recurring_bill_id: str
    def __init__(self, provider: _Optional[str] = ..., recurring_bill_id: _Optional[str] = ...) -> None: ...

class CancelRecurringBillResponse(_message.Message):
    __slots__ = ("bill",)
    BILL_FIELD_NUMBER: _ClassVar[int]
    bill: RecurringBill
    def __init__(self, bill: _Optional[_Union[RecurringBill, _Mapping[str, object]]] = ...) -> None: ...

class ListRecurringBillsRequest(_message.Message):
    __slots__ = ("provider", "account_id", "state")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    provider: str
    account_id: str
    state: RecurringBillState
    def __init__(self, provider: _Optional[str] = ..., account_id: _Optional[str] = ..., state: _Optional[_Union[RecurringBillState, str]] = ...) -> None: ...

class ListRecurringBillsResponse(_message.Message):
    __slots__ = ("bills",)
    BILLS_FIELD_NUMBER: _ClassVar[int]
    bills: _containers.RepeatedCompositeFieldContainer[RecurringBill]
    def __init__(self, bills: _Optional[_Iterable[_Union[RecurringBill, _Mapping[str, object]]]] = ...) -> None: ...

class SubmitBillRequest(_message.Message):
    __slots__ = ("bill",)
    BILL_FIELD_NUMBER: _ClassVar[int]
    bill: Bill
    def __init__(self, bill: _Optional[_Union[Bill, _Mapping[str, object]]] = ...) -> None: ...

class SubmitBillResponse(_message.Message):
    __slots__ = ("bill",)
    BILL_FIELD_NUMBER: _ClassVar[int]
    bill: Bill
    def __init__(self, bill: _Optional[_Union[Bill, _Mapping[str, object]]] = ...) -> None: ...

class CancelBillRequest(_message.Message):
    __slots__ = ("provider", "bill_id")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    BILL_ID_FIELD_NUMBER: _ClassVar[int]
    provider: str
    bill_id: str
    def __init__(self, provider: _Optional[str] = ..., bill_id: _Optional[str] = ...) -> None: ...

class CancelBillResponse(_message.Message):
    __slots__ = ("bill",)
    BILL_FIELD_NUMBER: _ClassVar[int]
    bill: Bill
    def __init__(self, bill: _Optional[_Union[Bill, _Mapping[str, object]]] = ...) -> None: ...

class ListBillsRequest(_message.Message):
    __slots__ = ("provider", "account_id", "state", "page_size", "page_token")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    provider: str
    account_id: str
    state: BillState
    page_size: int
    page_token: str
    def __init__(self, provider: _Optional[str] = ..., account_id: _Optional[str] = ..., state: _Optional[_Union[BillState, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListBillsResponse(_message.Message):
    __slots__ = ("bills", "next_page_token")
    BILLS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    bills: _containers.RepeatedCompositeFieldContainer[Bill]
    next_page_token: str
    def __init__(self, bills: _Optional[_Iterable[_Union[Bill, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class PartnerShare(_message.Message):
    __slots__ = ("kind", "partner_id", "portfolio_amount", "commission_amount", "non_commissionable_amount")
    KIND_FIELD_NUMBER: _ClassVar[int]
    PARTNER_ID_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    COMMISSION_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    NON_COMMISSIONABLE_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    kind: PartnerKind
    partner_id: str
    portfolio_amount: _invoice_pb2.Money
    commission_amount: _invoice_pb2.Money
    non_commissionable_amount: _invoice_pb2.Money
    def __init__(self, kind: _Optional[_Union[PartnerKind, str]] = ..., partner_id: _Optional[str] = ..., portfolio_amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., commission_amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., non_commissionable_amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ...) -> None: ...

class ListStatementsRequest(_message.Message):
    __slots__ = ("run_date",)
    RUN_DATE_FIELD_NUMBER: _ClassVar[int]
    run_date: str
    def __init__(self, run_date: _Optional[str] = ...) -> None: ...

class Statement(_message.Message):
    __slots__ = ("share",)
    SHARE_FIELD_NUMBER: _ClassVar[int]
    share: PartnerShare
    def __init__(self, share: _Optional[_Union[PartnerShare, _Mapping[str, object]]] = ...) -> None: ...

class ListStatementsResponse(_message.Message):
    __slots__ = ("statements", "run_date", "start_time", "end_time", "final")
    STATEMENTS_FIELD_NUMBER: _ClassVar[int]
    RUN_DATE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    statements: _containers.RepeatedCompositeFieldContainer[Statement]
    run_date: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    final: bool
    def __init__(self, statements: _Optional[_Iterable[_Union[Statement, _Mapping[str, object]]]] = ..., run_date: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., final: _Optional[bool] = ...) -> None: ...

class ListSharedInvoicesRequest(_message.Message):
    __slots__ = ("run_date", "page_size", "page_token")
    RUN_DATE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    run_date: str
    page_size: int
    page_token: str
    def __init__(self, run_date: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class SharedInvoice(_message.Message):
    __slots__ = ("invoice_id", "number", "account_id", "shares")
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    number: str
    account_id: str
    shares: _containers.RepeatedCompositeFieldContainer[PartnerShare]
    def __init__(self, invoice_id: _Optional[str] = ..., number: _Optional[str] = ..., account_id: _Optional[str] = ..., shares: _Optional[_Iterable[_Union[PartnerShare, _Mapping[str, object]]]] = ...) -> None: ...

class ListSharedInvoicesResponse(_message.Message):
    __slots__ = ("invoices", "next_page_token")
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    invoices: _containers.RepeatedCompositeFieldContainer[SharedInvoice]
    next_page_token: str
    def __init__(self, invoices: _Optional[_Iterable[_Union[SharedInvoice, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
