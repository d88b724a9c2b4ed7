"""The catalogue document: shape only. Whether its parts fit together is the control plane's to say."""

from tallygate.domain.catalog import Aggregation, Catalog, Durability, Feature, FeatureKind, ValueType
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.limits import Algorithm, DescriptorRule, LimitOwner, OnUnavailable, RateLimitRule
from tallygate.domain.period import Anchor, PeriodRule, zone_info
from tallygate.server.wire.billing_terms import decode_policy, encode_policy
from tallygate.server.wire.plan import (
    decode_add_on,
    decode_plan,
    decode_rate,
    encode_add_on,
    encode_plan,
    encode_rate,
    texts,
)
from tallygate.server.wire.price import PERIOD_UNIT, count_of
from tallygate.server.wire.product import decode_exchange_rate, decode_product, encode_product
from tallygate.server.wire.scalars import WireEnum, identifier, optional_identifier
from tallygate_api.v1 import catalog_pb2 as wire

SCHEMA = "tallygate.catalog.v1"
FEATURE_KIND = WireEnum(wire.FeatureKind, FeatureKind)
VALUE_TYPE = WireEnum(wire.ValueType, ValueType, default=ValueType.NUMBER)
AGGREGATION = WireEnum(wire.Aggregation, Aggregation, default=Aggregation.SUM)
ANCHOR = WireEnum(wire.Anchor, Anchor, default=Anchor.CALENDAR)
FEATURE_POLICY = WireEnum(wire.OnUnavailable, OnUnavailable, default=OnUnavailable.CLOSED)
DURABILITY = WireEnum(wire.Durability, Durability, default=Durability.FAST)
LIMIT_POLICY = WireEnum(wire.OnUnavailable, OnUnavailable, default=OnUnavailable.OPEN)
ALGORITHM = WireEnum(wire.Algorithm, Algorithm)
LIMIT_OWNER = WireEnum(wire.LimitOwner, LimitOwner)


def decode_catalog(document: wire.Catalog) -> Catalog:
    """The document's catalogue: of each plan and add-on the one version that it holds.

    An empty currency, zone or default plan stays empty: it keeps what the tenant has.
    """
    if document.schema not in {"", SCHEMA}:
        raise InvalidFieldError(field="schema", expected=SCHEMA, got=document.schema)
    plans = [decode_plan(key, plan, f"plans.{key}") for key, plan in document.plans.items()]
    add_ons = [decode_add_on(key, add_on, f"add_ons.{key}") for key, add_on in document.add_ons.items()]
    return Catalog(
        currency=document.currency,
        time_zone=time_zone(document.time_zone, "time_zone"),
        default_plan=optional_identifier(document.default_plan, "default_plan"),
        billing=decode_policy(document.billing, "billing") if document.HasField("billing") else None,
        features={key: decode_feature(key, feature) for key, feature in document.features.items()},
        rate_limits={key: decode_rule(key, rule) for key, rule in document.rate_limits.items()},
        plans={plan.plan_key: {plan.version: plan} for plan in plans},
        add_ons={add_on.add_on_key: {add_on.version: add_on} for add_on in add_ons},
        products={key: decode_product(key, product) for key, product in document.products.items()},
        exchange_rates={key: decode_exchange_rate(key, rate) for key, rate in document.exchange_rates.items()},
    )


def encode_catalog(catalog: Catalog, *, include_archived: bool) -> wire.Catalog:
    """The document: of each plan and add-on its newest version."""
    plans = [plan for key in catalog.plans if (plan := catalog.plan(key)) is not None]
    add_ons = [add_on for key in catalog.add_ons if (add_on := catalog.add_on(key)) is not None]
    return wire.Catalog(
        schema=SCHEMA,
        currency=catalog.currency,
        time_zone=catalog.time_zone,
        default_plan=catalog.default_plan or None,
        billing=encode_policy(catalog.billing) if catalog.billing is not None else None,
        features={k: encode_feature(f) for k, f in catalog.features.items() if include_archived or not f.archived},
        rate_limits={k: encode_rule(r) for k, r in catalog.rate_limits.items() if include_archived or not r.archived},
        plans={p.plan_key: encode_plan(p) for p in plans if include_archived or not p.archived},
        add_ons={a.add_on_key: encode_add_on(a) for a in add_ons if include_archived or not a.archived},
        products={k: encode_product(p) for k, p in catalog.products.items() if include_archived or not p.archived},
        exchange_rates={
            key: wire.ExchangeRate(rate=rate.rate, archived=rate.archived)
            for key, rate in catalog.exchange_rates.items()
            if include_archived or not rate.archived
        },
    )


