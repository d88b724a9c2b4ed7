"""Subscriptions: who holds which plan, since when and until when."""

import math

import click
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.client import Client
from tallygate.cli.groups import Group
from tallygate.cli.options import limit_option, remote
from tallygate.cli.output import enum_name, instant, number, optional_instant
from tallygate.cli.values import ADD_ON, DAYS, INSTANT, QUANTITY, SOME, numbered
from tallygate_api.v1 import subscription_pb2
from tallygate_api.v1 import subscription_service_pb2 as wire
from tallygate_api.v1.subscription_service_pb2_grpc import SubscriptionServiceStub

_STATES = {
    "incomplete": subscription_pb2.SUBSCRIPTION_STATE_INCOMPLETE,
    "trialing": subscription_pb2.SUBSCRIPTION_STATE_TRIALING,
    "active": subscription_pb2.SUBSCRIPTION_STATE_ACTIVE,
    "past_due": subscription_pb2.SUBSCRIPTION_STATE_PAST_DUE,
    "suspended": subscription_pb2.SUBSCRIPTION_STATE_SUSPENDED,
    "canceled": subscription_pb2.SUBSCRIPTION_STATE_CANCELED,
    "expired": subscription_pb2.SUBSCRIPTION_STATE_EXPIRED,
}
_SETTABLE = ["incomplete", "active", "past_due", "suspended"]
_account = click.argument("account")
_version = click.option("--plan-version", type=SOME, metavar="V", help="Default: the newest.")


@click.group("subscription", cls=Group)
def subscription_command() -> None:
    """Subscribe accounts to plans, and change that.

    An account has at most one live subscription, and every change is made to it.
    """


@subscription_command.command(
    "create",
    examples=[
        "tallygate subscription create acme pro --trial-days 0",
        "tallygate subscription create acme pro --add-on api-pack=2 --end 2027-01-01",
        "tallygate subscription create acme pro --coupon WELCOME",
    ],
)
@_account
@click.argument("plan")
@_version
@click.option("--start", type=INSTANT, metavar="TIME", help="From when on; default: now.")
@click.option("--end", type=INSTANT, metavar="TIME", help="Until when; default: without end.")
@click.option("--trial-days", type=DAYS, metavar="N", help="Default: the plan's; 0: none.")
@click.option(
    "--add-on",
    "add_ons",
    type=ADD_ON,
    multiple=True,
    metavar="KEY[=N]",
    help="Held from the start on.",
)
@click.option("--seats", type=ADD_ON, multiple=True, metavar="FEATURE=N", help="Paid, and assigned later.")
@click.option("--users", type=QUANTITY, default=0, metavar="N", help="Paid, and added later.")
@click.option("--coupon", "codes", multiple=True, metavar="CODE", help="Redeemed with it.")
@click.option("--advance", type=SOME, metavar="N", help="Pay so many periods at once.")
@remote
def create(
    client: Client,
    *,
    account: str,
    plan: str,
    plan_version: int | None,
    start: Timestamp | None,
    end: Timestamp | None,
    trial_days: int | None,
    add_ons: tuple[tuple[str, int | None], ...],
    seats: tuple[tuple[str, int | None], ...],
    users: int,
    codes: tuple[str, ...],
    advance: int | None,
) -> None:
    """Subscribe an account to a plan."""
    request = wire.CreateSubscriptionRequest(
        account_id=account,
        plan_key=plan,
        plan_version=plan_version,
        start_time=start,
        end_time=end,
        trial_days=trial_days,
        add_ons=[wire.AddOnSelection(add_on_key=key, quantity=count) for key, count in add_ons],
        seats=numbered(seats, "--seats"),
        users=users,
        coupon_codes=codes,
        advance_length=advance,
    )
    response = client.call(SubscriptionServiceStub(client.channel).CreateSubscription, request)
    client.show(response, lambda: details(response.subscription))


@subscription_command.command(
    "show", examples=["tallygate subscription show acme", "tallygate subscription show acme -o json"]
)
@_account
@click.option("--id", "subscription_id", metavar="ID", help="Default: the live one.")
@remote
def show(client: Client, *, account: str, subscription_id: str | None) -> None:
    """Show an account's live subscription."""
    request = wire.GetSubscriptionRequest(account_id=account, subscription_id=subscription_id)
    response = client.call(SubscriptionServiceStub(client.channel).GetSubscription, request)
    client.show(response, lambda: details(response.subscription))


@subscription_command.command(
    "list", examples=["tallygate subscription list --state past_due", "tallygate subscription list --account acme"]
)
@click.option("--account", metavar="ID", help="Only this account's, ended ones included.")
@click.option("--plan", metavar="KEY", help="Only those that this plan serves now.")
@click.option("--state", type=click.Choice(list(_STATES)), help="Only those in this state.")
@limit_option
@remote
def list_(client: Client, *, account: str | None, plan: str | None, state: str | None, limit: int | None) -> None:
    """List subscriptions, newest first."""
    stub = SubscriptionServiceStub(client.channel)
    request = wire.ListSubscriptionsRequest(
        account_id=account, plan_key=plan, state=_STATES[state] if state is not None else None
    )
    header = ("ACCOUNT", "PLAN", "STATE", "START", "END")
    client.show_list(stub.ListSubscriptions, request, field="subscriptions", limit=limit, header=header, row=_row)


