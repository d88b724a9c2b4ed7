"""How a tenant bills and a plan is invoiced, wire to domain and back."""

from tallygate.domain.billing_terms import (
    BillingPolicy,
    BillingRule,
    DueRule,
    Proration,
    Renewal,
    RoundingRules,
    TaxPer,
    TaxPolicy,
    TaxRate,
)
from tallygate.domain.money import Rounding
from tallygate.domain.period import Anchor
from tallygate.server.wire.price import PERIOD_UNIT
from tallygate.server.wire.scalars import WireEnum, duration, optional_duration, optional_quantity, quantity
from tallygate_api.v1 import catalog_pb2 as wire

_AMOUNTS = WireEnum(wire.Rounding, Rounding, default=Rounding.HALF_EVEN)
_TAX = WireEnum(wire.Rounding, Rounding, default=Rounding.HALF_UP)
_TAX_PER = WireEnum(wire.TaxPer, TaxPer, default=TaxPer.GROUP)
_PRORATION = WireEnum(wire.Proration, Proration, default=Proration.DAY)
_RENEWAL = WireEnum(wire.Renewal, Renewal, default=Renewal.AUTO)
_ANCHOR = WireEnum(wire.Anchor, Anchor, default=Anchor.SUBSCRIPTION)


def decode_policy(policy: wire.BillingPolicy, path: str) -> BillingPolicy:
    """A tenant's billing."""
    usual = BillingPolicy()
    grace = optional_duration(policy, "grace", path=path)
    late = optional_quantity(policy, "late_periods", at_least=0, path=path)
    due = f"{path}.payment.due"
    return BillingPolicy(
        rounding=RoundingRules(
            amounts=_AMOUNTS.decode(policy.rounding.amounts, f"{path}.rounding.amounts"),
            tax=_TAX.decode(policy.rounding.tax, f"{path}.rounding.tax"),
            tax_per=_TAX_PER.decode(policy.rounding.tax_per, f"{path}.rounding.tax_per"),
        ),
        proration=_PRORATION.decode(policy.proration, f"{path}.proration"),
        grace=usual.grace if grace is None else grace,
        late_periods=usual.late_periods if late is None else late,
        due=DueRule(
            days=quantity(policy.payment.due.days, f"{due}.days", at_least=0),
            day_of_month=quantity(policy.payment.due.day_of_month, f"{due}.day_of_month", at_least=0),
        ),
        number=policy.invoices.number or usual.number,
        tax=_decode_tax(policy.tax) if policy.HasField("tax") else None,
    )


def encode_policy(policy: BillingPolicy) -> wire.BillingPolicy:
    """A tenant's billing, its defaults written out."""
    rounding, due = policy.rounding, policy.due
    shown = wire.DueRule(day_of_month=due.day_of_month) if due.day_of_month else wire.DueRule(days=due.days)
    return wire.BillingPolicy(
        rounding=wire.RoundingRules(
            amounts=_AMOUNTS.encode(rounding.amounts),
            tax=_TAX.encode(rounding.tax),
            tax_per=_TAX_PER.encode(rounding.tax_per),
        ),
        proration=_PRORATION.encode(policy.proration),
        grace=duration(policy.grace),
        late_periods=policy.late_periods,
        payment=wire.PaymentPolicy(due=shown),
        invoices=wire.InvoicePolicy(number=policy.number),
        tax=_encode_tax(policy.tax) if policy.tax is not None else None,
    )


def decode_rule(rule: wire.BillingRule, path: str) -> BillingRule:
    """How often a plan is invoiced."""
    return BillingRule(
        every=PERIOD_UNIT.decode(rule.every, f"{path}.every"),
        count=optional_quantity(rule, "count", at_least=1, path=path) or 1,
        anchor=_ANCHOR.decode(rule.anchor, f"{path}.anchor"),
        day=optional_quantity(rule, "day", at_least=1, path=path) or 1,
        renewal=_RENEWAL.decode(rule.renewal, f"{path}.renewal"),
        renewal_approval=rule.renewal_approval,
    )


def encode_rule(rule: BillingRule) -> wire.BillingRule:
    """How often a plan is invoiced."""
    return wire.BillingRule(
        every=PERIOD_UNIT.encode(rule.every),
        count=rule.count,
        anchor=_ANCHOR.encode(rule.anchor),
        day=rule.day if rule.anchor is Anchor.CALENDAR else None,
        renewal=_RENEWAL.encode(rule.renewal),
        renewal_approval=rule.renewal_approval,
    )


def _decode_tax(tax: wire.TaxPolicy) -> TaxPolicy:
    usual = TaxRate(country="", since="", rate="")
    return TaxPolicy(
        collect_in=tuple(tax.collect_in),
        rates=tuple(
            TaxRate(
                country=rate.country,
                region=rate.region,
                postcodes=tuple(rate.postcodes),
                since=rate.since,
                rate=rate.rate,
                name=rate.name or usual.name,
            )
            for rate in tax.rates
        ),
    )


def _encode_tax(tax: TaxPolicy) -> wire.TaxPolicy:
    return wire.TaxPolicy(
        collect_in=tax.collect_in,
        rates=[
            wire.TaxRate(
                country=rate.country,
                region=rate.region,
                postcodes=rate.postcodes,
                since=rate.since,
                rate=rate.rate,
                name=rate.name,
            )
            for rate in tax.rates
        ],
    )
