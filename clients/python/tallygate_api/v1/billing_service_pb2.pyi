import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tallygate_api.v1 import catalog_pb2 as _catalog_pb2
from tallygate_api.v1 import invoice_pb2 as _invoice_pb2
from tallygate_api.v1 import party_pb2 as _party_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WalletEntryKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WALLET_ENTRY_KIND_UNSPECIFIED: _ClassVar[WalletEntryKind]
    WALLET_ENTRY_KIND_CREDIT_NOTE: _ClassVar[WalletEntryKind]
    WALLET_ENTRY_KIND_SPENT: _ClassVar[WalletEntryKind]
    WALLET_ENTRY_KIND_RETURNED: _ClassVar[WalletEntryKind]
    WALLET_ENTRY_KIND_OVERPAID: _ClassVar[WalletEntryKind]
    WALLET_ENTRY_KIND_GIVEN: _ClassVar[WalletEntryKind]
    WALLET_ENTRY_KIND_EXPIRED: _ClassVar[WalletEntryKind]
    WALLET_ENTRY_KIND_DISPUTED: _ClassVar[WalletEntryKind]
    WALLET_ENTRY_KIND_REFUND_FAILED: _ClassVar[WalletEntryKind]
    WALLET_ENTRY_KIND_REFUNDED: _ClassVar[WalletEntryKind]
    WALLET_ENTRY_KIND_TAKEN_BACK: _ClassVar[WalletEntryKind]

class UnratedReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNRATED_REASON_UNSPECIFIED: _ClassVar[UnratedReason]
    UNRATED_REASON_TOO_LATE: _ClassVar[UnratedReason]
    UNRATED_REASON_NO_PRICE: _ClassVar[UnratedReason]
    UNRATED_REASON_UNREADABLE: _ClassVar[UnratedReason]
    UNRATED_REASON_REFUND_EXCEEDS_PERIOD: _ClassVar[UnratedReason]
WALLET_ENTRY_KIND_UNSPECIFIED: WalletEntryKind
WALLET_ENTRY_KIND_CREDIT_NOTE: WalletEntryKind
WALLET_ENTRY_KIND_SPENT: WalletEntryKind
WALLET_ENTRY_KIND_RETURNED: WalletEntryKind
WALLET_ENTRY_KIND_OVERPAID: WalletEntryKind
WALLET_ENTRY_KIND_GIVEN: WalletEntryKind
WALLET_ENTRY_KIND_EXPIRED: WalletEntryKind
WALLET_ENTRY_KIND_DISPUTED: WalletEntryKind
WALLET_ENTRY_KIND_REFUND_FAILED: WalletEntryKind
WALLET_ENTRY_KIND_REFUNDED: WalletEntryKind
WALLET_ENTRY_KIND_TAKEN_BACK: WalletEntryKind
UNRATED_REASON_UNSPECIFIED: UnratedReason
UNRATED_REASON_TOO_LATE: UnratedReason
UNRATED_REASON_NO_PRICE: UnratedReason
UNRATED_REASON_UNREADABLE: UnratedReason
UNRATED_REASON_REFUND_EXCEEDS_PERIOD: UnratedReason

class BillingProfile(_message.Message):
    __slots__ = ("account_id", "party", "tax_exemption", "update_time", "group_buy", "exemptions", "tax_id_checks", "evidence")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    TAX_EXEMPTION_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    GROUP_BUY_FIELD_NUMBER: _ClassVar[int]
    EXEMPTIONS_FIELD_NUMBER: _ClassVar[int]
    TAX_ID_CHECKS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    party: _party_pb2.Party
    tax_exemption: str
    update_time: _timestamp_pb2.Timestamp
    group_buy: bool
    exemptions: _containers.RepeatedCompositeFieldContainer[_party_pb2.TaxExemption]
    tax_id_checks: _containers.RepeatedCompositeFieldContainer[_party_pb2.TaxIdCheck]
    evidence: _containers.RepeatedCompositeFieldContainer[_party_pb2.TaxEvidence]
    def __init__(self, account_id: _Optional[str] = ..., party: _Optional[_Union[_party_pb2.Party, _Mapping[str, object]]] = ..., tax_exemption: _Optional[str] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., group_buy: _Optional[bool] = ..., exemptions: _Optional[_Iterable[_Union[_party_pb2.TaxExemption, _Mapping[str, object]]]] = ..., tax_id_checks: _Optional[_Iterable[_Union[_party_pb2.TaxIdCheck, _Mapping[str, object]]]] = ..., evidence: _Optional[_Iterable[_Union[_party_pb2.TaxEvidence, _Mapping[str, object]]]] = ...) -> None: ...

