import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tallygate_api.v1 import discount_service_pb2 as _discount_service_pb2
from tallygate_api.v1 import invoice_pb2 as _invoice_pb2
from tallygate_api.v1 import subscription_pb2 as _subscription_pb2
from tallygate_api.v1 import subscription_service_pb2 as _subscription_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AssignVariantRequest(_message.Message):
    __slots__ = ("experiment_key", "account_id", "variants")
    EXPERIMENT_KEY_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    VARIANTS_FIELD_NUMBER: _ClassVar[int]
    experiment_key: str
    account_id: str
    variants: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, experiment_key: _Optional[str] = ..., account_id: _Optional[str] = ..., variants: _Optional[_Iterable[str]] = ...) -> None: ...

class AssignVariantResponse(_message.Message):
    __slots__ = ("variant",)
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    variant: str
    def __init__(self, variant: _Optional[str] = ...) -> None: ...

class ExpectedUsage(_message.Message):
    __slots__ = ("feature_key", "quantity", "events", "dimensions")
    class DimensionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    feature_key: str
    quantity: int
    events: int
    dimensions: _containers.ScalarMap[str, str]
    def __init__(self, feature_key: _Optional[str] = ..., quantity: _Optional[int] = ..., events: _Optional[int] = ..., dimensions: _Optional[_Mapping[str, str]] = ...) -> None: ...

class QuoteRequest(_message.Message):
    __slots__ = ("plan_key", "plan_version", "trial_days", "add_ons", "seats", "users", "usage", "account_id", "country", "region", "coupon_codes", "advance_length", "payment_method")
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
    SEATS_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    COUPON_CODES_FIELD_NUMBER: _ClassVar[int]
    ADVANCE_LENGTH_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_METHOD_FIELD_NUMBER: _ClassVar[int]
    plan_key: str
    plan_version: int
    trial_days: int
    add_ons: _containers.RepeatedCompositeFieldContainer[_subscription_service_pb2.AddOnSelection]
    seats: _containers.ScalarMap[str, int]
    users: int
    usage: _containers.RepeatedCompositeFieldContainer[ExpectedUsage]
    account_id: str
    country: str
    region: str
    coupon_codes: _containers.RepeatedScalarFieldContainer[str]
    advance_length: int
    payment_method: bool
    def __init__(self, plan_key: _Optional[str] = ..., plan_version: _Optional[int] = ..., trial_days: _Optional[int] = ..., add_ons: _Optional[_Iterable[_Union[_subscription_service_pb2.AddOnSelection, _Mapping[str, object]]]] = ..., seats: _Optional[_Mapping[str, int]] = ..., users: _Optional[int] = ..., usage: _Optional[_Iterable[_Union[ExpectedUsage, _Mapping[str, object]]]] = ..., account_id: _Optional[str] = ..., country: _Optional[str] = ..., region: _Optional[str] = ..., coupon_codes: _Optional[_Iterable[str]] = ..., advance_length: _Optional[int] = ..., payment_method: _Optional[bool] = ...) -> None: ...

class QuoteSuggestion(_message.Message):
    __slots__ = ("advance_length", "coupon_codes", "total", "explanation")
    ADVANCE_LENGTH_FIELD_NUMBER: _ClassVar[int]
    COUPON_CODES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    advance_length: int
    coupon_codes: _containers.RepeatedScalarFieldContainer[str]
    total: _invoice_pb2.Money
    explanation: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, advance_length: _Optional[int] = ..., coupon_codes: _Optional[_Iterable[str]] = ..., total: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., explanation: _Optional[_Iterable[str]] = ...) -> None: ...

class QuoteResponse(_message.Message):
    __slots__ = ("start_time", "opening", "following", "cut_time", "plan_key", "plan_version", "trial_end_time", "options", "suggestion")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    OPENING_FIELD_NUMBER: _ClassVar[int]
    FOLLOWING_FIELD_NUMBER: _ClassVar[int]
    CUT_TIME_FIELD_NUMBER: _ClassVar[int]
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    PLAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    TRIAL_END_TIME_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    SUGGESTION_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    opening: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    following: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    cut_time: _timestamp_pb2.Timestamp
    plan_key: str
    plan_version: int
    trial_end_time: _timestamp_pb2.Timestamp
    options: _containers.RepeatedCompositeFieldContainer[_discount_service_pb2.PaymentOption]
    suggestion: QuoteSuggestion
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., opening: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ..., following: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ..., cut_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., plan_key: _Optional[str] = ..., plan_version: _Optional[int] = ..., trial_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., options: _Optional[_Iterable[_Union[_discount_service_pb2.PaymentOption, _Mapping[str, object]]]] = ..., suggestion: _Optional[_Union[QuoteSuggestion, _Mapping[str, object]]] = ...) -> None: ...

