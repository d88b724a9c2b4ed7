"""Subscriptions: what is held, as it reads at an instant."""

from tallygate.control_plane.subscription_changes import When
from tallygate.control_plane.subscription_terms import state_at, term_at
from tallygate.control_plane.subscriptions import live_subscription
from tallygate.domain.account import AccountRecord, AddOnHolding, PlanTerm, Subscription, SubscriptionState
from tallygate.domain.catalog import Catalog
from tallygate.domain.errors import InvalidFieldError
from tallygate.server.codec import WireEnum, timestamp
from tallygate.server.codec_plan import encode_price
from tallygate_api.v1 import subscription_pb2 as wire
from tallygate_api.v1 import subscription_service_pb2 as service

STATE = WireEnum(wire.SubscriptionState, SubscriptionState)
_WHEN = {service.CHANGE_WHEN_NOW: When.NOW, service.CHANGE_WHEN_PERIOD_END: When.PERIOD_END}


def decode_when(number: int, default: When) -> When:
    """When a change is to happen; unspecified is `default`.

    Raises:
        InvalidFieldError: it is not known.
    """
    if number == service.CHANGE_WHEN_UNSPECIFIED:
        return default
    found = {int(key): when for key, when in _WHEN.items()}.get(number)
    if found is None:
        raise InvalidFieldError(field="when", expected="CHANGE_WHEN_NOW or CHANGE_WHEN_PERIOD_END", got=number)
    return found


def encode_live(record: AccountRecord, catalog: Catalog, now: int) -> wire.Subscription | None:
    """The live subscription, or None."""
    live = live_subscription(record, now)
    return encode_subscription(live, record.account_id, catalog, now) if live is not None else None


def encode_subscription(subscription: Subscription, account_id: str, catalog: Catalog, now: int) -> wire.Subscription:
    """A subscription with the plan that serves at `now` and its prices."""
    term = term_at(subscription, now)
    plan = catalog.plan(term.plan_key, term.plan_version)
    return wire.Subscription(
        subscription_id=subscription.subscription_id,
        account_id=account_id,
        state=STATE.encode(state_at(subscription, now)),
        plan_key=term.plan_key,
        plan_version=term.plan_version,
        start_time=timestamp(subscription.start_time),
        trial_end_time=timestamp(subscription.trial_end_time),
        end_time=timestamp(subscription.end_time),
        terms=[_term(each) for each in subscription.terms],
        add_ons=[_holding(each) for each in subscription.add_ons],
        prices=[encode_price(price) for price in plan.prices] if plan is not None else [],
    )


def _term(term: PlanTerm) -> wire.PlanTerm:
    return wire.PlanTerm(plan_key=term.plan_key, plan_version=term.plan_version, start_time=timestamp(term.start_time))


def _holding(holding: AddOnHolding) -> wire.AddOnHolding:
    return wire.AddOnHolding(
        add_on_key=holding.add_on_key,
        add_on_version=holding.version,
        quantity=holding.quantity,
        start_time=timestamp(holding.start_time),
        end_time=timestamp(holding.end_time),
    )