class VerifyTaxIdRequest(_message.Message):
    __slots__ = ("account_id", "tax_id", "confirmed_by", "reference")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    TAX_ID_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_BY_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    tax_id: str
    confirmed_by: str
    reference: str
    def __init__(self, account_id: _Optional[str] = ..., tax_id: _Optional[str] = ..., confirmed_by: _Optional[str] = ..., reference: _Optional[str] = ...) -> None: ...

class VerifyTaxIdResponse(_message.Message):
    __slots__ = ("check", "profile")
    CHECK_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    check: _party_pb2.TaxIdCheck
    profile: BillingProfile
    def __init__(self, check: _Optional[_Union[_party_pb2.TaxIdCheck, _Mapping[str, object]]] = ..., profile: _Optional[_Union[BillingProfile, _Mapping[str, object]]] = ...) -> None: ...

class SetBillingProfileRequest(_message.Message):
    __slots__ = ("account_id", "party", "tax_exemption", "group_buy", "exemptions", "evidence")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    TAX_EXEMPTION_FIELD_NUMBER: _ClassVar[int]
    GROUP_BUY_FIELD_NUMBER: _ClassVar[int]
    EXEMPTIONS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    party: _party_pb2.Party
    tax_exemption: str
    group_buy: bool
    exemptions: _containers.RepeatedCompositeFieldContainer[_party_pb2.TaxExemption]
    evidence: _containers.RepeatedCompositeFieldContainer[_party_pb2.TaxEvidence]
    def __init__(self, account_id: _Optional[str] = ..., party: _Optional[_Union[_party_pb2.Party, _Mapping[str, object]]] = ..., tax_exemption: _Optional[str] = ..., group_buy: _Optional[bool] = ..., exemptions: _Optional[_Iterable[_Union[_party_pb2.TaxExemption, _Mapping[str, object]]]] = ..., evidence: _Optional[_Iterable[_Union[_party_pb2.TaxEvidence, _Mapping[str, object]]]] = ...) -> None: ...

class SetBillingProfileResponse(_message.Message):
    __slots__ = ("profile",)
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    profile: BillingProfile
    def __init__(self, profile: _Optional[_Union[BillingProfile, _Mapping[str, object]]] = ...) -> None: ...

class GetBillingProfileRequest(_message.Message):
    __slots__ = ("account_id",)
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    def __init__(self, account_id: _Optional[str] = ...) -> None: ...

class GetBillingProfileResponse(_message.Message):
    __slots__ = ("profile",)
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    profile: BillingProfile
    def __init__(self, profile: _Optional[_Union[BillingProfile, _Mapping[str, object]]] = ...) -> None: ...

class WalletEntry(_message.Message):
    __slots__ = ("entry_id", "create_time", "kind", "amount", "invoice_id")
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    entry_id: str
    create_time: _timestamp_pb2.Timestamp
    kind: WalletEntryKind
    amount: _invoice_pb2.Money
    invoice_id: str
    def __init__(self, entry_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., kind: _Optional[_Union[WalletEntryKind, str]] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., invoice_id: _Optional[str] = ...) -> None: ...

class AddWalletCreditRequest(_message.Message):
    __slots__ = ("account_id", "amount", "credit_id", "expire_time", "priority")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CREDIT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    amount: _invoice_pb2.Money
    credit_id: str
    expire_time: _timestamp_pb2.Timestamp
    priority: int
    def __init__(self, account_id: _Optional[str] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., credit_id: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., priority: _Optional[int] = ...) -> None: ...

class AddWalletCreditResponse(_message.Message):
    __slots__ = ("entry",)
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    entry: WalletEntry
    def __init__(self, entry: _Optional[_Union[WalletEntry, _Mapping[str, object]]] = ...) -> None: ...

