import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tallygate_api.v1 import invoice_pb2 as _invoice_pb2
from tallygate_api.v1 import subscription_pb2 as _subscription_pb2
from tallygate_api.v1 import subscription_service_pb2 as _subscription_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class QuantityPreview(_message.Message):
    __slots__ = ("account_id", "feature_key", "quantity")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    feature_key: str
    quantity: int
    def __init__(self, account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., quantity: _Optional[int] = ...) -> None: ...

class PreviewChangeRequest(_message.Message):
    __slots__ = ("change_plan", "set_add_on", "cancel", "quantity")
    CHANGE_PLAN_FIELD_NUMBER: _ClassVar[int]
    SET_ADD_ON_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    change_plan: _subscription_service_pb2.ChangePlanRequest
    set_add_on: _subscription_service_pb2.SetAddOnRequest
    cancel: _subscription_service_pb2.CancelSubscriptionRequest
    quantity: QuantityPreview
    def __init__(self, change_plan: _Optional[_Union[_subscription_service_pb2.ChangePlanRequest, _Mapping[str, object]]] = ..., set_add_on: _Optional[_Union[_subscription_service_pb2.SetAddOnRequest, _Mapping[str, object]]] = ..., cancel: _Optional[_Union[_subscription_service_pb2.CancelSubscriptionRequest, _Mapping[str, object]]] = ..., quantity: _Optional[_Union[QuantityPreview, _Mapping[str, object]]] = ...) -> None: ...

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