@subscription_command.command(
    "ending", examples=["tallygate subscription ending", "tallygate subscription ending --before 2027-01-01 --plan pro"]
)
@click.option("--before", type=INSTANT, metavar="TIME", help="Only those that end before; default: in 90 days.")
@click.option("--plan", metavar="KEY", help="Only those that this plan serves now.")
@limit_option
@remote
def ending(client: Client, *, before: Timestamp | None, plan: str | None, limit: int | None) -> None:
    """List subscriptions that end by themselves, soonest first, with the days that they have left."""
    stub = SubscriptionServiceStub(client.channel)
    request = wire.ListEndingSubscriptionsRequest(end_before_time=before, plan_key=plan)
    header = ("DAYS", "END", "ACCOUNT", "PLAN", "STATE")
    client.show_list(
        stub.ListEndingSubscriptions, request, field="subscriptions", limit=limit, header=header, row=_ending_row
    )


@subscription_command.command(
    "extend",
    examples=[
        "tallygate subscription extend acme --end 2027-06-30",
        "tallygate subscription extend acme --without-end",
        "tallygate subscription extend hooli --trial-end 2027-01-15",
    ],
)
@_account
@click.option("--end", type=INSTANT, metavar="TIME", help="The new end; takes a cancellation back.")
@click.option("--without-end", is_flag=True, help="No end; takes a cancellation back.")
@click.option("--trial-end", type=INSTANT, metavar="TIME", help="The new end of the trial.")
@remote
def extend(
    client: Client, *, account: str, end: Timestamp | None, without_end: bool, trial_end: Timestamp | None
) -> None:
    """Move the end of a subscription, or of its trial."""
    if [end is not None, without_end, trial_end is not None].count(True) != 1:
        msg = "name one of --end, --without-end and --trial-end."
        raise click.UsageError(msg)
    stub = SubscriptionServiceStub(client.channel)
    response: wire.ExtendTrialResponse | wire.ExtendSubscriptionResponse
    if trial_end is not None:
        trial = wire.ExtendTrialRequest(account_id=account, trial_end_time=trial_end)
        response = client.call(stub.ExtendTrial, trial)
    else:
        endless = True if without_end else None
        whole = wire.ExtendSubscriptionRequest(account_id=account, end_time=end, without_end=endless)
        response = client.call(stub.ExtendSubscription, whole)
    client.show(response, lambda: details(response.subscription))


@subscription_command.command(
    "renew",
    examples=["tallygate subscription renew acme", "tallygate subscription renew acme --approved --end 2027-06-30"],
)
@_account
@click.option("--approved", is_flag=True, help="It was approved; some plans ask for that.")
@click.option("--end", type=INSTANT, metavar="TIME", help="The end that it has now: a repeated command renews once.")
@remote
def renew(client: Client, *, account: str, approved: bool, end: Timestamp | None) -> None:
    """Extend a subscription by another period, where its plan is renewed by hand."""
    stub = SubscriptionServiceStub(client.channel)
    request = wire.RenewSubscriptionRequest(account_id=account, approved=approved, end_time=end)
    response = client.call(stub.RenewSubscription, request)
    client.show(response, lambda: details(response.subscription))


@subscription_command.command(
    "state",
    examples=["tallygate subscription state acme suspended", "tallygate subscription state acme active"],
)
@_account
@click.argument("state", type=click.Choice(_SETTABLE))
@remote
def state(client: Client, *, account: str, state: str) -> None:
    """Set the state that billing decides on."""
    request = wire.SetSubscriptionStateRequest(account_id=account, state=_STATES[state])
    response = client.call(SubscriptionServiceStub(client.channel).SetSubscriptionState, request)
    client.show(response, lambda: details(response.subscription))


def _ending_row(one: wire.EndingSubscription) -> tuple[str, ...]:
    account, plan, state, _, end = _row(one.subscription)
    return str(one.days_left), end, account, plan, state


def _row(held: subscription_pb2.Subscription) -> tuple[str, str, str, str, str]:
    plan = f"{held.plan_key} v{held.plan_version}"
    end = optional_instant(held, "end_time")
    return held.account_id, plan, enum_name(held, "state"), optional_instant(held, "start_time"), end


def details(held: subscription_pb2.Subscription) -> str:
    """A subscription, line by line."""
    lines = [f"{held.account_id}: {held.plan_key} version {held.plan_version}, {enum_name(held, 'state')}"]
    for field, label in (("trial_end_time", "on trial until"), ("end_time", "ends"), ("cancel_time", "cancelled")):
        if held.HasField(field):
            lines.append(f"{label} {instant(getattr(held, field))}")
    lines += [_add_on(item) for item in held.add_ons]
    lines += [_booking(item) for item in held.bookings]
    ends = held.end_time.ToNanoseconds() if held.HasField("end_time") and held.HasField("cancel_time") else math.inf
    later = [term for term in held.terms if held.start_time.ToNanoseconds() < term.start_time.ToNanoseconds() < ends]
    lines += [f"{term.plan_key} version {term.plan_version} from {instant(term.start_time)}" for term in later]
    return "\n".join([*lines, f"id: {held.subscription_id}"])


def _add_on(item: subscription_pb2.AddOnHolding) -> str:
    end = f" until {instant(item.end_time)}" if item.HasField("end_time") else ""
    return f"add-on {item.add_on_key}: {number(item.quantity)} since {instant(item.start_time)}{end}"


def _booking(item: subscription_pb2.Booking) -> str:
    what = f"seats of {item.feature_key}" if item.feature_key else "users"
    return f"booked: {number(item.quantity)} {what} from {instant(item.start_time)}"
