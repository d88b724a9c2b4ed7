"""From an account's record and its catalogue: which calendars its usage periods had, and when a feature could be used.

Only what counts as use lays periods down: plans, add-ons, default plans and overrides that entitle to the feature. A
trial is a period of its own, and what grants pay for is theirs whatever the period.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tallygate.domain.account import AccountRecord, Subscription, SubscriptionState
from tallygate.domain.catalog import Catalog, Feature
from tallygate.domain.errors import MAX_QUANTITY
from tallygate.domain.period import Anchor, PeriodRule
from tallygate.domain.timetable import Calendar, Change, Since, Timetable, since, timetable

_END = MAX_QUANTITY
_Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendars:
    """One account's usage periods, feature by feature; each timetable is laid out once, when it is first asked for."""

    catalog: Catalog
    record: AccountRecord
    _tables: dict[tuple[str, PeriodRule], Timetable] = field(default_factory=dict, compare=False, repr=False)

    def of(self, feature: Feature) -> Timetable:
        """The feature's usage periods, but for trials."""
        key = feature.feature_key, feature.usage_period
        table = self._tables.get(key)
        if table is None:
            first, *rest = _calendars(self.catalog, self.record, feature)
            table = self._tables[key] = timetable(first.calendar, self._changes(feature, first.calendar, rest))
        return table

    def was_usable(self, feature: Feature, first: int, last: int) -> bool:
        """Whether the account was entitled to the feature, outside trials, at some instant of these."""
        uses = _uses(self.catalog, self.record, feature.feature_key, but_for="")
        return any(start <= last and first <= end for start, end in uses)

    def _changes(self, feature: Feature, before: Calendar, after: Iterable["_Moment"]) -> Iterator[Change]:
        for moment in after:
            if moment.calendar != before:
                uses = _uses(self.catalog, self.record, feature.feature_key, but_for=moment.subscription)
                used = max((min(last, moment.at) for start, last in uses if start <= moment.at), default=None)
                yield Change(at=moment.at, calendar=moment.calendar, used=used)
            before = moment.calendar

    def trials(self) -> tuple[_Span, ...]:
        """The account's trials, newest first; none reaches into a newer one, nor begins before it was written down."""
        found: list[_Span] = []
        for subscription in reversed(_subscriptions(self.record)):
            end = min([_trial_end(subscription), *(start for start, _ in found)])
            if _counts_from(subscription) < end:
                found.append((_counts_from(subscription), end))
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """A calendar from an instant on; `subscription` is the one that brought it, empty where none did."""

    at: int
    calendar: Calendar
    subscription: str = ""


def _calendars(catalog: Catalog, record: AccountRecord, feature: Feature) -> Iterator[_Moment]:
    """Every change of rule, zone or origin by itself, those of one instant one after the other; the first is no change.

    Subscriptions come first: what they bring may have been used at that instant already when something else changes.
    """
    series: tuple[list[Since[Any]], ...] = (
        _origins(record),
        since([(former.rule, former.end_time) for former in feature.former_rules], feature.usage_period),
        since([(former.time_zone, former.end_time) for former in record.former_zones], record.time_zone),
        since([(former.time_zone, former.end_time) for former in catalog.former_zones], catalog.time_zone),
    )
    values = [each[0].value for each in series]
    yield _Moment(at=0, calendar=_calendar(*values, created=record.create_time))
    moments = sorted(
        ((each.start, kind, each.value) for kind, some in enumerate(series) for each in some[1:]),
        key=lambda moment: moment[:2],
    )
    for at, kind, value in moments:
        values[kind] = value
        anchored = kind == 0 and values[1].anchor is Anchor.SUBSCRIPTION
        calendar = _calendar(*values, created=record.create_time)
        yield _Moment(at=at, calendar=calendar, subscription=value[1] if anchored else "")


def _calendar(subscribed: tuple[int, str], rule: PeriodRule, own_zone: str, zone: str, *, created: int) -> Calendar:
    origins = {Anchor.CALENDAR: None, Anchor.ACCOUNT: created, Anchor.SUBSCRIPTION: subscribed[0]}
    return Calendar(rule=rule, zone=own_zone or zone or "UTC", origin=origins[rule.anchor])


