import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tallygate_api.v1 import invoice_pb2 as _invoice_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Transfer(_message.Message):
    __slots__ = ("entry_id", "line", "effective_time", "account_id", "debit", "credit", "amount", "invoice_id")
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    DEBIT_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    entry_id: str
    line: int
    effective_time: _timestamp_pb2.Timestamp
    account_id: str
    debit: str
    credit: str
    amount: _invoice_pb2.Money
    invoice_id: str
    def __init__(self, entry_id: _Optional[str] = ..., line: _Optional[int] = ..., effective_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., account_id: _Optional[str] = ..., debit: _Optional[str] = ..., credit: _Optional[str] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., invoice_id: _Optional[str] = ...) -> None: ...

class LedgerBalance(_message.Message):
    __slots__ = ("ledger_account", "debits", "credits", "balance")
    LEDGER_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    DEBITS_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    ledger_account: str
    debits: _invoice_pb2.Money
    credits: _invoice_pb2.Money
    balance: _invoice_pb2.Money
    def __init__(self, ledger_account: _Optional[str] = ..., debits: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., credits: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., balance: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ...) -> None: ...

class LedgerDifference(_message.Message):
    __slots__ = ("ledger_account", "account_id", "expected", "posted")
    LEDGER_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    POSTED_FIELD_NUMBER: _ClassVar[int]
    ledger_account: str
    account_id: str
    expected: _invoice_pb2.Money
    posted: _invoice_pb2.Money
    def __init__(self, ledger_account: _Optional[str] = ..., account_id: _Optional[str] = ..., expected: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., posted: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ...) -> None: ...

class ListTransfersRequest(_message.Message):
    __slots__ = ("account_id", "ledger_account", "start_time", "end_time", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    LEDGER_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    ledger_account: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., ledger_account: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTransfersResponse(_message.Message):
    __slots__ = ("transfers", "next_page_token")
    TRANSFERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    transfers: _containers.RepeatedCompositeFieldContainer[Transfer]
    next_page_token: str
    def __init__(self, transfers: _Optional[_Iterable[_Union[Transfer, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetTrialBalanceRequest(_message.Message):
    __slots__ = ("at_time", "account_id")
    AT_TIME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    at_time: _timestamp_pb2.Timestamp
    account_id: str
    def __init__(self, at_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., account_id: _Optional[str] = ...) -> None: ...

class GetTrialBalanceResponse(_message.Message):
    __slots__ = ("balances", "at_time", "books_closed_time")
    BALANCES_FIELD_NUMBER: _ClassVar[int]
    AT_TIME_FIELD_NUMBER: _ClassVar[int]
    BOOKS_CLOSED_TIME_FIELD_NUMBER: _ClassVar[int]
    balances: _containers.RepeatedCompositeFieldContainer[LedgerBalance]
    at_time: _timestamp_pb2.Timestamp
    books_closed_time: _timestamp_pb2.Timestamp
    def __init__(self, balances: _Optional[_Iterable[_Union[LedgerBalance, _Mapping[str, object]]]] = ..., at_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., books_closed_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class CloseBooksRequest(_message.Message):
    __slots__ = ("closed_time",)
    CLOSED_TIME_FIELD_NUMBER: _ClassVar[int]
    closed_time: _timestamp_pb2.Timestamp
    def __init__(self, closed_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class CloseBooksResponse(_message.Message):
    __slots__ = ("closed_time",)
    CLOSED_TIME_FIELD_NUMBER: _ClassVar[int]
    closed_time: _timestamp_pb2.Timestamp
    def __init__(self, closed_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class ExportLedgerRequest(_message.Message):
    __slots__ = ("account_id", "start_time", "end_time", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ExportLedgerResponse(_message.Message):
    __slots__ = ("text", "next_page_token")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    text: str
    next_page_token: str
    def __init__(self, text: _Optional[str] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AuditLedgerRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AuditLedgerResponse(_message.Message):
    __slots__ = ("differences",)
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    differences: _containers.RepeatedCompositeFieldContainer[LedgerDifference]
    def __init__(self, differences: _Optional[_Iterable[_Union[LedgerDifference, _Mapping[str, object]]]] = ...) -> None: ...
