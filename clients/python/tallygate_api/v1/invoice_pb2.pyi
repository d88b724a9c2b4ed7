import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tallygate_api.v1 import party_pb2 as _party_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class InvoiceKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INVOICE_KIND_UNSPECIFIED: _ClassVar[InvoiceKind]
    INVOICE_KIND_OPENING: _ClassVar[InvoiceKind]
    INVOICE_KIND_PERIOD: _ClassVar[InvoiceKind]
    INVOICE_KIND_CREDIT_NOTE: _ClassVar[InvoiceKind]
    INVOICE_KIND_CHANGE: _ClassVar[InvoiceKind]
    INVOICE_KIND_ORDER: _ClassVar[InvoiceKind]

class InvoiceState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INVOICE_STATE_UNSPECIFIED: _ClassVar[InvoiceState]
    INVOICE_STATE_OPEN: _ClassVar[InvoiceState]
    INVOICE_STATE_PAID: _ClassVar[InvoiceState]
    INVOICE_STATE_VOID: _ClassVar[InvoiceState]
    INVOICE_STATE_DRAFT: _ClassVar[InvoiceState]
    INVOICE_STATE_UNCOLLECTIBLE: _ClassVar[InvoiceState]

class LineKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LINE_KIND_UNSPECIFIED: _ClassVar[LineKind]
    LINE_KIND_RECURRING: _ClassVar[LineKind]
    LINE_KIND_USAGE: _ClassVar[LineKind]
    LINE_KIND_SETUP: _ClassVar[LineKind]
    LINE_KIND_COMMITMENT: _ClassVar[LineKind]
    LINE_KIND_FEE: _ClassVar[LineKind]

