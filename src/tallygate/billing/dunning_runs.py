"""What follows when an account does not pay, and when it does: cases, what it is denied, and when to look again."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from tallygate.billing.degrading import degrade
from tallygate.billing.owing import Owing, billing_policy, read_owing
from tallygate.billing.paid_effects import after_payment
from tallygate.billing.telling import tell_canceled, tell_standing
from tallygate.domain.billing.dunning import Case, standing_of
from tallygate.domain.billing.payments import Attempt
from tallygate.domain.billing_terms import DunningState
from tallygate.records.payments import COLLECT
from tallygate.records.ports import BillingWork

EndSubscription = Callable[[BillingWork, str, int], Awaitable[None]]
"""Ends an account's subscription at an instant, where it has one."""


async def review(work: BillingWork, account_id: str, *, now: int) -> None:
    """Say what an account is for what it owes now, and plan when to look again: whatever came before, in any order.

    It runs in the transaction of what changed, so that who pays is served again as soon as that is published.
    """
    owing = await read_owing(work, account_id, now=now)
    rules = owing.policy.dunning
    states: list[DunningState | None] = []
    times = owing.due_times()
    for currency in owing.currencies:
        case = owing.cases.get(currency)
        if case is not None and not owing.overdue(currency):
            await work.payments.end_case(account_id, currency)
            case = None
        if case is not None:
            states.append(case.reached(rules, now=now))
            times += [time for time in (case.next_step(rules, now=now), case.retry_time) if time is not None]
        if owing.target(currency) and (owing.begins(currency) if case is None else case.is_due(now=now)):
            times.append(now)
    stands = standing_of(states)
    stood = (await work.accounts.standings([account_id]))[account_id]
    if rules.features or stood is not stands:
        reached = any(state is not None for state in states)
        await degrade(work, account_id, rules.features if reached else {}, now=now)
    if stands is not stood:
        await work.accounts.set_standing(account_id, stands)
        tell_standing(work, account_id, stands, now=now)
    ahead = [time for time in times if time >= now]
    if ahead:
        await work.jobs.schedule(COLLECT, account_id, due_time=min(ahead))
    else:
        await work.jobs.done(COLLECT, account_id)
    await after_payment(work, account_id, now=now)


async def end_canceled(work: BillingWork, account_id: str, end: EndSubscription, *, now: int) -> None:
    """End the subscription of an account whose dunning has come to that, once a case."""
    policy = await billing_policy(work)
    for case in await work.payments.cases(account_id):
        if case.reached(policy.dunning, now=now) is DunningState.CANCELED and not case.canceled:
            await work.payments.put_case(replace(case, canceled=True))
            tell_canceled(work, account_id, currency=case.currency, since=case.start_time, now=now)
            await end(work, account_id, now)


async def note_failure(work: BillingWork, attempt: Attempt, *, now: int) -> None:
    """An attempt that nobody asked for failed."""
    known = {case.currency: case for case in await work.payments.cases(attempt.account_id)}
    first = Case(account_id=attempt.account_id, currency=attempt.currency, start_time=now)
    case = known.get(attempt.currency, first)
    ladder = (await billing_policy(work)).dunning.retry_after_days
    await work.payments.put_case(case.failed(ladder, now=now, advice=attempt.advice, method_id=attempt.method_id))


async def climb(work: BillingWork, owing: Owing, currency: str) -> None:
    """A rung further without an attempt, which could not help."""
    first = Case(account_id=owing.account_id, currency=currency, start_time=owing.now)
    case = owing.cases.get(currency, first)
    ladder = owing.policy.dunning.retry_after_days
    waits = case.at_once and currency in owing.cases
    moved = replace(case, at_once=False) if waits else case.climbed(ladder, now=owing.now, refused=case.refused)
    owing.cases[currency] = moved
    await work.payments.put_case(moved)
