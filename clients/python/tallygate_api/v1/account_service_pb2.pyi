import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tallygate_api.v1 import catalog_pb2 as _catalog_pb2
from tallygate_api.v1 import decision_pb2 as _decision_pb2
from tallygate_api.v1 import invoice_pb2 as _invoice_pb2
from tallygate_api.v1 import subscription_pb2 as _subscription_pb2
from tallygate_api.v1 import subscription_service_pb2 as _subscription_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Account(_message.Message):
    __slots__ = ("account_id", "metadata", "time_zone", "subscription", "create_time", "update_time")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    metadata: _containers.ScalarMap[str, str]
    time_zone: str
    subscription: _subscription_pb2.Subscription
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, account_id: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ..., time_zone: _Optional[str] = ..., subscription: _Optional[_Union[_subscription_pb2.Subscription, _Mapping[str, object]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class UpsertAccountRequest(_message.Message):
    __slots__ = ("account_id", "metadata", "time_zone", "plan_key", "user_ids")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    metadata: _containers.ScalarMap[str, str]
    time_zone: str
    plan_key: str
    user_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, account_id: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ..., time_zone: _Optional[str] = ..., plan_key: _Optional[str] = ..., user_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class UpsertAccountResponse(_message.Message):
    __slots__ = ("account", "view_version", "created")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    account: Account
    view_version: int
    created: bool
    def __init__(self, account: _Optional[_Union[Account, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ..., created: _Optional[bool] = ...) -> None: ...

class ImportAccountsItem(_message.Message):
    __slots__ = ("account", "subscription")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    account: UpsertAccountRequest
    subscription: _subscription_service_pb2.CreateSubscriptionRequest
    def __init__(self, account: _Optional[_Union[UpsertAccountRequest, _Mapping[str, object]]] = ..., subscription: _Optional[_Union[_subscription_service_pb2.CreateSubscriptionRequest, _Mapping[str, object]]] = ...) -> None: ...

class ImportAccountsRequest(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[ImportAccountsItem]
    def __init__(self, items: _Optional[_Iterable[_Union[ImportAccountsItem, _Mapping[str, object]]]] = ...) -> None: ...

class ImportAccountsOutcome(_message.Message):
    __slots__ = ("created", "error")
    CREATED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    created: bool
    error: _decision_pb2.ErrorStatus
    def __init__(self, created: _Optional[bool] = ..., error: _Optional[_Union[_decision_pb2.ErrorStatus, _Mapping[str, object]]] = ...) -> None: ...

class ImportAccountsResponse(_message.Message):
    __slots__ = ("outcomes", "view_version")
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedCompositeFieldContainer[ImportAccountsOutcome]
    view_version: int
    def __init__(self, outcomes: _Optional[_Iterable[_Union[ImportAccountsOutcome, _Mapping[str, object]]]] = ..., view_version: _Optional[int] = ...) -> None: ...

class GetAccountRequest(_message.Message):
    __slots__ = ("account_id",)
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    def __init__(self, account_id: _Optional[str] = ...) -> None: ...

class GetAccountResponse(_message.Message):
    __slots__ = ("account", "view_version")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    account: Account
    view_version: int
    def __init__(self, account: _Optional[_Union[Account, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ...) -> None: ...

class ListAccountsRequest(_message.Message):
    __slots__ = ("plan_key", "page_size", "page_token")
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    plan_key: str
    page_size: int
    page_token: str
    def __init__(self, plan_key: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAccountsResponse(_message.Message):
    __slots__ = ("accounts", "next_page_token")
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    accounts: _containers.RepeatedCompositeFieldContainer[Account]
    next_page_token: str
    def __init__(self, accounts: _Optional[_Iterable[_Union[Account, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class User(_message.Message):
    __slots__ = ("user_id", "create_time")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, user_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class AddUsersRequest(_message.Message):
    __slots__ = ("account_id", "user_ids", "proration", "invoice")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    PRORATION_FIELD_NUMBER: _ClassVar[int]
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    user_ids: _containers.RepeatedScalarFieldContainer[str]
    proration: _subscription_pb2.ChangeProration
    invoice: _subscription_service_pb2.ChangeInvoice
    def __init__(self, account_id: _Optional[str] = ..., user_ids: _Optional[_Iterable[str]] = ..., proration: _Optional[_Union[_subscription_pb2.ChangeProration, str]] = ..., invoice: _Optional[_Union[_subscription_service_pb2.ChangeInvoice, str]] = ...) -> None: ...

class AddUsersResponse(_message.Message):
    __slots__ = ("users", "view_version", "invoices")
    USERS_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[User]
    view_version: int
    invoices: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    def __init__(self, users: _Optional[_Iterable[_Union[User, _Mapping[str, object]]]] = ..., view_version: _Optional[int] = ..., invoices: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ...) -> None: ...

class RemoveUsersRequest(_message.Message):
    __slots__ = ("account_id", "user_ids", "proration", "invoice")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    PRORATION_FIELD_NUMBER: _ClassVar[int]
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    user_ids: _containers.RepeatedScalarFieldContainer[str]
    proration: _subscription_pb2.ChangeProration
    invoice: _subscription_service_pb2.ChangeInvoice
    def __init__(self, account_id: _Optional[str] = ..., user_ids: _Optional[_Iterable[str]] = ..., proration: _Optional[_Union[_subscription_pb2.ChangeProration, str]] = ..., invoice: _Optional[_Union[_subscription_service_pb2.ChangeInvoice, str]] = ...) -> None: ...

class RemoveUsersResponse(_message.Message):
    __slots__ = ("removed_count", "view_version", "invoices")
    REMOVED_COUNT_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    removed_count: int
    view_version: int
    invoices: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    def __init__(self, removed_count: _Optional[int] = ..., view_version: _Optional[int] = ..., invoices: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ...) -> None: ...

class ListUsersRequest(_message.Message):
    __slots__ = ("account_id", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListUsersResponse(_message.Message):
    __slots__ = ("users", "next_page_token")
    USERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[User]
    next_page_token: str
    def __init__(self, users: _Optional[_Iterable[_Union[User, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Seat(_message.Message):
    __slots__ = ("feature_key", "user_id", "assign_time")
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ASSIGN_TIME_FIELD_NUMBER: _ClassVar[int]
    feature_key: str
    user_id: str
    assign_time: _timestamp_pb2.Timestamp
    def __init__(self, feature_key: _Optional[str] = ..., user_id: _Optional[str] = ..., assign_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class AssignSeatRequest(_message.Message):
    __slots__ = ("account_id", "feature_key", "user_id", "proration", "invoice")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRORATION_FIELD_NUMBER: _ClassVar[int]
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    feature_key: str
    user_id: str
    proration: _subscription_pb2.ChangeProration
    invoice: _subscription_service_pb2.ChangeInvoice
    def __init__(self, account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., user_id: _Optional[str] = ..., proration: _Optional[_Union[_subscription_pb2.ChangeProration, str]] = ..., invoice: _Optional[_Union[_subscription_service_pb2.ChangeInvoice, str]] = ...) -> None: ...

class AssignSeatResponse(_message.Message):
    __slots__ = ("decision", "seat", "view_version", "invoices")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    SEAT_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.Decision
    seat: Seat
    view_version: int
    invoices: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    def __init__(self, decision: _Optional[_Union[_decision_pb2.Decision, _Mapping[str, object]]] = ..., seat: _Optional[_Union[Seat, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ..., invoices: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ...) -> None: ...

class UnassignSeatRequest(_message.Message):
    __slots__ = ("account_id", "feature_key", "user_id", "proration", "invoice")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRORATION_FIELD_NUMBER: _ClassVar[int]
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    feature_key: str
    user_id: str
    proration: _subscription_pb2.ChangeProration
    invoice: _subscription_service_pb2.ChangeInvoice
    def __init__(self, account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., user_id: _Optional[str] = ..., proration: _Optional[_Union[_subscription_pb2.ChangeProration, str]] = ..., invoice: _Optional[_Union[_subscription_service_pb2.ChangeInvoice, str]] = ...) -> None: ...

class UnassignSeatResponse(_message.Message):
    __slots__ = ("unassigned", "view_version", "invoices")
    UNASSIGNED_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    unassigned: bool
    view_version: int
    invoices: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    def __init__(self, unassigned: _Optional[bool] = ..., view_version: _Optional[int] = ..., invoices: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]]] = ...) -> None: ...

class ListSeatsRequest(_message.Message):
    __slots__ = ("account_id", "feature_key", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    feature_key: str
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSeatsResponse(_message.Message):
    __slots__ = ("seats", "next_page_token")
    SEATS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    seats: _containers.RepeatedCompositeFieldContainer[Seat]
    next_page_token: str
    def __init__(self, seats: _Optional[_Iterable[_Union[Seat, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Override(_message.Message):
    __slots__ = ("override_id", "account_id", "feature_key", "entitlement", "start_time", "end_time", "create_time", "limit_key", "rate_limit", "delete_time")
    OVERRIDE_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    ENTITLEMENT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    LIMIT_KEY_FIELD_NUMBER: _ClassVar[int]
    RATE_LIMIT_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    override_id: str
    account_id: str
    feature_key: str
    entitlement: _catalog_pb2.Entitlement
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    create_time: _timestamp_pb2.Timestamp
    limit_key: str
    rate_limit: _catalog_pb2.RateLimitValue
    delete_time: _timestamp_pb2.Timestamp
    def __init__(self, override_id: _Optional[str] = ..., account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., entitlement: _Optional[_Union[_catalog_pb2.Entitlement, _Mapping[str, object]]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., limit_key: _Optional[str] = ..., rate_limit: _Optional[_Union[_catalog_pb2.RateLimitValue, _Mapping[str, object]]] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class CreateOverrideRequest(_message.Message):
    __slots__ = ("account_id", "feature_key", "entitlement", "override_id", "start_time", "end_time", "limit_key", "rate_limit")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    ENTITLEMENT_FIELD_NUMBER: _ClassVar[int]
    OVERRIDE_ID_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    LIMIT_KEY_FIELD_NUMBER: _ClassVar[int]
    RATE_LIMIT_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    feature_key: str
    entitlement: _catalog_pb2.Entitlement
    override_id: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    limit_key: str
    rate_limit: _catalog_pb2.RateLimitValue
    def __init__(self, account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., entitlement: _Optional[_Union[_catalog_pb2.Entitlement, _Mapping[str, object]]] = ..., override_id: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., limit_key: _Optional[str] = ..., rate_limit: _Optional[_Union[_catalog_pb2.RateLimitValue, _Mapping[str, object]]] = ...) -> None: ...

class CreateOverrideResponse(_message.Message):
    __slots__ = ("override", "view_version")
    OVERRIDE_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    override: Override
    view_version: int
    def __init__(self, override: _Optional[_Union[Override, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ...) -> None: ...

class ListOverridesRequest(_message.Message):
    __slots__ = ("account_id", "feature_key", "page_size", "page_token", "limit_key", "show_deleted")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LIMIT_KEY_FIELD_NUMBER: _ClassVar[int]
    SHOW_DELETED_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    feature_key: str
    page_size: int
    page_token: str
    limit_key: str
    show_deleted: bool
    def __init__(self, account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., limit_key: _Optional[str] = ..., show_deleted: _Optional[bool] = ...) -> None: ...

class ListOverridesResponse(_message.Message):
    __slots__ = ("overrides", "next_page_token")
    OVERRIDES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    overrides: _containers.RepeatedCompositeFieldContainer[Override]
    next_page_token: str
    def __init__(self, overrides: _Optional[_Iterable[_Union[Override, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteOverrideRequest(_message.Message):
    __slots__ = ("account_id", "override_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    OVERRIDE_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    override_id: str
    def __init__(self, account_id: _Optional[str] = ..., override_id: _Optional[str] = ...) -> None: ...

class DeleteOverrideResponse(_message.Message):
    __slots__ = ("view_version",)
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    view_version: int
    def __init__(self, view_version: _Optional[int] = ...) -> None: ...

class Grant(_message.Message):
    __slots__ = ("grant_id", "account_id", "feature_key", "amount", "priority", "effective_time", "expire_time", "create_time", "revoke_time", "remaining")
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    REVOKE_TIME_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    grant_id: str
    account_id: str
    feature_key: str
    amount: int
    priority: int
    effective_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    create_time: _timestamp_pb2.Timestamp
    revoke_time: _timestamp_pb2.Timestamp
    remaining: int
    def __init__(self, grant_id: _Optional[str] = ..., account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., amount: _Optional[int] = ..., priority: _Optional[int] = ..., effective_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., revoke_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., remaining: _Optional[int] = ...) -> None: ...

class CreateGrantRequest(_message.Message):
    __slots__ = ("account_id", "feature_key", "amount", "priority", "effective_time", "expire_time", "grant_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    feature_key: str
    amount: int
    priority: int
    effective_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    grant_id: str
    def __init__(self, account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., amount: _Optional[int] = ..., priority: _Optional[int] = ..., effective_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., grant_id: _Optional[str] = ...) -> None: ...

class CreateGrantResponse(_message.Message):
    __slots__ = ("grant", "view_version")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    grant: Grant
    view_version: int
    def __init__(self, grant: _Optional[_Union[Grant, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ...) -> None: ...

class ListGrantsRequest(_message.Message):
    __slots__ = ("account_id", "feature_key", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    feature_key: str
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., feature_key: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListGrantsResponse(_message.Message):
    __slots__ = ("grants", "next_page_token")
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    grants: _containers.RepeatedCompositeFieldContainer[Grant]
    next_page_token: str
    def __init__(self, grants: _Optional[_Iterable[_Union[Grant, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RevokeGrantRequest(_message.Message):
    __slots__ = ("account_id", "grant_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    grant_id: str
    def __init__(self, account_id: _Optional[str] = ..., grant_id: _Optional[str] = ...) -> None: ...

class RevokeGrantResponse(_message.Message):
    __slots__ = ("grant", "view_version")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    grant: Grant
    view_version: int
    def __init__(self, grant: _Optional[_Union[Grant, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ...) -> None: ...
