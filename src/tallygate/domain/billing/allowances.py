"""What usage would have been overage under a plan that no gate asked: told by what the plan includes alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tallygate.domain.billing.counting import BillableFact
from tallygate.domain.billing.timeline import Timeline
from tallygate.domain.billing.windows import LEVELS
from tallygate.domain.catalog import Entitlement, Feature
from tallygate.domain.gating.decision import Pot, PotKind
from tallygate.domain.period import usage_period

_NOTHING = Entitlement(limit=0)


@dataclass(slots=True, kw_only=True)
class Allowance:
    """What a plan includes of a feature in each of its usage periods, and how much of it facts took, in order.

    `origin` and `zone` are what the periods hang on. `exceeded` tells whether the plan would have denied something.
    """

    feature: Feature
    entitlement: Entitlement
    origin: int
    zone: str
    used: dict[int, int] = field(default_factory=dict)
    exceeded: bool = False

    def told(self, fact: BillableFact) -> BillableFact:
        """The fact as it would have been: what grants paid stays so, what is beyond the limit is overage."""
        period = usage_period(self.feature.usage_period, zone=self.zone, origin=self.origin, at=fact.occurred_time)
        granted = sum(pot.quantity for pot in fact.pots if pot.kind is PotKind.GRANT)
        before = self.used.get(period.start, 0)
        after = fact.quantity if self.feature.aggregation in LEVELS else before + fact.quantity - granted
        self.used[period.start] = after
        end = self.entitlement.end
        self.exceeded = self.exceeded or (end is not None and after > end)
        overage = self._beyond(after) - self._beyond(before)
        parts = {
            PotKind.INCLUDED: fact.quantity - granted - overage,
            PotKind.GRANT: granted,
            PotKind.OVERAGE: overage,
        }
        return replace(fact, pots=tuple(Pot(kind=kind, quantity=part) for kind, part in parts.items() if part))

    def _beyond(self, used: int) -> int:
        return 0 if self.entitlement.unlimited else max(0, used - (self.entitlement.limit or 0))


def allowance(timeline: Timeline, feature: Feature, *, at: int, zone: str) -> Allowance:
    """What a subscription's plan and add-ons include of a metered feature at an instant."""
    plan = timeline.plan_at(at)
    found = plan.entitlements.get(feature.feature_key) if plan is not None else None
    held = found or _NOTHING
    for each in timeline.add_ons():
        more = each.item.entitlements.get(feature.feature_key)
        if more is not None and each.start <= at < each.end:
            held = _together(held, more, each.multiple)
    return Allowance(feature=feature, entitlement=held, origin=timeline.origin, zone=zone)


def _together(held: Entitlement, more: Entitlement, multiple: int) -> Entitlement:
    if held.unlimited or more.unlimited:
        return replace(held, unlimited=True)
    own, added = held.limit or 0, (more.limit or 0) * multiple
    hard = None if held.hard_limit is None else held.hard_limit + added
    return replace(held, limit=own + added, hard_limit=hard)


def exceeded(allowances: Mapping[str, Allowance]) -> tuple[str, ...]:
    """The features of which more was used than is granted, by key."""
    return tuple(key for key, each in sorted(allowances.items()) if each.exceeded)
