"""Plans and add-ons with their entitlements, figures and prices; `path` is where each stands in the document."""

from collections.abc import Iterable

from tallygate.domain.catalog import Activation, AddOn, Entitlement, Overage, Plan, Trial, TrialEnd, TrialPer
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.limits import RateLimit
from tallygate.server.wire.billing_terms import decode_advance, decode_rule, encode_advance, encode_rule
from tallygate.server.wire.price import decode_price, encode_price
from tallygate.server.wire.product import decode_charges, encode_charges
from tallygate.server.wire.scalars import (
    WireEnum,
    duration,
    identifier,
    optional_duration,
    optional_identifier,
    optional_quantity,
    quantity,
)
from tallygate_api.v1 import catalog_pb2 as wire

OVERAGE = WireEnum(wire.Overage, Overage, default=Overage.DENY)
_ACTIVATION = WireEnum(wire.Activation, Activation, default=Activation.AT_ONCE)
_TRIAL_PER = WireEnum(wire.TrialPer, TrialPer, default=TrialPer.PLAN)
_TRIAL_END = WireEnum(wire.TrialEnd, TrialEnd, default=TrialEnd.CONVERT)


def decode_entitlement(entitlement: wire.Entitlement, path: str) -> Entitlement:
    """One entitlement."""
    return Entitlement(
        enabled=entitlement.enabled if entitlement.HasField("enabled") else None,
        number=optional_quantity(entitlement, "number", path=path),
        text=entitlement.text if entitlement.HasField("text") else None,
        values=texts(entitlement.values, f"{path}.values"),
        limit=optional_quantity(entitlement, "limit", at_least=0, path=path),
        unlimited=entitlement.unlimited,
        overage=OVERAGE.decode(entitlement.overage, f"{path}.overage"),
        hard_limit=optional_quantity(entitlement, "hard_limit", at_least=0, path=path),
    )


def encode_entitlement(entitlement: Entitlement) -> wire.Entitlement:
    """One entitlement."""
    return wire.Entitlement(
        enabled=entitlement.enabled,
        number=entitlement.number,
        text=entitlement.text,
        values=entitlement.values,
        limit=entitlement.limit,
        unlimited=entitlement.unlimited,
        overage=OVERAGE.encode(entitlement.overage) if entitlement.overage is not Overage.DENY else None,
        hard_limit=entitlement.hard_limit,
    )


def decode_plan(key: str, plan: wire.Plan, path: str) -> Plan:
    """One version of a plan."""
    return Plan(
        plan_key=identifier(key, "plans"),
        version=quantity(plan.version, f"{path}.version", at_least=1),
        name=plan.name,
        upgrades_to=texts(plan.upgrades_to, f"{path}.upgrades_to"),
        trial=_decode_trial(plan.trial, f"{path}.trial") if plan.HasField("trial") else None,
        entitlements=_entitlements(plan.entitlements.items(), path),
        rate_limits={
            identifier(limit, f"{path}.rate_limits"): decode_rate(rate, f"{path}.rate_limits.{limit}")
            for limit, rate in plan.rate_limits.items()
        },
        prices=tuple(decode_price(price, f"{path}.prices[{index}]") for index, price in enumerate(plan.prices)),
        billing=decode_rule(plan.billing, f"{path}.billing") if plan.HasField("billing") else None,
        advance_discounts=tuple(
            decode_advance(discount, f"{path}.advance_discounts[{index}]")
            for index, discount in enumerate(plan.advance_discounts)
        ),
        activation=_ACTIVATION.decode(plan.activation, f"{path}.activation"),
        provider=optional_identifier(plan.provider, f"{path}.provider"),
        product=optional_identifier(plan.product, f"{path}.product"),
        usage_based=plan.usage_based,
        charges=decode_charges(plan.charges),
        archived=plan.archived,
    )


