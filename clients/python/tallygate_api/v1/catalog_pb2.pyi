import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BusinessModel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BUSINESS_MODEL_UNSPECIFIED: _ClassVar[BusinessModel]
    BUSINESS_MODEL_FREEMIUM: _ClassVar[BusinessModel]
    BUSINESS_MODEL_PREMIUM: _ClassVar[BusinessModel]

class Rounding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROUNDING_UNSPECIFIED: _ClassVar[Rounding]
    ROUNDING_HALF_EVEN: _ClassVar[Rounding]
    ROUNDING_HALF_UP: _ClassVar[Rounding]

class Proration(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRORATION_UNSPECIFIED: _ClassVar[Proration]
    PRORATION_DAY: _ClassVar[Proration]
    PRORATION_SECOND: _ClassVar[Proration]
    PRORATION_FIXED_30: _ClassVar[Proration]

class TaxPer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TAX_PER_UNSPECIFIED: _ClassVar[TaxPer]
    TAX_PER_GROUP: _ClassVar[TaxPer]
    TAX_PER_LINE: _ClassVar[TaxPer]

class Collection(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COLLECTION_UNSPECIFIED: _ClassVar[Collection]
    COLLECTION_AUTOMATIC: _ClassVar[Collection]
    COLLECTION_MANUAL: _ClassVar[Collection]

class DunningWhen(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DUNNING_WHEN_UNSPECIFIED: _ClassVar[DunningWhen]
    DUNNING_WHEN_EXHAUSTED: _ClassVar[DunningWhen]

class DunningState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DUNNING_STATE_UNSPECIFIED: _ClassVar[DunningState]
    DUNNING_STATE_PAST_DUE: _ClassVar[DunningState]
    DUNNING_STATE_SUSPENDED: _ClassVar[DunningState]
    DUNNING_STATE_CANCELED: _ClassVar[DunningState]

class CreatedWhen(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CREATED_WHEN_UNSPECIFIED: _ClassVar[CreatedWhen]
    CREATED_WHEN_ISSUED: _ClassVar[CreatedWhen]
    CREATED_WHEN_PAID: _ClassVar[CreatedWhen]

class AtLimit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AT_LIMIT_UNSPECIFIED: _ClassVar[AtLimit]
    AT_LIMIT_ACCEPT: _ClassVar[AtLimit]
    AT_LIMIT_REJECT: _ClassVar[AtLimit]

class Renewal(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RENEWAL_UNSPECIFIED: _ClassVar[Renewal]
    RENEWAL_AUTO: _ClassVar[Renewal]
    RENEWAL_REPEAT: _ClassVar[Renewal]
    RENEWAL_ONE_TIME: _ClassVar[Renewal]

class AdvanceType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ADVANCE_TYPE_UNSPECIFIED: _ClassVar[AdvanceType]
    ADVANCE_TYPE_PERCENTAGE: _ClassVar[AdvanceType]
    ADVANCE_TYPE_CURRENCY: _ClassVar[AdvanceType]
    ADVANCE_TYPE_PERIOD: _ClassVar[AdvanceType]

class AdvanceRounding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ADVANCE_ROUNDING_UNSPECIFIED: _ClassVar[AdvanceRounding]
    ADVANCE_ROUNDING_WHOLE: _ClassVar[AdvanceRounding]
    ADVANCE_ROUNDING_99: _ClassVar[AdvanceRounding]
    ADVANCE_ROUNDING_NONE: _ClassVar[AdvanceRounding]

class FeatureKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FEATURE_KIND_UNSPECIFIED: _ClassVar[FeatureKind]
    FEATURE_KIND_BOOLEAN: _ClassVar[FeatureKind]
    FEATURE_KIND_STATIC: _ClassVar[FeatureKind]
    FEATURE_KIND_METERED: _ClassVar[FeatureKind]
    FEATURE_KIND_SEAT: _ClassVar[FeatureKind]

class ValueType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VALUE_TYPE_UNSPECIFIED: _ClassVar[ValueType]
    VALUE_TYPE_NUMBER: _ClassVar[ValueType]
    VALUE_TYPE_ENUM: _ClassVar[ValueType]
    VALUE_TYPE_TEXT: _ClassVar[ValueType]

class Aggregation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGGREGATION_UNSPECIFIED: _ClassVar[Aggregation]
    AGGREGATION_SUM: _ClassVar[Aggregation]
    AGGREGATION_COUNT: _ClassVar[Aggregation]
    AGGREGATION_MAX: _ClassVar[Aggregation]
    AGGREGATION_UNIQUE: _ClassVar[Aggregation]
    AGGREGATION_LATEST: _ClassVar[Aggregation]
    AGGREGATION_TIME_WEIGHTED: _ClassVar[Aggregation]

class PeriodUnit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERIOD_UNIT_UNSPECIFIED: _ClassVar[PeriodUnit]
    PERIOD_UNIT_HOUR: _ClassVar[PeriodUnit]
    PERIOD_UNIT_DAY: _ClassVar[PeriodUnit]
    PERIOD_UNIT_WEEK: _ClassVar[PeriodUnit]
    PERIOD_UNIT_MONTH: _ClassVar[PeriodUnit]
    PERIOD_UNIT_YEAR: _ClassVar[PeriodUnit]

class Anchor(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ANCHOR_UNSPECIFIED: _ClassVar[Anchor]
    ANCHOR_CALENDAR: _ClassVar[Anchor]
    ANCHOR_SUBSCRIPTION: _ClassVar[Anchor]
    ANCHOR_ACCOUNT: _ClassVar[Anchor]

class OnUnavailable(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ON_UNAVAILABLE_UNSPECIFIED: _ClassVar[OnUnavailable]
    ON_UNAVAILABLE_CLOSED: _ClassVar[OnUnavailable]
    ON_UNAVAILABLE_OPEN: _ClassVar[OnUnavailable]

class Durability(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DURABILITY_UNSPECIFIED: _ClassVar[Durability]
    DURABILITY_FAST: _ClassVar[Durability]
    DURABILITY_STRICT: _ClassVar[Durability]

class Overage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OVERAGE_UNSPECIFIED: _ClassVar[Overage]
    OVERAGE_DENY: _ClassVar[Overage]
    OVERAGE_ALLOW: _ClassVar[Overage]

class Algorithm(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ALGORITHM_UNSPECIFIED: _ClassVar[Algorithm]
    ALGORITHM_TOKEN_BUCKET: _ClassVar[Algorithm]
    ALGORITHM_FIXED_WINDOW: _ClassVar[Algorithm]
    ALGORITHM_SLIDING_WINDOW: _ClassVar[Algorithm]

class LimitOwner(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIMIT_OWNER_UNSPECIFIED: _ClassVar[LimitOwner]
    LIMIT_OWNER_ACCOUNT: _ClassVar[LimitOwner]
    LIMIT_OWNER_TENANT: _ClassVar[LimitOwner]

class TrialPer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRIAL_PER_UNSPECIFIED: _ClassVar[TrialPer]
    TRIAL_PER_PLAN: _ClassVar[TrialPer]
    TRIAL_PER_ACCOUNT: _ClassVar[TrialPer]
    TRIAL_PER_SUBSCRIPTION: _ClassVar[TrialPer]

class TrialEnd(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRIAL_END_UNSPECIFIED: _ClassVar[TrialEnd]
    TRIAL_END_CONVERT: _ClassVar[TrialEnd]
    TRIAL_END_DOWNGRADE: _ClassVar[TrialEnd]
    TRIAL_END_NOTIFY: _ClassVar[TrialEnd]

class ChargeModel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHARGE_MODEL_UNSPECIFIED: _ClassVar[ChargeModel]
    CHARGE_MODEL_PER_UNIT: _ClassVar[ChargeModel]
    CHARGE_MODEL_GRADUATED: _ClassVar[ChargeModel]
    CHARGE_MODEL_VOLUME: _ClassVar[ChargeModel]
    CHARGE_MODEL_PERCENTAGE: _ClassVar[ChargeModel]
    CHARGE_MODEL_GRADUATED_PERCENTAGE: _ClassVar[ChargeModel]
    CHARGE_MODEL_DYNAMIC: _ClassVar[ChargeModel]

class Due(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DUE_UNSPECIFIED: _ClassVar[Due]
    DUE_ADVANCE: _ClassVar[Due]
    DUE_ARREARS: _ClassVar[Due]

class ChargedUnits(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHARGED_UNITS_UNSPECIFIED: _ClassVar[ChargedUnits]
    CHARGED_UNITS_OVERAGE: _ClassVar[ChargedUnits]
    CHARGED_UNITS_ALL: _ClassVar[ChargedUnits]

class LimitUnit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIMIT_UNIT_UNSPECIFIED: _ClassVar[LimitUnit]
    LIMIT_UNIT_USAGE: _ClassVar[LimitUnit]
    LIMIT_UNIT_SPEND: _ClassVar[LimitUnit]

class LimitAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIMIT_ACTION_UNSPECIFIED: _ClassVar[LimitAction]
    LIMIT_ACTION_STOP_CHARGING: _ClassVar[LimitAction]
    LIMIT_ACTION_NOTIFY: _ClassVar[LimitAction]
    LIMIT_ACTION_CUT: _ClassVar[LimitAction]

class Activation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTIVATION_UNSPECIFIED: _ClassVar[Activation]
    ACTIVATION_AT_ONCE: _ClassVar[Activation]
    ACTIVATION_PAYMENT: _ClassVar[Activation]
BUSINESS_MODEL_UNSPECIFIED: BusinessModel
BUSINESS_MODEL_FREEMIUM: BusinessModel
BUSINESS_MODEL_PREMIUM: BusinessModel
ROUNDING_UNSPECIFIED: Rounding
ROUNDING_HALF_EVEN: Rounding
ROUNDING_HALF_UP: Rounding
PRORATION_UNSPECIFIED: Proration
PRORATION_DAY: Proration
PRORATION_SECOND: Proration
PRORATION_FIXED_30: Proration
TAX_PER_UNSPECIFIED: TaxPer
TAX_PER_GROUP: TaxPer
TAX_PER_LINE: TaxPer
COLLECTION_UNSPECIFIED: Collection
COLLECTION_AUTOMATIC: Collection
COLLECTION_MANUAL: Collection
DUNNING_WHEN_UNSPECIFIED: DunningWhen
DUNNING_WHEN_EXHAUSTED: DunningWhen
DUNNING_STATE_UNSPECIFIED: DunningState
DUNNING_STATE_PAST_DUE: DunningState
DUNNING_STATE_SUSPENDED: DunningState
DUNNING_STATE_CANCELED: DunningState
CREATED_WHEN_UNSPECIFIED: CreatedWhen
CREATED_WHEN_ISSUED: CreatedWhen
CREATED_WHEN_PAID: CreatedWhen
AT_LIMIT_UNSPECIFIED: AtLimit
AT_LIMIT_ACCEPT: AtLimit
AT_LIMIT_REJECT: AtLimit
RENEWAL_UNSPECIFIED: Renewal
RENEWAL_AUTO: Renewal
RENEWAL_REPEAT: Renewal
RENEWAL_ONE_TIME: Renewal
ADVANCE_TYPE_UNSPECIFIED: AdvanceType
ADVANCE_TYPE_PERCENTAGE: AdvanceType
ADVANCE_TYPE_CURRENCY: AdvanceType
ADVANCE_TYPE_PERIOD: AdvanceType
ADVANCE_ROUNDING_UNSPECIFIED: AdvanceRounding
ADVANCE_ROUNDING_WHOLE: AdvanceRounding
ADVANCE_ROUNDING_99: AdvanceRounding
ADVANCE_ROUNDING_NONE: AdvanceRounding
FEATURE_KIND_UNSPECIFIED: FeatureKind
FEATURE_KIND_BOOLEAN: FeatureKind
FEATURE_KIND_STATIC: FeatureKind
FEATURE_KIND_METERED: FeatureKind
FEATURE_KIND_SEAT: FeatureKind
VALUE_TYPE_UNSPECIFIED: ValueType
VALUE_TYPE_NUMBER: ValueType
VALUE_TYPE_ENUM: ValueType
VALUE_TYPE_TEXT: ValueType
AGGREGATION_UNSPECIFIED: Aggregation
AGGREGATION_SUM: Aggregation
AGGREGATION_COUNT: Aggregation
AGGREGATION_MAX: Aggregation
AGGREGATION_UNIQUE: Aggregation
AGGREGATION_LATEST: Aggregation
AGGREGATION_TIME_WEIGHTED: Aggregation
PERIOD_UNIT_UNSPECIFIED: PeriodUnit
PERIOD_UNIT_HOUR: PeriodUnit
PERIOD_UNIT_DAY: PeriodUnit
PERIOD_UNIT_WEEK: PeriodUnit
PERIOD_UNIT_MONTH: PeriodUnit
PERIOD_UNIT_YEAR: PeriodUnit
ANCHOR_UNSPECIFIED: Anchor
ANCHOR_CALENDAR: Anchor
ANCHOR_SUBSCRIPTION: Anchor
ANCHOR_ACCOUNT: Anchor
ON_UNAVAILABLE_UNSPECIFIED: OnUnavailable
ON_UNAVAILABLE_CLOSED: OnUnavailable
ON_UNAVAILABLE_OPEN: OnUnavailable
DURABILITY_UNSPECIFIED: Durability
DURABILITY_FAST: Durability
DURABILITY_STRICT: Durability
OVERAGE_UNSPECIFIED: Overage
OVERAGE_DENY: Overage
OVERAGE_ALLOW: Overage
ALGORITHM_UNSPECIFIED: Algorithm
ALGORITHM_TOKEN_BUCKET: Algorithm
ALGORITHM_FIXED_WINDOW: Algorithm
ALGORITHM_SLIDING_WINDOW: Algorithm
LIMIT_OWNER_UNSPECIFIED: LimitOwner
LIMIT_OWNER_ACCOUNT: LimitOwner
LIMIT_OWNER_TENANT: LimitOwner
TRIAL_PER_UNSPECIFIED: TrialPer
TRIAL_PER_PLAN: TrialPer
TRIAL_PER_ACCOUNT: TrialPer
TRIAL_PER_SUBSCRIPTION: TrialPer
TRIAL_END_UNSPECIFIED: TrialEnd
TRIAL_END_CONVERT: TrialEnd
TRIAL_END_DOWNGRADE: TrialEnd
TRIAL_END_NOTIFY: TrialEnd
CHARGE_MODEL_UNSPECIFIED: ChargeModel
CHARGE_MODEL_PER_UNIT: ChargeModel
CHARGE_MODEL_GRADUATED: ChargeModel
CHARGE_MODEL_VOLUME: ChargeModel
CHARGE_MODEL_PERCENTAGE: ChargeModel
CHARGE_MODEL_GRADUATED_PERCENTAGE: ChargeModel
CHARGE_MODEL_DYNAMIC: ChargeModel
DUE_UNSPECIFIED: Due
DUE_ADVANCE: Due
DUE_ARREARS: Due
CHARGED_UNITS_UNSPECIFIED: ChargedUnits
CHARGED_UNITS_OVERAGE: ChargedUnits
CHARGED_UNITS_ALL: ChargedUnits
LIMIT_UNIT_UNSPECIFIED: LimitUnit
LIMIT_UNIT_USAGE: LimitUnit
LIMIT_UNIT_SPEND: LimitUnit
LIMIT_ACTION_UNSPECIFIED: LimitAction
LIMIT_ACTION_STOP_CHARGING: LimitAction
LIMIT_ACTION_NOTIFY: LimitAction
LIMIT_ACTION_CUT: LimitAction
ACTIVATION_UNSPECIFIED: Activation
ACTIVATION_AT_ONCE: Activation
ACTIVATION_PAYMENT: Activation

class Catalog(_message.Message):
    __slots__ = ("schema", "currency", "time_zone", "default_plan", "features", "rate_limits", "plans", "add_ons", "billing", "products", "exchange_rates")
    class FeaturesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Feature
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Feature, _Mapping[str, object]]] = ...) -> None: ...
    class RateLimitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: RateLimitRule
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[RateLimitRule, _Mapping[str, object]]] = ...) -> None: ...
    class PlansEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Plan
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Plan, _Mapping[str, object]]] = ...) -> None: ...
    class AddOnsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: AddOn
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[AddOn, _Mapping[str, object]]] = ...) -> None: ...
    class ProductsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Product
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Product, _Mapping[str, object]]] = ...) -> None: ...
    class ExchangeRatesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: ExchangeRate
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[ExchangeRate, _Mapping[str, object]]] = ...) -> None: ...
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_PLAN_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    RATE_LIMITS_FIELD_NUMBER: _ClassVar[int]
    PLANS_FIELD_NUMBER: _ClassVar[int]
    ADD_ONS_FIELD_NUMBER: _ClassVar[int]
    BILLING_FIELD_NUMBER: _ClassVar[int]
    PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_RATES_FIELD_NUMBER: _ClassVar[int]
    schema: str
    currency: str
    time_zone: str
    default_plan: str
    features: _containers.MessageMap[str, Feature]
    rate_limits: _containers.MessageMap[str, RateLimitRule]
    plans: _containers.MessageMap[str, Plan]
    add_ons: _containers.MessageMap[str, AddOn]
    billing: BillingPolicy
    products: _containers.MessageMap[str, Product]
    exchange_rates: _containers.MessageMap[str, ExchangeRate]
    def __init__(self, schema: _Optional[str] = ..., currency: _Optional[str] = ..., time_zone: _Optional[str] = ..., default_plan: _Optional[str] = ..., features: _Optional[_Mapping[str, Feature]] = ..., rate_limits: _Optional[_Mapping[str, RateLimitRule]] = ..., plans: _Optional[_Mapping[str, Plan]] = ..., add_ons: _Optional[_Mapping[str, AddOn]] = ..., billing: _Optional[_Union[BillingPolicy, _Mapping[str, object]]] = ..., products: _Optional[_Mapping[str, Product]] = ..., exchange_rates: _Optional[_Mapping[str, ExchangeRate]] = ...) -> None: ...

