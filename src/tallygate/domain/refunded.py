"""How much of a refund may be charged back: as much as was charged; the rest returns what never was.

Pure: facts of one usage period of a meter in, in the order in which they were recorded, and the same facts out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tallygate.domain.event import FactKind, UsageFact, may_be_charged
from tallygate.domain.gating.decision import Pot, PotKind

_COUNTED = frozenset({FactKind.CONSUME, FactKind.REFUND})


@dataclass(slots=True, kw_only=True)
class PeriodUnits:
    """The net units of one usage period that each pot but grants has paid: those that may be charged, and the others.

    The others were carried in, or used while the feature was not charged. Trials count in periods of their own.
    """

    charged: dict[PotKind, int] = field(default_factory=dict)
    others: dict[PotKind, int] = field(default_factory=dict)

    def recorded(self, fact: UsageFact) -> UsageFact:
        """The fact as it is kept, which from now on is counted here.

        A refund takes from the charged units of its pot first, and never more than there are while there are others.
        """
        if fact.billable and fact.kind is FactKind.REFUND:
            pots = tuple(self._told(pot) for pot in fact.pots)
            if pots != fact.pots:
                fact = replace(fact, pots=pots, billable=may_be_charged(asked=True, trial=fact.trial, pots=pots))
        if fact.kind in _COUNTED:
            for pot in fact.pots:
                self.add(pot, billable=fact.billable)
        return fact

    def add(self, pot: Pot, *, billable: bool) -> None:
        """Count what a fact says that a pot paid."""
        if pot.kind is PotKind.GRANT:
            return
        uncharged = pot.uncharged if billable else pot.quantity
        self.charged[pot.kind] = self.charged.get(pot.kind, 0) + pot.quantity - uncharged
        self.others[pot.kind] = self.others.get(pot.kind, 0) + uncharged

    def _told(self, pot: Pot) -> Pot:
        beyond = -pot.quantity - max(0, self.charged.get(pot.kind, 0))
        uncharged = min(beyond, self.others.get(pot.kind, 0))
        return replace(pot, uncharged=-uncharged) if uncharged > 0 else pot


Period = tuple[str, str, str, int]
"""A tenant, an account, a feature, and the start of one of its usage periods, outside of trials."""


def period_of(fact: UsageFact) -> Period | None:
    """Where a fact counts towards what may be charged; None for trials, which count apart."""
    return None if fact.trial else (fact.tenant_id, fact.account_id, fact.feature_key, fact.period_start)


def refunding(facts: Iterable[UsageFact]) -> set[Period]:
    """The periods in which facts return what may have been charged."""
    found = {period_of(fact) for fact in facts if fact.kind is FactKind.REFUND and fact.billable}
    return {period for period in found if period is not None}
