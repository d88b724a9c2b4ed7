import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tallygate_api.v1 import catalog_pb2 as _catalog_pb2
from tallygate_api.v1 import invoice_pb2 as _invoice_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PaymentKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAYMENT_KIND_UNSPECIFIED: _ClassVar[PaymentKind]
    PAYMENT_KIND_GATEWAY: _ClassVar[PaymentKind]
    PAYMENT_KIND_OFFLINE: _ClassVar[PaymentKind]

class AttemptState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTEMPT_STATE_UNSPECIFIED: _ClassVar[AttemptState]
    ATTEMPT_STATE_SENDING: _ClassVar[AttemptState]
    ATTEMPT_STATE_UNKNOWN: _ClassVar[AttemptState]
    ATTEMPT_STATE_PENDING: _ClassVar[AttemptState]
    ATTEMPT_STATE_FAILED: _ClassVar[AttemptState]
    ATTEMPT_STATE_SUCCEEDED: _ClassVar[AttemptState]

class AttemptAdvice(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTEMPT_ADVICE_UNSPECIFIED: _ClassVar[AttemptAdvice]
    ATTEMPT_ADVICE_RETRY_LATER: _ClassVar[AttemptAdvice]
    ATTEMPT_ADVICE_NEW_METHOD: _ClassVar[AttemptAdvice]
    ATTEMPT_ADVICE_NEVER: _ClassVar[AttemptAdvice]

class AttemptCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTEMPT_CAUSE_UNSPECIFIED: _ClassVar[AttemptCause]
    ATTEMPT_CAUSE_AUTOMATIC: _ClassVar[AttemptCause]
    ATTEMPT_CAUSE_MANUAL: _ClassVar[AttemptCause]

class RetryObstacle(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RETRY_OBSTACLE_UNSPECIFIED: _ClassVar[RetryObstacle]
    RETRY_OBSTACLE_METHOD_REFUSED: _ClassVar[RetryObstacle]
    RETRY_OBSTACLE_METHOD_MISSING: _ClassVar[RetryObstacle]
    RETRY_OBSTACLE_BY_HAND: _ClassVar[RetryObstacle]

class SettlementKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SETTLEMENT_KIND_UNSPECIFIED: _ClassVar[SettlementKind]
    SETTLEMENT_KIND_CHARGE: _ClassVar[SettlementKind]
    SETTLEMENT_KIND_REFUND: _ClassVar[SettlementKind]
    SETTLEMENT_KIND_DISPUTE: _ClassVar[SettlementKind]

class GatewayEventState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GATEWAY_EVENT_STATE_UNSPECIFIED: _ClassVar[GatewayEventState]
    GATEWAY_EVENT_STATE_APPLIED: _ClassVar[GatewayEventState]
    GATEWAY_EVENT_STATE_OLD: _ClassVar[GatewayEventState]
    GATEWAY_EVENT_STATE_ASKED: _ClassVar[GatewayEventState]
    GATEWAY_EVENT_STATE_FOREIGN: _ClassVar[GatewayEventState]

class DisputeState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DISPUTE_STATE_UNSPECIFIED: _ClassVar[DisputeState]
    DISPUTE_STATE_OPENED: _ClassVar[DisputeState]
    DISPUTE_STATE_WON: _ClassVar[DisputeState]
    DISPUTE_STATE_LOST: _ClassVar[DisputeState]

class RefundKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REFUND_KIND_UNSPECIFIED: _ClassVar[RefundKind]
    REFUND_KIND_GATEWAY: _ClassVar[RefundKind]
    REFUND_KIND_OFFLINE: _ClassVar[RefundKind]
    REFUND_KIND_WALLET: _ClassVar[RefundKind]
PAYMENT_KIND_UNSPECIFIED: PaymentKind
PAYMENT_KIND_GATEWAY: PaymentKind
PAYMENT_KIND_OFFLINE: PaymentKind
ATTEMPT_STATE_UNSPECIFIED: AttemptState
ATTEMPT_STATE_SENDING: AttemptState
ATTEMPT_STATE_UNKNOWN: AttemptState
ATTEMPT_STATE_PENDING: AttemptState
ATTEMPT_STATE_FAILED: AttemptState
ATTEMPT_STATE_SUCCEEDED: AttemptState
ATTEMPT_ADVICE_UNSPECIFIED: AttemptAdvice
ATTEMPT_ADVICE_RETRY_LATER: AttemptAdvice
ATTEMPT_ADVICE_NEW_METHOD: AttemptAdvice
ATTEMPT_ADVICE_NEVER: AttemptAdvice
ATTEMPT_CAUSE_UNSPECIFIED: AttemptCause
ATTEMPT_CAUSE_AUTOMATIC: AttemptCause
ATTEMPT_CAUSE_MANUAL: AttemptCause
RETRY_OBSTACLE_UNSPECIFIED: RetryObstacle
RETRY_OBSTACLE_METHOD_REFUSED: RetryObstacle
RETRY_OBSTACLE_METHOD_MISSING: RetryObstacle
RETRY_OBSTACLE_BY_HAND: RetryObstacle
SETTLEMENT_KIND_UNSPECIFIED: SettlementKind
SETTLEMENT_KIND_CHARGE: SettlementKind
SETTLEMENT_KIND_REFUND: SettlementKind
SETTLEMENT_KIND_DISPUTE: SettlementKind
GATEWAY_EVENT_STATE_UNSPECIFIED: GatewayEventState
GATEWAY_EVENT_STATE_APPLIED: GatewayEventState
GATEWAY_EVENT_STATE_OLD: GatewayEventState
GATEWAY_EVENT_STATE_ASKED: GatewayEventState
GATEWAY_EVENT_STATE_FOREIGN: GatewayEventState
DISPUTE_STATE_UNSPECIFIED: DisputeState
DISPUTE_STATE_OPENED: DisputeState
DISPUTE_STATE_WON: DisputeState
DISPUTE_STATE_LOST: DisputeState
REFUND_KIND_UNSPECIFIED: RefundKind
REFUND_KIND_GATEWAY: RefundKind
REFUND_KIND_OFFLINE: RefundKind
REFUND_KIND_WALLET: RefundKind

class Gateway(_message.Message):
    __slots__ = ("name", "create_time", "credentials", "webhook_path")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    WEBHOOK_PATH_FIELD_NUMBER: _ClassVar[int]
    name: str
    create_time: _timestamp_pb2.Timestamp
    credentials: _containers.RepeatedScalarFieldContainer[str]
    webhook_path: str
    def __init__(self, name: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., credentials: _Optional[_Iterable[str]] = ..., webhook_path: _Optional[str] = ...) -> None: ...

class PaymentMethod(_message.Message):
    __slots__ = ("method_id", "account_id", "gateway", "brand", "last4", "expiry_year", "expiry_month", "default", "create_time")
    METHOD_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    BRAND_FIELD_NUMBER: _ClassVar[int]
    LAST4_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_YEAR_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_MONTH_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    method_id: str
    account_id: str
    gateway: str
    brand: str
    last4: str
    expiry_year: int
    expiry_month: int
    default: bool
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, method_id: _Optional[str] = ..., account_id: _Optional[str] = ..., gateway: _Optional[str] = ..., brand: _Optional[str] = ..., last4: _Optional[str] = ..., expiry_year: _Optional[int] = ..., expiry_month: _Optional[int] = ..., default: _Optional[bool] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class PaymentShare(_message.Message):
    __slots__ = ("invoice_id", "amount")
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    amount: _invoice_pb2.Money
    def __init__(self, invoice_id: _Optional[str] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ...) -> None: ...

class PaymentAttempt(_message.Message):
    __slots__ = ("attempt_id", "account_id", "invoice_id", "amount", "shares", "gateway", "method_id", "text", "cause", "state", "advice", "reason", "gateway_id", "next_action_url", "create_time", "end_time")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    METHOD_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ADVICE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_ID_FIELD_NUMBER: _ClassVar[int]
    NEXT_ACTION_URL_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    account_id: str
    invoice_id: str
    amount: _invoice_pb2.Money
    shares: _containers.RepeatedCompositeFieldContainer[PaymentShare]
    gateway: str
    method_id: str
    text: str
    cause: AttemptCause
    state: AttemptState
    advice: AttemptAdvice
    reason: str
    gateway_id: str
    next_action_url: str
    create_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, attempt_id: _Optional[str] = ..., account_id: _Optional[str] = ..., invoice_id: _Optional[str] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., shares: _Optional[_Iterable[_Union[PaymentShare, _Mapping[str, object]]]] = ..., gateway: _Optional[str] = ..., method_id: _Optional[str] = ..., text: _Optional[str] = ..., cause: _Optional[_Union[AttemptCause, str]] = ..., state: _Optional[_Union[AttemptState, str]] = ..., advice: _Optional[_Union[AttemptAdvice, str]] = ..., reason: _Optional[str] = ..., gateway_id: _Optional[str] = ..., next_action_url: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class Payment(_message.Message):
    __slots__ = ("payment_id", "account_id", "amount", "kind", "shares", "gateway", "gateway_id", "reference", "create_time")
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_ID_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    payment_id: str
    account_id: str
    amount: _invoice_pb2.Money
    kind: PaymentKind
    shares: _containers.RepeatedCompositeFieldContainer[PaymentShare]
    gateway: str
    gateway_id: str
    reference: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, payment_id: _Optional[str] = ..., account_id: _Optional[str] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., kind: _Optional[_Union[PaymentKind, str]] = ..., shares: _Optional[_Iterable[_Union[PaymentShare, _Mapping[str, object]]]] = ..., gateway: _Optional[str] = ..., gateway_id: _Optional[str] = ..., reference: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class SetGatewayRequest(_message.Message):
    __slots__ = ("name", "credentials")
    class CredentialsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    name: str
    credentials: _containers.ScalarMap[str, str]
    def __init__(self, name: _Optional[str] = ..., credentials: _Optional[_Mapping[str, str]] = ...) -> None: ...

class SetGatewayResponse(_message.Message):
    __slots__ = ("gateway",)
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    gateway: Gateway
    def __init__(self, gateway: _Optional[_Union[Gateway, _Mapping[str, object]]] = ...) -> None: ...

class ListGatewaysRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListGatewaysResponse(_message.Message):
    __slots__ = ("gateways",)
    GATEWAYS_FIELD_NUMBER: _ClassVar[int]
    gateways: _containers.RepeatedCompositeFieldContainer[Gateway]
    def __init__(self, gateways: _Optional[_Iterable[_Union[Gateway, _Mapping[str, object]]]] = ...) -> None: ...

class BeginSetupRequest(_message.Message):
    __slots__ = ("account_id", "setup_id", "gateway", "return_url")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    SETUP_ID_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    RETURN_URL_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    setup_id: str
    gateway: str
    return_url: str
    def __init__(self, account_id: _Optional[str] = ..., setup_id: _Optional[str] = ..., gateway: _Optional[str] = ..., return_url: _Optional[str] = ...) -> None: ...

class BeginSetupResponse(_message.Message):
    __slots__ = ("setup_id", "gateway", "gateway_id", "url", "client_secret", "token")
    SETUP_ID_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_ID_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    CLIENT_SECRET_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    setup_id: str
    gateway: str
    gateway_id: str
    url: str
    client_secret: str
    token: str
    def __init__(self, setup_id: _Optional[str] = ..., gateway: _Optional[str] = ..., gateway_id: _Optional[str] = ..., url: _Optional[str] = ..., client_secret: _Optional[str] = ..., token: _Optional[str] = ...) -> None: ...

class AttachMethodRequest(_message.Message):
    __slots__ = ("account_id", "method_id", "gateway", "token", "default")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    METHOD_ID_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    method_id: str
    gateway: str
    token: str
    default: bool
    def __init__(self, account_id: _Optional[str] = ..., method_id: _Optional[str] = ..., gateway: _Optional[str] = ..., token: _Optional[str] = ..., default: _Optional[bool] = ...) -> None: ...

class AttachMethodResponse(_message.Message):
    __slots__ = ("method",)
    METHOD_FIELD_NUMBER: _ClassVar[int]
    method: PaymentMethod
    def __init__(self, method: _Optional[_Union[PaymentMethod, _Mapping[str, object]]] = ...) -> None: ...

class ListMethodsRequest(_message.Message):
    __slots__ = ("account_id",)
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    def __init__(self, account_id: _Optional[str] = ...) -> None: ...

class ListMethodsResponse(_message.Message):
    __slots__ = ("methods",)
    METHODS_FIELD_NUMBER: _ClassVar[int]
    methods: _containers.RepeatedCompositeFieldContainer[PaymentMethod]
    def __init__(self, methods: _Optional[_Iterable[_Union[PaymentMethod, _Mapping[str, object]]]] = ...) -> None: ...

class SetDefaultMethodRequest(_message.Message):
    __slots__ = ("account_id", "method_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    METHOD_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    method_id: str
    def __init__(self, account_id: _Optional[str] = ..., method_id: _Optional[str] = ...) -> None: ...

class SetDefaultMethodResponse(_message.Message):
    __slots__ = ("method",)
    METHOD_FIELD_NUMBER: _ClassVar[int]
    method: PaymentMethod
    def __init__(self, method: _Optional[_Union[PaymentMethod, _Mapping[str, object]]] = ...) -> None: ...

class DetachMethodRequest(_message.Message):
    __slots__ = ("account_id", "method_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    METHOD_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    method_id: str
    def __init__(self, account_id: _Optional[str] = ..., method_id: _Optional[str] = ...) -> None: ...

class DetachMethodResponse(_message.Message):
    __slots__ = ("method",)
    METHOD_FIELD_NUMBER: _ClassVar[int]
    method: PaymentMethod
    def __init__(self, method: _Optional[_Union[PaymentMethod, _Mapping[str, object]]] = ...) -> None: ...

class PayRequest(_message.Message):
    __slots__ = ("invoice_id", "attempt_id", "method_id")
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    METHOD_ID_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    attempt_id: str
    method_id: str
    def __init__(self, invoice_id: _Optional[str] = ..., attempt_id: _Optional[str] = ..., method_id: _Optional[str] = ...) -> None: ...

class PayResponse(_message.Message):
    __slots__ = ("attempt",)
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    attempt: PaymentAttempt
    def __init__(self, attempt: _Optional[_Union[PaymentAttempt, _Mapping[str, object]]] = ...) -> None: ...

class TopUpRequest(_message.Message):
    __slots__ = ("account_id", "amount", "attempt_id", "method_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    METHOD_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    amount: _invoice_pb2.Money
    attempt_id: str
    method_id: str
    def __init__(self, account_id: _Optional[str] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., attempt_id: _Optional[str] = ..., method_id: _Optional[str] = ...) -> None: ...

class TopUpResponse(_message.Message):
    __slots__ = ("attempt",)
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    attempt: PaymentAttempt
    def __init__(self, attempt: _Optional[_Union[PaymentAttempt, _Mapping[str, object]]] = ...) -> None: ...

class RecordOfflineRequest(_message.Message):
    __slots__ = ("account_id", "amount", "payment_id", "reference", "invoice_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    amount: _invoice_pb2.Money
    payment_id: str
    reference: str
    invoice_id: str
    def __init__(self, account_id: _Optional[str] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., payment_id: _Optional[str] = ..., reference: _Optional[str] = ..., invoice_id: _Optional[str] = ...) -> None: ...

class RecordOfflineResponse(_message.Message):
    __slots__ = ("payment",)
    PAYMENT_FIELD_NUMBER: _ClassVar[int]
    payment: Payment
    def __init__(self, payment: _Optional[_Union[Payment, _Mapping[str, object]]] = ...) -> None: ...

class DunningCase(_message.Message):
    __slots__ = ("currency_code", "start_time", "retries", "retry_time", "state", "obstacle", "next_state", "next_state_time")
    CURRENCY_CODE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    RETRIES_FIELD_NUMBER: _ClassVar[int]
    RETRY_TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OBSTACLE_FIELD_NUMBER: _ClassVar[int]
    NEXT_STATE_FIELD_NUMBER: _ClassVar[int]
    NEXT_STATE_TIME_FIELD_NUMBER: _ClassVar[int]
    currency_code: str
    start_time: _timestamp_pb2.Timestamp
    retries: int
    retry_time: _timestamp_pb2.Timestamp
    state: _catalog_pb2.DunningState
    obstacle: RetryObstacle
    next_state: _catalog_pb2.DunningState
    next_state_time: _timestamp_pb2.Timestamp
    def __init__(self, currency_code: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., retries: _Optional[int] = ..., retry_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., state: _Optional[_Union[_catalog_pb2.DunningState, str]] = ..., obstacle: _Optional[_Union[RetryObstacle, str]] = ..., next_state: _Optional[_Union[_catalog_pb2.DunningState, str]] = ..., next_state_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class SetCollectionRequest(_message.Message):
    __slots__ = ("account_id", "collect")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    COLLECT_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    collect: _catalog_pb2.Collection
    def __init__(self, account_id: _Optional[str] = ..., collect: _Optional[_Union[_catalog_pb2.Collection, str]] = ...) -> None: ...

class SetCollectionResponse(_message.Message):
    __slots__ = ("collect",)
    COLLECT_FIELD_NUMBER: _ClassVar[int]
    collect: _catalog_pb2.Collection
    def __init__(self, collect: _Optional[_Union[_catalog_pb2.Collection, str]] = ...) -> None: ...

class GetCollectionRequest(_message.Message):
    __slots__ = ("account_id",)
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    def __init__(self, account_id: _Optional[str] = ...) -> None: ...

class GetCollectionResponse(_message.Message):
    __slots__ = ("collect", "state", "cases")
    COLLECT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CASES_FIELD_NUMBER: _ClassVar[int]
    collect: _catalog_pb2.Collection
    state: _catalog_pb2.DunningState
    cases: _containers.RepeatedCompositeFieldContainer[DunningCase]
    def __init__(self, collect: _Optional[_Union[_catalog_pb2.Collection, str]] = ..., state: _Optional[_Union[_catalog_pb2.DunningState, str]] = ..., cases: _Optional[_Iterable[_Union[DunningCase, _Mapping[str, object]]]] = ...) -> None: ...

class ReconcileRequest(_message.Message):
    __slots__ = ("gateway", "start_time", "end_time")
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    gateway: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, gateway: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class SettlementDifference(_message.Message):
    __slots__ = ("gateway_id", "booked", "settled", "kind", "booked_fee", "settled_fee")
    GATEWAY_ID_FIELD_NUMBER: _ClassVar[int]
    BOOKED_FIELD_NUMBER: _ClassVar[int]
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    BOOKED_FEE_FIELD_NUMBER: _ClassVar[int]
    SETTLED_FEE_FIELD_NUMBER: _ClassVar[int]
    gateway_id: str
    booked: _invoice_pb2.Money
    settled: _invoice_pb2.Money
    kind: SettlementKind
    booked_fee: _invoice_pb2.Money
    settled_fee: _invoice_pb2.Money
    def __init__(self, gateway_id: _Optional[str] = ..., booked: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., settled: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., kind: _Optional[_Union[SettlementKind, str]] = ..., booked_fee: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., settled_fee: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ...) -> None: ...

class ReconcileResponse(_message.Message):
    __slots__ = ("booked", "settled", "differences", "fees")
    BOOKED_FIELD_NUMBER: _ClassVar[int]
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    FEES_FIELD_NUMBER: _ClassVar[int]
    booked: int
    settled: int
    differences: _containers.RepeatedCompositeFieldContainer[SettlementDifference]
    fees: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Money]
    def __init__(self, booked: _Optional[int] = ..., settled: _Optional[int] = ..., differences: _Optional[_Iterable[_Union[SettlementDifference, _Mapping[str, object]]]] = ..., fees: _Optional[_Iterable[_Union[_invoice_pb2.Money, _Mapping[str, object]]]] = ...) -> None: ...

class GatewayEvent(_message.Message):
    __slots__ = ("gateway", "event_id", "kind", "state", "subject", "problem", "event_time", "create_time")
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    gateway: str
    event_id: str
    kind: str
    state: GatewayEventState
    subject: str
    problem: str
    event_time: _timestamp_pb2.Timestamp
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, gateway: _Optional[str] = ..., event_id: _Optional[str] = ..., kind: _Optional[str] = ..., state: _Optional[_Union[GatewayEventState, str]] = ..., subject: _Optional[str] = ..., problem: _Optional[str] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class ListGatewayEventsRequest(_message.Message):
    __slots__ = ("gateway", "state", "subject", "page_size", "page_token")
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    gateway: str
    state: GatewayEventState
    subject: str
    page_size: int
    page_token: str
    def __init__(self, gateway: _Optional[str] = ..., state: _Optional[_Union[GatewayEventState, str]] = ..., subject: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListGatewayEventsResponse(_message.Message):
    __slots__ = ("events", "next_page_token")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[GatewayEvent]
    next_page_token: str
    def __init__(self, events: _Optional[_Iterable[_Union[GatewayEvent, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListPaymentsRequest(_message.Message):
    __slots__ = ("account_id", "invoice_id", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    invoice_id: str
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., invoice_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPaymentsResponse(_message.Message):
    __slots__ = ("payments", "next_page_token")
    PAYMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    payments: _containers.RepeatedCompositeFieldContainer[Payment]
    next_page_token: str
    def __init__(self, payments: _Optional[_Iterable[_Union[Payment, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListAttemptsRequest(_message.Message):
    __slots__ = ("account_id", "invoice_id", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    invoice_id: str
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., invoice_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAttemptsResponse(_message.Message):
    __slots__ = ("attempts", "next_page_token")
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    attempts: _containers.RepeatedCompositeFieldContainer[PaymentAttempt]
    next_page_token: str
    def __init__(self, attempts: _Optional[_Iterable[_Union[PaymentAttempt, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Dispute(_message.Message):
    __slots__ = ("dispute_id", "gateway", "payment_id", "account_id", "amount", "fee", "state", "reason", "shares", "create_time", "end_time")
    DISPUTE_ID_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    dispute_id: str
    gateway: str
    payment_id: str
    account_id: str
    amount: _invoice_pb2.Money
    fee: _invoice_pb2.Money
    state: DisputeState
    reason: str
    shares: _containers.RepeatedCompositeFieldContainer[PaymentShare]
    create_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, dispute_id: _Optional[str] = ..., gateway: _Optional[str] = ..., payment_id: _Optional[str] = ..., account_id: _Optional[str] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., fee: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., state: _Optional[_Union[DisputeState, str]] = ..., reason: _Optional[str] = ..., shares: _Optional[_Iterable[_Union[PaymentShare, _Mapping[str, object]]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class RecordDisputeRequest(_message.Message):
    __slots__ = ("payment_id", "dispute_id", "state", "amount", "fee", "reason")
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    payment_id: str
    dispute_id: str
    state: DisputeState
    amount: _invoice_pb2.Money
    fee: _invoice_pb2.Money
    reason: str
    def __init__(self, payment_id: _Optional[str] = ..., dispute_id: _Optional[str] = ..., state: _Optional[_Union[DisputeState, str]] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., fee: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., reason: _Optional[str] = ...) -> None: ...

class RecordDisputeResponse(_message.Message):
    __slots__ = ("dispute",)
    DISPUTE_FIELD_NUMBER: _ClassVar[int]
    dispute: Dispute
    def __init__(self, dispute: _Optional[_Union[Dispute, _Mapping[str, object]]] = ...) -> None: ...

class ListDisputesRequest(_message.Message):
    __slots__ = ("account_id", "invoice_id", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    invoice_id: str
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., invoice_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDisputesResponse(_message.Message):
    __slots__ = ("disputes", "next_page_token")
    DISPUTES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    disputes: _containers.RepeatedCompositeFieldContainer[Dispute]
    next_page_token: str
    def __init__(self, disputes: _Optional[_Iterable[_Union[Dispute, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Refund(_message.Message):
    __slots__ = ("refund_id", "account_id", "invoice_id", "credit_note_id", "payment_id", "kind", "amount", "gateway", "state", "reason", "gateway_id", "create_time", "end_time")
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    CREDIT_NOTE_ID_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    account_id: str
    invoice_id: str
    credit_note_id: str
    payment_id: str
    kind: RefundKind
    amount: _invoice_pb2.Money
    gateway: str
    state: AttemptState
    reason: str
    gateway_id: str
    create_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, refund_id: _Optional[str] = ..., account_id: _Optional[str] = ..., invoice_id: _Optional[str] = ..., credit_note_id: _Optional[str] = ..., payment_id: _Optional[str] = ..., kind: _Optional[_Union[RefundKind, str]] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., gateway: _Optional[str] = ..., state: _Optional[_Union[AttemptState, str]] = ..., reason: _Optional[str] = ..., gateway_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class RefundLineRequest(_message.Message):
    __slots__ = ("invoice_id", "line", "amount", "refund_id", "reason")
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    line: int
    amount: _invoice_pb2.Money
    refund_id: str
    reason: str
    def __init__(self, invoice_id: _Optional[str] = ..., line: _Optional[int] = ..., amount: _Optional[_Union[_invoice_pb2.Money, _Mapping[str, object]]] = ..., refund_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RefundLineResponse(_message.Message):
    __slots__ = ("credit_note", "invoice", "refunds")
    CREDIT_NOTE_FIELD_NUMBER: _ClassVar[int]
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    REFUNDS_FIELD_NUMBER: _ClassVar[int]
    credit_note: _invoice_pb2.Invoice
    invoice: _invoice_pb2.Invoice
    refunds: _containers.RepeatedCompositeFieldContainer[Refund]
    def __init__(self, credit_note: _Optional[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]] = ..., invoice: _Optional[_Union[_invoice_pb2.Invoice, _Mapping[str, object]]] = ..., refunds: _Optional[_Iterable[_Union[Refund, _Mapping[str, object]]]] = ...) -> None: ...

class ListRefundsRequest(_message.Message):
    __slots__ = ("account_id", "invoice_id", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    invoice_id: str
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., invoice_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRefundsResponse(_message.Message):
    __slots__ = ("refunds", "next_page_token")
    REFUNDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    refunds: _containers.RepeatedCompositeFieldContainer[Refund]
    next_page_token: str
    def __init__(self, refunds: _Optional[_Iterable[_Union[Refund, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
