"""Apps, what they charge for in words, their listings; and what currencies are worth. Wire to domain and back."""

from collections.abc import Iterable

from tallygate.domain.listing import Listing
from tallygate.domain.products import BillingCycle, BusinessModel, ChargeRule, ExchangeRate, Product, UsageApproval
from tallygate.server.wire.price import decimal
from tallygate.server.wire.scalars import WireEnum, identifier
from tallygate_api.v1 import catalog_pb2 as wire
from tallygate_api.v1 import product_service_pb2 as service

_MODEL = WireEnum(wire.BusinessModel, BusinessModel)
APPROVAL = WireEnum(service.UsageApproval, UsageApproval)
CYCLE = WireEnum(service.BillingCycle, BillingCycle, default=BillingCycle.MONTHLY)


def decode_product(key: str, product: wire.Product) -> Product:
    """One app."""
    path = f"products.{identifier(key, 'products')}"
    model = product.business_model
    return Product(
        product_key=key,
        name=product.name,
        business_model=_MODEL.decode(model, f"{path}.business_model") if model else None,
        pricing_url=product.pricing_url,
        charge_service=product.charge_service,
        archived=product.archived,
    )


def encode_product(product: Product) -> wire.Product:
    """One app."""
    return wire.Product(
        name=product.name,
        business_model=_MODEL.encode(product.business_model) if product.business_model is not None else None,
        pricing_url=product.pricing_url,
        charge_service=product.charge_service,
        archived=product.archived,
    )


def decode_exchange_rate(key: str, rate: wire.ExchangeRate) -> ExchangeRate:
    """What a currency is worth."""
    path = f"exchange_rates.{identifier(key, 'exchange_rates')}"
    return ExchangeRate(currency=key, rate=decimal(rate.rate, f"{path}.rate"), archived=rate.archived)


def decode_charges(rules: Iterable[wire.ChargeRule]) -> tuple[ChargeRule, ...]:
    """What a plan charges for usage, in words."""
    return tuple(ChargeRule(text=rule.text, unit=rule.unit, trigger=rule.trigger) for rule in rules)


def encode_charges(rules: Iterable[ChargeRule]) -> list[wire.ChargeRule]:
    """What a plan charges for usage, in words."""
    return [wire.ChargeRule(text=rule.text, unit=rule.unit, trigger=rule.trigger) for rule in rules]


def encode_listing(listing: Listing) -> service.Listing:
    """An app as it is listed."""
    product = listing.product
    return service.Listing(
        product_key=product.product_key,
        name=product.name,
        business_model=_MODEL.encode(product.business_model) if product.business_model is not None else None,
        currency=listing.currency,
        plans=[
            service.ListedPlan(
                plan_key=plan.plan_key,
                plan_version=plan.version,
                name=plan.name,
                headline=plan.headline,
                usage_based=plan.usage_based,
                charges=encode_charges(plan.charges),
            )
            for plan in listing.plans
        ],
        pricing_url=product.pricing_url,
        own_pricing=listing.own_pricing,
        approval=APPROVAL.encode(product.approval),
    )