class Product(_message.Message):
    __slots__ = ("name", "business_model", "pricing_url", "charge_service", "archived")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_MODEL_FIELD_NUMBER: _ClassVar[int]
    PRICING_URL_FIELD_NUMBER: _ClassVar[int]
    CHARGE_SERVICE_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    name: str
    business_model: BusinessModel
    pricing_url: str
    charge_service: str
    archived: bool
    def __init__(self, name: _Optional[str] = ..., business_model: _Optional[_Union[BusinessModel, str]] = ..., pricing_url: _Optional[str] = ..., charge_service: _Optional[str] = ..., archived: _Optional[bool] = ...) -> None: ...

class ExchangeRate(_message.Message):
    __slots__ = ("rate", "archived")
    RATE_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    rate: str
    archived: bool
    def __init__(self, rate: _Optional[str] = ..., archived: _Optional[bool] = ...) -> None: ...

class ChargeRule(_message.Message):
    __slots__ = ("text", "unit", "trigger")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    text: str
    unit: str
    trigger: str
    def __init__(self, text: _Optional[str] = ..., unit: _Optional[str] = ..., trigger: _Optional[str] = ...) -> None: ...

class RoundingRules(_message.Message):
    __slots__ = ("amounts", "tax", "tax_per")
    AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    TAX_FIELD_NUMBER: _ClassVar[int]
    TAX_PER_FIELD_NUMBER: _ClassVar[int]
    amounts: Rounding
    tax: Rounding
    tax_per: TaxPer
    def __init__(self, amounts: _Optional[_Union[Rounding, str]] = ..., tax: _Optional[_Union[Rounding, str]] = ..., tax_per: _Optional[_Union[TaxPer, str]] = ...) -> None: ...

