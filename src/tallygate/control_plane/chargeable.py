"""Whether an account can be charged by itself: what a trial that ends in a paid plan asks."""

from tallygate.domain.catalog import Plan, TrialEnd
from tallygate.domain.period import local_date
from tallygate.records.ports import BillingWork


def converts_if_paid(plan: Plan) -> bool:
    """Whether a plan's trial goes on only where it can be charged, and else ends in another plan."""
    return plan.trial is not None and plan.trial.on_end is TrialEnd.CONVERT and bool(plan.trial.ends_in)


async def can_be_charged(work: BillingWork, account_id: str, *, at: int) -> bool:
    """Whether an account has a default method, if a card then one that is still good at an instant."""
    month = local_date(at, zone="UTC")
    methods = await work.payments.methods(account_id) if account_id else ()
    return any(
        method.default
        and method.detach_time is None
        and (not method.expiry_year or (method.expiry_year, method.expiry_month) >= (month.year, month.month))
        for method in methods
    )
