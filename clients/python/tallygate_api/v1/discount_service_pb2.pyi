import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tallygate_api.v1 import invoice_pb2 as _invoice_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Discount(_message.Message):
    __slots__ = ("discount_id", "account_id", "text", "percent_off", "amount_off", "plan_keys", "feature_keys", "start_time", "end_time", "create_time")
    DISCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PERCENT_OFF_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_OFF_FIELD_NUMBER: _ClassVar[int]
    PLAN_KEYS_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEYS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    discount_id: str
    account_id: str
    text: str
    percent_off: str
    amount_off: _invoice_pb2.Money
    plan_keys: _containers.RepeatedScalarFieldContainer[str]
    feature_keys: _containers.RepeatedScalarFieldContainer[str]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, discount_id: _Optional[str] = ..., account_id: _Optional[str] = ..., text: _Optional[str] = ..., percent_off: _Optional[str] = ..., amount_off: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., plan_keys: _Optional[_Iterable[str]] = ..., feature_keys: _Optional[_Iterable[str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class GrantDiscountRequest(_message.Message):
    __slots__ = ("discount",)
    DISCOUNT_FIELD_NUMBER: _ClassVar[int]
    discount: Discount
    def __init__(self, discount: _Optional[_Union[Discount, _Mapping[str, object]]] = ...) -> None: ...

class GrantDiscountResponse(_message.Message):
    __slots__ = ("discount",)
    DISCOUNT_FIELD_NUMBER: _ClassVar[int]
    discount: Discount
    def __init__(self, discount: _Optional[_Union[Discount, _Mapping[str, object]]] = ...) -> None: ...

class EndDiscountRequest(_message.Message):
    __slots__ = ("account_id", "discount_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    DISCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    discount_id: str
    def __init__(self, account_id: _Optional[str] = ..., discount_id: _Optional[str] = ...) -> None: ...

class EndDiscountResponse(_message.Message):
    __slots__ = ("discount",)
    DISCOUNT_FIELD_NUMBER: _ClassVar[int]
    discount: Discount
    def __init__(self, discount: _Optional[_Union[Discount, _Mapping[str, object]]] = ...) -> None: ...

class ListDiscountsRequest(_message.Message):
    __slots__ = ("account_id",)
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    def __init__(self, account_id: _Optional[str] = ...) -> None: ...

class ListDiscountsResponse(_message.Message):
    __slots__ = ("discounts",)
    DISCOUNTS_FIELD_NUMBER: _ClassVar[int]
    discounts: _containers.RepeatedCompositeFieldContainer[Discount]
    def __init__(self, discounts: _Optional[_Iterable[_Union[Discount, _Mapping[str, object]]]] = ...) -> None: ...

class Referral(_message.Message):
    __slots__ = ("referrer_account_id", "referee_account_id", "amount", "create_time", "invoice_id", "earn_time", "return_time")
    REFERRER_ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    REFEREE_ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    EARN_TIME_FIELD_NUMBER: _ClassVar[int]
    RETURN_TIME_FIELD_NUMBER: _ClassVar[int]
    referrer_account_id: str
    referee_account_id: str
    amount: _invoice_pb2.Money
    create_time: _timestamp_pb2.Timestamp
    invoice_id: str
    earn_time: _timestamp_pb2.Timestamp
    return_time: _timestamp_pb2.Timestamp
    def __init__(self, referrer_account_id: _Optional[str] = ..., referee_account_id: _Optional[str] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., invoice_id: _Optional[str] = ..., earn_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., return_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class CreateReferralRequest(_message.Message):
    __slots__ = ("referrer_account_id", "referee_account_id", "amount")
    REFERRER_ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    REFEREE_ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    referrer_account_id: str
    referee_account_id: str
    amount: _invoice_pb2.Money
    def __init__(self, referrer_account_id: _Optional[str] = ..., referee_account_id: _Optional[str] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ...) -> None: ...

class CreateReferralResponse(_message.Message):
    __slots__ = ("referral",)
    REFERRAL_FIELD_NUMBER: _ClassVar[int]
    referral: Referral
    def __init__(self, referral: _Optional[_Union[Referral, _Mapping[str, object]]] = ...) -> None: ...

class ListReferralsRequest(_message.Message):
    __slots__ = ("account_id",)
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    def __init__(self, account_id: _Optional[str] = ...) -> None: ...

class ListReferralsResponse(_message.Message):
    __slots__ = ("referrals",)
    REFERRALS_FIELD_NUMBER: _ClassVar[int]
    referrals: _containers.RepeatedCompositeFieldContainer[Referral]
    def __init__(self, referrals: _Optional[_Iterable[_Union[Referral, _Mapping[str, object]]]] = ...) -> None: ...

class PaymentOption(_message.Message):
    __slots__ = ("length", "amount", "full_amount", "text")
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    FULL_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    length: int
    amount: _invoice_pb2.Money
    full_amount: _invoice_pb2.Money
    text: str
    def __init__(self, length: _Optional[int] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., full_amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., text: _Optional[str] = ...) -> None: ...

class ListPaymentOptionsRequest(_message.Message):
    __slots__ = ("plan_key", "coupon_code")
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    COUPON_CODE_FIELD_NUMBER: _ClassVar[int]
    plan_key: str
    coupon_code: str
    def __init__(self, plan_key: _Optional[str] = ..., coupon_code: _Optional[str] = ...) -> None: ...

class ListPaymentOptionsResponse(_message.Message):
    __slots__ = ("options",)
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    options: _containers.RepeatedCompositeFieldContainer[PaymentOption]
    def __init__(self, options: _Optional[_Iterable[_Union[PaymentOption, _Mapping[str, object]]]] = ...) -> None: ...

class Coupon(_message.Message):
    __slots__ = ("code", "text", "percent_off", "amount_off", "plan_keys", "feature_keys", "invoices", "forever", "start_time", "end_time", "max_uses", "max_uses_per_account", "used", "archived", "create_time", "provider")
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PERCENT_OFF_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_OFF_FIELD_NUMBER: _ClassVar[int]
    PLAN_KEYS_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEYS_FIELD_NUMBER: _ClassVar[int]
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    FOREVER_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    MAX_USES_FIELD_NUMBER: _ClassVar[int]
    MAX_USES_PER_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    code: str
    text: str
    percent_off: str
    amount_off: _invoice_pb2.Money
    plan_keys: _containers.RepeatedScalarFieldContainer[str]
    feature_keys: _containers.RepeatedScalarFieldContainer[str]
    invoices: int
    forever: bool
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    max_uses: int
    max_uses_per_account: int
    used: int
    archived: bool
    create_time: _timestamp_pb2.Timestamp
    provider: str
    def __init__(self, code: _Optional[str] = ..., text: _Optional[str] = ..., percent_off: _Optional[str] = ..., amount_off: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., plan_keys: _Optional[_Iterable[str]] = ..., feature_keys: _Optional[_Iterable[str]] = ..., invoices: _Optional[int] = ..., forever: _Optional[bool] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., max_uses: _Optional[int] = ..., max_uses_per_account: _Optional[int] = ..., used: _Optional[int] = ..., archived: _Optional[bool] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., provider: _Optional[str] = ...) -> None: ...

class CreateCouponRequest(_message.Message):
    __slots__ = ("coupon",)
    COUPON_FIELD_NUMBER: _ClassVar[int]
    coupon: Coupon
    def __init__(self, coupon: _Optional[_Union[Coupon, _Mapping[str, object]]] = ...) -> None: ...

class CreateCouponResponse(_message.Message):
    __slots__ = ("coupon",)
    COUPON_FIELD_NUMBER: _ClassVar[int]
    coupon: Coupon
    def __init__(self, coupon: _Optional[_Union[Coupon, _Mapping[str, object]]] = ...) -> None: ...

class ListCouponsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCouponsResponse(_message.Message):
    __slots__ = ("coupons", "next_page_token")
    COUPONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    coupons: _containers.RepeatedCompositeFieldContainer[Coupon]
    next_page_token: str
    def __init__(self, coupons: _Optional[_Iterable[_Union[Coupon, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ArchiveCouponRequest(_message.Message):
    __slots__ = ("code",)
    CODE_FIELD_NUMBER: _ClassVar[int]
    code: str
    def __init__(self, code: _Optional[str] = ...) -> None: ...

class ArchiveCouponResponse(_message.Message):
    __slots__ = ("coupon",)
    COUPON_FIELD_NUMBER: _ClassVar[int]
    coupon: Coupon
    def __init__(self, coupon: _Optional[_Union[Coupon, _Mapping[str, object]]] = ...) -> None: ...

class CheckCouponRequest(_message.Message):
    __slots__ = ("code", "account_id", "plan_key")
    CODE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    code: str
    account_id: str
    plan_key: str
    def __init__(self, code: _Optional[str] = ..., account_id: _Optional[str] = ..., plan_key: _Optional[str] = ...) -> None: ...

class CheckCouponResponse(_message.Message):
    __slots__ = ("coupon",)
    COUPON_FIELD_NUMBER: _ClassVar[int]
    coupon: Coupon
    def __init__(self, coupon: _Optional[_Union[Coupon, _Mapping[str, object]]] = ...) -> None: ...