class DueRule(_message.Message):
    __slots__ = ("days", "day_of_month")
    DAYS_FIELD_NUMBER: _ClassVar[int]
    DAY_OF_MONTH_FIELD_NUMBER: _ClassVar[int]
    days: int
    day_of_month: int
    def __init__(self, days: _Optional[int] = ..., day_of_month: _Optional[int] = ...) -> None: ...

class PaymentPolicy(_message.Message):
    __slots__ = ("due", "collect", "min_charge", "dispute_fee")
    DUE_FIELD_NUMBER: _ClassVar[int]
    COLLECT_FIELD_NUMBER: _ClassVar[int]
    MIN_CHARGE_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_FEE_FIELD_NUMBER: _ClassVar[int]
    due: DueRule
    collect: Collection
    min_charge: str
    dispute_fee: str
    def __init__(self, due: _Optional[_Union[DueRule, _Mapping[str, object]]] = ..., collect: _Optional[_Union[Collection, str]] = ..., min_charge: _Optional[str] = ..., dispute_fee: _Optional[str] = ...) -> None: ...

class DunningStep(_message.Message):
    __slots__ = ("after_days", "when", "state")
    AFTER_DAYS_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    after_days: int
    when: DunningWhen
    state: DunningState
    def __init__(self, after_days: _Optional[int] = ..., when: _Optional[_Union[DunningWhen, str]] = ..., state: _Optional[_Union[DunningState, str]] = ...) -> None: ...

