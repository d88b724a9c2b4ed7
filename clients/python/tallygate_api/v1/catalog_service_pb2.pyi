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

class Migrate(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MIGRATE_UNSPECIFIED: _ClassVar[Migrate]
    MIGRATE_NONE: _ClassVar[Migrate]
    MIGRATE_NOW: _ClassVar[Migrate]
    MIGRATE_PERIOD_END: _ClassVar[Migrate]

class ChangeAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_ACTION_UNSPECIFIED: _ClassVar[ChangeAction]
    CHANGE_ACTION_ADDED: _ClassVar[ChangeAction]
    CHANGE_ACTION_CHANGED: _ClassVar[ChangeAction]
    CHANGE_ACTION_ARCHIVED: _ClassVar[ChangeAction]
MIGRATE_UNSPECIFIED: Migrate
MIGRATE_NONE: Migrate
MIGRATE_NOW: Migrate
MIGRATE_PERIOD_END: Migrate
CHANGE_ACTION_UNSPECIFIED: ChangeAction
CHANGE_ACTION_ADDED: ChangeAction
CHANGE_ACTION_CHANGED: ChangeAction
CHANGE_ACTION_ARCHIVED: ChangeAction

class ApplyCatalogRequest(_message.Message):
    __slots__ = ("catalog", "validate_only", "migrate", "prune")
    CATALOG_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    MIGRATE_FIELD_NUMBER: _ClassVar[int]
    PRUNE_FIELD_NUMBER: _ClassVar[int]
    catalog: _catalog_pb2.Catalog
    validate_only: bool
    migrate: Migrate
    prune: bool
    def __init__(self, catalog: _Optional[_Union[_catalog_pb2.Catalog, _Mapping[str, object]]] = ..., validate_only: _Optional[bool] = ..., migrate: _Optional[_Union[Migrate, str]] = ..., prune: _Optional[bool] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("path", "action", "detail")
    PATH_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    path: str
    action: ChangeAction
    detail: str
    def __init__(self, path: _Optional[str] = ..., action: _Optional[_Union[ChangeAction, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class ApplyCatalogResponse(_message.Message):
    __slots__ = ("changes", "subscriptions_behind", "view_version")
    class SubscriptionsBehindEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTIONS_BEHIND_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    subscriptions_behind: _containers.ScalarMap[str, int]
    view_version: int
    def __init__(self, changes: _Optional[_Iterable[_Union[Change, _Mapping[str, object]]]] = ..., subscriptions_behind: _Optional[_Mapping[str, int]] = ..., view_version: _Optional[int] = ...) -> None: ...

class GetCatalogRequest(_message.Message):
    __slots__ = ("include_archived",)
    INCLUDE_ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    include_archived: bool
    def __init__(self, include_archived: _Optional[bool] = ...) -> None: ...

class GetCatalogResponse(_message.Message):
    __slots__ = ("catalog", "view_version")
    CATALOG_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    catalog: _catalog_pb2.Catalog
    view_version: int
    def __init__(self, catalog: _Optional[_Union[_catalog_pb2.Catalog, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ...) -> None: ...

class PublishedPlan(_message.Message):
    __slots__ = ("plan_key", "plan", "publish_time", "newest", "subscription_count")
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    plan_key: str
    plan: _catalog_pb2.Plan
    publish_time: _timestamp_pb2.Timestamp
    newest: bool
    subscription_count: int
    def __init__(self, plan_key: _Optional[str] = ..., plan: _Optional[_Union[_catalog_pb2.Plan, _Mapping[str, object]]] = ..., publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., newest: _Optional[bool] = ..., subscription_count: _Optional[int] = ...) -> None: ...

class ListPlansRequest(_message.Message):
    __slots__ = ("plan_key", "include_archived", "page_size", "page_token")
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    plan_key: str
    include_archived: bool
    page_size: int
    page_token: str
    def __init__(self, plan_key: _Optional[str] = ..., include_archived: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPlansResponse(_message.Message):
    __slots__ = ("plans", "next_page_token")
    PLANS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    plans: _containers.RepeatedCompositeFieldContainer[PublishedPlan]
    next_page_token: str
    def __init__(self, plans: _Optional[_Iterable[_Union[PublishedPlan, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetPlanRequest(_message.Message):
    __slots__ = ("plan_key", "plan_version")
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    PLAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    plan_key: str
    plan_version: int
    def __init__(self, plan_key: _Optional[str] = ..., plan_version: _Optional[int] = ...) -> None: ...

class GetPlanResponse(_message.Message):
    __slots__ = ("plan",)
    PLAN_FIELD_NUMBER: _ClassVar[int]
    plan: PublishedPlan
    def __init__(self, plan: _Optional[_Union[PublishedPlan, _Mapping[str, object]]] = ...) -> None: ...
