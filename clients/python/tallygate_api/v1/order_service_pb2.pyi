import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tallygate_api.v1 import invoice_pb2 as _invoice_pb2
from tallygate_api.v1 import subscription_service_pb2 as _subscription_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OrderState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORDER_STATE_UNSPECIFIED: _ClassVar[OrderState]
    ORDER_STATE_OPEN: _ClassVar[OrderState]
    ORDER_STATE_UNPAID: _ClassVar[OrderState]
    ORDER_STATE_COMPLETED: _ClassVar[OrderState]
    ORDER_STATE_EXPIRED: _ClassVar[OrderState]
ORDER_STATE_UNSPECIFIED: OrderState
ORDER_STATE_OPEN: OrderState
ORDER_STATE_UNPAID: OrderState
ORDER_STATE_COMPLETED: OrderState
ORDER_STATE_EXPIRED: OrderState

class OrderedSubscription(_message.Message):
    __slots__ = ("plan_key", "plan_version", "trial_days", "add_ons", "advance_length", "seats", "users")
    class SeatsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    PLAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    TRIAL_DAYS_FIELD_NUMBER: _ClassVar[int]
    ADD_ONS_FIELD_NUMBER: _ClassVar[int]
    ADVANCE_LENGTH_FIELD_NUMBER: _ClassVar[int]
    SEATS_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    plan_key: str
    plan_version: int
    trial_days: int
    add_ons: _containers.RepeatedCompositeFieldContainer[_subscription_service_pb2.AddOnSelection]
    advance_length: int
    seats: _containers.ScalarMap[str, int]
    users: int
    def __init__(self, plan_key: _Optional[str] = ..., plan_version: _Optional[int] = ..., trial_days: _Optional[int] = ..., add_ons: _Optional[_Iterable[_Union[_subscription_service_pb2.AddOnSelection, _Mapping[str, object]]]] = ..., advance_length: _Optional[int] = ..., seats: _Optional[_Mapping[str, int]] = ..., users: _Optional[int] = ...) -> None: ...

class OrderedRenewal(_message.Message):
    __slots__ = ("approved",)
    APPROVED_FIELD_NUMBER: _ClassVar[int]
    approved: bool
    def __init__(self, approved: _Optional[bool] = ...) -> None: ...

class OrderedQuota(_message.Message):
    __slots__ = ("feature_key", "quantity", "expire_time")
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    feature_key: str
    quantity: int
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, feature_key: _Optional[str] = ..., quantity: _Optional[int] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class OrderItem(_message.Message):
    __slots__ = ("subscription", "renewal", "quota", "account_id", "email", "subscription_id")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    RENEWAL_FIELD_NUMBER: _ClassVar[int]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    subscription: OrderedSubscription
    renewal: OrderedRenewal
    quota: OrderedQuota
    account_id: str
    email: str
    subscription_id: str
    def __init__(self, subscription: _Optional[_Union[OrderedSubscription, _Mapping[str, object]]] = ..., renewal: _Optional[_Union[OrderedRenewal, _Mapping[str, object]]] = ..., quota: _Optional[_Union[OrderedQuota, _Mapping[str, object]]] = ..., account_id: _Optional[str] = ..., email: _Optional[str] = ..., subscription_id: _Optional[str] = ...) -> None: ...