class DunningRules(_message.Message):
    __slots__ = ("retry_after_days", "steps", "no_retries", "from_amount", "features")
    class FeaturesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    RETRY_AFTER_DAYS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NO_RETRIES_FIELD_NUMBER: _ClassVar[int]
    FROM_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    retry_after_days: _containers.RepeatedScalarFieldContainer[int]
    steps: _containers.RepeatedCompositeFieldContainer[DunningStep]
    no_retries: bool
    from_amount: str
    features: _containers.ScalarMap[str, int]
    def __init__(self, retry_after_days: _Optional[_Iterable[int]] = ..., steps: _Optional[_Iterable[_Union[DunningStep, _Mapping[str, object]]]] = ..., no_retries: _Optional[bool] = ..., from_amount: _Optional[str] = ..., features: _Optional[_Mapping[str, int]] = ...) -> None: ...

class DayList(_message.Message):
    __slots__ = ("days",)
    DAYS_FIELD_NUMBER: _ClassVar[int]
    days: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, days: _Optional[_Iterable[int]] = ...) -> None: ...

class NoticeRules(_message.Message):
    __slots__ = ("trial_days", "expiry_days", "card_days", "created", "mail")
    TRIAL_DAYS_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_DAYS_FIELD_NUMBER: _ClassVar[int]
    CARD_DAYS_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    MAIL_FIELD_NUMBER: _ClassVar[int]
    trial_days: DayList
    expiry_days: DayList
    card_days: DayList
    created: CreatedWhen
    mail: bool
    def __init__(self, trial_days: _Optional[_Union[DayList, _Mapping[str, object]]] = ..., expiry_days: _Optional[_Union[DayList, _Mapping[str, object]]] = ..., card_days: _Optional[_Union[DayList, _Mapping[str, object]]] = ..., created: _Optional[_Union[CreatedWhen, str]] = ..., mail: _Optional[bool] = ...) -> None: ...

