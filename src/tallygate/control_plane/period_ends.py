"""When the running period of a subscription ends: what a change at the period's end waits for."""

from tallygate.control_plane.subscription_terms import (
    is_only_told,
    is_trialing,
    period_end,
    planned_end,
    renewal_of,
    term_at,
)
from tallygate.domain.account import Subscription
from tallygate.domain.billing.calendar import Calendar
from tallygate.domain.billing.runs import runs
from tallygate.domain.billing.timeline import Timeline
from tallygate.domain.billing_terms import Renewal
from tallygate.records.lookup import billing_calendar, known_account
from tallygate.records.ports import BillingWork
from tallygate.records.values import Account


async def given_end(work: BillingWork, account_id: str, subscription: Subscription, *, at: int) -> int | None:
    """The end that its plan gives a subscription as it stands at an instant, see `planned_end`.

    Without an account it is that of one that is created then.
    """
    catalog = await work.catalog.load()
    plans = (catalog.plan(term.plan_key, term.plan_version) for term in subscription.terms)
    if all(renewal_of(plan) is Renewal.AUTO for plan in plans) and not is_only_told(subscription, catalog, at):
        return None
    calendar = Calendar(zone=catalog.time_zone, account_create_time=at)
    if account_id:
        calendar = await billing_calendar(work, await known_account(work, account_id), catalog)
    return planned_end(subscription, catalog, calendar, at=at)


async def running_period_end(work: BillingWork, account: Account, held: Subscription, *, now: int) -> int:
    """The end of the trial, else of the invoice period; where the tenant does not bill, of its plan's first price."""
    catalog, term = await work.catalog.load(), term_at(held, now)
    if catalog.billing is not None and not is_trialing(held, now):
        calendar = await billing_calendar(work, account, catalog)
        at = max(now, held.start_time)
        for run in runs(Timeline(subscription=held, catalog=catalog), calendar):
            if run.start <= at < run.end:
                return run.stretch(run.period(at)).end
    plan = catalog.plan(term.plan_key, term.plan_version)
    return period_end(held, plan, zone=account.time_zone or catalog.time_zone, now=now)
