import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tallygate_api.v1 import catalog_pb2 as _catalog_pb2
from tallygate_api.v1 import decision_pb2 as _decision_pb2
from tallygate_api.v1 import invoice_pb2 as _invoice_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DocumentFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DOCUMENT_FORMAT_UNSPECIFIED: _ClassVar[DocumentFormat]
    DOCUMENT_FORMAT_HTML: _ClassVar[DocumentFormat]
    DOCUMENT_FORMAT_JSON: _ClassVar[DocumentFormat]
    DOCUMENT_FORMAT_PDF: _ClassVar[DocumentFormat]
    DOCUMENT_FORMAT_UBL: _ClassVar[DocumentFormat]
    DOCUMENT_FORMAT_CII: _ClassVar[DocumentFormat]

class LineEventMark(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LINE_EVENT_MARK_UNSPECIFIED: _ClassVar[LineEventMark]
    LINE_EVENT_MARK_FREE: _ClassVar[LineEventMark]
    LINE_EVENT_MARK_PARTLY_FREE: _ClassVar[LineEventMark]
    LINE_EVENT_MARK_MIN_AMOUNT: _ClassVar[LineEventMark]
    LINE_EVENT_MARK_MAX_AMOUNT: _ClassVar[LineEventMark]
    LINE_EVENT_MARK_UNREADABLE: _ClassVar[LineEventMark]
    LINE_EVENT_MARK_CARRIED_OVER: _ClassVar[LineEventMark]
DOCUMENT_FORMAT_UNSPECIFIED: DocumentFormat
DOCUMENT_FORMAT_HTML: DocumentFormat
DOCUMENT_FORMAT_JSON: DocumentFormat
DOCUMENT_FORMAT_PDF: DocumentFormat
DOCUMENT_FORMAT_UBL: DocumentFormat
DOCUMENT_FORMAT_CII: DocumentFormat
LINE_EVENT_MARK_UNSPECIFIED: LineEventMark
LINE_EVENT_MARK_FREE: LineEventMark
LINE_EVENT_MARK_PARTLY_FREE: LineEventMark
LINE_EVENT_MARK_MIN_AMOUNT: LineEventMark
LINE_EVENT_MARK_MAX_AMOUNT: LineEventMark
LINE_EVENT_MARK_UNREADABLE: LineEventMark
LINE_EVENT_MARK_CARRIED_OVER: LineEventMark

class RenderInvoiceRequest(_message.Message):
    __slots__ = ("invoice_id", "format", "locale")
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    format: DocumentFormat
    locale: str
    def __init__(self, invoice_id: _Optional[str] = ..., format: _Optional[_Union[DocumentFormat, str]] = ..., locale: _Optional[str] = ...) -> None: ...

class RenderInvoiceResponse(_message.Message):
    __slots__ = ("content", "content_type", "file_name")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    content_type: str
    file_name: str
    def __init__(self, content: _Optional[bytes] = ..., content_type: _Optional[str] = ..., file_name: _Optional[str] = ...) -> None: ...

class LineCredit(_message.Message):
    __slots__ = ("line", "amount")
    LINE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    line: int
    amount: _invoice_pb2.Money
    def __init__(self, line: _Optional[int] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ...) -> None: ...

class CreateCreditNoteRequest(_message.Message):
    __slots__ = ("invoice_id", "lines", "credit_id", "reason")
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    CREDIT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    lines: _containers.RepeatedCompositeFieldContainer[LineCredit]
    credit_id: str
    reason: str
    def __init__(self, invoice_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[LineCredit, _Mapping[str, object]]]] = ..., credit_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class CreateCreditNoteResponse(_message.Message):
    __slots__ = ("credit_note", "invoice")
    CREDIT_NOTE_FIELD_NUMBER: _ClassVar[int]
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    credit_note: _invoice_pb2.Invoice
    invoice: _invoice_pb2.Invoice
    def __init__(self, credit_note: _Optional[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]] = ..., invoice: _Optional[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]] = ...) -> None: ...