class InvoicePolicy(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: str
    def __init__(self, number: _Optional[str] = ...) -> None: ...

class TaxRate(_message.Message):
    __slots__ = ("country", "region", "postcodes", "since", "rate", "name", "category")
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    POSTCODES_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    country: str
    region: str
    postcodes: _containers.RepeatedScalarFieldContainer[str]
    since: str
    rate: str
    name: str
    category: str
    def __init__(self, country: _Optional[str] = ..., region: _Optional[str] = ..., postcodes: _Optional[_Iterable[str]] = ..., since: _Optional[str] = ..., rate: _Optional[str] = ..., name: _Optional[str] = ..., category: _Optional[str] = ...) -> None: ...

class TaxPolicy(_message.Message):
    __slots__ = ("collect_in", "rates")
    COLLECT_IN_FIELD_NUMBER: _ClassVar[int]
    RATES_FIELD_NUMBER: _ClassVar[int]
    collect_in: _containers.RepeatedScalarFieldContainer[str]
    rates: _containers.RepeatedCompositeFieldContainer[TaxRate]
    def __init__(self, collect_in: _Optional[_Iterable[str]] = ..., rates: _Optional[_Iterable[_Union[TaxRate, _Mapping[str, object]]]] = ...) -> None: ...

class BillingPolicy(_message.Message):
    __slots__ = ("rounding", "proration", "grace", "late_periods", "payment", "invoices", "tax", "dunning", "notices", "review", "charges")
    ROUNDING_FIELD_NUMBER: _ClassVar[int]
    PRORATION_FIELD_NUMBER: _ClassVar[int]
    GRACE_FIELD_NUMBER: _ClassVar[int]
    LATE_PERIODS_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_FIELD_NUMBER: _ClassVar[int]
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    TAX_FIELD_NUMBER: _ClassVar[int]
    DUNNING_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    CHARGES_FIELD_NUMBER: _ClassVar[int]
    rounding: RoundingRules
    proration: Proration
    grace: _duration_pb2.Duration
    late_periods: int
    payment: PaymentPolicy
    invoices: InvoicePolicy
    tax: TaxPolicy
    dunning: DunningRules
    notices: NoticeRules
    review: _duration_pb2.Duration
    charges: ChargePolicy
    def __init__(self, rounding: _Optional[_Union[RoundingRules, _Mapping[str, object]]] = ..., proration: _Optional[_Union[Proration, str]] = ..., grace: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping[str, object]]] = ..., late_periods: _Optional[int] = ..., payment: _Optional[_Union[PaymentPolicy, _Mapping[str, object]]] = ..., invoices: _Optional[_Union[InvoicePolicy, _Mapping[str, object]]] = ..., tax: _Optional[_Union[TaxPolicy, _Mapping[str, object]]] = ..., dunning: _Optional[_Union[DunningRules, _Mapping[str, object]]] = ..., notices: _Optional[_Union[NoticeRules, _Mapping[str, object]]] = ..., review: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping[str, object]]] = ..., charges: _Optional[_Union[ChargePolicy, _Mapping[str, object]]] = ...) -> None: ...

class ChargePolicy(_message.Message):
    __slots__ = ("at_limit", "every", "currencies")
    AT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    EVERY_FIELD_NUMBER: _ClassVar[int]
    CURRENCIES_FIELD_NUMBER: _ClassVar[int]
    at_limit: AtLimit
    every: _duration_pb2.Duration
    currencies: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, at_limit: _Optional[_Union[AtLimit, str]] = ..., every: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping[str, object]]] = ..., currencies: _Optional[_Iterable[str]] = ...) -> None: ...

