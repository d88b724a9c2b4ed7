"""Orders: put a basket together, see what it costs, complete it once."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import click
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.amounts import money, typed_money
from tallygate.cli.client import Client
from tallygate.cli.commands.invoice import lines_table
from tallygate.cli.failures import CommandError
from tallygate.cli.groups import Group
from tallygate.cli.options import limit_option, remote
from tallygate.cli.output import enum_name, instant
from tallygate.cli.values import ADD_ON, DAYS, INSTANT, MONEY, QUANTITY, SOME, numbered
from tallygate_api.v1 import order_service_pb2 as wire
from tallygate_api.v1 import pricing_service_pb2 as pricing
from tallygate_api.v1.invoice_pb2 import Invoice
from tallygate_api.v1.order_service_pb2_grpc import OrderServiceStub
from tallygate_api.v1.pricing_service_pb2_grpc import PricingServiceStub
from tallygate_api.v1.subscription_service_pb2 import AddOnSelection

_STATES = {
    "open": wire.ORDER_STATE_OPEN,
    "unpaid": wire.ORDER_STATE_UNPAID,
    "completed": wire.ORDER_STATE_COMPLETED,
    "expired": wire.ORDER_STATE_EXPIRED,
}
_HEADER = ("ORDER", "ACCOUNT", "STATE", "CREATED", "WHAT", "COUPONS")
_order = click.argument("order")


@click.group("order", cls=Group)
def order_command() -> None:
    """Put orders together, and complete them: the checkout of a shop.

    An order sells nothing until it is completed, and then it does so once.
    """


@order_command.command(
    "create",
    examples=[
        "tallygate order create acme pro --advance 12 --coupon WELCOME",
        "tallygate order create acme pro --seats seats=10 --add-on reports=2 --id c17",
        "tallygate order create clinic pro --for ann --for bob@clinic.example",
        "tallygate order create clinic --renew ann --renew bob --approved",
        "tallygate order create acme --quota api_calls=100000 --quota-until 2027-01-01",
    ],
)
@click.argument("account")
@click.argument("plan", required=False)
@click.option("--for", "holders", multiple=True, metavar="WHO", help="Instead of ACCOUNT: another, or an e-mail.")
@click.option("--renew", "renewed", multiple=True, metavar="ID", help="Another period for this account.")
@click.option("--approved", is_flag=True, help="Renewals were approved, where plans want that.")
@click.option("--quota", "quotas", type=ADD_ON, multiple=True, metavar="FEATURE=N", help="Units in advance.")
@click.option("--quota-until", type=INSTANT, metavar="TIME", help="Then what is left of it is gone; default: it stays.")
@click.option("--id", "order_id", metavar="ID", help="An id of your own; default: one is made.")
@click.option("--plan-version", type=SOME, metavar="V", help="Default: the newest.")
@click.option("--trial-days", type=DAYS, metavar="N", help="Default: the plan's; 0: none.")
@click.option("--add-on", "add_ons", type=ADD_ON, multiple=True, metavar="KEY[=N]", help="Held from the start on.")
@click.option("--seats", type=ADD_ON, multiple=True, metavar="FEATURE=N", help="Paid, and assigned later.")
@click.option("--users", type=QUANTITY, default=0, metavar="N", help="Paid, and added later.")
@click.option("--advance", type=SOME, metavar="N", help="Pay so many periods at once.")
@click.option("--coupon", "codes", multiple=True, metavar="CODE", help="Redeemed with it.")
@remote
def create(
    client: Client,
    *,
    account: str,
    plan: str | None,
    holders: Sequence[str],
    renewed: Sequence[str],
    approved: bool,
    quotas: Sequence[tuple[str, int | None]],
    quota_until: Timestamp | None,
    order_id: str | None,
    plan_version: int | None,
    trial_days: int | None,
    add_ons: Sequence[tuple[str, int | None]],
    seats: Sequence[tuple[str, int | None]],
    users: int,
    advance: int | None,
    codes: Sequence[str],
) -> None:
    """Put an order together, and show what it would cost now.

    With --for, ACCOUNT pays what others hold: its profile must have group_buy.
    """
    if plan is None and holders:
        msg = "--for needs a PLAN."
        raise click.UsageError(msg)
    if quota_until is not None and not quotas:
        msg = "--quota-until needs a --quota."
        raise click.UsageError(msg)
    subscription = wire.OrderedSubscription(
        plan_key=plan,
        plan_version=plan_version,
        trial_days=trial_days,
        add_ons=[AddOnSelection(add_on_key=key, quantity=count) for key, count in add_ons],
        advance_length=advance,
        seats=numbered(seats, "--seats"),
        users=users,
    )
    request = wire.CreateOrderRequest(
        account_id=account,
        order_id=order_id,
        items=[
            *(_held(subscription, who) for who in (holders or [account]) if plan),
            *(wire.OrderItem(renewal=wire.OrderedRenewal(approved=approved), account_id=who) for who in renewed),
            *(
                wire.OrderItem(quota=wire.OrderedQuota(feature_key=key, quantity=count, expire_time=quota_until))
                for key, count in quotas
            ),
        ],
        coupon_codes=codes,
    )
    response = client.call(OrderServiceStub(client.channel).CreateOrder, request)
    client.show(response, lambda: "\n".join([_page(response.order, response.quote), *_trials(client, response.order)]))


@order_command.command("complete", examples=["tallygate order complete cart-17 --terms 2026-01 --total 278.00"])
@_order
@click.option("--terms", required=True, metavar="VERSION", help="The version of the terms that was accepted.")
@click.option("--total", type=MONEY, help="What was accepted: if it costs something else, nothing happens.")
@remote
def complete(client: Client, *, order: str, terms: str, total: Decimal | None) -> None:
    """Sell what an order holds, and issue its invoice; again changes nothing."""
    accepted = typed_money(total) if total is not None else None
    request = wire.CompleteOrderRequest(order_id=order, terms_version=terms, accepted_total=accepted)
    response = client.call(OrderServiceStub(client.channel).CompleteOrder, request)
    client.show(response, lambda: "\n".join([_page(response.order, response.invoices), *map(_claim, response.claims)]))


@order_command.command("show", examples=["tallygate order show cart-17"])
@_order
@remote
def show(client: Client, *, order: str) -> None:
    """Show an order with its invoice, or what it would cost now."""
    response = client.call(OrderServiceStub(client.channel).GetOrder, wire.GetOrderRequest(order_id=order))
    documents = [*response.quote, *response.invoices]
    beside = () if response.obstacle else _trials(client, response.order)
    client.show(response, lambda: "\n".join([_page(response.order, documents, response.obstacle), *beside]))


@order_command.command("list", examples=["tallygate order list --state open", "tallygate order list --account acme"])
@click.option("--account", metavar="ID", help="Only what this account pays.")
@click.option("--state", type=click.Choice(list(_STATES)), help="Only those that stand so.")
@limit_option
@remote
def list_(client: Client, *, account: str | None, state: str | None, limit: int | None) -> None:
    """List orders, newest first."""
    request = wire.ListOrdersRequest(account_id=account, state=_STATES[state] if state else None)
    stub = OrderServiceStub(client.channel)
    client.show_list(stub.ListOrders, request, field="orders", limit=limit, header=_HEADER, row=_row, most=100)


def _page(order: wire.Order, documents: Sequence[Invoice], obstacle: str = "") -> str:
    said = [f"order {order.order_id} of {order.account_id}: {enum_name(order, 'state')}"]
    if order.terms_version:
        said += [f"terms {order.terms_version} accepted at {instant(order.complete_time)}"]
    if order.HasField("pay_until_time"):
        said += [f"to be paid until {instant(order.pay_until_time)}"]
    if not documents and not obstacle and order.state == wire.ORDER_STATE_OPEN:
        said += ["in all: nothing is to be paid now"]
    if obstacle:
        said += [f"it cannot be completed now: {obstacle}"]
    for each in documents:
        due = f", {money(each.due)} of it due" if each.number else ""
        said += [lines_table(each.lines), f"{each.number or 'in all'}: {money(each.total)}{due}"]
    return "\n".join(said)


def _trials(client: Client, order: wire.Order) -> Iterator[str]:
    """The trials that subscriptions of an open order would begin with, and what is charged when they end."""
    stub = PricingServiceStub(client.channel)
    for item in order.items if order.state == wire.ORDER_STATE_OPEN else ():
        ordered = item.subscription
        if not item.HasField("subscription") or (ordered.trial_days == 0 and ordered.HasField("trial_days")):
            continue
        request = pricing.QuoteRequest(
            account_id="" if item.email else item.account_id or order.account_id,
            plan_key=ordered.plan_key,
            plan_version=ordered.plan_version,
            trial_days=ordered.trial_days if ordered.HasField("trial_days") else None,
            add_ons=ordered.add_ons,
            seats=ordered.seats,
            users=ordered.users,
            advance_length=ordered.advance_length,
        )
        try:
            quote = client.call(stub.Quote, request)
        except CommandError:  # the order is there; this is only said beside it
            continue
        if quote.HasField("trial_end_time"):
            charged = ", ".join(money(each.total) for each in quote.opening) or "nothing"
            yield f"{_item(item)}: on trial until {instant(quote.trial_end_time)}, then {charged}, before coupons"


def _row(order: wire.Order) -> tuple[str, ...]:
    what = ", ".join(map(_item, order.items))
    state, codes = enum_name(order, "state"), ", ".join(order.coupon_codes)
    return order.order_id, order.account_id, state, instant(order.create_time), what, codes


def _held(subscription: wire.OrderedSubscription, who: str) -> wire.OrderItem:
    """A subscription for an account, or for whoever has an e-mail."""
    known = "" if "@" in who else who
    return wire.OrderItem(subscription=subscription, account_id=known, email="" if known else who)


def _claim(claim: wire.Claim) -> str:
    return f"{claim.email} redeems {claim.code}, which is shown here alone"


def _item(item: wire.OrderItem) -> str:
    whose = f" for {item.email or item.account_id}" if item.email or item.account_id else ""
    if item.HasField("renewal"):
        return f"renewal{whose}"
    if item.HasField("quota"):
        return f"{item.quota.quantity:,} of {item.quota.feature_key}{whose}"
    ordered = item.subscription
    paid = f" x {ordered.advance_length}" if ordered.advance_length else ""
    return f"{ordered.plan_key} {ordered.plan_version}{paid}{whose}"