def _origins(record: AccountRecord) -> list[Since[tuple[int, str]]]:
    """What periods of the subscription are anchored to, and the subscription: the account, until there was one."""
    found = [Since(0, (record.create_time, ""))]
    for subscription in _subscriptions(record):
        anchor = subscription.start_time, subscription.subscription_id
        if subscription.anchor_time is None:
            found = [Since(0, anchor)]
        else:
            found.append(Since(subscription.anchor_time, anchor))
    return found


def _subscriptions(record: AccountRecord) -> list[Subscription]:
    """All that ever began, by the instants from which they counted."""
    every = [*record.former_subscriptions, *([record.subscription] if record.subscription is not None else [])]
    began = [each for each in every if each.end_time is None or each.end_time >= _counts_from(each)]
    return sorted(began, key=_counts_from)


def _counts_from(subscription: Subscription) -> int:
    """Its start, or later: when it was written down, where that start lay in the past."""
    return max(subscription.start_time, subscription.anchor_time or 0)


def _trial_end(subscription: Subscription) -> int:
    if subscription.trial_end_time is None:
        return subscription.start_time
    return min(subscription.trial_end_time, _END if subscription.end_time is None else subscription.end_time)


def _uses(catalog: Catalog, record: AccountRecord, feature_key: str, *, but_for: str) -> Iterator[_Span]:
    """When the account was entitled to the feature, as was known then: first and last instants.

    What ended at the instant at which it began was held at that instant: a test's clock may stand.
    """
    free = record.create_time
    for subscription in _subscriptions(record):
        begins, end = _counts_from(subscription), subscription.end_time
        yield from _uses_by_default(catalog, feature_key, free, begins)
        if subscription.subscription_id != but_for:
            yield from _uses_by_subscription(catalog, subscription, feature_key)
        free = max(free, _END if end is None else end)
    yield from _uses_by_default(catalog, feature_key, free, _END)
    for override in record.overrides:
        if override.feature_key == feature_key:
            yield from _cut(override.start_time, override.end_time, 0, _END)


def _uses_by_default(catalog: Catalog, feature_key: str, start: int, end: int) -> Iterator[_Span]:
    defaults = since([(former.plan_key, former.end_time) for former in catalog.former_defaults], catalog.default_plan)
    ends = [*(each.start for each in defaults[1:]), None]
    for each, until in zip(defaults, ends, strict=True):
        serves = max(each.start, start) < min(end if until is None else until, end)
        versions = catalog.plans.get(each.value, {}).values()
        if serves and any(feature_key in plan.entitlements for plan in versions):
            yield from _cut(each.start, until, start, end)


def _uses_by_subscription(catalog: Catalog, subscription: Subscription, feature_key: str) -> Iterator[_Span]:
    if subscription.state is SubscriptionState.INCOMPLETE:  # it granted nothing yet
        return
    begins = max(_counts_from(subscription), _trial_end(subscription))
    stops = _END if subscription.end_time is None else subscription.end_time
    if subscription.trial_end_time is not None and begins == stops:  # it was on trial until its end
        return
    ends = [*(term.start_time for term in subscription.terms[1:]), None]
    for term, end in zip(subscription.terms, ends, strict=True):
        plan = catalog.plan(term.plan_key, term.plan_version)
        if plan is not None and feature_key in plan.entitlements:
            yield from _cut(term.start_time, end, begins, stops)
    for holding in subscription.add_ons:
        add_on = catalog.add_on(holding.add_on_key, holding.version)
        if add_on is not None and feature_key in add_on.entitlements:
            yield from _cut(holding.start_time, holding.end_time, begins, stops)


def _cut(start: int, end: int | None, begins: int, stops: int) -> Iterator[_Span]:
    start, end = max(start, begins), stops if end is None else min(end, stops)
    if start <= end:
        yield start, max(start, end - 1)