class AdvanceDiscount(_message.Message):
    __slots__ = ("type", "value", "length", "rounding")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    ROUNDING_FIELD_NUMBER: _ClassVar[int]
    type: AdvanceType
    value: str
    length: int
    rounding: AdvanceRounding
    def __init__(self, type: _Optional[_Union[AdvanceType, str]] = ..., value: _Optional[str] = ..., length: _Optional[int] = ..., rounding: _Optional[_Union[AdvanceRounding, str]] = ...) -> None: ...

class BillingRule(_message.Message):
    __slots__ = ("every", "count", "anchor", "day", "renewal", "renewal_approval")
    EVERY_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    RENEWAL_FIELD_NUMBER: _ClassVar[int]
    RENEWAL_APPROVAL_FIELD_NUMBER: _ClassVar[int]
    every: PeriodUnit
    count: int
    anchor: Anchor
    day: int
    renewal: Renewal
    renewal_approval: bool
    def __init__(self, every: _Optional[_Union[PeriodUnit, str]] = ..., count: _Optional[int] = ..., anchor: _Optional[_Union[Anchor, str]] = ..., day: _Optional[int] = ..., renewal: _Optional[_Union[Renewal, str]] = ..., renewal_approval: _Optional[bool] = ...) -> None: ...

class UsagePeriod(_message.Message):
    __slots__ = ("every", "count", "anchor")
    EVERY_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_FIELD_NUMBER: _ClassVar[int]
    every: PeriodUnit
    count: int
    anchor: Anchor
    def __init__(self, every: _Optional[_Union[PeriodUnit, str]] = ..., count: _Optional[int] = ..., anchor: _Optional[_Union[Anchor, str]] = ...) -> None: ...

class Feature(_message.Message):
    __slots__ = ("kind", "name", "type", "values", "unit", "aggregation", "unique_by", "usage_period", "billable", "on_unavailable", "archived", "dimensions", "durability")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    AGGREGATION_FIELD_NUMBER: _ClassVar[int]
    UNIQUE_BY_FIELD_NUMBER: _ClassVar[int]
    USAGE_PERIOD_FIELD_NUMBER: _ClassVar[int]
    BILLABLE_FIELD_NUMBER: _ClassVar[int]
    ON_UNAVAILABLE_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    kind: FeatureKind
    name: str
    type: ValueType
    values: _containers.RepeatedScalarFieldContainer[str]
    unit: str
    aggregation: Aggregation
    unique_by: str
    usage_period: UsagePeriod
    billable: bool
    on_unavailable: OnUnavailable
    archived: bool
    dimensions: _containers.RepeatedScalarFieldContainer[str]
    durability: Durability
    def __init__(self, kind: _Optional[_Union[FeatureKind, str]] = ..., name: _Optional[str] = ..., type: _Optional[_Union[ValueType, str]] = ..., values: _Optional[_Iterable[str]] = ..., unit: _Optional[str] = ..., aggregation: _Optional[_Union[Aggregation, str]] = ..., unique_by: _Optional[str] = ..., usage_period: _Optional[_Union[UsagePeriod, _Mapping[str, object]]] = ..., billable: _Optional[bool] = ..., on_unavailable: _Optional[_Union[OnUnavailable, str]] = ..., archived: _Optional[bool] = ..., dimensions: _Optional[_Iterable[str]] = ..., durability: _Optional[_Union[Durability, str]] = ...) -> None: ...

class DescriptorRule(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: str
    def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class RateLimitValue(_message.Message):
    __slots__ = ("limit", "window", "burst")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    BURST_FIELD_NUMBER: _ClassVar[int]
    limit: int
    window: _duration_pb2.Duration
    burst: int
    def __init__(self, limit: _Optional[int] = ..., window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping[str, object]]] = ..., burst: _Optional[int] = ...) -> None: ...

class RateLimitRule(_message.Message):
    __slots__ = ("owner", "algorithm", "descriptor", "value", "on_unavailable", "archived")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTOR_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    ON_UNAVAILABLE_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    owner: LimitOwner
    algorithm: Algorithm
    descriptor: _containers.RepeatedCompositeFieldContainer[DescriptorRule]
    value: RateLimitValue
    on_unavailable: OnUnavailable
    archived: bool
    def __init__(self, owner: _Optional[_Union[LimitOwner, str]] = ..., algorithm: _Optional[_Union[Algorithm, str]] = ..., descriptor: _Optional[_Iterable[_Union[DescriptorRule, _Mapping[str, object]]]] = ..., value: _Optional[_Union[RateLimitValue, _Mapping[str, object]]] = ..., on_unavailable: _Optional[_Union[OnUnavailable, str]] = ..., archived: _Optional[bool] = ...) -> None: ...

class Entitlement(_message.Message):
    __slots__ = ("enabled", "number", "text", "values", "limit", "unlimited", "overage", "hard_limit")
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    UNLIMITED_FIELD_NUMBER: _ClassVar[int]
    OVERAGE_FIELD_NUMBER: _ClassVar[int]
    HARD_LIMIT_FIELD_NUMBER: _ClassVar[int]
    enabled: bool
    number: int
    text: str
    values: _containers.RepeatedScalarFieldContainer[str]
    limit: int
    unlimited: bool
    overage: Overage
    hard_limit: int
    def __init__(self, enabled: _Optional[bool] = ..., number: _Optional[int] = ..., text: _Optional[str] = ..., values: _Optional[_Iterable[str]] = ..., limit: _Optional[int] = ..., unlimited: _Optional[bool] = ..., overage: _Optional[_Union[Overage, str]] = ..., hard_limit: _Optional[int] = ...) -> None: ...