class ComparePlansRequest(_message.Message):
    __slots__ = ("account_id", "start_time", "end_time")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, account_id: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class PlanComparison(_message.Message):
    __slots__ = ("plan_key", "plan_version", "name", "current", "invoices", "exceeded_features")
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    PLAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    EXCEEDED_FEATURES_FIELD_NUMBER: _ClassVar[int]
    plan_key: str
    plan_version: int
    name: str
    current: bool
    invoices: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    exceeded_features: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, plan_key: _Optional[str] = ..., plan_version: _Optional[int] = ..., name: _Optional[str] = ..., current: _Optional[bool] = ..., invoices: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ..., exceeded_features: _Optional[_Iterable[str]] = ...) -> None: ...

class ComparePlansResponse(_message.Message):
    __slots__ = ("start_time", "end_time", "plans")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PLANS_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    plans: _containers.RepeatedCompositeFieldContainer[PlanComparison]
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., plans: _Optional[_Iterable[_Union[PlanComparison, _Mapping[str, object]]]] = ...) -> None: ...

class QuantityPreview(_message.Message):
    __slots__ = ("account_id", "feature_key", "quantity", "proration", "invoice")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRORATION_FIELD_NUMBER: _ClassVar[int]
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    feature_key: str
    quantity: int
    proration: _subscription_pb2.ChangeProration
    invoice: _subscription_service_pb2.ChangeInvoice
    def __init__(self, account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., quantity: _Optional[int] = ..., proration: _Optional[_Union[_subscription_pb2.ChangeProration, str]] = ..., invoice: _Optional[_Union[_subscription_service_pb2.ChangeInvoice, str]] = ...) -> None: ...

class PreviewChangeRequest(_message.Message):
    __slots__ = ("change_plan", "set_add_on", "cancel", "quantity", "pause", "resume", "book")
    CHANGE_PLAN_FIELD_NUMBER: _ClassVar[int]
    SET_ADD_ON_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PAUSE_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    BOOK_FIELD_NUMBER: _ClassVar[int]
    change_plan: _subscription_service_pb2.ChangePlanRequest
    set_add_on: _subscription_service_pb2.SetAddOnRequest
    cancel: _subscription_service_pb2.CancelSubscriptionRequest
    quantity: QuantityPreview
    pause: _subscription_service_pb2.PauseSubscriptionRequest
    resume: _subscription_service_pb2.ResumeSubscriptionRequest
    book: _subscription_service_pb2.BookQuantityRequest
    def __init__(self, change_plan: _Optional[_Union[_subscription_service_pb2.ChangePlanRequest, _Mapping[str, object]]] = ..., set_add_on: _Optional[_Union[_subscription_service_pb2.SetAddOnRequest, _Mapping[str, object]]] = ..., cancel: _Optional[_Union[_subscription_service_pb2.CancelSubscriptionRequest, _Mapping[str, object]]] = ..., quantity: _Optional[_Union[QuantityPreview, _Mapping[str, object]]] = ..., pause: _Optional[_Union[_subscription_service_pb2.PauseSubscriptionRequest, _Mapping[str, object]]] = ..., resume: _Optional[_Union[_subscription_service_pb2.ResumeSubscriptionRequest, _Mapping[str, object]]] = ..., book: _Optional[_Union[_subscription_service_pb2.BookQuantityRequest, _Mapping[str, object]]] = ...) -> None: ...

class PreviewChangeResponse(_message.Message):
    __slots__ = ("subscription", "change_time", "lines", "invoices", "cut_time")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    CUT_TIME_FIELD_NUMBER: _ClassVar[int]
    subscription: _subscription_pb2.Subscription
    change_time: _timestamp_pb2.Timestamp
    lines: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.InvoiceLine]
    invoices: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    cut_time: _timestamp_pb2.Timestamp
    def __init__(self, subscription: _Optional[_Union[_subscription_pb2.Subscription, _Mapping[str, object]]] = ..., change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., lines: _Optional[_Iterable[_Union[_invoice_pb2.InvoiceLine, _Mapping[str, object]]]] = ..., invoices: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ..., cut_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...
