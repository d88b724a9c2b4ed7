"""What a tenant's billing and a plan's billing rule may say."""

import pytest

from tallygate.control_plane.billing_rules import check_billing, check_rule
from tallygate.domain.billing_terms import (
    BillingPolicy,
    BillingRule,
    DueRule,
    DunningRules,
    DunningState,
    DunningStep,
    NoticeRules,
    TaxPolicy,
    TaxRate,
)
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.period import Anchor, PeriodUnit

DAY = 86_400_000_000
_LATE = DunningStep(state=DunningState.PAST_DUE, after_days=366)


def taxed(*more, **rate):
    own = [TaxRate(**{"country": "DE", "since": "2026-01-01", "rate": "19", **each}) for each in (rate, *more)]
    return BillingPolicy(tax=TaxPolicy(rates=tuple(own)))


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (BillingPolicy(grace=366 * DAY), "billing.grace"),
        (BillingPolicy(late_periods=13), "billing.late_periods"),
        (BillingPolicy(due=DueRule(days=366)), "billing.payment.due.days"),
        (BillingPolicy(due=DueRule(day_of_month=29)), "billing.payment.due.day_of_month"),
        (BillingPolicy(min_charge="1000001"), "billing.payment.min_charge"),
        (BillingPolicy(dunning=DunningRules(retry_after_days=(1, 366))), "billing.dunning.retry_after_days[1]"),
        (BillingPolicy(notices=NoticeRules(trial_days=(3, 3))), "billing.notices.trial_days"),
        (BillingPolicy(notices=NoticeRules(expiry_days=(1, 366))), "billing.notices.expiry_days[1]"),
        (BillingPolicy(notices=NoticeRules(card_days=tuple(range(1, 32)))), "billing.notices.card_days"),
        (BillingPolicy(dunning=DunningRules(retry_after_days=(1,) * 31)), "billing.dunning.retry_after_days"),
        (BillingPolicy(dunning=DunningRules(steps=(_LATE,))), "billing.dunning.steps[0].after_days"),
        (BillingPolicy(number="INV-{year}"), "billing.invoices.number"),
        (BillingPolicy(number="{number}{number}"), "billing.invoices.number"),
        (BillingPolicy(number="{number:06}{account}"), "billing.invoices.number"),
        (BillingPolicy(number="{number!r}"), "billing.invoices.number"),
        (BillingPolicy(number="x" * 40 + "{number}"), "billing.invoices.number"),
        (BillingPolicy(tax=TaxPolicy(collect_in=("DE", "UK"))), "billing.tax.collect_in[1]"),
        (taxed(country="EU"), "billing.tax.rates[0].country"),
        (taxed(region="Bavaria"), "billing.tax.rates[0].region"),
        (taxed(postcodes=("35", "3 5")), "billing.tax.rates[0].postcodes[1]"),
        (taxed(since="2026-1-1"), "billing.tax.rates[0].since"),
        (taxed(since="2026-02-30"), "billing.tax.rates[0].since"),
        (taxed(rate="100.1"), "billing.tax.rates[0].rate"),
        (taxed(rate="-1"), "billing.tax.rates[0].rate"),
        (taxed(rate="1.23456"), "billing.tax.rates[0].rate"),
        (taxed(name="a\nb"), "billing.tax.rates[0].name"),
        (taxed({"rate": "7"}), "billing.tax.rates[1]"),
        (taxed(category="Reduced"), "billing.tax.rates[0].category"),
    ],
)
def test_a_mistake_is_named_by_its_place(policy, field):
    with pytest.raises(InvalidFieldError) as raised:
        check_billing("billing", policy)
    assert raised.value.metadata["field"] == field


@pytest.mark.parametrize("number", ["{number}", "INV-{year}-{number:06}", "A/{number:012}.x"])
def test_forms_of_a_number(number):
    check_billing("billing", BillingPolicy(number=number))


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (BillingRule(count=1201), "r.count"),
        (BillingRule(day=5), "r.day"),
        (BillingRule(anchor=Anchor.CALENDAR, every=PeriodUnit.WEEK, day=2), "r.day"),
        (BillingRule(anchor=Anchor.CALENDAR, day=32), "r.day"),
    ],
)
def test_a_rule_that_cannot_be(rule, field):
    with pytest.raises(InvalidFieldError) as raised:
        check_rule("r", rule)
    assert raised.value.metadata["field"] == field


def test_rules_that_can_be():
    for rule in (BillingRule(), BillingRule(anchor=Anchor.CALENDAR, day=31), BillingRule(every=PeriodUnit.YEAR)):
        check_rule("r", rule)
