"""What an account is told before it happens: looked at when something changes, and when the next is due."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tallygate.billing.methods import default_method
from tallygate.billing.owing import collection_of
from tallygate.domain.account import Subscription, SubscriptionState
from tallygate.domain.billing.messages import Message, MessageKind
from tallygate.domain.billing.notices import (
    TOO_OLD,
    Held,
    Ladder,
    card_ladder,
    due_messages,
    end_ladder,
    missing_ladder,
    next_look,
    trial_ladder,
)
from tallygate.domain.billing.runs import runs
from tallygate.domain.billing.timeline import Timeline
from tallygate.domain.billing_terms import BillingPolicy, Collection
from tallygate.domain.catalog import Catalog
from tallygate.domain.instants import rfc3339
from tallygate.records.history import SubscriptionChange
from tallygate.records.jobs import Job
from tallygate.records.lookup import billing_calendar
from tallygate.records.messages import NOTICE, USAGE_LIMIT, LimitReached
from tallygate.records.ports import BillingWork
from tallygate.records.transactions import Transactions
from tallygate.records.values import StoredSubscription

_CHANGES_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRunner:
    """Runs jobs of notices; `clock` is real time."""

    transactions: Transactions
    clock: Callable[[], int]

    async def handle(self, jobs: Sequence[Job]) -> None:
        """A worker's jobs, of one tenant."""

        async def look(work: BillingWork, now: int) -> None:
            for job in jobs:
                await notify(work, job.subject, now=now)

        await self.transactions.write(jobs[0].tenant_id, look, now=self.clock())

    async def limits(self, jobs: Sequence[Job]) -> None:
        """A worker's jobs, of one tenant: tell of usage that has come near its limit."""

        async def tell(work: BillingWork, now: int) -> None:
            for job in jobs:
                await notify_limit(work, job.subject, now=now)

        await self.transactions.write(jobs[0].tenant_id, tell, now=self.clock())

    async def look(self, tenant_id: str, account_id: str, *, at: int | None = None) -> None:
        """Tell one account what is due; `at` is a test tenant's instant."""
        await self.transactions.write(
            tenant_id,
            lambda work, now: notify(work, account_id, now=now if at is None else at),
            now=self.clock(),
        )


async def notify_limit(work: BillingWork, subject: str, *, now: int) -> None:
    """Tell that usage has come near its limit, once a usage period; of a test tenant as of when it did."""
    what = LimitReached.of(subject)
    await work.jobs.done(USAGE_LIMIT, subject)
    fact = await work.messages.reached(what)
    if (await work.catalog.load()).billing is None or fact is None:
        return
    work.messages.add(
        Message(
            kind=MessageKind.USAGE_LIMIT,
            about=f"{what.account_id}/{what.feature_key}/{rfc3339(what.period_start)}/{what.percent}",
            account_id=what.account_id,
            create_time=min(now, fact.occurred_time),
            facts={
                "feature_key": what.feature_key,
                "percent": str(what.percent),
                "used": str(fact.used),
                "limit": str(fact.limit),
                "start_time": rfc3339(what.period_start),
                "end_time": rfc3339(fact.period_end),
            },
        )
    )


async def notify(work: BillingWork, account_id: str, *, now: int) -> None:
    """Tell an account what is due by now, each once, and plan the next look; what moved meanwhile is told as it is."""
    policy = (await work.catalog.load()).billing
    account = await work.accounts.get(account_id)
    if policy is None or account is None:
        await work.jobs.done(NOTICE, account_id)
        return
    ladders = await _ladders(work, account_id, policy, now=now)
    for message in due_messages(ladders, now=now):
        work.messages.add(message)
    later = next_look(ladders, now=now)
    if later is None:
        await work.jobs.done(NOTICE, account_id)
    else:
        await work.jobs.schedule(NOTICE, account_id, due_time=later)


async def _ladders(work: BillingWork, account_id: str, policy: BillingPolicy, *, now: int) -> list[Ladder]:
    catalog, method = await work.catalog.load(), await default_method(work, account_id)
    found = [card_ladder(method, policy.notices)] if method is not None else []
    subscriptions = [one for one in await work.subscriptions.of(account_id) if _may_be_told_of(one, now)]
    missing = bool(subscriptions) and method is None and await _is_charged(work, account_id, policy)
    for stored in subscriptions:
        held = await _held(work, stored, catalog, method_missing=missing)
        found += [trial_ladder(held, policy.notices), end_ladder(held, policy.notices)]
        if missing:
            found.append(await _missing(work, held, catalog, policy, now=now))
    return [ladder for ladder in found if ladder is not None]


def _may_be_told_of(stored: StoredSubscription, now: int) -> bool:
    """Whether something of it may still be told: it has not ended, or has just now."""
    end = stored.subscription.end_time
    return stored.subscription.state is not SubscriptionState.INCOMPLETE and (end is None or end > now - TOO_OLD)


async def _is_charged(work: BillingWork, account_id: str, policy: BillingPolicy) -> bool:
    """Whether its invoices are charged by themselves."""
    collected = await collection_of(work, account_id, policy) is Collection.AUTOMATIC
    return collected and bool(await work.payments.gateways())


async def _held(work: BillingWork, stored: StoredSubscription, catalog: Catalog, *, method_missing: bool) -> Held:
    subscription, first = stored.subscription, stored.subscription.terms[0]
    plan = catalog.plan(first.plan_key, first.plan_version)
    changes = await work.subscription_history.list(stored.account_id, before=None, limit=_CHANGES_AT_ONCE)
    own = [change for change in changes if change.subscription_id == subscription.subscription_id]
    return Held(
        account_id=stored.account_id,
        subscription=subscription,
        canceled=stored.cancel_time is not None,
        trial_since=_since(own, stored, lambda one: one.trial_end_time),
        end_since=_since(own, stored, lambda one: one.end_time),
        on_end=plan.trial.on_end if plan is not None and plan.trial is not None else None,
        method_missing=method_missing,
    )


def _since(
    changes: Sequence[SubscriptionChange], stored: StoredSubscription, end: Callable[[Subscription], int | None]
) -> int:
    """Since when an end is known, by changes from the newest on; where they do not reach back, since the oldest."""
    known, now = stored.create_time, end(stored.subscription)
    for change in changes:
        if end(change.after.subscription) != now:
            break
        known = change.change_time
    return known


async def _missing(
    work: BillingWork, held: Held, catalog: Catalog, policy: BillingPolicy, *, now: int
) -> Ladder | None:
    """What is told of the next charge of a subscription that goes on."""
    account = await work.accounts.get(held.account_id)
    if account is None or held.canceled:
        return None
    timeline = Timeline(subscription=held.subscription, catalog=catalog)
    for run in runs(timeline, await billing_calendar(work, account, catalog)):
        if run.start <= now < run.end:
            period = run.stretch(run.period(now))
            if held.subscription.end_time is not None and period.end >= held.subscription.end_time:
                return None
            return missing_ladder(held, period.end, since=period.start, rules=policy.notices)
    return None