class Trial(_message.Message):
    __slots__ = ("days", "ends_in", "per", "on_end")
    DAYS_FIELD_NUMBER: _ClassVar[int]
    ENDS_IN_FIELD_NUMBER: _ClassVar[int]
    PER_FIELD_NUMBER: _ClassVar[int]
    ON_END_FIELD_NUMBER: _ClassVar[int]
    days: int
    ends_in: str
    per: TrialPer
    on_end: TrialEnd
    def __init__(self, days: _Optional[int] = ..., ends_in: _Optional[str] = ..., per: _Optional[_Union[TrialPer, str]] = ..., on_end: _Optional[_Union[TrialEnd, str]] = ...) -> None: ...

class Tier(_message.Message):
    __slots__ = ("up_to", "unit_amount", "flat_amount", "flat_at_zero", "package", "rate")
    UP_TO_FIELD_NUMBER: _ClassVar[int]
    UNIT_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    FLAT_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    FLAT_AT_ZERO_FIELD_NUMBER: _ClassVar[int]
    PACKAGE_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    up_to: str
    unit_amount: str
    flat_amount: str
    flat_at_zero: bool
    package: str
    rate: str
    def __init__(self, up_to: _Optional[str] = ..., unit_amount: _Optional[str] = ..., flat_amount: _Optional[str] = ..., flat_at_zero: _Optional[bool] = ..., package: _Optional[str] = ..., rate: _Optional[str] = ...) -> None: ...

class RecurringQuantity(_message.Message):
    __slots__ = ("seats", "users")
    SEATS_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    seats: str
    users: bool
    def __init__(self, seats: _Optional[str] = ..., users: _Optional[bool] = ...) -> None: ...

class RecurringPrice(_message.Message):
    __slots__ = ("amount", "every", "count", "due", "quantity", "model", "tiers", "label")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    EVERY_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    DUE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TIERS_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    amount: str
    every: PeriodUnit
    count: int
    due: Due
    quantity: RecurringQuantity
    model: ChargeModel
    tiers: _containers.RepeatedCompositeFieldContainer[Tier]
    label: str
    def __init__(self, amount: _Optional[str] = ..., every: _Optional[_Union[PeriodUnit, str]] = ..., count: _Optional[int] = ..., due: _Optional[_Union[Due, str]] = ..., quantity: _Optional[_Union[RecurringQuantity, _Mapping[str, object]]] = ..., model: _Optional[_Union[ChargeModel, str]] = ..., tiers: _Optional[_Iterable[_Union[Tier, _Mapping[str, object]]]] = ..., label: _Optional[str] = ...) -> None: ...

class SetupPrice(_message.Message):
    __slots__ = ("amount", "label")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    amount: str
    label: str
    def __init__(self, amount: _Optional[str] = ..., label: _Optional[str] = ...) -> None: ...

class CommitmentPrice(_message.Message):
    __slots__ = ("amount", "every", "count", "label")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    EVERY_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    amount: str
    every: PeriodUnit
    count: int
    label: str
    def __init__(self, amount: _Optional[str] = ..., every: _Optional[_Union[PeriodUnit, str]] = ..., count: _Optional[int] = ..., label: _Optional[str] = ...) -> None: ...

class AmountSource(_message.Message):
    __slots__ = ("quantity", "dimension")
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    quantity: bool
    dimension: str
    def __init__(self, quantity: _Optional[bool] = ..., dimension: _Optional[str] = ...) -> None: ...

class UsagePrice(_message.Message):
    __slots__ = ("feature_key", "unit_amount", "per_units", "model", "units", "where", "free_quota", "max_limit", "limit_unit", "limit_action", "package", "tiers", "of", "rate", "fixed_amount", "free_events", "free_amount", "min_amount", "max_amount", "multiplier", "discount_percent", "min_spend", "max_spend", "label")
    class WhereEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    FEATURE_KEY_FIELD_NUMBER: _ClassVar[int]
    UNIT_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PER_UNITS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    FREE_QUOTA_FIELD_NUMBER: _ClassVar[int]
    MAX_LIMIT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_UNIT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_ACTION_FIELD_NUMBER: _ClassVar[int]
    PACKAGE_FIELD_NUMBER: _ClassVar[int]
    TIERS_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    FIXED_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    FREE_EVENTS_FIELD_NUMBER: _ClassVar[int]
    FREE_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    MIN_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    MAX_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    DISCOUNT_PERCENT_FIELD_NUMBER: _ClassVar[int]
    MIN_SPEND_FIELD_NUMBER: _ClassVar[int]
    MAX_SPEND_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    feature_key: str
    unit_amount: str
    per_units: int
    model: ChargeModel
    units: ChargedUnits
    where: _containers.ScalarMap[str, str]
    free_quota: str
    max_limit: str
    limit_unit: LimitUnit
    limit_action: LimitAction
    package: str
    tiers: _containers.RepeatedCompositeFieldContainer[Tier]
    of: AmountSource
    rate: str
    fixed_amount: str
    free_events: int
    free_amount: str
    min_amount: str
    max_amount: str
    multiplier: str
    discount_percent: str
    min_spend: str
    max_spend: str
    label: str
    def __init__(self, feature_key: _Optional[str] = ..., unit_amount: _Optional[str] = ..., per_units: _Optional[int] = ..., model: _Optional[_Union[ChargeModel, str]] = ..., units: _Optional[_Union[ChargedUnits, str]] = ..., where: _Optional[_Mapping[str, str]] = ..., free_quota: _Optional[str] = ..., max_limit: _Optional[str] = ..., limit_unit: _Optional[_Union[LimitUnit, str]] = ..., limit_action: _Optional[_Union[LimitAction, str]] = ..., package: _Optional[str] = ..., tiers: _Optional[_Iterable[_Union[Tier, _Mapping[str, object]]]] = ..., of: _Optional[_Union[AmountSource, _Mapping[str, object]]] = ..., rate: _Optional[str] = ..., fixed_amount: _Optional[str] = ..., free_events: _Optional[int] = ..., free_amount: _Optional[str] = ..., min_amount: _Optional[str] = ..., max_amount: _Optional[str] = ..., multiplier: _Optional[str] = ..., discount_percent: _Optional[str] = ..., min_spend: _Optional[str] = ..., max_spend: _Optional[str] = ..., label: _Optional[str] = ...) -> None: ...

