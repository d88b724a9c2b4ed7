"""Subscriptions: what is held, as it reads at an instant."""

from tallygate.control_plane.add_ons import AddOnChoice
from tallygate.control_plane.booking_changes import BookQuantity
from tallygate.control_plane.pauses import PauseSubscription
from tallygate.control_plane.proposals import CancelSubscription, ChangePlan, SetAddOn, When
from tallygate.control_plane.subscription_terms import as_it_will_be, state_at, term_at
from tallygate.control_plane.subscriptions import CreateSubscription
from tallygate.domain.account import AddOnHolding, Booking, ChangeProration, PlanTerm, SubscriptionState
from tallygate.domain.catalog import Catalog
from tallygate.domain.errors import InvalidFieldError
from tallygate.records.history import SubscriptionChange
from tallygate.records.values import StoredSubscription
from tallygate.server.wire.price import encode_price
from tallygate.server.wire.scalars import (
    WireEnum,
    counts,
    identifier,
    optional_identifier,
    optional_instant,
    optional_quantity,
    quantity,
    timestamp,
)
from tallygate_api.v1 import subscription_pb2 as wire
from tallygate_api.v1 import subscription_service_pb2 as service

STATE = WireEnum(wire.SubscriptionState, SubscriptionState)
_PRORATION = WireEnum(wire.ChangeProration, ChangeProration, default=ChangeProration.PRORATE)
_WHEN = {service.CHANGE_WHEN_NOW: When.NOW, service.CHANGE_WHEN_PERIOD_END: When.PERIOD_END}


def decode_when(number: int) -> When | None:
    """When a change is to happen; None where that is unspecified.

    Raises:
        InvalidFieldError: it is not known.
    """
    if number == service.CHANGE_WHEN_UNSPECIFIED:
        return None
    found = {int(key): when for key, when in _WHEN.items()}.get(number)
    if found is None:
        raise InvalidFieldError(field="when", expected="CHANGE_WHEN_NOW or CHANGE_WHEN_PERIOD_END", got=number)
    return found


def decode_create(request: service.CreateSubscriptionRequest) -> CreateSubscription:
    """A subscription to create."""
    return CreateSubscription(
        account_id=identifier(request.account_id, "account_id"),
        plan_key=identifier(request.plan_key, "plan_key"),
        plan_version=optional_quantity(request, "plan_version", at_least=1),
        trial_days=optional_quantity(request, "trial_days", at_least=0),
        start_time=optional_instant(request, "start_time"),
        end_time=optional_instant(request, "end_time"),
        add_ons=[decode_choice(each, f"add_ons[{index}]") for index, each in enumerate(request.add_ons)],
        quantities={**counts(request.seats, "seats"), "": quantity(request.users, "users", at_least=0)},
    )


def decode_change_plan(request: service.ChangePlanRequest) -> ChangePlan:
    """A change of the plan."""
    return ChangePlan(
        account_id=identifier(request.account_id, "account_id"),
        plan_key=identifier(request.plan_key, "plan_key"),
        plan_version=optional_quantity(request, "plan_version", at_least=1),
        when=decode_when(request.when),
        proration=_PRORATION.decode(request.proration, "proration"),
    )


def decode_set_add_on(request: service.SetAddOnRequest) -> SetAddOn:
    """An add-on to hold."""
    return SetAddOn(
        account_id=identifier(request.account_id, "account_id"),
        add_on_key=identifier(request.add_on_key, "add_on_key"),
        quantity=optional_quantity(request, "quantity", at_least=0),
        proration=_PRORATION.decode(request.proration, "proration"),
    )


def decode_booking(request: service.BookQuantityRequest) -> BookQuantity:
    """Seats or users to book."""
    return BookQuantity(
        account_id=identifier(request.account_id, "account_id"),
        feature_key=optional_identifier(request.feature_key, "feature_key"),
        quantity=quantity(request.quantity, "quantity", at_least=0),
        proration=_PRORATION.decode(request.proration, "proration"),
    )


def decode_proration(number: int) -> ChangeProration:
    """How a change is charged.

    Raises:
        InvalidFieldError: it is not known.
    """
    return _PRORATION.decode(number, "proration")