class Claim(_message.Message):
    __slots__ = ("item", "email", "code")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    item: int
    email: str
    code: str
    def __init__(self, item: _Optional[int] = ..., email: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...

class Order(_message.Message):
    __slots__ = ("order_id", "account_id", "items", "coupon_codes", "state", "create_time", "complete_time", "terms_version", "actor_key_id", "invoice_ids", "pay_until_time")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    COUPON_CODES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_TIME_FIELD_NUMBER: _ClassVar[int]
    TERMS_VERSION_FIELD_NUMBER: _ClassVar[int]
    ACTOR_KEY_ID_FIELD_NUMBER: _ClassVar[int]
    INVOICE_IDS_FIELD_NUMBER: _ClassVar[int]
    PAY_UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    account_id: str
    items: _containers.RepeatedCompositeFieldContainer[OrderItem]
    coupon_codes: _containers.RepeatedScalarFieldContainer[str]
    state: OrderState
    create_time: _timestamp_pb2.Timestamp
    complete_time: _timestamp_pb2.Timestamp
    terms_version: str
    actor_key_id: str
    invoice_ids: _containers.RepeatedScalarFieldContainer[str]
    pay_until_time: _timestamp_pb2.Timestamp
    def __init__(self, order_id: _Optional[str] = ..., account_id: _Optional[str] = ..., items: _Optional[_Iterable[_Union[OrderItem, _Mapping[str, object]]]] = ..., coupon_codes: _Optional[_Iterable[str]] = ..., state: _Optional[_Union[OrderState, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., complete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., terms_version: _Optional[str] = ..., actor_key_id: _Optional[str] = ..., invoice_ids: _Optional[_Iterable[str]] = ..., pay_until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class CreateOrderRequest(_message.Message):
    __slots__ = ("order_id", "account_id", "items", "coupon_codes")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    COUPON_CODES_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    account_id: str
    items: _containers.RepeatedCompositeFieldContainer[OrderItem]
    coupon_codes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, order_id: _Optional[str] = ..., account_id: _Optional[str] = ..., items: _Optional[_Iterable[_Union[OrderItem, _Mapping[str, object]]]] = ..., coupon_codes: _Optional[_Iterable[str]] = ...) -> None: ...

class CreateOrderResponse(_message.Message):
    __slots__ = ("order", "quote")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    order: Order
    quote: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    def __init__(self, order: _Optional[_Union[Order, _Mapping[str, object]]] = ..., quote: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ...) -> None: ...

class CompleteOrderRequest(_message.Message):
    __slots__ = ("order_id", "terms_version", "accepted_total")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    TERMS_VERSION_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_TOTAL_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    terms_version: str
    accepted_total: _invoice_pb2.Money
    def __init__(self, order_id: _Optional[str] = ..., terms_version: _Optional[str] = ..., accepted_total: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ...) -> None: ...

class CompleteOrderResponse(_message.Message):
    __slots__ = ("order", "invoices", "view_version", "claims")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    order: Order
    invoices: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    view_version: int
    claims: _containers.RepeatedCompositeFieldContainer[Claim]
    def __init__(self, order: _Optional[_Union[Order, _Mapping[str, object]]] = ..., invoices: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ..., view_version: _Optional[int] = ..., claims: _Optional[_Iterable[_Union[Claim, _Mapping[str, object]]]] = ...) -> None: ...

class GetOrderRequest(_message.Message):
    __slots__ = ("order_id",)
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    def __init__(self, order_id: _Optional[str] = ...) -> None: ...

class GetOrderResponse(_message.Message):
    __slots__ = ("order", "quote", "obstacle", "invoices")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    OBSTACLE_FIELD_NUMBER: _ClassVar[int]
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    order: Order
    quote: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    obstacle: str
    invoices: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    def __init__(self, order: _Optional[_Union[Order, _Mapping[str, object]]] = ..., quote: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ..., obstacle: _Optional[str] = ..., invoices: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ...) -> None: ...

class ListOrdersRequest(_message.Message):
    __slots__ = ("account_id", "state", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    state: OrderState
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., state: _Optional[_Union[OrderState, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListOrdersResponse(_message.Message):
    __slots__ = ("orders", "next_page_token")
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    orders: _containers.RepeatedCompositeFieldContainer[Order]
    next_page_token: str
    def __init__(self, orders: _Optional[_Iterable[_Union[Order, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RedeemClaimRequest(_message.Message):
    __slots__ = ("code", "account_id")
    CODE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    code: str
    account_id: str
    def __init__(self, code: _Optional[str] = ..., account_id: _Optional[str] = ...) -> None: ...

class RedeemClaimResponse(_message.Message):
    __slots__ = ("order_id", "account_id", "subscription_id", "view_version")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    account_id: str
    subscription_id: str
    view_version: int
    def __init__(self, order_id: _Optional[str] = ..., account_id: _Optional[str] = ..., subscription_id: _Optional[str] = ..., view_version: _Optional[int] = ...) -> None: ...

class ReplaceClaimCodeRequest(_message.Message):
    __slots__ = ("order_id", "item")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    item: int
    def __init__(self, order_id: _Optional[str] = ..., item: _Optional[int] = ...) -> None: ...

class ReplaceClaimCodeResponse(_message.Message):
    __slots__ = ("claim",)
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    claim: Claim
    def __init__(self, claim: _Optional[_Union[Claim, _Mapping[str, object]]] = ...) -> None: ...
