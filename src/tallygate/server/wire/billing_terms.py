"""How a tenant bills and a plan is invoiced, wire to domain and back."""

from tallygate.domain.billing_terms import (
    AdvanceDiscount,
    AdvanceRounding,
    AdvanceType,
    BillingPolicy,
    BillingRule,
    ChargePolicy,
    Collection,
    CreatedWhen,
    DueRule,
    DunningRules,
    DunningState,
    DunningStep,
    NoticeRules,
    Proration,
    Renewal,
    RoundingRules,
    TaxPer,
    TaxPolicy,
    TaxRate,
)
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.money import Rounding
from tallygate.domain.period import Anchor
from tallygate.server.wire.price import PERIOD_UNIT, count_of, decimal
from tallygate.server.wire.scalars import WireEnum, duration, optional_duration, optional_quantity, quantity
from tallygate_api.v1 import catalog_pb2 as wire

COLLECTION = WireEnum(wire.Collection, Collection, default=Collection.AUTOMATIC)
DUNNING_STATE = WireEnum(wire.DunningState, DunningState)
_AMOUNTS = WireEnum(wire.Rounding, Rounding, default=Rounding.HALF_EVEN)
_TAX = WireEnum(wire.Rounding, Rounding, default=Rounding.HALF_UP)
_TAX_PER = WireEnum(wire.TaxPer, TaxPer, default=TaxPer.GROUP)
_PRORATION = WireEnum(wire.Proration, Proration, default=Proration.DAY)
_ADVANCE = WireEnum(wire.AdvanceType, AdvanceType)
_ADVANCE_ROUNDING = WireEnum(wire.AdvanceRounding, AdvanceRounding, default=AdvanceRounding.WHOLE)
_RENEWAL = WireEnum(wire.Renewal, Renewal, default=Renewal.AUTO)
_CREATED = WireEnum(wire.CreatedWhen, CreatedWhen, default=CreatedWhen.ISSUED)
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
        review=optional_duration(policy, "review", path=path) or 0,
        late_periods=usual.late_periods if late is None else late,
        due=DueRule(
            days=quantity(policy.payment.due.days, f"{due}.days", at_least=0),
            day_of_month=quantity(policy.payment.due.day_of_month, f"{due}.day_of_month", at_least=0),
        ),
        collect=COLLECTION.decode(policy.payment.collect, f"{path}.payment.collect"),
        min_charge=_min_charge(policy.payment, f"{path}.payment.min_charge"),
        dispute_fee=_dispute_fee(policy.payment, f"{path}.payment.dispute_fee"),
        dunning=_decode_dunning(policy.dunning, f"{path}.dunning"),
        number=policy.invoices.number or usual.number,
        notices=_decode_notices(policy.notices, f"{path}.notices"),
        tax=_decode_tax(policy.tax) if policy.HasField("tax") else None,
        charges=_decode_charges(policy.charges, f"{path}.charges"),
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
        review=duration(policy.review) if policy.review else None,
        late_periods=policy.late_periods,
        payment=wire.PaymentPolicy(
            due=shown,
            collect=COLLECTION.encode(policy.collect),
            min_charge=policy.min_charge,
            dispute_fee=policy.dispute_fee,
        ),
        invoices=wire.InvoicePolicy(number=policy.number),
        tax=_encode_tax(policy.tax) if policy.tax is not None else None,
        dunning=_encode_dunning(policy.dunning),
        notices=_encode_notices(policy.notices),
        charges=_encode_charges(policy.charges) if policy.charges != ChargePolicy() else None,
    )


def _encode_charges(policy: ChargePolicy) -> wire.ChargePolicy:
    at_limit = wire.AT_LIMIT_ACCEPT if policy.at_limit else wire.AT_LIMIT_REJECT
    return wire.ChargePolicy(at_limit=at_limit, every=duration(policy.every), currencies=policy.currencies)


def _decode_charges(policy: wire.ChargePolicy, path: str) -> ChargePolicy:
    usual = ChargePolicy()
    if policy.at_limit not in wire.AtLimit.values():
        raise InvalidFieldError(field=f"{path}.at_limit", expected="accept or reject", got=policy.at_limit)
    every = optional_duration(policy, "every", path=path)
    return ChargePolicy(
        at_limit=policy.at_limit != wire.AT_LIMIT_REJECT,
        every=usual.every if every is None else every,
        currencies=tuple(policy.currencies) or usual.currencies,
    )


def _dispute_fee(payment: wire.PaymentPolicy, path: str) -> str:
    return decimal(payment.dispute_fee, path) if payment.HasField("dispute_fee") else BillingPolicy().dispute_fee