class DisputeLineRequest(_message.Message):
    __slots__ = ("invoice_id", "line", "credit_id", "reason")
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    CREDIT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    line: int
    credit_id: str
    reason: str
    def __init__(self, invoice_id: _Optional[str] = ..., line: _Optional[int] = ..., credit_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class DisputeLineResponse(_message.Message):
    __slots__ = ("credit_note", "invoice")
    CREDIT_NOTE_FIELD_NUMBER: _ClassVar[int]
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    credit_note: _invoice_pb2.Invoice
    invoice: _invoice_pb2.Invoice
    def __init__(self, credit_note: _Optional[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]] = ..., invoice: _Optional[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]] = ...) -> None: ...

class WriteOffInvoiceRequest(_message.Message):
    __slots__ = ("invoice_id", "canceled")
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    CANCELED_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    canceled: bool
    def __init__(self, invoice_id: _Optional[str] = ..., canceled: _Optional[bool] = ...) -> None: ...

class WriteOffInvoiceResponse(_message.Message):
    __slots__ = ("invoice",)
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    invoice: _invoice_pb2.Invoice
    def __init__(self, invoice: _Optional[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]] = ...) -> None: ...

class VoidInvoiceRequest(_message.Message):
    __slots__ = ("invoice_id", "reissue")
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    REISSUE_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    reissue: bool
    def __init__(self, invoice_id: _Optional[str] = ..., reissue: _Optional[bool] = ...) -> None: ...

class VoidInvoiceResponse(_message.Message):
    __slots__ = ("invoice", "reissued")
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    REISSUED_FIELD_NUMBER: _ClassVar[int]
    invoice: _invoice_pb2.Invoice
    reissued: _invoice_pb2.Invoice
    def __init__(self, invoice: _Optional[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]] = ..., reissued: _Optional[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]] = ...) -> None: ...

class FinalizeInvoiceRequest(_message.Message):
    __slots__ = ("invoice_id",)
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    def __init__(self, invoice_id: _Optional[str] = ...) -> None: ...

class FinalizeInvoiceResponse(_message.Message):
    __slots__ = ("invoice",)
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    invoice: _invoice_pb2.Invoice
    def __init__(self, invoice: _Optional[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]] = ...) -> None: ...

class GetInvoiceRequest(_message.Message):
    __slots__ = ("invoice_id",)
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    def __init__(self, invoice_id: _Optional[str] = ...) -> None: ...

class GetInvoiceResponse(_message.Message):
    __slots__ = ("invoice",)
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    invoice: _invoice_pb2.Invoice
    def __init__(self, invoice: _Optional[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]] = ...) -> None: ...