class TaxTreatment(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TAX_TREATMENT_UNSPECIFIED: _ClassVar[TaxTreatment]
    TAX_TREATMENT_REVERSE_CHARGE: _ClassVar[TaxTreatment]
    TAX_TREATMENT_EXEMPT: _ClassVar[TaxTreatment]
    TAX_TREATMENT_OUTSIDE: _ClassVar[TaxTreatment]

class TaxNotice(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TAX_NOTICE_UNSPECIFIED: _ClassVar[TaxNotice]
    TAX_NOTICE_TAX_ID_UNVERIFIED: _ClassVar[TaxNotice]
INVOICE_KIND_UNSPECIFIED: InvoiceKind
INVOICE_KIND_OPENING: InvoiceKind
INVOICE_KIND_PERIOD: InvoiceKind
INVOICE_KIND_CREDIT_NOTE: InvoiceKind
INVOICE_KIND_CHANGE: InvoiceKind
INVOICE_KIND_ORDER: InvoiceKind
INVOICE_STATE_UNSPECIFIED: InvoiceState
INVOICE_STATE_OPEN: InvoiceState
INVOICE_STATE_PAID: InvoiceState
INVOICE_STATE_VOID: InvoiceState
INVOICE_STATE_DRAFT: InvoiceState
INVOICE_STATE_UNCOLLECTIBLE: InvoiceState
LINE_KIND_UNSPECIFIED: LineKind
LINE_KIND_RECURRING: LineKind
LINE_KIND_USAGE: LineKind
LINE_KIND_SETUP: LineKind
LINE_KIND_COMMITMENT: LineKind
LINE_KIND_FEE: LineKind
TAX_TREATMENT_UNSPECIFIED: TaxTreatment
TAX_TREATMENT_REVERSE_CHARGE: TaxTreatment
TAX_TREATMENT_EXEMPT: TaxTreatment
TAX_TREATMENT_OUTSIDE: TaxTreatment
TAX_NOTICE_UNSPECIFIED: TaxNotice
TAX_NOTICE_TAX_ID_UNVERIFIED: TaxNotice

class Money(_message.Message):
    __slots__ = ("currency_code", "units", "nanos")
    CURRENCY_CODE_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    NANOS_FIELD_NUMBER: _ClassVar[int]
    currency_code: str
    units: int
    nanos: int
    def __init__(self, currency_code: _Optional[str] = ..., units: _Optional[int] = ..., nanos: _Optional[int] = ...) -> None: ...

class LineStep(_message.Message):
    __slots__ = ("kind", "quantity", "rate", "amount")
    KIND_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    kind: str
    quantity: str
    rate: str
    amount: str
    def __init__(self, kind: _Optional[str] = ..., quantity: _Optional[str] = ..., rate: _Optional[str] = ..., amount: _Optional[str] = ...) -> None: ...

class LineTax(_message.Message):
    __slots__ = ("country", "region", "name", "rate", "amount", "note", "category", "treatment", "source")
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    TREATMENT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    country: str
    region: str
    name: str
    rate: str
    amount: Money
    note: str
    category: str
    treatment: TaxTreatment
    source: str
    def __init__(self, country: _Optional[str] = ..., region: _Optional[str] = ..., name: _Optional[str] = ..., rate: _Optional[str] = ..., amount: _Optional[_Union[Money, _Mapping[str, object]]] = ..., note: _Optional[str] = ..., category: _Optional[str] = ..., treatment: _Optional[_Union[TaxTreatment, str]] = ..., source: _Optional[str] = ...) -> None: ...

class TaxGroup(_message.Message):
    __slots__ = ("country", "region", "name", "rate", "base", "amount", "note", "category", "treatment", "source")
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    TREATMENT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    country: str
    region: str
    name: str
    rate: str
    base: Money
    amount: Money
    note: str
    category: str
    treatment: TaxTreatment
    source: str
    def __init__(self, country: _Optional[str] = ..., region: _Optional[str] = ..., name: _Optional[str] = ..., rate: _Optional[str] = ..., base: _Optional[_Union[Money, _Mapping[str, object]]] = ..., amount: _Optional[_Union[Money, _Mapping[str, object]]] = ..., note: _Optional[str] = ..., category: _Optional[str] = ..., treatment: _Optional[_Union[TaxTreatment, str]] = ..., source: _Optional[str] = ...) -> None: ...

class InvoiceLine(_message.Message):
    __slots__ = ("line_key", "kind", "text", "start_time", "end_time", "quantity", "unit_amount", "amount", "exact_amount", "price", "subscription_id", "source_line", "steps", "tax", "discounts", "order_id", "subscriber", "charge_id")
    LINE_KEY_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    UNIT_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    EXACT_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_LINE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    TAX_FIELD_NUMBER: _ClassVar[int]
    DISCOUNTS_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBER_FIELD_NUMBER: _ClassVar[int]
    CHARGE_ID_FIELD_NUMBER: _ClassVar[int]
    line_key: str
    kind: LineKind
    text: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    quantity: str
    unit_amount: str
    amount: Money
    exact_amount: str
    price: str
    subscription_id: str
    source_line: str
    steps: _containers.RepeatedCompositeFieldContainer[LineStep]
    tax: LineTax
    discounts: _containers.RepeatedCompositeFieldContainer[LineDiscount]
    order_id: str
    subscriber: str
    charge_id: str
    def __init__(self, line_key: _Optional[str] = ..., kind: _Optional[_Union[LineKind, str]] = ..., text: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., quantity: _Optional[str] = ..., unit_amount: _Optional[str] = ..., amount: _Optional[_Union[Money, _Mapping[str, object]]] = ..., exact_amount: _Optional[str] = ..., price: _Optional[str] = ..., subscription_id: _Optional[str] = ..., source_line: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[LineStep, _Mapping[str, object]]]] = ..., tax: _Optional[_Union[LineTax, _Mapping[str, object]]] = ..., discounts: _Optional[_Iterable[_Union[LineDiscount, _Mapping[str, object]]]] = ..., order_id: _Optional[str] = ..., subscriber: _Optional[str] = ..., charge_id: _Optional[str] = ...) -> None: ...

class LineDiscount(_message.Message):
    __slots__ = ("code", "amount", "negotiated")
    CODE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    NEGOTIATED_FIELD_NUMBER: _ClassVar[int]
    code: str
    amount: Money
    negotiated: bool
    def __init__(self, code: _Optional[str] = ..., amount: _Optional[_Union[Money, _Mapping[str, object]]] = ..., negotiated: _Optional[bool] = ...) -> None: ...

class AccountSituation(_message.Message):
    __slots__ = ("previous_due", "paid", "credit", "payable")
    PREVIOUS_DUE_FIELD_NUMBER: _ClassVar[int]
    PAID_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    PAYABLE_FIELD_NUMBER: _ClassVar[int]
    previous_due: Money
    paid: Money
    credit: Money
    payable: Money
    def __init__(self, previous_due: _Optional[_Union[Money, _Mapping[str, object]]] = ..., paid: _Optional[_Union[Money, _Mapping[str, object]]] = ..., credit: _Optional[_Union[Money, _Mapping[str, object]]] = ..., payable: _Optional[_Union[Money, _Mapping[str, object]]] = ...) -> None: ...

