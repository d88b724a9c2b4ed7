import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tallygate_api.v1 import invoice_pb2 as _invoice_pb2
from tallygate_api.v1 import subscription_pb2 as _subscription_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChangeWhen(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_WHEN_UNSPECIFIED: _ClassVar[ChangeWhen]
    CHANGE_WHEN_NOW: _ClassVar[ChangeWhen]
    CHANGE_WHEN_PERIOD_END: _ClassVar[ChangeWhen]

class ChangeInvoice(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_INVOICE_UNSPECIFIED: _ClassVar[ChangeInvoice]
    CHANGE_INVOICE_NEXT: _ClassVar[ChangeInvoice]
    CHANGE_INVOICE_NOW: _ClassVar[ChangeInvoice]
CHANGE_WHEN_UNSPECIFIED: ChangeWhen
CHANGE_WHEN_NOW: ChangeWhen
CHANGE_WHEN_PERIOD_END: ChangeWhen
CHANGE_INVOICE_UNSPECIFIED: ChangeInvoice
CHANGE_INVOICE_NEXT: ChangeInvoice
CHANGE_INVOICE_NOW: ChangeInvoice

class AddOnSelection(_message.Message):
    __slots__ = ("add_on_key", "quantity")
    ADD_ON_KEY_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    add_on_key: str
    quantity: int
    def __init__(self, add_on_key: _Optional[str] = ..., quantity: _Optional[int] = ...) -> None: ...

class CreateSubscriptionRequest(_message.Message):
    __slots__ = ("account_id", "plan_key", "plan_version", "start_time", "trial_days", "end_time", "add_ons", "reason", "coupon_codes", "advance_length", "seats", "users")
    class SeatsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    PLAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    TRIAL_DAYS_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ADD_ONS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    COUPON_CODES_FIELD_NUMBER: _ClassVar[int]
    ADVANCE_LENGTH_FIELD_NUMBER: _ClassVar[int]
    SEATS_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    plan_key: str
    plan_version: int
    start_time: _timestamp_pb2.Timestamp
    trial_days: int
    end_time: _timestamp_pb2.Timestamp
    add_ons: _containers.RepeatedCompositeFieldContainer[AddOnSelection]
    reason: str
    coupon_codes: _containers.RepeatedScalarFieldContainer[str]
    advance_length: int
    seats: _containers.ScalarMap[str, int]
    users: int
    def __init__(self, account_id: _Optional[str] = ..., plan_key: _Optional[str] = ..., plan_version: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., trial_days: _Optional[int] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., add_ons: _Optional[_Iterable[_Union[AddOnSelection, _Mapping[str, object]]]] = ..., reason: _Optional[str] = ..., coupon_codes: _Optional[_Iterable[str]] = ..., advance_length: _Optional[int] = ..., seats: _Optional[_Mapping[str, int]] = ..., users: _Optional[int] = ...) -> None: ...

class CreateSubscriptionResponse(_message.Message):
    __slots__ = ("subscription", "view_version")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    subscription: _subscription_pb2.Subscription
    view_version: int
    def __init__(self, subscription: _Optional[_Union[_subscription_pb2.Subscription, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ...) -> None: ...

class GetSubscriptionRequest(_message.Message):
    __slots__ = ("account_id", "subscription_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    subscription_id: str
    def __init__(self, account_id: _Optional[str] = ..., subscription_id: _Optional[str] = ...) -> None: ...

class GetSubscriptionResponse(_message.Message):
    __slots__ = ("subscription",)
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    subscription: _subscription_pb2.Subscription
    def __init__(self, subscription: _Optional[_Union[_subscription_pb2.Subscription, _Mapping[str, object]]] = ...) -> None: ...

class ListSubscriptionsRequest(_message.Message):
    __slots__ = ("account_id", "plan_key", "state", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    plan_key: str
    state: _subscription_pb2.SubscriptionState
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., plan_key: _Optional[str] = ..., state: _Optional[_Union[_subscription_pb2.SubscriptionState, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListEndingSubscriptionsRequest(_message.Message):
    __slots__ = ("end_before_time", "plan_key", "page_size", "page_token")
    END_BEFORE_TIME_FIELD_NUMBER: _ClassVar[int]
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    end_before_time: _timestamp_pb2.Timestamp
    plan_key: str
    page_size: int
    page_token: str
    def __init__(self, end_before_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., plan_key: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class EndingSubscription(_message.Message):
    __slots__ = ("subscription", "days_left")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DAYS_LEFT_FIELD_NUMBER: _ClassVar[int]
    subscription: _subscription_pb2.Subscription
    days_left: int
    def __init__(self, subscription: _Optional[_Union[_subscription_pb2.Subscription, _Mapping[str, object]]] = ..., days_left: _Optional[int] = ...) -> None: ...

class ListEndingSubscriptionsResponse(_message.Message):
    __slots__ = ("subscriptions", "next_page_token")
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    subscriptions: _containers.RepeatedCompositeFieldContainer[EndingSubscription]
    next_page_token: str
    def __init__(self, subscriptions: _Optional[_Iterable[_Union[EndingSubscription, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListSubscriptionsResponse(_message.Message):
    __slots__ = ("subscriptions", "next_page_token")
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    subscriptions: _containers.RepeatedCompositeFieldContainer[_subscription_pb2.Subscription]
    next_page_token: str
    def __init__(self, subscriptions: _Optional[_Iterable[_Union[_subscription_pb2.Subscription, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ChangePlanRequest(_message.Message):
    __slots__ = ("account_id", "plan_key", "plan_version", "when", "proration", "invoice", "reason")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    PLAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    PRORATION_FIELD_NUMBER: _ClassVar[int]
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    plan_key: str
    plan_version: int
    when: ChangeWhen
    proration: _subscription_pb2.ChangeProration
    invoice: ChangeInvoice
    reason: str
    def __init__(self, account_id: _Optional[str] = ..., plan_key: _Optional[str] = ..., plan_version: _Optional[int] = ..., when: _Optional[_Union[ChangeWhen, str]] = ..., proration: _Optional[_Union[_subscription_pb2.ChangeProration, str]] = ..., invoice: _Optional[_Union[ChangeInvoice, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class ChangePlanResponse(_message.Message):
    __slots__ = ("subscription", "view_version", "invoices")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    subscription: _subscription_pb2.Subscription
    view_version: int
    invoices: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    def __init__(self, subscription: _Optional[_Union[_subscription_pb2.Subscription, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ..., invoices: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ...) -> None: ...

class SetAddOnRequest(_message.Message):
    __slots__ = ("account_id", "add_on_key", "quantity", "proration", "invoice", "reason")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    ADD_ON_KEY_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRORATION_FIELD_NUMBER: _ClassVar[int]
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    add_on_key: str
    quantity: int
    proration: _subscription_pb2.ChangeProration
    invoice: ChangeInvoice
    reason: str
    def __init__(self, account_id: _Optional[str] = ..., add_on_key: _Optional[str] = ..., quantity: _Optional[int] = ..., proration: _Optional[_Union[_subscription_pb2.ChangeProration, str]] = ..., invoice: _Optional[_Union[ChangeInvoice, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class SetAddOnResponse(_message.Message):
    __slots__ = ("subscription", "view_version", "invoices")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    subscription: _subscription_pb2.Subscription
    view_version: int
    invoices: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    def __init__(self, subscription: _Optional[_Union[_subscription_pb2.Subscription, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ..., invoices: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ...) -> None: ...

class BookQuantityRequest(_message.Message):
    __slots__ = ("account_id", "feature_key", "quantity", "proration", "invoice", "reason")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRORATION_FIELD_NUMBER: _ClassVar[int]
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    feature_key: str
    quantity: int
    proration: _subscription_pb2.ChangeProration
    invoice: ChangeInvoice
    reason: str
    def __init__(self, account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., quantity: _Optional[int] = ..., proration: _Optional[_Union[_subscription_pb2.ChangeProration, str]] = ..., invoice: _Optional[_Union[ChangeInvoice, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class BookQuantityResponse(_message.Message):
    __slots__ = ("subscription", "view_version", "invoices")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    subscription: _subscription_pb2.Subscription
    view_version: int
    invoices: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    def __init__(self, subscription: _Optional[_Union[_subscription_pb2.Subscription, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ..., invoices: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ...) -> None: ...

class ExtendTrialRequest(_message.Message):
    __slots__ = ("account_id", "trial_end_time", "reason")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    TRIAL_END_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    trial_end_time: _timestamp_pb2.Timestamp
    reason: str
    def __init__(self, account_id: _Optional[str] = ..., trial_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., reason: _Optional[str] = ...) -> None: ...

class ExtendTrialResponse(_message.Message):
    __slots__ = ("subscription", "view_version")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    subscription: _subscription_pb2.Subscription
    view_version: int
    def __init__(self, subscription: _Optional[_Union[_subscription_pb2.Subscription, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ...) -> None: ...

class CancelSubscriptionRequest(_message.Message):
    __slots__ = ("account_id", "when", "end_time", "reason", "refund")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REFUND_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    when: ChangeWhen
    end_time: _timestamp_pb2.Timestamp
    reason: str
    refund: bool
    def __init__(self, account_id: _Optional[str] = ..., when: _Optional[_Union[ChangeWhen, str]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., reason: _Optional[str] = ..., refund: _Optional[bool] = ...) -> None: ...

class CancelSubscriptionResponse(_message.Message):
    __slots__ = ("subscription", "view_version", "invoices")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    subscription: _subscription_pb2.Subscription
    view_version: int
    invoices: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    def __init__(self, subscription: _Optional[_Union[_subscription_pb2.Subscription, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ..., invoices: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ...) -> None: ...

class ExtendSubscriptionRequest(_message.Message):
    __slots__ = ("account_id", "end_time", "without_end", "reason")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_END_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    end_time: _timestamp_pb2.Timestamp
    without_end: bool
    reason: str
    def __init__(self, account_id: _Optional[str] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., without_end: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class ExtendSubscriptionResponse(_message.Message):
    __slots__ = ("subscription", "view_version")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    subscription: _subscription_pb2.Subscription
    view_version: int
    def __init__(self, subscription: _Optional[_Union[_subscription_pb2.Subscription, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ...) -> None: ...

class RenewSubscriptionRequest(_message.Message):
    __slots__ = ("account_id", "approved", "end_time", "reason")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    APPROVED_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    approved: bool
    end_time: _timestamp_pb2.Timestamp
    reason: str
    def __init__(self, account_id: _Optional[str] = ..., approved: _Optional[bool] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., reason: _Optional[str] = ...) -> None: ...

class RenewSubscriptionResponse(_message.Message):
    __slots__ = ("subscription", "view_version")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    subscription: _subscription_pb2.Subscription
    view_version: int
    def __init__(self, subscription: _Optional[_Union[_subscription_pb2.Subscription, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ...) -> None: ...

class SetSubscriptionStateRequest(_message.Message):
    __slots__ = ("account_id", "state", "reason")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    state: _subscription_pb2.SubscriptionState
    reason: str
    def __init__(self, account_id: _Optional[str] = ..., state: _Optional[_Union[_subscription_pb2.SubscriptionState, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class SetSubscriptionStateResponse(_message.Message):
    __slots__ = ("subscription", "view_version")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    subscription: _subscription_pb2.Subscription
    view_version: int
    def __init__(self, subscription: _Optional[_Union[_subscription_pb2.Subscription, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ...) -> None: ...

class PauseSubscriptionRequest(_message.Message):
    __slots__ = ("account_id", "resume_time", "reason")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    RESUME_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    resume_time: _timestamp_pb2.Timestamp
    reason: str
    def __init__(self, account_id: _Optional[str] = ..., resume_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., reason: _Optional[str] = ...) -> None: ...

class PauseSubscriptionResponse(_message.Message):
    __slots__ = ("subscription", "view_version")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    subscription: _subscription_pb2.Subscription
    view_version: int
    def __init__(self, subscription: _Optional[_Union[_subscription_pb2.Subscription, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ...) -> None: ...

class ResumeSubscriptionRequest(_message.Message):
    __slots__ = ("account_id", "reason")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    reason: str
    def __init__(self, account_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ResumeSubscriptionResponse(_message.Message):
    __slots__ = ("subscription", "view_version")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    subscription: _subscription_pb2.Subscription
    view_version: int
    def __init__(self, subscription: _Optional[_Union[_subscription_pb2.Subscription, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ...) -> None: ...

class ListChangesRequest(_message.Message):
    __slots__ = ("account_id", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListChangesResponse(_message.Message):
    __slots__ = ("changes", "next_page_token")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[_subscription_pb2.SubscriptionChange]
    next_page_token: str
    def __init__(self, changes: _Optional[_Iterable[_Union[_subscription_pb2.SubscriptionChange, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
