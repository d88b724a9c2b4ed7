"""The figures of a rate limit as they hold for one account: which, since when, and how long what they count is kept."""

from dataclasses import dataclass

from tallygate.domain.gating.decision import Source
from tallygate.domain.gating.resolve import EntitlementSet
from tallygate.domain.limits import LimitOwner, RateLimit, RateLimitRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A rate limit in force since `since` (0: nobody noted it); `keep` and `source` as `RateGate` has them."""

    rate: RateLimit
    since: int
    keep: int
    source: Source | None = None


def figures(rule: RateLimitRule, held: EntitlementSet | None, at: int) -> Figures | None:
    """What holds at an instant: an account's override, else its plan's, or the rule's own; None where there is none."""
    if rule.owner is LimitOwner.TENANT or held is None:
        return None if rule.value is None else Figures(rate=rule.value, since=min(rule.value_time, at), keep=0)
    phase = held.phase_at(at)
    rate = phase.rate_limits.get(rule.limit_key)
    if rate is None:
        return None
    since = max(phase.plan_time, held.limits_time, _begun(held, rule.limit_key, rate, at))
    source = phase.limit_sources.get(rule.limit_key, phase.plan_source)
    return Figures(rate=rate, since=min(since, at), keep=held.slowest.get(rule.limit_key, 0), source=source)


def _begun(held: EntitlementSet, limit_key: str, rate: RateLimit, at: int) -> int:
    """The start of the first of the phases, up to this instant, that all give the same."""
    begun = 0
    for before, phase in zip(held.phases, held.phases[1:], strict=False):
        if phase.start > at:
            break
        if before.rate_limits.get(limit_key) != rate:
            begun = phase.start
    return begun
