"""What accounts without a subscription are charged: usage on the default plan, for as long as it served them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from tallygate.domain.account import PlanTerm, Subscription, SubscriptionState
from tallygate.domain.billing.timeline import FOREVER, PriceOverride, QuantityChange, Timeline
from tallygate.domain.catalog import Catalog


def default_timelines(
    account_id: str,
    catalog: Catalog,
    held: Iterable[Subscription],
    *,
    create_time: int,
    quantities: Sequence[QuantityChange] = (),
    overrides: Sequence[PriceOverride] = (),
) -> Iterator[Timeline]:
    """The times of an account in which it held no subscription, each on the default plan of the time.

    None where no version of a default plan prices usage: nothing would be charged.
    """
    terms = tuple(_terms(catalog))
    plans = (catalog.plan(term.plan_key, term.plan_version) for term in terms)
    if not any(price.usage is not None for plan in plans if plan is not None for price in plan.prices):
        return
    for start, end in _between(held, create_time):
        yield Timeline(
            subscription=Subscription(
                subscription_id=f"account/{account_id}",
                state=SubscriptionState.ACTIVE,
                start_time=start,
                terms=terms,
                end_time=None if end == FOREVER else end,
            ),
            catalog=catalog,
            quantities=quantities,
            overrides=overrides,
            by_default=True,
        )


def _between(held: Iterable[Subscription], create_time: int) -> Iterator[tuple[int, int]]:
    at = create_time
    for one in sorted(held, key=lambda each: each.start_time):
        if at < one.start_time:
            yield at, one.start_time
        at = max(at, FOREVER if one.end_time is None else one.end_time)
    if at < FOREVER:
        yield at, FOREVER


def _terms(catalog: Catalog) -> Iterator[PlanTerm]:
    """The default plans, each in its newest version of the time; those that were forgotten served before all others."""
    ends = [
        *((former.plan_key, former.end_time) for former in catalog.former_defaults),
        (catalog.default_plan, FOREVER),
    ]
    starts = [0, *(end for _, end in ends)]
    for (key, end), start in zip(ends, starts, strict=False):
        published = sorted((plan.publish_time, version) for version, plan in catalog.plans.get(key, {}).items())
        for (time, version), after in pairwise([*published, (FOREVER, 0)]):
            first, last = max(start, time if (time, version) != published[0] else 0), min(end, after[0])
            if first < last:
                yield PlanTerm(plan_key=key, plan_version=version, start_time=first)