def time_zone(name: str, field: str) -> str:
    """An IANA zone's name, or empty.

    Raises:
        InvalidFieldError: no zone has this name.
    """
    try:
        return name if not name else zone_info(name).key
    except ValueError as error:
        raise InvalidFieldError(field=field, expected="an IANA time zone, as Europe/Zurich", got=name) from error


def decode_feature(key: str, feature: wire.Feature) -> Feature:
    """One feature."""
    path = f"features.{identifier(key, 'features')}"
    period = feature.usage_period
    every = PERIOD_UNIT.decode(period.every, f"{path}.usage_period.every")
    return Feature(
        feature_key=key,
        kind=FEATURE_KIND.decode(feature.kind, f"{path}.kind"),
        name=feature.name,
        value_type=VALUE_TYPE.decode(feature.type, f"{path}.type"),
        values=texts(feature.values, f"{path}.values"),
        unit=feature.unit,
        aggregation=AGGREGATION.decode(feature.aggregation, f"{path}.aggregation"),
        unique_by=feature.unique_by,
        dimensions=texts(feature.dimensions, f"{path}.dimensions"),
        usage_period=PeriodRule(
            every=every,
            count=count_of(period, every, f"{path}.usage_period"),
            anchor=ANCHOR.decode(period.anchor, f"{path}.usage_period.anchor"),
        ),
        billable=feature.billable if feature.HasField("billable") else True,
        on_unavailable=FEATURE_POLICY.decode(feature.on_unavailable, f"{path}.on_unavailable"),
        durability=DURABILITY.decode(feature.durability, f"{path}.durability"),
        archived=feature.archived,
    )


def encode_feature(feature: Feature) -> wire.Feature:
    """One feature."""
    metered = feature.kind is FeatureKind.METERED
    period = wire.UsagePeriod(
        every=PERIOD_UNIT.encode(feature.usage_period.every),
        count=feature.usage_period.count,
        anchor=ANCHOR.encode(feature.usage_period.anchor),
    )
    return wire.Feature(
        kind=FEATURE_KIND.encode(feature.kind),
        name=feature.name,
        type=VALUE_TYPE.encode(feature.value_type) if feature.kind is FeatureKind.STATIC else None,
        values=feature.values,
        unit=feature.unit,
        aggregation=AGGREGATION.encode(feature.aggregation) if metered else None,
        unique_by=feature.unique_by,
        dimensions=feature.dimensions,
        usage_period=period if metered else None,
        billable=feature.billable,
        on_unavailable=FEATURE_POLICY.encode(feature.on_unavailable),
        durability=DURABILITY.encode(feature.durability) if feature.durability is not Durability.FAST else None,
        archived=feature.archived,
    )


def decode_rule(key: str, rule: wire.RateLimitRule) -> RateLimitRule:
    """One rate limit's rule."""
    path = f"rate_limits.{identifier(key, 'rate_limits')}"
    descriptor = tuple(
        DescriptorRule(
            key=identifier(entry.key, f"{path}.descriptor[{index}].key"),
            value=entry.value if entry.HasField("value") else None,
        )
        for index, entry in enumerate(rule.descriptor)
    )
    return RateLimitRule(
        limit_key=key,
        owner=LIMIT_OWNER.decode(rule.owner, f"{path}.owner"),
        algorithm=ALGORITHM.decode(rule.algorithm, f"{path}.algorithm"),
        descriptor=descriptor,
        value=decode_rate(rule.value, f"{path}.value") if rule.HasField("value") else None,
        on_unavailable=LIMIT_POLICY.decode(rule.on_unavailable, f"{path}.on_unavailable"),
        archived=rule.archived,
    )


def encode_rule(rule: RateLimitRule) -> wire.RateLimitRule:
    """One rate limit's rule."""
    return wire.RateLimitRule(
        owner=LIMIT_OWNER.encode(rule.owner),
        algorithm=ALGORITHM.encode(rule.algorithm),
        descriptor=[wire.DescriptorRule(key=entry.key, value=entry.value) for entry in rule.descriptor],
        value=encode_rate(rule.value) if rule.value is not None else None,
        on_unavailable=LIMIT_POLICY.encode(rule.on_unavailable),
        archived=rule.archived,
    )
