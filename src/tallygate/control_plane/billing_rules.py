"""What a tenant's billing and a plan's billing rule may say; every complaint names the path of the field."""

import re
from collections.abc import Mapping
from fractions import Fraction

from tallygate.control_plane.price_rules import check_count
from tallygate.control_plane.tax_rules import check_tax
from tallygate.domain.billing_terms import BillingPolicy, BillingRule, ChargePolicy, DunningRules, NoticeRules, Renewal
from tallygate.domain.catalog import Feature, FeatureKind
from tallygate.domain.currency import decimals_of
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.period import Anchor, PeriodUnit

_NUMBER = re.compile(r"(?:[\w./ -]|\{year\})*\{number(?::0(?:[1-9]|1\d))?\}(?:[\w./ -]|\{year\})*")
_LONGEST_NUMBER = 40
_HOUR, _DAY = 3_600_000_000, 86_400_000_000
_MOST_OFTEN = 30
_MOST_RIDES = 1_000_000
_MOST_STEPS = 30
_MAX_DUE_DAYS, _MAX_LATE_PERIODS, _LAST_DAY, _LAST_SURE_DAY = 365, 12, 31, 28


def check_billing(path: str, policy: BillingPolicy) -> None:
    """Check how a tenant bills.

    Raises:
        InvalidFieldError: the first field that is wrong, by its path.
    """
    for name, wait in (("grace", policy.grace), ("review", policy.review)):
        if wait > _MAX_DUE_DAYS * _DAY:
            raise InvalidFieldError(field=f"{path}.{name}", expected=f"at most {_MAX_DUE_DAYS} days")
    _at_most(f"{path}.late_periods", policy.late_periods, _MAX_LATE_PERIODS)
    _at_most(f"{path}.payment.due.days", policy.due.days, _MAX_DUE_DAYS)
    _at_most(f"{path}.payment.due.day_of_month", policy.due.day_of_month, _LAST_SURE_DAY)
    if Fraction(policy.dispute_fee) > _MOST_RIDES:
        raise InvalidFieldError(field=f"{path}.payment.dispute_fee", expected=f"at most {_MOST_RIDES}")
    if Fraction(policy.min_charge) > _MOST_RIDES:
        raise InvalidFieldError(field=f"{path}.payment.min_charge", expected=f"at most {_MOST_RIDES}")
    _check_dunning(f"{path}.dunning", policy.dunning)
    if len(policy.number) > _LONGEST_NUMBER or not _NUMBER.fullmatch(policy.number):
        expected = (
            f"at most {_LONGEST_NUMBER} letters, digits and - . / _, with one {{number}}, as INV-{{year}}-{{number:06}}"
        )
        raise InvalidFieldError(field=f"{path}.invoices.number", expected=expected, got=policy.number)
    _check_notices(f"{path}.notices", policy.notices)
    _check_charges(f"{path}.charges", policy.charges)
    if policy.tax is not None:
        check_tax(f"{path}.tax", policy.tax)


def _check_charges(path: str, policy: ChargePolicy) -> None:
    if not _HOUR <= policy.every <= _MOST_OFTEN * _DAY:
        raise InvalidFieldError(field=f"{path}.every", expected=f"1 hour to {_MOST_OFTEN} days")
    for index, currency in enumerate(policy.currencies):
        decimals_of(currency, field=f"{path}.currencies[{index}]")


def check_degraded(path: str, rules: DunningRules, features: Mapping[str, Feature]) -> None:
    """Check what is left of features to who does not pay.

    Raises:
        InvalidFieldError: there is no such feature, or so much of it cannot be left.
    """
    for key, limit in rules.features.items():
        feature = features.get(key)
        if feature is None or feature.kind is FeatureKind.STATIC:
            expected = "a feature that is metered, of seats, or on and off"
            raise InvalidFieldError(field=f"{path}.features.{key}", expected=expected)
        if limit and feature.kind is FeatureKind.BOOLEAN:
            raise InvalidFieldError(field=f"{path}.features.{key}", expected="0: it is on or off", got=limit)


def _check_dunning(path: str, rules: DunningRules) -> None:
    if Fraction(rules.from_amount) > _MOST_RIDES:
        raise InvalidFieldError(field=f"{path}.from_amount", expected=f"at most {_MOST_RIDES}")
    for name, values in (("retry_after_days", rules.retry_after_days), ("steps", rules.steps)):
        if len(values) > _MOST_STEPS:
            raise InvalidFieldError(field=f"{path}.{name}", expected=f"at most {_MOST_STEPS}", got=len(values))
    for index, days in enumerate(rules.retry_after_days):
        _at_most(f"{path}.retry_after_days[{index}]", days, _MAX_DUE_DAYS)
    for index, step in enumerate(rules.steps):
        _at_most(f"{path}.steps[{index}].after_days", step.after_days or 0, _MAX_DUE_DAYS)


def _check_notices(path: str, rules: NoticeRules) -> None:
    """So many days each, none twice: a notice is sent once."""
    for name in ("trial_days", "expiry_days", "card_days"):
        values: tuple[int, ...] = getattr(rules, name)
        if len(values) > _MOST_STEPS or len(set(values)) != len(values):
            expected = f"at most {_MOST_STEPS} numbers of days, none of them twice"
            raise InvalidFieldError(field=f"{path}.{name}", expected=expected)
        for index, days in enumerate(values):
            if not 1 <= days <= _MAX_DUE_DAYS:
                raise InvalidFieldError(
                    field=f"{path}.{name}[{index}]", expected=f"1 to {_MAX_DUE_DAYS} days", got=days
                )


def check_rule(path: str, rule: BillingRule) -> None:
    """Check how often a plan is invoiced.

    Raises:
        InvalidFieldError: the first field that is wrong, by its path.
    """
    check_count(f"{path}.count", rule.every, rule.count)
    monthly = rule.every in {PeriodUnit.MONTH, PeriodUnit.YEAR}
    if rule.day != 1 and (rule.anchor is not Anchor.CALENDAR or not monthly):
        raise InvalidFieldError(field=f"{path}.day", expected="nothing but with anchor calendar, in months or years")
    _at_most(f"{path}.day", rule.day, _LAST_DAY)
    if rule.renewal_approval and rule.renewal is not Renewal.REPEAT:
        raise InvalidFieldError(field=f"{path}.renewal_approval", expected="nothing but with renewal repeat")


def _at_most(path: str, value: int, greatest: int) -> None:
    if value > greatest:
        raise InvalidFieldError(field=path, expected=f"at most {greatest}", got=value)
