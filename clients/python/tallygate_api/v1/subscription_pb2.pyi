import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tallygate_api.v1 import catalog_pb2 as _catalog_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SubscriptionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUBSCRIPTION_STATE_UNSPECIFIED: _ClassVar[SubscriptionState]
    SUBSCRIPTION_STATE_INCOMPLETE: _ClassVar[SubscriptionState]
    SUBSCRIPTION_STATE_TRIALING: _ClassVar[SubscriptionState]
    SUBSCRIPTION_STATE_ACTIVE: _ClassVar[SubscriptionState]
    SUBSCRIPTION_STATE_PAST_DUE: _ClassVar[SubscriptionState]
    SUBSCRIPTION_STATE_SUSPENDED: _ClassVar[SubscriptionState]
    SUBSCRIPTION_STATE_CANCELED: _ClassVar[SubscriptionState]
    SUBSCRIPTION_STATE_EXPIRED: _ClassVar[SubscriptionState]

class ChangeProration(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_PRORATION_UNSPECIFIED: _ClassVar[ChangeProration]
    CHANGE_PRORATION_PRORATE: _ClassVar[ChangeProration]
    CHANGE_PRORATION_NONE: _ClassVar[ChangeProration]
SUBSCRIPTION_STATE_UNSPECIFIED: SubscriptionState
SUBSCRIPTION_STATE_INCOMPLETE: SubscriptionState
SUBSCRIPTION_STATE_TRIALING: SubscriptionState
SUBSCRIPTION_STATE_ACTIVE: SubscriptionState
SUBSCRIPTION_STATE_PAST_DUE: SubscriptionState
SUBSCRIPTION_STATE_SUSPENDED: SubscriptionState
SUBSCRIPTION_STATE_CANCELED: SubscriptionState
SUBSCRIPTION_STATE_EXPIRED: SubscriptionState
CHANGE_PRORATION_UNSPECIFIED: ChangeProration
CHANGE_PRORATION_PRORATE: ChangeProration
CHANGE_PRORATION_NONE: ChangeProration

class PlanTerm(_message.Message):
    __slots__ = ("plan_key", "plan_version", "start_time", "proration")
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    PLAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    PRORATION_FIELD_NUMBER: _ClassVar[int]
    plan_key: str
    plan_version: int
    start_time: _timestamp_pb2.Timestamp
    proration: ChangeProration
    def __init__(self, plan_key: _Optional[str] = ..., plan_version: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., proration: _Optional[_Union[ChangeProration, str]] = ...) -> None: ...

class AddOnHolding(_message.Message):
    __slots__ = ("add_on_key", "add_on_version", "quantity", "start_time", "end_time", "proration")
    ADD_ON_KEY_FIELD_NUMBER: _ClassVar[int]
    ADD_ON_VERSION_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PRORATION_FIELD_NUMBER: _ClassVar[int]
    add_on_key: str
    add_on_version: int
    quantity: int
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    proration: ChangeProration
    def __init__(self, add_on_key: _Optional[str] = ..., add_on_version: _Optional[int] = ..., quantity: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., proration: _Optional[_Union[ChangeProration, str]] = ...) -> None: ...

class Booking(_message.Message):
    __slots__ = ("feature_key", "quantity", "start_time", "proration")
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    PRORATION_FIELD_NUMBER: _ClassVar[int]
    feature_key: str
    quantity: int
    start_time: _timestamp_pb2.Timestamp
    proration: ChangeProration
    def __init__(self, feature_key: _Optional[str] = ..., quantity: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., proration: _Optional[_Union[ChangeProration, str]] = ...) -> None: ...

class Pause(_message.Message):
    __slots__ = ("start_time", "end_time")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class SubscriptionChange(_message.Message):
    __slots__ = ("sequence", "change_time", "actor_key_id", "actor_key_name", "method", "reason", "before", "after")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    ACTOR_KEY_ID_FIELD_NUMBER: _ClassVar[int]
    ACTOR_KEY_NAME_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    change_time: _timestamp_pb2.Timestamp
    actor_key_id: str
    actor_key_name: str
    method: str
    reason: str
    before: Subscription
    after: Subscription
    def __init__(self, sequence: _Optional[int] = ..., change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., actor_key_id: _Optional[str] = ..., actor_key_name: _Optional[str] = ..., method: _Optional[str] = ..., reason: _Optional[str] = ..., before: _Optional[_Union[Subscription, _Mapping[str, object]]] = ..., after: _Optional[_Union[Subscription, _Mapping[str, object]]] = ...) -> None: ...

class Subscription(_message.Message):
    __slots__ = ("subscription_id", "account_id", "state", "plan_key", "plan_version", "start_time", "trial_end_time", "end_time", "cancel_time", "terms", "add_ons", "prices", "create_time", "pauses", "bookings")
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    PLAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    TRIAL_END_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    CANCEL_TIME_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    ADD_ONS_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    PAUSES_FIELD_NUMBER: _ClassVar[int]
    BOOKINGS_FIELD_NUMBER: _ClassVar[int]
    subscription_id: str
    account_id: str
    state: SubscriptionState
    plan_key: str
    plan_version: int
    start_time: _timestamp_pb2.Timestamp
    trial_end_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    cancel_time: _timestamp_pb2.Timestamp
    terms: _containers.RepeatedCompositeFieldContainer[PlanTerm]
    add_ons: _containers.RepeatedCompositeFieldContainer[AddOnHolding]
    prices: _containers.RepeatedCompositeFieldContainer[_catalog_pb2.Price]
    create_time: _timestamp_pb2.Timestamp
    pauses: _containers.RepeatedCompositeFieldContainer[Pause]
    bookings: _containers.RepeatedCompositeFieldContainer[Booking]
    def __init__(self, subscription_id: _Optional[str] = ..., account_id: _Optional[str] = ..., state: _Optional[_Union[SubscriptionState, str]] = ..., plan_key: _Optional[str] = ..., plan_version: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., trial_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., cancel_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., terms: _Optional[_Iterable[_Union[PlanTerm, _Mapping[str, object]]]] = ..., add_ons: _Optional[_Iterable[_Union[AddOnHolding, _Mapping[str, object]]]] = ..., prices: _Optional[_Iterable[_Union[_catalog_pb2.Price, _Mapping[str, object]]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., pauses: _Optional[_Iterable[_Union[Pause, _Mapping[str, object]]]] = ..., bookings: _Optional[_Iterable[_Union[Booking, _Mapping[str, object]]]] = ...) -> None: ...