def decode_invoice_now(number: int) -> bool:
    """Whether a change is to be invoiced at once.

    Raises:
        InvalidFieldError: it is not known.
    """
    if number not in {service.CHANGE_INVOICE_UNSPECIFIED, service.CHANGE_INVOICE_NEXT, service.CHANGE_INVOICE_NOW}:
        raise InvalidFieldError(field="invoice", expected="CHANGE_INVOICE_NEXT or CHANGE_INVOICE_NOW", got=number)
    return number == service.CHANGE_INVOICE_NOW


def decode_cancel(request: service.CancelSubscriptionRequest) -> CancelSubscription:
    """An end to give."""
    end = optional_instant(request, "end_time")
    return CancelSubscription(
        account_id=identifier(request.account_id, "account_id"),
        when=(decode_when(request.when) or When.PERIOD_END) if end is None else When.AT,
        end_time=end,
    )


def decode_pause(request: service.PauseSubscriptionRequest) -> PauseSubscription:
    """A pause to begin."""
    account_id = identifier(request.account_id, "account_id")
    return PauseSubscription(account_id=account_id, resume_time=optional_instant(request, "resume_time"))


def decode_choice(selection: service.AddOnSelection, path: str) -> AddOnChoice:
    """An add-on to hold from the start on."""
    count = optional_quantity(selection, "quantity", at_least=1, path=path)
    add_on_key = identifier(selection.add_on_key, f"{path}.add_on_key")
    return AddOnChoice(add_on_key=add_on_key, quantity=1 if count is None else count)


def encode_subscription(held: StoredSubscription, catalog: Catalog, now: int) -> wire.Subscription:
    """A subscription with the plan that serves at `now` and its prices, without what its end keeps from coming."""
    subscription = as_it_will_be(held, catalog)
    term = term_at(subscription, now)
    plan = catalog.plan(term.plan_key, term.plan_version)
    return wire.Subscription(
        subscription_id=subscription.subscription_id,
        account_id=held.account_id,
        state=STATE.encode(state_at(subscription, now)),
        plan_key=term.plan_key,
        plan_version=term.plan_version,
        start_time=timestamp(subscription.start_time),
        trial_end_time=timestamp(subscription.trial_end_time),
        end_time=timestamp(subscription.end_time),
        create_time=timestamp(held.create_time),
        cancel_time=timestamp(held.cancel_time),
        terms=[_term(each) for each in subscription.terms],
        add_ons=[_holding(each) for each in subscription.add_ons],
        prices=[encode_price(price) for price in plan.prices] if plan is not None else [],
        pauses=[
            wire.Pause(start_time=timestamp(pause.start_time), end_time=timestamp(pause.end_time))
            for pause in subscription.pauses
        ],
        bookings=[_booking(each) for each in subscription.bookings],
    )


def encode_change(change: SubscriptionChange, catalog: Catalog) -> wire.SubscriptionChange:
    """One change, with the subscription before and after as it read then."""
    return wire.SubscriptionChange(
        sequence=change.sequence,
        change_time=timestamp(change.change_time),
        actor_key_id=change.author.key_id,
        actor_key_name=change.author.key_name,
        method=change.method,
        reason=change.author.reason,
        before=_as_of(change.before, catalog, change.change_time),
        after=_as_of(change.after, catalog, change.change_time),
    )


def _as_of(held: StoredSubscription | None, catalog: Catalog, at: int) -> wire.Subscription | None:
    if held is None:
        return None
    shown = encode_subscription(held, catalog, at)
    shown.ClearField("prices")
    return shown


def _term(term: PlanTerm) -> wire.PlanTerm:
    return wire.PlanTerm(
        plan_key=term.plan_key,
        plan_version=term.plan_version,
        start_time=timestamp(term.start_time),
        proration=_PRORATION.encode(term.proration),
    )


def _booking(booking: Booking) -> wire.Booking:
    return wire.Booking(
        feature_key=booking.source,
        quantity=booking.quantity,
        start_time=timestamp(booking.start_time),
        proration=_PRORATION.encode(booking.proration),
    )


def _holding(holding: AddOnHolding) -> wire.AddOnHolding:
    return wire.AddOnHolding(
        add_on_key=holding.add_on_key,
        add_on_version=holding.version,
        quantity=holding.quantity,
        start_time=timestamp(holding.start_time),
        end_time=timestamp(holding.end_time),
        proration=_PRORATION.encode(holding.proration),
    )
