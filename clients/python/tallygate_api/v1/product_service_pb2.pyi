from tallygate_api.v1 import catalog_pb2 as _catalog_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UsageApproval(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    USAGE_APPROVAL_UNSPECIFIED: _ClassVar[UsageApproval]
    USAGE_APPROVAL_NONE: _ClassVar[UsageApproval]
    USAGE_APPROVAL_REQUESTED: _ClassVar[UsageApproval]
    USAGE_APPROVAL_APPROVED: _ClassVar[UsageApproval]

class BillingCycle(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BILLING_CYCLE_UNSPECIFIED: _ClassVar[BillingCycle]
    BILLING_CYCLE_MONTHLY: _ClassVar[BillingCycle]
    BILLING_CYCLE_YEARLY: _ClassVar[BillingCycle]
USAGE_APPROVAL_UNSPECIFIED: UsageApproval
USAGE_APPROVAL_NONE: UsageApproval
USAGE_APPROVAL_REQUESTED: UsageApproval
USAGE_APPROVAL_APPROVED: UsageApproval
BILLING_CYCLE_UNSPECIFIED: BillingCycle
BILLING_CYCLE_MONTHLY: BillingCycle
BILLING_CYCLE_YEARLY: BillingCycle

class RequestUsagePlanRequest(_message.Message):
    __slots__ = ("product_key",)
    PRODUCT_KEY_FIELD_NUMBER: _ClassVar[int]
    product_key: str
    def __init__(self, product_key: _Optional[str] = ...) -> None: ...

class RequestUsagePlanResponse(_message.Message):
    __slots__ = ("approval",)
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    approval: UsageApproval
    def __init__(self, approval: _Optional[_Union[UsageApproval, str]] = ...) -> None: ...

class ApproveUsagePlanRequest(_message.Message):
    __slots__ = ("product_key",)
    PRODUCT_KEY_FIELD_NUMBER: _ClassVar[int]
    product_key: str
    def __init__(self, product_key: _Optional[str] = ...) -> None: ...

class ApproveUsagePlanResponse(_message.Message):
    __slots__ = ("approval",)
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    approval: UsageApproval
    def __init__(self, approval: _Optional[_Union[UsageApproval, str]] = ...) -> None: ...

class GetListingRequest(_message.Message):
    __slots__ = ("product_key", "currency", "catalog")
    PRODUCT_KEY_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    CATALOG_FIELD_NUMBER: _ClassVar[int]
    product_key: str
    currency: str
    catalog: _catalog_pb2.Catalog
    def __init__(self, product_key: _Optional[str] = ..., currency: _Optional[str] = ..., catalog: _Optional[_Union[_catalog_pb2.Catalog, _Mapping[str, object]]] = ...) -> None: ...

class ListedPlan(_message.Message):
    __slots__ = ("plan_key", "plan_version", "name", "headline", "usage_based", "charges")
    PLAN_KEY_FIELD_NUMBER: _ClassVar[int]
    PLAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    HEADLINE_FIELD_NUMBER: _ClassVar[int]
    USAGE_BASED_FIELD_NUMBER: _ClassVar[int]
    CHARGES_FIELD_NUMBER: _ClassVar[int]
    plan_key: str
    plan_version: int
    name: str
    headline: str
    usage_based: bool
    charges: _containers.RepeatedCompositeFieldContainer[_catalog_pb2.ChargeRule]
    def __init__(self, plan_key: _Optional[str] = ..., plan_version: _Optional[int] = ..., name: _Optional[str] = ..., headline: _Optional[str] = ..., usage_based: _Optional[bool] = ..., charges: _Optional[_Iterable[_Union[_catalog_pb2.ChargeRule, _Mapping[str, object]]]] = ...) -> None: ...

class Listing(_message.Message):
    __slots__ = ("product_key", "name", "business_model", "currency", "plans", "pricing_url", "own_pricing", "approval")
    PRODUCT_KEY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_MODEL_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    PLANS_FIELD_NUMBER: _ClassVar[int]
    PRICING_URL_FIELD_NUMBER: _ClassVar[int]
    OWN_PRICING_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    product_key: str
    name: str
    business_model: _catalog_pb2.BusinessModel
    currency: str
    plans: _containers.RepeatedCompositeFieldContainer[ListedPlan]
    pricing_url: str
    own_pricing: bool
    approval: UsageApproval
    def __init__(self, product_key: _Optional[str] = ..., name: _Optional[str] = ..., business_model: _Optional[_Union[_catalog_pb2.BusinessModel, str]] = ..., currency: _Optional[str] = ..., plans: _Optional[_Iterable[_Union[ListedPlan, _Mapping[str, object]]]] = ..., pricing_url: _Optional[str] = ..., own_pricing: _Optional[bool] = ..., approval: _Optional[_Union[UsageApproval, str]] = ...) -> None: ...

class GetListingResponse(_message.Message):
    __slots__ = ("listing",)
    LISTING_FIELD_NUMBER: _ClassVar[int]
    listing: Listing
    def __init__(self, listing: _Optional[_Union[Listing, _Mapping[str, object]]] = ...) -> None: ...

class GetPricingPageRequest(_message.Message):
    __slots__ = ("product_key", "billing_cycle")
    PRODUCT_KEY_FIELD_NUMBER: _ClassVar[int]
    BILLING_CYCLE_FIELD_NUMBER: _ClassVar[int]
    product_key: str
    billing_cycle: BillingCycle
    def __init__(self, product_key: _Optional[str] = ..., billing_cycle: _Optional[_Union[BillingCycle, str]] = ...) -> None: ...

class GetPricingPageResponse(_message.Message):
    __slots__ = ("url", "billing_cycle")
    URL_FIELD_NUMBER: _ClassVar[int]
    BILLING_CYCLE_FIELD_NUMBER: _ClassVar[int]
    url: str
    billing_cycle: BillingCycle
    def __init__(self, url: _Optional[str] = ..., billing_cycle: _Optional[_Union[BillingCycle, str]] = ...) -> None: ...
