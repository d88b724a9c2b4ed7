"""Orders, wire to domain and back."""

from collections.abc import Mapping

from tallygate.billing.profiles import is_email
from tallygate.domain.billing.orders import (
    Order,
    OrderedAddOn,
    OrderedQuota,
    OrderedRenewal,
    OrderedSubscription,
    OrderItem,
    OrderState,
)
from tallygate.domain.errors import InvalidFieldError
from tallygate.records.orders import OrderQuery
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
from tallygate.server.wire.subscription import decode_choice
from tallygate_api.v1 import order_service_pb2 as wire
from tallygate_api.v1.subscription_service_pb2 import AddOnSelection

_STATE = WireEnum(wire.OrderState, OrderState)
_MOST_ITEMS = 100


def decode_order(request: wire.CreateOrderRequest, new_id: str) -> Order:
    """An order to put together, under a new id where it names none."""
    if not 0 < len(request.items) <= _MOST_ITEMS:
        raise InvalidFieldError(field="items", expected=f"1 to {_MOST_ITEMS} of them", got=len(request.items))
    return Order(
        order_id=optional_identifier(request.order_id, "order_id") or f"ord_{new_id}",
        account_id=identifier(request.account_id, "account_id"),
        items=tuple(_decode_item(item, f"items[{index}]") for index, item in enumerate(request.items)),
        codes=tuple(identifier(code, f"coupon_codes[{index}]") for index, code in enumerate(request.coupon_codes)),
    )


def decode_query(request: wire.ListOrdersRequest) -> OrderQuery:
    """Which orders a list was asked for; how many of them is the page's."""
    return OrderQuery(
        limit=0,
        account_id=optional_identifier(request.account_id, "account_id"),
        state=_STATE.decode(request.state, "state") if request.state else None,
    )


def encode_order(order: Order) -> wire.Order:
    """An order as it is kept."""
    return wire.Order(
        order_id=order.order_id,
        account_id=order.account_id,
        items=[_encode_item(item) for item in order.items],
        coupon_codes=order.codes,
        state=_STATE.encode(order.state),
        create_time=timestamp(order.create_time),
        complete_time=timestamp(order.complete_time),
        terms_version=order.terms_version,
        actor_key_id=order.actor_id,
        invoice_ids=order.invoice_ids,
        pay_until_time=timestamp(order.pay_until),
    )


def encode_claims(order: Order, codes: Mapping[int, str]) -> list[wire.Claim]:
    """What is to be redeemed of an order."""
    return [wire.Claim(item=index, email=order.items[index].email, code=code) for index, code in sorted(codes.items())]


def _decode_item(item: wire.OrderItem, path: str) -> OrderItem:
    kind, email = item.WhichOneof("what"), item.email
    if kind is None:
        raise InvalidFieldError(field=f"{path}.what", expected="a subscription, a renewal or quota")
    if email and (item.account_id or kind != "subscription"):
        raise InvalidFieldError(field=f"{path}.email", expected="an account_id or an email, and of a subscription")
    if email and not is_email(email):
        raise InvalidFieldError(field=f"{path}.email", expected="an e-mail address, as ada@acme.example")
    return OrderItem(
        subscription=_decode_subscription(item.subscription, f"{path}.subscription")
        if kind == "subscription"
        else None,
        renewal=OrderedRenewal(approved=item.renewal.approved) if kind == "renewal" else None,
        quota=_decode_quota(item.quota, f"{path}.quota") if kind == "quota" else None,
        account_id=optional_identifier(item.account_id, f"{path}.account_id"),
        email=email,
    )


def _decode_quota(ordered: wire.OrderedQuota, path: str) -> OrderedQuota:
    return OrderedQuota(
        feature_key=identifier(ordered.feature_key, f"{path}.feature_key"),
        quantity=quantity(ordered.quantity, f"{path}.quantity", at_least=1),
        expire_time=optional_instant(ordered, "expire_time"),
    )


def _decode_subscription(ordered: wire.OrderedSubscription, path: str) -> OrderedSubscription:
    choices = [decode_choice(each, f"{path}.add_ons[{index}]") for index, each in enumerate(ordered.add_ons)]
    return OrderedSubscription(
        plan_key=identifier(ordered.plan_key, f"{path}.plan_key"),
        plan_version=optional_quantity(ordered, "plan_version", at_least=1, path=path),
        trial_days=optional_quantity(ordered, "trial_days", at_least=0, path=path),
        add_ons=tuple(OrderedAddOn(add_on_key=each.add_on_key, quantity=each.quantity) for each in choices),
        advance_length=quantity(ordered.advance_length, f"{path}.advance_length", at_least=0),
        seats=tuple(counts(ordered.seats, f"{path}.seats").items()),
        users=quantity(ordered.users, f"{path}.users", at_least=0),
    )


def _encode_item(item: OrderItem) -> wire.OrderItem:
    renewal, quota = item.renewal, item.quota
    return wire.OrderItem(
        subscription=_encode_subscription(item.subscription) if item.subscription is not None else None,
        renewal=wire.OrderedRenewal(approved=renewal.approved) if renewal is not None else None,
        quota=wire.OrderedQuota(
            feature_key=quota.feature_key, quantity=quota.quantity, expire_time=timestamp(quota.expire_time)
        )
        if quota is not None
        else None,
        account_id=item.account_id,
        email=item.email,
        subscription_id=item.subscription_id,
    )


def _encode_subscription(ordered: OrderedSubscription) -> wire.OrderedSubscription:
    return wire.OrderedSubscription(
        plan_key=ordered.plan_key,
        plan_version=ordered.plan_version,
        trial_days=ordered.trial_days,
        add_ons=[AddOnSelection(add_on_key=each.add_on_key, quantity=each.quantity) for each in ordered.add_ons],
        advance_length=ordered.advance_length,
        seats=dict(ordered.seats),
        users=ordered.users,
    )