def _min_charge(payment: wire.PaymentPolicy, path: str) -> str:
    return decimal(payment.min_charge, path) if payment.HasField("min_charge") else BillingPolicy().min_charge


def _decode_dunning(rules: wire.DunningRules, path: str) -> DunningRules:
    usual = DunningRules()
    days = tuple(
        quantity(days, f"{path}.retry_after_days[{index}]", at_least=1)
        for index, days in enumerate(rules.retry_after_days)
    )
    steps = tuple(_decode_step(step, f"{path}.steps[{index}]") for index, step in enumerate(rules.steps))
    if rules.no_retries and days:
        raise InvalidFieldError(field=f"{path}.no_retries", expected="nothing beside retry_after_days")
    retries = days if days or rules.no_retries else usual.retry_after_days
    return DunningRules(
        retry_after_days=retries,
        steps=steps or usual.steps,
        from_amount=decimal(rules.from_amount, f"{path}.from_amount") if rules.HasField("from_amount") else "0",
        features={
            key: quantity(limit, f"{path}.features.{key}", at_least=0) for key, limit in sorted(rules.features.items())
        },
    )


def _decode_notices(rules: wire.NoticeRules, path: str) -> NoticeRules:
    usual = NoticeRules()
    return NoticeRules(
        trial_days=_days(rules, "trial_days", path, usual.trial_days),
        expiry_days=_days(rules, "expiry_days", path, usual.expiry_days),
        card_days=_days(rules, "card_days", path, usual.card_days),
        created=_CREATED.decode(rules.created, f"{path}.created"),
        mail=rules.mail if rules.HasField("mail") else usual.mail,
    )


def _days(rules: wire.NoticeRules, name: str, path: str, usual: tuple[int, ...]) -> tuple[int, ...]:
    if not rules.HasField(name):
        return usual
    days = getattr(rules, name).days
    return tuple(quantity(each, f"{path}.{name}[{index}]", at_least=1) for index, each in enumerate(days))


def _encode_notices(rules: NoticeRules) -> wire.NoticeRules:
    return wire.NoticeRules(
        trial_days=wire.DayList(days=rules.trial_days),
        expiry_days=wire.DayList(days=rules.expiry_days),
        card_days=wire.DayList(days=rules.card_days),
        created=_CREATED.encode(rules.created),
        mail=rules.mail,
    )


def _decode_step(step: wire.DunningStep, path: str) -> DunningStep:
    exhausted = step.when == wire.DUNNING_WHEN_EXHAUSTED
    if exhausted is step.HasField("after_days"):
        raise InvalidFieldError(field=f"{path}.after_days", expected="after_days, or when: exhausted")
    return DunningStep(
        state=DUNNING_STATE.decode(step.state, f"{path}.state"),
        after_days=optional_quantity(step, "after_days", at_least=0, path=path),
    )


def _encode_dunning(rules: DunningRules) -> wire.DunningRules:
    steps = [
        wire.DunningStep(
            state=DUNNING_STATE.encode(step.state),
            after_days=step.after_days,
            when=wire.DUNNING_WHEN_EXHAUSTED if step.after_days is None else None,
        )
        for step in rules.steps
    ]
    return wire.DunningRules(
        retry_after_days=rules.retry_after_days,
        steps=steps,
        no_retries=not rules.retry_after_days,
        from_amount=rules.from_amount,
        features=rules.features,
    )


def decode_advance(discount: wire.AdvanceDiscount, path: str) -> AdvanceDiscount:
    """Periods paid at once for less."""
    return AdvanceDiscount(
        type=_ADVANCE.decode(discount.type, f"{path}.type"),
        value=decimal(discount.value, f"{path}.value"),
        length=quantity(discount.length, f"{path}.length", at_least=1),
        rounding=_ADVANCE_ROUNDING.decode(discount.rounding, f"{path}.rounding"),
    )


def encode_advance(discount: AdvanceDiscount) -> wire.AdvanceDiscount:
    """Periods paid at once for less."""
    return wire.AdvanceDiscount(
        type=_ADVANCE.encode(discount.type),
        value=discount.value,
        length=discount.length,
        rounding=_ADVANCE_ROUNDING.encode(discount.rounding),
    )


def decode_rule(rule: wire.BillingRule, path: str) -> BillingRule:
    """How often a plan is invoiced."""
    return BillingRule(
        every=PERIOD_UNIT.decode(rule.every, f"{path}.every"),
        count=count_of(rule, PERIOD_UNIT.decode(rule.every, f"{path}.every"), path),
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
                category=rate.category,
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
                category=rate.category,
            )
            for rate in tax.rates
        ],
    )
