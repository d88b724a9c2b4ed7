"""Seats and users that are booked: paid whether they are taken or not, and assigned later. What may be booked."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tallygate.domain.account import AccountRecord, Booking, Subscription, SubscriptionState
from tallygate.domain.catalog import Catalog, FeatureKind
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.gating.decide import decide
from tallygate.domain.gating.decision import Reason
from tallygate.domain.gating.remedies import Question
from tallygate.domain.gating.resolve import resolve
from tallygate.domain.prices import Price
from tallygate.records.fields import check_quantity
from tallygate.records.lookup import feature_of


def with_bookings(
    catalog: Catalog, record: AccountRecord | None, subscription: Subscription, quantities: Mapping[str, int]
) -> Subscription:
    """A new subscription with so many seats (by feature; users under an empty key) booked from its start on.

    Without a record it is that of an account that holds nothing else.

    Raises:
        FeatureNotFoundError: there is no such feature.
        InvalidFieldError: nothing of it charges by them, or it does not give so many seats.
    """
    start = subscription.start_time
    alone = AccountRecord(tenant_id="", account_id="", version=0, create_time=start)
    booked = []
    for source, quantity in sorted(quantities.items()):
        if quantity:
            field = f"seats[{source}]" if source else "users"
            check_booking(catalog, record or alone, subscription, source, quantity, at=start, field=field)
            booked.append(Booking(source=source, quantity=quantity, start_time=start))
    return replace(subscription, bookings=tuple(booked))


def check_seats(
    catalog: Catalog, record: AccountRecord | None, subscription: Subscription, quantities: Mapping[str, int]
) -> None:
    """Check that a new subscription gives so many seats, by feature.

    Raises:
        InvalidFieldError: it gives fewer.
    """
    start = subscription.start_time
    alone = AccountRecord(tenant_id="", account_id="", version=0, create_time=start)
    for source, quantity in sorted(quantities.items()):
        feature = catalog.features.get(source)
        if quantity and feature is not None and feature.kind is FeatureKind.SEAT:
            _check_room(catalog, record or alone, subscription, source, quantity, at=start, field=f"seats[{source}]")


def check_booking(
    catalog: Catalog,
    record: AccountRecord,
    subscription: Subscription,
    source: str,
    quantity: int,
    *,
    at: int,
    field: str,
) -> None:
    """Check that so many seats or users of a source can be booked from an instant on.

    Raises:
        FeatureNotFoundError: there is no such feature.
        InvalidFieldError: it has no seats, nothing that is held charges by them, or fewer are given.
    """
    check_quantity(field, quantity)
    if source and feature_of(catalog, source).kind is not FeatureKind.SEAT:
        named = "feature_key" if field == "quantity" else field
        raise InvalidFieldError(field=named, expected="a seat feature", got=source)
    if not quantity:
        return
    if not any(_counts(price, source) for price in _prices(catalog, subscription, at)):
        what = f"seats of {source}" if source else "users"
        raise InvalidFieldError(field=field, expected=f"0: nothing that is held charges by {what}", got=quantity)
    if source:
        _check_room(catalog, record, subscription, source, quantity, at=at, field=field)


def _check_room(
    catalog: Catalog,
    record: AccountRecord,
    subscription: Subscription,
    source: str,
    quantity: int,
    *,
    at: int,
    field: str,
) -> None:
    """More seats than anybody may take are not sold."""
    serving = replace(subscription, state=SubscriptionState.ACTIVE)
    free = replace(record, subscription=serving, seats={**record.seats, source: ()})
    question = Question(feature=catalog.features[source], quantity=quantity, at=at)
    decision = decide(catalog, resolve(catalog, free), question)
    if not decision.allowed and decision.reason in {Reason.SEAT_LIMIT, Reason.NOT_IN_PLAN}:
        expected = f"at most {decision.limit or 0}, as many seats as are given"
        raise InvalidFieldError(field=field, expected=expected, got=quantity)


def _prices(catalog: Catalog, subscription: Subscription, at: int) -> Iterator[Price]:
    """Those that are held from an instant on, now or later."""
    for index, term in enumerate(subscription.terms):
        later = subscription.terms[index + 1 :]
        plan = catalog.plan(term.plan_key, term.plan_version)
        if plan is not None and (not later or later[0].start_time > at):
            yield from plan.prices
    for held in subscription.add_ons:
        add_on = catalog.add_on(held.add_on_key, held.version)
        if add_on is not None and (held.end_time is None or held.end_time > at):
            yield from add_on.prices


def _counts(price: Price, source: str) -> bool:
    form = price.recurring
    return form is not None and form.per_quantity and form.seats == source
