"""What used to hold and usage periods still hang on: how it is written down, and how long it is kept.

A change is over for periods once the one that it met and the first one after it have ended, which is less than three of
the longest there are. Instants are microseconds since the Unix epoch.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from tallygate.domain.catalog import Catalog, Feature, FormerDefault, FormerRule, FormerZone
from tallygate.domain.period import PeriodUnit

MOST = 64
"""How much is kept of one kind; of more, what lies in the middle is forgotten: it laid down no period that runs."""

_DAY = 86_400_000_000
_HOURS_AND_DAYS = {PeriodUnit.HOUR: _DAY // 24, PeriodUnit.DAY: _DAY, PeriodUnit.WEEK: 7 * _DAY}
_AT_MOST = {**_HOURS_AND_DAYS, PeriodUnit.MONTH: 31 * _DAY, PeriodUnit.YEAR: 366 * _DAY}
_OLDEST = MOST // 4

_T = TypeVar("_T")
_F = TypeVar("_F", bound=FormerZone | FormerDefault | FormerRule)


def longest_period(catalog: Catalog) -> int:
    """How long the longest usage period of the catalogue may last, former rules included."""
    return max((longest_of(feature) for feature in catalog.features.values()), default=0)


def longest_of(feature: Feature) -> int:
    """How long a usage period of the feature may last, under any rule that is known of it."""
    rules = [feature.usage_period, *(former.rule for former in feature.former_rules)]
    return max(_AT_MOST[rule.every] * rule.count for rule in rules)


def kept(formers: Sequence[_T], end: Callable[[_T], int], *, now: int, longest: int) -> tuple[_T, ...]:
    """Those that a usage period may still hang on, of formers in the order of their ends."""
    recent = [former for former in formers if end(former) > now - 3 * longest]
    if len(recent) > MOST:
        recent = recent[:_OLDEST] + recent[len(recent) - (MOST - _OLDEST) :]
    return tuple(recent)


def with_former(formers: tuple[_F, ...], former: _F, *, longest: int) -> tuple[_F, ...]:
    """The formers and one more, which held until now; one that held for no time at all is none."""
    if formers and formers[-1].end_time >= former.end_time:
        return formers
    return kept([*formers, former], lambda each: each.end_time, now=former.end_time, longest=longest)


def with_former_rule(feature: Feature, before: Feature, *, now: int) -> Feature:
    """A feature as it is from now on, knowing the rule that its usage periods had before."""
    if feature.usage_period == before.usage_period:
        return replace(feature, former_rules=before.former_rules)
    former = FormerRule(rule=before.usage_period, end_time=now)
    longest = max(longest_of(feature), longest_of(before))
    return replace(feature, former_rules=with_former(before.former_rules, former, longest=longest))
