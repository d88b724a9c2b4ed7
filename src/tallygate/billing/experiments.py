"""Experiments with plans: whom each is shown, and how many of these buy it for how much."""

from collections.abc import Sequence

from tallygate.domain.billing.experiments import Arm, variant_of
from tallygate.domain.errors import InvalidFieldError
from tallygate.records.fields import check_id, check_past
from tallygate.records.lookup import known_account, plan_on_sale
from tallygate.records.ports import BillingWork

_AT_ONCE = 100
_MOST = 10


async def assign_variant(work: BillingWork, experiment_key: str, account_id: str, variants: Sequence[str]) -> str:
    """The plan that an account is shown in an experiment; nothing is kept of it.

    Raises:
        InvalidFieldError: there are no two variants, or one comes twice.
        AccountNotFoundError: there is no such account.
        PlanNotFoundError: a variant is no plan on sale.
    """
    await _check(work, experiment_key, variants)
    await known_account(work, account_id)
    return variant_of(experiment_key, account_id, variants)


async def compare_variants(
    work: BillingWork, experiment_key: str, variants: Sequence[str], *, start: int, end: int, now: int
) -> tuple[Arm, ...]:
    """What came of each variant, of the accounts that were created from an instant on, before another.

    Raises:
        InvalidFieldError: it ends before it starts, or has not ended; and as `assign_variant`.
        PlanNotFoundError: a variant is no plan on sale.
    """
    await _check(work, experiment_key, variants)
    check_past(start, end, now=now)
    arms = {variant: Arm(variant=variant) for variant in variants}
    after = ""
    while accounts := await work.accounts.list(after=after, limit=_AT_ONCE):
        created = [each.account_id for each in accounts if start <= each.create_time < end]
        invoiced = await work.reports.invoiced_to(created, start=start, end=end)
        await work.gather_held(created)
        for account_id in created:
            arm = arms[variant_of(experiment_key, account_id, variants)]
            arm.accounts += 1
            arm.converted += await _converted(work, account_id, arm.variant, before=end)
            for currency, amount in invoiced.get(account_id, {}).items():
                arm.revenue[currency] = arm.revenue.get(currency, 0) + amount
        after = accounts[-1].account_id
    return tuple(arms.values())


async def _converted(work: BillingWork, account_id: str, plan_key: str, *, before: int) -> bool:
    """Whether an account was subscribed to a plan by an instant."""
    return any(
        term.plan_key == plan_key and term.start_time < before
        for held in await work.subscriptions.of(account_id)
        for term in held.subscription.terms
    )


async def _check(work: BillingWork, experiment_key: str, variants: Sequence[str]) -> None:
    check_id("experiment_key", experiment_key)
    if not 1 < len(variants) <= _MOST or len(set(variants)) < len(variants):
        expected = f"2 to {_MOST} plans, each once"
        raise InvalidFieldError(field="variants", expected=expected, got=len(variants))
    catalog = await work.catalog.load()
    for variant in variants:
        plan_on_sale(catalog, variant, None)