class GetWalletRequest(_message.Message):
    __slots__ = ("account_id", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class GetWalletResponse(_message.Message):
    __slots__ = ("balances", "entries", "next_page_token")
    BALANCES_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    balances: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Money]
    entries: _containers.RepeatedCompositeFieldContainer[WalletEntry]
    next_page_token: str
    def __init__(self, balances: _Optional[_Iterable[_Union[_invoice_pb2.Money, _Mapping[str, object]]]] = ..., entries: _Optional[_Iterable[_Union[WalletEntry, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class PriceOverride(_message.Message):
    __slots__ = ("override_id", "account_id", "plan_key", "add_on_key", "price", "start_time", "end_time")
    OVERRIDE_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    ADD_ON_KEY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    override_id: str
    account_id: str
    plan_key: str
    add_on_key: str
    price: _catalog_pb2.Price
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, override_id: _Optional[str] = ..., account_id: _Optional[str] = ..., plan_key: _Optional[str] = ..., add_on_key: _Optional[str] = ..., price: _Optional[_Union[_catalog_pb2.Price, _Mapping[str, object]]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class SetPriceOverrideRequest(_message.Message):
    __slots__ = ("account_id", "override_id", "plan_key", "add_on_key", "price", "start_time", "end_time")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    OVERRIDE_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    ADD_ON_KEY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    override_id: str
    plan_key: str
    add_on_key: str
    price: _catalog_pb2.Price
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, account_id: _Optional[str] = ..., override_id: _Optional[str] = ..., plan_key: _Optional[str] = ..., add_on_key: _Optional[str] = ..., price: _Optional[_Union[_catalog_pb2.Price, _Mapping[str, object]]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class SetPriceOverrideResponse(_message.Message):
    __slots__ = ("price_override",)
    PRICE_OVERRIDE_FIELD_NUMBER: _ClassVar[int]
    price_override: PriceOverride
    def __init__(self, price_override: _Optional[_Union[PriceOverride, _Mapping[str, object]]] = ...) -> None: ...

class EndPriceOverrideRequest(_message.Message):
    __slots__ = ("account_id", "override_id", "end_time")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    OVERRIDE_ID_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    override_id: str
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, account_id: _Optional[str] = ..., override_id: _Optional[str] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class EndPriceOverrideResponse(_message.Message):
    __slots__ = ("price_override",)
    PRICE_OVERRIDE_FIELD_NUMBER: _ClassVar[int]
    price_override: PriceOverride
    def __init__(self, price_override: _Optional[_Union[PriceOverride, _Mapping[str, object]]] = ...) -> None: ...

class ListPriceOverridesRequest(_message.Message):
    __slots__ = ("account_id", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPriceOverridesResponse(_message.Message):
    __slots__ = ("price_overrides", "next_page_token")
    PRICE_OVERRIDES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    price_overrides: _containers.RepeatedCompositeFieldContainer[PriceOverride]
    next_page_token: str
    def __init__(self, price_overrides: _Optional[_Iterable[_Union[PriceOverride, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class FeeQuantity(_message.Message):
    __slots__ = ("quantity", "unit_amount")
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    UNIT_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    quantity: str
    unit_amount: str
    def __init__(self, quantity: _Optional[str] = ..., unit_amount: _Optional[str] = ...) -> None: ...

class FeePercent(_message.Message):
    __slots__ = ("rate", "of")
    RATE_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    rate: str
    of: _invoice_pb2.Money
    def __init__(self, rate: _Optional[str] = ..., of: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ...) -> None: ...

class Fee(_message.Message):
    __slots__ = ("fee_id", "account_id", "text", "amount", "create_time", "offsets", "tax_category")
    FEE_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    OFFSETS_FIELD_NUMBER: _ClassVar[int]
    TAX_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    fee_id: str
    account_id: str
    text: str
    amount: _invoice_pb2.Money
    create_time: _timestamp_pb2.Timestamp
    offsets: str
    tax_category: str
    def __init__(self, fee_id: _Optional[str] = ..., account_id: _Optional[str] = ..., text: _Optional[str] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., offsets: _Optional[str] = ..., tax_category: _Optional[str] = ...) -> None: ...

class CreateFeeRequest(_message.Message):
    __slots__ = ("account_id", "fee_id", "text", "amount", "quantity", "percent", "tax_category")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEE_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    TAX_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    fee_id: str
    text: str
    amount: _invoice_pb2.Money
    quantity: FeeQuantity
    percent: FeePercent
    tax_category: str
    def __init__(self, account_id: _Optional[str] = ..., fee_id: _Optional[str] = ..., text: _Optional[str] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., quantity: _Optional[_Union[FeeQuantity, _Mapping[str, object]]] = ..., percent: _Optional[_Union[FeePercent, _Mapping[str, object]]] = ..., tax_category: _Optional[str] = ...) -> None: ...

class CreateFeeResponse(_message.Message):
    __slots__ = ("fee",)
    FEE_FIELD_NUMBER: _ClassVar[int]
    fee: Fee
    def __init__(self, fee: _Optional[_Union[Fee, _Mapping[str, object]]] = ...) -> None: ...

class OffsetFeeRequest(_message.Message):
    __slots__ = ("fee_id", "offset_id", "text")
    FEE_ID_FIELD_NUMBER: _ClassVar[int]
    OFFSET_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    fee_id: str
    offset_id: str
    text: str
    def __init__(self, fee_id: _Optional[str] = ..., offset_id: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class OffsetFeeResponse(_message.Message):
    __slots__ = ("fee",)
    FEE_FIELD_NUMBER: _ClassVar[int]
    fee: Fee
    def __init__(self, fee: _Optional[_Union[Fee, _Mapping[str, object]]] = ...) -> None: ...

class ListUninvoicedItemsRequest(_message.Message):
    __slots__ = ("account_id", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListUninvoicedItemsResponse(_message.Message):
    __slots__ = ("lines", "next_page_token")
    LINES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.InvoiceLine]
    next_page_token: str
    def __init__(self, lines: _Optional[_Iterable[_Union[_invoice_pb2.InvoiceLine, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UnratedFact(_message.Message):
    __slots__ = ("sequence", "account_id", "feature_key", "price_key", "reason", "occurred_time", "note_time", "request_id", "quantity")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    PRICE_KEY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_TIME_FIELD_NUMBER: _ClassVar[int]
    NOTE_TIME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    account_id: str
    feature_key: str
    price_key: str
    reason: UnratedReason
    occurred_time: _timestamp_pb2.Timestamp
    note_time: _timestamp_pb2.Timestamp
    request_id: str
    quantity: int
    def __init__(self, sequence: _Optional[int] = ..., account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., price_key: _Optional[str] = ..., reason: _Optional[_Union[UnratedReason, str]] = ..., occurred_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., note_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., request_id: _Optional[str] = ..., quantity: _Optional[int] = ...) -> None: ...

class ListUnratedFactsRequest(_message.Message):
    __slots__ = ("account_id", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListUnratedFactsResponse(_message.Message):
    __slots__ = ("facts", "next_page_token")
    FACTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    facts: _containers.RepeatedCompositeFieldContainer[UnratedFact]
    next_page_token: str
    def __init__(self, facts: _Optional[_Iterable[_Union[UnratedFact, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class PreviewInvoiceRequest(_message.Message):
    __slots__ = ("account_id",)
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    def __init__(self, account_id: _Optional[str] = ...) -> None: ...

class PreviewInvoiceResponse(_message.Message):
    __slots__ = ("invoices", "cut_time")
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    CUT_TIME_FIELD_NUMBER: _ClassVar[int]
    invoices: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    cut_time: _timestamp_pb2.Timestamp
    def __init__(self, invoices: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ..., cut_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class RunBillingRequest(_message.Message):
    __slots__ = ("account_id",)
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    def __init__(self, account_id: _Optional[str] = ...) -> None: ...

class RunBillingResponse(_message.Message):
    __slots__ = ("invoices", "more", "failures")
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    invoices: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    more: bool
    failures: _containers.RepeatedCompositeFieldContainer[BillingFailure]
    def __init__(self, invoices: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ..., more: _Optional[bool] = ..., failures: _Optional[_Iterable[_Union[BillingFailure, _Mapping[str, object]]]] = ...) -> None: ...

class BillingFailure(_message.Message):
    __slots__ = ("kind", "subject", "problem")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    kind: str
    subject: str
    problem: str
    def __init__(self, kind: _Optional[str] = ..., subject: _Optional[str] = ..., problem: _Optional[str] = ...) -> None: ...