class CreditedInvoice(_message.Message):
    __slots__ = ("invoice_id", "number", "issue_time")
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ISSUE_TIME_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    number: str
    issue_time: _timestamp_pb2.Timestamp
    def __init__(self, invoice_id: _Optional[str] = ..., number: _Optional[str] = ..., issue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class Invoice(_message.Message):
    __slots__ = ("invoice_id", "number", "account_id", "kind", "state", "start_time", "end_time", "issue_time", "due_time", "lines", "subtotal", "tax", "total", "paid", "wallet", "due", "credited", "returned", "situation", "credits_invoice_id", "credited_invoices", "written_off", "seller", "buyer", "taxes", "tax_evidence", "tax_notices")
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ISSUE_TIME_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    SUBTOTAL_FIELD_NUMBER: _ClassVar[int]
    TAX_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    PAID_FIELD_NUMBER: _ClassVar[int]
    WALLET_FIELD_NUMBER: _ClassVar[int]
    DUE_FIELD_NUMBER: _ClassVar[int]
    CREDITED_FIELD_NUMBER: _ClassVar[int]
    RETURNED_FIELD_NUMBER: _ClassVar[int]
    SITUATION_FIELD_NUMBER: _ClassVar[int]
    CREDITS_INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    CREDITED_INVOICES_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_OFF_FIELD_NUMBER: _ClassVar[int]
    SELLER_FIELD_NUMBER: _ClassVar[int]
    BUYER_FIELD_NUMBER: _ClassVar[int]
    TAXES_FIELD_NUMBER: _ClassVar[int]
    TAX_EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    TAX_NOTICES_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    number: str
    account_id: str
    kind: InvoiceKind
    state: InvoiceState
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    issue_time: _timestamp_pb2.Timestamp
    due_time: _timestamp_pb2.Timestamp
    lines: _containers.RepeatedCompositeFieldContainer[InvoiceLine]
    subtotal: Money
    tax: Money
    total: Money
    paid: Money
    wallet: Money
    due: Money
    credited: Money
    returned: Money
    situation: AccountSituation
    credits_invoice_id: str
    credited_invoices: _containers.RepeatedCompositeFieldContainer[CreditedInvoice]
    written_off: Money
    seller: _party_pb2.Party
    buyer: _party_pb2.Party
    taxes: _containers.RepeatedCompositeFieldContainer[TaxGroup]
    tax_evidence: _containers.RepeatedCompositeFieldContainer[_party_pb2.TaxEvidence]
    tax_notices: _containers.RepeatedScalarFieldContainer[TaxNotice]
    def __init__(self, invoice_id: _Optional[str] = ..., number: _Optional[str] = ..., account_id: _Optional[str] = ..., kind: _Optional[_Union[InvoiceKind, str]] = ..., state: _Optional[_Union[InvoiceState, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., issue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., lines: _Optional[_Iterable[_Union[InvoiceLine, _Mapping[str, object]]]] = ..., subtotal: _Optional[_Union[Money, _Mapping[str, object]]] = ..., tax: _Optional[_Union[Money, _Mapping[str, object]]] = ..., total: _Optional[_Union[Money, _Mapping[str, object]]] = ..., paid: _Optional[_Union[Money, _Mapping[str, object]]] = ..., wallet: _Optional[_Union[Money, _Mapping[str, object]]] = ..., due: _Optional[_Union[Money, _Mapping[str, object]]] = ..., credited: _Optional[_Union[Money, _Mapping[str, object]]] = ..., returned: _Optional[_Union[Money, _Mapping[str, object]]] = ..., situation: _Optional[_Union[AccountSituation, _Mapping[str, object]]] = ..., credits_invoice_id: _Optional[str] = ..., credited_invoices: _Optional[_Iterable[_Union[CreditedInvoice, _Mapping[str, object]]]] = ..., written_off: _Optional[_Union[Money, _Mapping[str, object]]] = ..., seller: _Optional[_Union[_party_pb2.Party, _Mapping[str, object]]] = ..., buyer: _Optional[_Union[_party_pb2.Party, _Mapping[str, object]]] = ..., taxes: _Optional[_Iterable[_Union[TaxGroup, _Mapping[str, object]]]] = ..., tax_evidence: _Optional[_Iterable[_Union[_party_pb2.TaxEvidence, _Mapping[str, object]]]] = ..., tax_notices: _Optional[_Iterable[_Union[TaxNotice, str]]] = ...) -> None: ...
