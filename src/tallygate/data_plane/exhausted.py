"""The near-cache of exhausted quotas: what the store denied is denied again without asking it, until that is lifted.

Knows the quotas that `plain.py` plans for, so no time but the end of their slot gives them anything anew.
"""

from collections.abc import Sequence
from dataclasses import replace

from tallygate.data_plane.plain import Denial, Plans, QuotaPlan
from tallygate.data_plane.ports import PlainStatus
from tallygate.domain.gating.decision import DecidedOn, Decision


class Exhausted:
    """Denials kept on the plans of their quotas, and whether they still stand.

    For checks alone. A consume may be the retry of one that was admitted and whose answer was lost: only the store can
    tell, and its denial is cheap. A check that goes the general way asks the store, too: it is about another instant
    or a version to wait for, or its quota is one that grants pay for, which time alone may refill.

    A denial stands until its quota's slot ends, `max_staleness` (microseconds) has passed, the view changes, or units
    are returned anywhere. The last is only heard of, so without a live subscription no denial stands at all.
    """

    def __init__(self, plans: Plans, *, max_staleness: int) -> None:
        self._plans = plans
        self._clock = plans.admission.clock
        self._max_staleness = max_staleness
        self._is_live = False
        self._live_since = 0
        self.heard = 0
        self.hits = 0

    def decision(self, plan: QuotaPlan, quantity: int, now: int) -> Decision | None:
        """The denial of this quantity, explained for it as of `now` by this process's clock; None: ask the store.

        The plan's view must be current.
        """
        denial = plan.denial
        if denial is None or quantity < denial.quantity:
            return None
        age = now - denial.asked_time
        stands = plan.view.snapshot.clock.standing is not None
        # The store's clock stands, or goes on as ours does; it may be a little earlier there, never later.
        at = denial.now if stands else denial.now + age
        if not self._stands(denial, age) or at >= plan.slots[plan.index].end:
            plan.denial = None
            return None
        self.hits += 1
        decision = plan.decision(PlainStatus.SEEN, at, denial.figures, quantity=quantity)
        return replace(decision, decided_on=DecidedOn.CACHED, view_age=age)

    def learn(self, plan: QuotaPlan, denial: Denial) -> None:
        """Keep what the store denied, unless something was heard since it was asked that it may not have known of.

        The smallest quantity that was denied before stays the smallest as long as these figures deny it as well.
        """
        if not self._is_live or denial.heard < max(self._live_since, plan.returned):
            return
        known = plan.denial
        if known is not None and _room(plan, denial.figures) < known.quantity < denial.quantity:
            denial = replace(denial, quantity=known.quantity)
        plan.denial = denial

    def compare(self, plan: QuotaPlan, figures: Sequence[int]) -> None:
        """Hold a denial against newer figures of the store: what they leave room for is not denied any more."""
        if plan.denial is not None and _room(plan, figures) >= plan.denial.quantity:
            plan.denial = None

    def drop(self, tenant_id: str, account_id: str, feature_key: str) -> None:
        """Units of this account's feature were returned, or its usage was reset: nothing is known of it any more."""
        self.heard += 1
        plan = self._plans.known_quota(tenant_id, account_id, feature_key)
        if plan is not None:
            plan.denial, plan.returned = None, self.heard

    def on_gap(self) -> None:
        """Returns may be missed from now on: nothing stands until `on_live`."""
        self._is_live = False

    def on_live(self) -> None:
        """No return is missed from here on: what is asked from now on may stand."""
        self.heard += 1
        self._is_live, self._live_since = True, self.heard

    def _stands(self, denial: Denial, age: int) -> bool:
        return self._is_live and denial.heard >= self._live_since and 0 <= age < self._max_staleness


def _room(plan: QuotaPlan, figures: Sequence[int]) -> int:
    """How much the quota still held by these figures; a quota without a limit never denies."""
    return (plan.slots[plan.index].limit or 0) - figures[1]
