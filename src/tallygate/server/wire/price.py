"""Prices, wire to domain and back; amounts stay the text that they were written as."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tallygate.control_plane.price_rules import check_count
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.period import PeriodUnit
from tallygate.domain.prices import (
    TIER_AMOUNTS,
    USAGE_AMOUNTS,
    ChargeModel,
    CommitmentPrice,
    Due,
    LimitAction,
    LimitUnit,
    Price,
    RecurringPrice,
    SetupPrice,
    Tier,
    Units,
    UsagePrice,
)
from tallygate.server.wire.scalars import (
    WireEnum,
    entries,
    identifier,
    optional_identifier,
    optional_quantity,
    quantity,
)
from tallygate_api.v1 import catalog_pb2 as wire

PERIOD_UNIT = WireEnum(wire.PeriodUnit, PeriodUnit, default=PeriodUnit.MONTH)
MODEL = WireEnum(wire.ChargeModel, ChargeModel, default=ChargeModel.PER_UNIT)
DUE = WireEnum(wire.Due, Due, default=Due.ADVANCE)
UNITS = WireEnum(wire.ChargedUnits, Units)
LIMIT_UNIT = WireEnum(wire.LimitUnit, LimitUnit, default=LimitUnit.USAGE)
LIMIT_ACTION = WireEnum(wire.LimitAction, LimitAction, default=LimitAction.STOP_CHARGING)

_AMOUNT = re.compile(r"\d{1,15}(\.\d{1,12})?", re.ASCII)
AMOUNT = 'an exact decimal, as "49.00", not below 0, of at most 15 digits and 12 behind the point'
"""What is expected of an amount in a catalogue."""


def decode_price(price: wire.Price, path: str) -> Price:
    """One price."""
    forms: Mapping[str, Any] = {
        "recurring": _recurring,
        "usage": _usage,
        "setup": _setup,
        "commitment": _commitment,
    }
    kind = price.WhichOneof("charge")
    if kind is None:
        raise InvalidFieldError(field=path, expected=" or ".join(forms))
    form = forms[kind](getattr(price, kind), f"{path}.{kind}")
    return Price(
        price_key=optional_identifier(price.key, f"{path}.key"),
        currency=price.currency,
        tax_category=optional_identifier(price.tax_category, f"{path}.tax_category"),
        **{kind: form},
    )


def encode_price(price: Price) -> wire.Price:
    """One price, its amounts as they were written."""
    encoded = wire.Price(key=price.price_key, currency=price.currency, tax_category=price.tax_category)
    if price.recurring is not None:
        encoded.recurring.CopyFrom(_encode_recurring(price.recurring))
    elif price.usage is not None:
        encoded.usage.CopyFrom(_encode_usage(price.usage))
    elif price.setup is not None:
        encoded.setup.CopyFrom(wire.SetupPrice(amount=price.setup.amount, label=price.setup.label))
    elif price.commitment is not None:
        least = price.commitment
        every = PERIOD_UNIT.encode(least.every)
        encoded.commitment.CopyFrom(
            wire.CommitmentPrice(amount=least.amount, every=every, count=least.count, label=least.label)
        )
    return encoded


def _recurring(price: wire.RecurringPrice, path: str) -> RecurringPrice:
    if price.HasField("quantity") and not (price.quantity.seats or price.quantity.users):
        raise InvalidFieldError(field=f"{path}.quantity", expected="a seat feature's key, or users")
    return RecurringPrice(
        amount=decimal(price.amount, f"{path}.amount") if price.amount or not price.tiers else "",
        every=PERIOD_UNIT.decode(price.every, f"{path}.every"),
        count=count_of(price, PERIOD_UNIT.decode(price.every, f"{path}.every"), path),
        due=DUE.decode(price.due, f"{path}.due"),
        seats=optional_identifier(price.quantity.seats, f"{path}.quantity.seats"),
        users=price.quantity.users,
        model=MODEL.decode(price.model, f"{path}.model"),
        tiers=_tiers(price.tiers, path),
        label=price.label,
    )


def _encode_recurring(price: RecurringPrice) -> wire.RecurringPrice:
    each = None
    if price.per_quantity:
        each = wire.RecurringQuantity(users=True) if price.users else wire.RecurringQuantity(seats=price.seats)
    return wire.RecurringPrice(
        amount=price.amount,
        every=PERIOD_UNIT.encode(price.every),
        count=price.count,
        due=DUE.encode(price.due) if price.due is not Due.ADVANCE else None,
        quantity=each,
        model=_encode_model(price.model),
        tiers=_encode_tiers(price.tiers),
        label=price.label,
    )


def _setup(price: wire.SetupPrice, path: str) -> SetupPrice:
    return SetupPrice(amount=decimal(price.amount, f"{path}.amount"), label=price.label)


def _commitment(price: wire.CommitmentPrice, path: str) -> CommitmentPrice:
    return CommitmentPrice(
        amount=decimal(price.amount, f"{path}.amount"),
        every=PERIOD_UNIT.decode(price.every, f"{path}.every"),
        count=count_of(price, PERIOD_UNIT.decode(price.every, f"{path}.every"), path),
        label=price.label,
    )


def _usage(price: wire.UsagePrice, path: str) -> UsagePrice:
    model = MODEL.decode(price.model, f"{path}.model")
    if price.HasField("of") and not model.by_amount:
        raise InvalidFieldError(field=f"{path}.of", expected=f"nothing: the model {model} takes units")
    amounts = {name: _optional_amount(getattr(price, name), f"{path}.{name}") for name in USAGE_AMOUNTS}
    if model is ChargeModel.PER_UNIT:
        amounts["unit_amount"] = decimal(price.unit_amount, f"{path}.unit_amount")
    return UsagePrice(
        feature_key=identifier(price.feature_key, f"{path}.feature_key"),
        per_units=optional_quantity(price, "per_units", at_least=1, path=path) or 1,
        model=model,
        units=UNITS.decode(price.units, f"{path}.units") if price.units else None,
        where=entries(price.where, f"{path}.where"),
        limit_unit=LIMIT_UNIT.decode(price.limit_unit, f"{path}.limit_unit"),
        limit_action=LIMIT_ACTION.decode(price.limit_action, f"{path}.limit_action"),
        tiers=_tiers(price.tiers, path),
        dimension=_dimension(price, path),
        free_events=quantity(price.free_events, f"{path}.free_events", at_least=0),
        label=price.label,
        **amounts,
    )


def _encode_usage(price: UsagePrice) -> wire.UsagePrice:
    stop = price.limit_action is LimitAction.STOP_CHARGING
    source = wire.AmountSource(dimension=price.dimension) if price.dimension else None
    return wire.UsagePrice(
        feature_key=price.feature_key,
        per_units=price.per_units,
        model=_encode_model(price.model),
        units=UNITS.encode(price.units) if price.units is not None else None,
        where=price.where,
        limit_unit=LIMIT_UNIT.encode(price.limit_unit) if price.limit_unit is not LimitUnit.USAGE else None,
        limit_action=None if stop else LIMIT_ACTION.encode(price.limit_action),
        tiers=_encode_tiers(price.tiers),
        of=wire.AmountSource(quantity=True) if price.model.by_amount and source is None else source,
        free_events=price.free_events,
        label=price.label,
        **{name: getattr(price, name) for name in USAGE_AMOUNTS},
    )


def _dimension(price: wire.UsagePrice, path: str) -> str:
    if price.of.WhichOneof("of") == "dimension":
        return identifier(price.of.dimension, f"{path}.of.dimension")
    if price.HasField("of") and not price.of.quantity:
        raise InvalidFieldError(field=f"{path}.of", expected="quantity, or the dimension that holds the amount")
    return ""


def _tiers(tiers: Iterable[wire.Tier], path: str) -> tuple[Tier, ...]:
    return tuple(_tier(tier, f"{path}.tiers[{index}]") for index, tier in enumerate(tiers))


def _tier(tier: wire.Tier, path: str) -> Tier:
    return Tier(
        up_to=decimal(tier.up_to, f"{path}.up_to") if tier.HasField("up_to") else None,
        flat_at_zero=tier.flat_at_zero if tier.HasField("flat_at_zero") else True,
        **{name: _optional_amount(getattr(tier, name), f"{path}.{name}") for name in TIER_AMOUNTS},
    )


def _encode_tiers(tiers: Iterable[Tier]) -> list[wire.Tier]:
    return [
        wire.Tier(
            up_to=tier.up_to,
            flat_at_zero=None if tier.flat_at_zero else False,
            **{name: getattr(tier, name) for name in TIER_AMOUNTS},
        )
        for tier in tiers
    ]


def _encode_model(model: ChargeModel) -> Any:  # noqa: ANN401 - an enum's number, which the generated types take only as itself
    return MODEL.encode(model) if model is not ChargeModel.PER_UNIT else None


def count_of(
    of: wire.RecurringPrice | wire.CommitmentPrice | wire.BillingRule | wire.UsagePeriod, every: PeriodUnit, path: str
) -> int:
    """How many units a period lasts; absent is one.

    Raises:
        InvalidFieldError: none, or more than a century.
    """
    count = of.count if of.HasField("count") else 1
    check_count(f"{path}.count", every, count)
    return count


def _optional_amount(text: str, field: str) -> str:
    return decimal(text, field) if text else ""


def decimal(text: str, field: str) -> str:
    """The text of an exact decimal that is not negative.

    Raises:
        InvalidFieldError: it is none.
    """
    if _AMOUNT.fullmatch(text):
        return text
    raise InvalidFieldError(field=field, expected=AMOUNT, got=text)