class ListInvoicesRequest(_message.Message):
    __slots__ = ("account_id", "state", "page_size", "page_token", "kind", "start_time", "end_time", "text")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    state: _invoice_pb2.InvoiceState
    page_size: int
    page_token: str
    kind: _invoice_pb2.InvoiceKind
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    text: str
    def __init__(self, account_id: _Optional[str] = ..., state: _Optional[_Union[_invoice_pb2.InvoiceState, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., kind: _Optional[_Union[_invoice_pb2.InvoiceKind, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., text: _Optional[str] = ...) -> None: ...

class ListInvoicesResponse(_message.Message):
    __slots__ = ("invoices", "next_page_token")
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    invoices: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    next_page_token: str
    def __init__(self, invoices: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ExplainLineRequest(_message.Message):
    __slots__ = ("invoice_id", "line", "line_key")
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    LINE_KEY_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    line: int
    line_key: str
    def __init__(self, invoice_id: _Optional[str] = ..., line: _Optional[int] = ..., line_key: _Optional[str] = ...) -> None: ...

class ExplainLineResponse(_message.Message):
    __slots__ = ("line", "price", "rounding", "proration", "time_zone", "inputs", "invoice_id", "line_number")
    LINE_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    ROUNDING_FIELD_NUMBER: _ClassVar[int]
    PRORATION_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    LINE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    line: _invoice_pb2.InvoiceLine
    price: _catalog_pb2.Price
    rounding: str
    proration: str
    time_zone: str
    inputs: LineInputs
    invoice_id: str
    line_number: int
    def __init__(self, line: _Optional[_Union[_invoice_pb2.InvoiceLine, _Mapping[str, object]]] = ..., price: _Optional[_Union[_catalog_pb2.Price, _Mapping[str, object]]] = ..., rounding: _Optional[str] = ..., proration: _Optional[str] = ..., time_zone: _Optional[str] = ..., inputs: _Optional[_Union[LineInputs, _Mapping[str, object]]] = ..., invoice_id: _Optional[str] = ..., line_number: _Optional[int] = ...) -> None: ...

class LineInputs(_message.Message):
    __slots__ = ("feature_key", "plan", "start_time", "end_time", "through_sequence", "billed_before", "unreadable")
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    THROUGH_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    BILLED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    UNREADABLE_FIELD_NUMBER: _ClassVar[int]
    feature_key: str
    plan: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    through_sequence: int
    billed_before: str
    unreadable: int
    def __init__(self, feature_key: _Optional[str] = ..., plan: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., through_sequence: _Optional[int] = ..., billed_before: _Optional[str] = ..., unreadable: _Optional[int] = ...) -> None: ...

class ListLineEventsRequest(_message.Message):
    __slots__ = ("invoice_id", "line", "page_size", "page_token", "line_key")
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LINE_KEY_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    line: int
    page_size: int
    page_token: str
    line_key: str
    def __init__(self, invoice_id: _Optional[str] = ..., line: _Optional[int] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., line_key: _Optional[str] = ...) -> None: ...

class ListLineEventsResponse(_message.Message):
    __slots__ = ("events", "next_page_token", "opening")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    OPENING_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[LineEvent]
    next_page_token: str
    opening: str
    def __init__(self, events: _Optional[_Iterable[_Union[LineEvent, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ..., opening: _Optional[str] = ...) -> None: ...

class LineEvent(_message.Message):
    __slots__ = ("request_id", "occurred_time", "quantity", "pots", "dimensions", "user_id", "counted", "amount", "marks")
    class DimensionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_TIME_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    POTS_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    MARKS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    occurred_time: _timestamp_pb2.Timestamp
    quantity: int
    pots: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Pot]
    dimensions: _containers.ScalarMap[str, str]
    user_id: str
    counted: str
    amount: str
    marks: _containers.RepeatedScalarFieldContainer[LineEventMark]
    def __init__(self, request_id: _Optional[str] = ..., occurred_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., quantity: _Optional[int] = ..., pots: _Optional[_Iterable[_Union[_decision_pb2.Pot, _Mapping[str, object]]]] = ..., dimensions: _Optional[_Mapping[str, str]] = ..., user_id: _Optional[str] = ..., counted: _Optional[str] = ..., amount: _Optional[str] = ..., marks: _Optional[_Iterable[_Union[LineEventMark, str]]] = ...) -> None: ...

class VerifyInvoiceRequest(_message.Message):
    __slots__ = ("invoice_id",)
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    def __init__(self, invoice_id: _Optional[str] = ...) -> None: ...

class VerifyInvoiceResponse(_message.Message):
    __slots__ = ("same", "differences", "lines")
    SAME_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    same: bool
    differences: _containers.RepeatedCompositeFieldContainer[LineDifference]
    lines: int
    def __init__(self, same: _Optional[bool] = ..., differences: _Optional[_Iterable[_Union[LineDifference, _Mapping[str, object]]]] = ..., lines: _Optional[int] = ...) -> None: ...

class LineDifference(_message.Message):
    __slots__ = ("line", "line_key", "issued", "derived")
    LINE_FIELD_NUMBER: _ClassVar[int]
    LINE_KEY_FIELD_NUMBER: _ClassVar[int]
    ISSUED_FIELD_NUMBER: _ClassVar[int]
    DERIVED_FIELD_NUMBER: _ClassVar[int]
    line: int
    line_key: str
    issued: str
    derived: str
    def __init__(self, line: _Optional[int] = ..., line_key: _Optional[str] = ..., issued: _Optional[str] = ..., derived: _Optional[str] = ...) -> None: ...