class Price(_message.Message):
    __slots__ = ("recurring", "usage", "setup", "commitment", "key", "currency", "tax_category")
    RECURRING_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    SETUP_FIELD_NUMBER: _ClassVar[int]
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    TAX_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    recurring: RecurringPrice
    usage: UsagePrice
    setup: SetupPrice
    commitment: CommitmentPrice
    key: str
    currency: str
    tax_category: str
    def __init__(self, recurring: _Optional[_Union[RecurringPrice, _Mapping[str, object]]] = ..., usage: _Optional[_Union[UsagePrice, _Mapping[str, object]]] = ..., setup: _Optional[_Union[SetupPrice, _Mapping[str, object]]] = ..., commitment: _Optional[_Union[CommitmentPrice, _Mapping[str, object]]] = ..., key: _Optional[str] = ..., currency: _Optional[str] = ..., tax_category: _Optional[str] = ...) -> None: ...

class Plan(_message.Message):
    __slots__ = ("version", "name", "upgrades_to", "trial", "entitlements", "rate_limits", "prices", "archived", "billing", "advance_discounts", "activation", "provider", "product", "usage_based", "charges")
    class EntitlementsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Entitlement
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Entitlement, _Mapping[str, object]]] = ...) -> None: ...
    class RateLimitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: RateLimitValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[RateLimitValue, _Mapping[str, object]]] = ...) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    UPGRADES_TO_FIELD_NUMBER: _ClassVar[int]
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    ENTITLEMENTS_FIELD_NUMBER: _ClassVar[int]
    RATE_LIMITS_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    BILLING_FIELD_NUMBER: _ClassVar[int]
    ADVANCE_DISCOUNTS_FIELD_NUMBER: _ClassVar[int]
    ACTIVATION_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    USAGE_BASED_FIELD_NUMBER: _ClassVar[int]
    CHARGES_FIELD_NUMBER: _ClassVar[int]
    version: int
    name: str
    upgrades_to: _containers.RepeatedScalarFieldContainer[str]
    trial: Trial
    entitlements: _containers.MessageMap[str, Entitlement]
    rate_limits: _containers.MessageMap[str, RateLimitValue]
    prices: _containers.RepeatedCompositeFieldContainer[Price]
    archived: bool
    billing: BillingRule
    advance_discounts: _containers.RepeatedCompositeFieldContainer[AdvanceDiscount]
    activation: Activation
    provider: str
    product: str
    usage_based: bool
    charges: _containers.RepeatedCompositeFieldContainer[ChargeRule]
    def __init__(self, version: _Optional[int] = ..., name: _Optional[str] = ..., upgrades_to: _Optional[_Iterable[str]] = ..., trial: _Optional[_Union[Trial, _Mapping[str, object]]] = ..., entitlements: _Optional[_Mapping[str, Entitlement]] = ..., rate_limits: _Optional[_Mapping[str, RateLimitValue]] = ..., prices: _Optional[_Iterable[_Union[Price, _Mapping[str, object]]]] = ..., archived: _Optional[bool] = ..., billing: _Optional[_Union[BillingRule, _Mapping[str, object]]] = ..., advance_discounts: _Optional[_Iterable[_Union[AdvanceDiscount, _Mapping[str, object]]]] = ..., activation: _Optional[_Union[Activation, str]] = ..., provider: _Optional[str] = ..., product: _Optional[str] = ..., usage_based: _Optional[bool] = ..., charges: _Optional[_Iterable[_Union[ChargeRule, _Mapping[str, object]]]] = ...) -> None: ...

class AddOn(_message.Message):
    __slots__ = ("version", "name", "offered_on", "max_quantity", "entitlements", "prices", "archived")
    class EntitlementsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Entitlement
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Entitlement, _Mapping[str, object]]] = ...) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OFFERED_ON_FIELD_NUMBER: _ClassVar[int]
    MAX_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ENTITLEMENTS_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    version: int
    name: str
    offered_on: _containers.RepeatedScalarFieldContainer[str]
    max_quantity: int
    entitlements: _containers.MessageMap[str, Entitlement]
    prices: _containers.RepeatedCompositeFieldContainer[Price]
    archived: bool
    def __init__(self, version: _Optional[int] = ..., name: _Optional[str] = ..., offered_on: _Optional[_Iterable[str]] = ..., max_quantity: _Optional[int] = ..., entitlements: _Optional[_Mapping[str, Entitlement]] = ..., prices: _Optional[_Iterable[_Union[Price, _Mapping[str, object]]]] = ..., archived: _Optional[bool] = ...) -> None: ...
