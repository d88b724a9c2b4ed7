import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TaxIdStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TAX_ID_STATUS_UNSPECIFIED: _ClassVar[TaxIdStatus]
    TAX_ID_STATUS_VERIFIED: _ClassVar[TaxIdStatus]
    TAX_ID_STATUS_INVALID: _ClassVar[TaxIdStatus]
    TAX_ID_STATUS_UNAVAILABLE: _ClassVar[TaxIdStatus]

class EvidenceKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVIDENCE_KIND_UNSPECIFIED: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_BILLING_ADDRESS: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_TAX_ID: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_IP_ADDRESS: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_BANK: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_SIM_CARD: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_LANDLINE: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_OTHER: _ClassVar[EvidenceKind]
TAX_ID_STATUS_UNSPECIFIED: TaxIdStatus
TAX_ID_STATUS_VERIFIED: TaxIdStatus
TAX_ID_STATUS_INVALID: TaxIdStatus
TAX_ID_STATUS_UNAVAILABLE: TaxIdStatus
EVIDENCE_KIND_UNSPECIFIED: EvidenceKind
EVIDENCE_KIND_BILLING_ADDRESS: EvidenceKind
EVIDENCE_KIND_TAX_ID: EvidenceKind
EVIDENCE_KIND_IP_ADDRESS: EvidenceKind
EVIDENCE_KIND_BANK: EvidenceKind
EVIDENCE_KIND_SIM_CARD: EvidenceKind
EVIDENCE_KIND_LANDLINE: EvidenceKind
EVIDENCE_KIND_OTHER: EvidenceKind

class Address(_message.Message):
    __slots__ = ("lines", "city", "postal_code", "region", "country")
    LINES_FIELD_NUMBER: _ClassVar[int]
    CITY_FIELD_NUMBER: _ClassVar[int]
    POSTAL_CODE_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedScalarFieldContainer[str]
    city: str
    postal_code: str
    region: str
    country: str
    def __init__(self, lines: _Optional[_Iterable[str]] = ..., city: _Optional[str] = ..., postal_code: _Optional[str] = ..., region: _Optional[str] = ..., country: _Optional[str] = ...) -> None: ...

class TaxId(_message.Message):
    __slots__ = ("value",)
    VALUE_FIELD_NUMBER: _ClassVar[int]
    value: str
    def __init__(self, value: _Optional[str] = ...) -> None: ...

class Party(_message.Message):
    __slots__ = ("name", "address", "email", "tax_ids", "registration_id", "electronic_address", "electronic_scheme", "iban", "bic", "payment_terms", "reference", "locale")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    TAX_IDS_FIELD_NUMBER: _ClassVar[int]
    REGISTRATION_ID_FIELD_NUMBER: _ClassVar[int]
    ELECTRONIC_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ELECTRONIC_SCHEME_FIELD_NUMBER: _ClassVar[int]
    IBAN_FIELD_NUMBER: _ClassVar[int]
    BIC_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_TERMS_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    name: str
    address: Address
    email: str
    tax_ids: _containers.RepeatedCompositeFieldContainer[TaxId]
    registration_id: str
    electronic_address: str
    electronic_scheme: str
    iban: str
    bic: str
    payment_terms: str
    reference: str
    locale: str
    def __init__(self, name: _Optional[str] = ..., address: _Optional[_Union[Address, _Mapping[str, object]]] = ..., email: _Optional[str] = ..., tax_ids: _Optional[_Iterable[_Union[TaxId, _Mapping[str, object]]]] = ..., registration_id: _Optional[str] = ..., electronic_address: _Optional[str] = ..., electronic_scheme: _Optional[str] = ..., iban: _Optional[str] = ..., bic: _Optional[str] = ..., payment_terms: _Optional[str] = ..., reference: _Optional[str] = ..., locale: _Optional[str] = ...) -> None: ...

class TaxIdCheck(_message.Message):
    __slots__ = ("tax_id", "country", "status", "source", "check_time", "confirmed_by", "key_id", "reference", "name")
    TAX_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CHECK_TIME_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_BY_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    tax_id: str
    country: str
    status: TaxIdStatus
    source: str
    check_time: _timestamp_pb2.Timestamp
    confirmed_by: str
    key_id: str
    reference: str
    name: str
    def __init__(self, tax_id: _Optional[str] = ..., country: _Optional[str] = ..., status: _Optional[_Union[TaxIdStatus, str]] = ..., source: _Optional[str] = ..., check_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., confirmed_by: _Optional[str] = ..., key_id: _Optional[str] = ..., reference: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class TaxExemption(_message.Message):
    __slots__ = ("reason", "certificate", "country", "region", "since", "until")
    REASON_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    reason: str
    certificate: str
    country: str
    region: str
    since: str
    until: str
    def __init__(self, reason: _Optional[str] = ..., certificate: _Optional[str] = ..., country: _Optional[str] = ..., region: _Optional[str] = ..., since: _Optional[str] = ..., until: _Optional[str] = ...) -> None: ...

class TaxEvidence(_message.Message):
    __slots__ = ("kind", "country", "detail")
    KIND_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    kind: EvidenceKind
    country: str
    detail: str
    def __init__(self, kind: _Optional[_Union[EvidenceKind, str]] = ..., country: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...