def encode_plan(plan: Plan) -> wire.Plan:
    """One version of a plan."""
    return wire.Plan(
        version=plan.version,
        name=plan.name,
        upgrades_to=plan.upgrades_to,
        trial=_encode_trial(plan.trial) if plan.trial else None,
        entitlements={key: encode_entitlement(entitlement) for key, entitlement in plan.entitlements.items()},
        rate_limits={key: encode_rate(rate) for key, rate in plan.rate_limits.items()},
        prices=[encode_price(price) for price in plan.prices],
        billing=encode_rule(plan.billing) if plan.billing is not None else None,
        advance_discounts=[encode_advance(discount) for discount in plan.advance_discounts],
        activation=_ACTIVATION.encode(plan.activation) if plan.activation is not Activation.AT_ONCE else None,
        provider=plan.provider,
        product=plan.product,
        usage_based=plan.usage_based,
        charges=encode_charges(plan.charges),
        archived=plan.archived,
    )


def decode_add_on(key: str, add_on: wire.AddOn, path: str) -> AddOn:
    """One version of an add-on."""
    return AddOn(
        add_on_key=identifier(key, "add_ons"),
        version=quantity(add_on.version, f"{path}.version", at_least=1),
        name=add_on.name,
        offered_on=texts(add_on.offered_on, f"{path}.offered_on"),
        max_quantity=optional_quantity(add_on, "max_quantity", at_least=1, path=path),
        entitlements=_entitlements(add_on.entitlements.items(), path),
        prices=tuple(decode_price(price, f"{path}.prices[{index}]") for index, price in enumerate(add_on.prices)),
        archived=add_on.archived,
    )


def encode_add_on(add_on: AddOn) -> wire.AddOn:
    """One version of an add-on."""
    return wire.AddOn(
        version=add_on.version,
        name=add_on.name,
        offered_on=add_on.offered_on,
        max_quantity=add_on.max_quantity,
        entitlements={key: encode_entitlement(entitlement) for key, entitlement in add_on.entitlements.items()},
        prices=[encode_price(price) for price in add_on.prices],
        archived=add_on.archived,
    )


def _entitlements(items: Iterable[tuple[str, wire.Entitlement]], path: str) -> dict[str, Entitlement]:
    return {
        identifier(key, f"{path}.entitlements"): decode_entitlement(value, f"{path}.entitlements.{key}")
        for key, value in items
    }


def _decode_trial(trial: wire.Trial, path: str) -> Trial:
    days = quantity(trial.days, f"{path}.days", at_least=1)
    ends_in = optional_identifier(trial.ends_in, f"{path}.ends_in")
    on_end = _TRIAL_END.decode(trial.on_end, f"{path}.on_end") if trial.on_end else None
    return Trial(days=days, ends_in=ends_in, per=_TRIAL_PER.decode(trial.per, f"{path}.per"), on_end=on_end)


def _encode_trial(trial: Trial) -> wire.Trial:
    return wire.Trial(
        days=trial.days,
        ends_in=trial.ends_in,
        per=_TRIAL_PER.encode(trial.per),
        on_end=_TRIAL_END.encode(trial.on_end or TrialEnd.CONVERT),
    )


def decode_rate(rate: wire.RateLimitValue, path: str) -> RateLimit:
    """The figures of a rate limit."""
    limit = optional_quantity(rate, "limit", at_least=0, path=path)
    window = optional_duration(rate, "window", at_least=1, path=path)
    if limit is None:
        raise InvalidFieldError(field=f"{path}.limit", expected="tokens a window")
    if window is None:
        raise InvalidFieldError(field=f"{path}.window", expected="a duration, as 60s")
    return RateLimit(limit=limit, window=window, burst=optional_quantity(rate, "burst", at_least=0, path=path))


def encode_rate(rate: RateLimit) -> wire.RateLimitValue:
    """The figures of a rate limit."""
    return wire.RateLimitValue(limit=rate.limit, window=duration(rate.window), burst=rate.burst)


def texts(values: Iterable[str], field: str) -> tuple[str, ...]:
    """Ids, none needed."""
    return tuple(identifier(value, f"{field}[{index}]") for index, value in enumerate(values))
