"""What changes a subscription, and so what it is charged: its plan, its add-ons, its end."""

from collections.abc import Callable
from typing import Any

import click
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.charging import charge_options, charged_by
from tallygate.cli.client import Client
from tallygate.cli.commands.invoice import lines_table, next_invoice
from tallygate.cli.commands.subscription import details, subscription_command
from tallygate.cli.options import limit_option, remote
from tallygate.cli.output import enum_name, instant
from tallygate.cli.values import INSTANT, QUANTITY, SOME
from tallygate_api.v1 import subscription_pb2
from tallygate_api.v1 import subscription_service_pb2 as wire
from tallygate_api.v1.pricing_service_pb2 import PreviewChangeRequest, PreviewChangeResponse
from tallygate_api.v1.pricing_service_pb2_grpc import PricingServiceStub
from tallygate_api.v1.subscription_service_pb2_grpc import SubscriptionServiceStub

_WHEN = {"now": wire.CHANGE_WHEN_NOW, "period_end": wire.CHANGE_WHEN_PERIOD_END}
_PAGE = 100
"""The largest page of changes."""
_account = click.argument("account")
_version = click.option("--plan-version", type=SOME, metavar="V", help="Default: the newest.")
_reason = click.option("--reason", metavar="TEXT", help="Why, for the history.")
_preview = click.option("--preview", is_flag=True, help="Only show what it would charge and credit.")


def _charged(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say how a change is charged, and whether it is only shown."""
    return charge_options(_reason(_preview(function)))


@subscription_command.command(
    "change-plan",
    examples=[
        "tallygate subscription change-plan acme enterprise --invoice now",
        "tallygate subscription change-plan acme enterprise --preview",
        "tallygate subscription change-plan acme free --when period_end",
    ],
)
@_account
@click.argument("plan")
@_version
@click.option("--when", type=click.Choice(list(_WHEN)), help="Default: now; period_end where fees become lower.")
@_charged
@remote
def change_plan(
    client: Client,
    *,
    account: str,
    plan: str,
    plan_version: int | None,
    when: str | None,
    proration: str | None,
    invoice: str | None,
    reason: str | None,
    preview: bool,
) -> None:
    """Change the plan or its version; usage is carried on."""
    request = wire.ChangePlanRequest(
        account_id=account,
        plan_key=plan,
        plan_version=plan_version,
        when=_WHEN[when] if when is not None else None,
        **charged_by(proration, invoice),
        reason=reason,
    )
    if preview:
        _previewed(client, PreviewChangeRequest(change_plan=request))
        return
    response = client.call(SubscriptionServiceStub(client.channel).ChangePlan, request)
    client.show(response, lambda: details(response.subscription))


@subscription_command.command(
    "add-on",
    examples=["tallygate subscription add-on globex api-pack 2", "tallygate subscription add-on globex api-pack 0"],
)
@_account
@click.argument("add_on")
@click.argument("quantity", type=QUANTITY, required=False)
@_charged
@remote
def add_on(
    client: Client,
    *,
    account: str,
    add_on: str,
    quantity: int | None,
    proration: str | None,
    invoice: str | None,
    reason: str | None,
    preview: bool,
) -> None:
    """Set how many of an add-on are held from now on; 0 gives it up.

    Without a quantity as many stay as are held, or it is one.
    """
    request = wire.SetAddOnRequest(
        account_id=account,
        add_on_key=add_on,
        quantity=quantity,
        **charged_by(proration, invoice),
        reason=reason,
    )
    if preview:
        _previewed(client, PreviewChangeRequest(set_add_on=request))
        return
    response = client.call(SubscriptionServiceStub(client.channel).SetAddOn, request)
    client.show(response, lambda: details(response.subscription))


@subscription_command.command(
    "book",
    examples=["tallygate subscription book acme 10 --seats seats", "tallygate subscription book acme 25 --preview"],
)
@_account
@click.argument("quantity", type=QUANTITY)
@click.option("--seats", "feature", metavar="FEATURE", help="Seats of this feature; default: users.")
@_charged
@remote
def book(
    client: Client,
    *,
    account: str,
    quantity: int,
    feature: str | None,
    proration: str | None,
    invoice: str | None,
    reason: str | None,
    preview: bool,
) -> None:
    """Pay so many seats or users from now on, whoever takes them when.

    More than that are charged where there are more. 0: only those that there are.
    """
    request = wire.BookQuantityRequest(
        account_id=account,
        feature_key=feature,
        quantity=quantity,
        **charged_by(proration, invoice),
        reason=reason,
    )
    if preview:
        _previewed(client, PreviewChangeRequest(book=request))
        return
    response = client.call(SubscriptionServiceStub(client.channel).BookQuantity, request)
    client.show(response, lambda: details(response.subscription))


@subscription_command.command(
    "cancel",
    examples=["tallygate subscription cancel acme", "tallygate subscription cancel acme --at 2026-12-31T23:00:00Z"],
)
@_account
@click.option("--when", type=click.Choice(list(_WHEN)), help="Default: period_end.")
@click.option("--at", type=INSTANT, metavar="TIME", help="At this instant instead.")
@click.option("--refund", is_flag=True, help="With --when now: pay back what is credited, as it was paid.")
@_reason
@_preview
@remote
def cancel(
    client: Client,
    *,
    account: str,
    when: str | None,
    at: Timestamp | None,
    refund: bool,
    reason: str | None,
    preview: bool,
) -> None:
    """End the subscription; it grants until then."""
    if when is not None and at is not None:
        msg = "--when and --at exclude each other."
        raise click.UsageError(msg)
    request = wire.CancelSubscriptionRequest(
        account_id=account, when=_WHEN[when] if when is not None else None, refund=refund, reason=reason
    )
    if at is not None:
        request.end_time.CopyFrom(at)
    if preview:
        _previewed(client, PreviewChangeRequest(cancel=request))
        return
    response = client.call(SubscriptionServiceStub(client.channel).CancelSubscription, request)
    client.show(response, lambda: details(response.subscription))


@subscription_command.command(
    "pause",
    examples=["tallygate subscription pause acme", "tallygate subscription pause acme --until 2026-12-31T23:00:00Z"],
)
@_account
@click.option("--until", type=INSTANT, metavar="TIME", help="It goes on then; default: when it is resumed.")
@_reason
@_preview
@remote
def pause(client: Client, *, account: str, until: Timestamp | None, reason: str | None, preview: bool) -> None:
    """Stop a subscription for a while: it denies, and is charged nothing.

    What was paid in advance is credited by the rest of its period.
    """
    request = wire.PauseSubscriptionRequest(account_id=account, resume_time=until, reason=reason)
    if preview:
        _previewed(client, PreviewChangeRequest(pause=request))
        return
    response = client.call(SubscriptionServiceStub(client.channel).PauseSubscription, request)
    client.show(response, lambda: details(response.subscription))


@subscription_command.command("resume", examples=["tallygate subscription resume acme"])
@_account
@_reason
@_preview
@remote
def resume(client: Client, *, account: str, reason: str | None, preview: bool) -> None:
    """Let a paused subscription go on; it is charged for the rest of its period."""
    request = wire.ResumeSubscriptionRequest(account_id=account, reason=reason)
    if preview:
        _previewed(client, PreviewChangeRequest(resume=request))
        return
    response = client.call(SubscriptionServiceStub(client.channel).ResumeSubscription, request)
    client.show(response, lambda: details(response.subscription))


@subscription_command.command("changes", examples=["tallygate subscription changes acme"])
@_account
@limit_option
@remote
def changes(client: Client, *, account: str, limit: int | None) -> None:
    """Show who changed an account's subscriptions, newest first."""
    stub, request = SubscriptionServiceStub(client.channel), wire.ListChangesRequest(account_id=account)
    header = ("TIME", "BY", "CHANGE", "PLAN", "STATE", "REASON")
    client.show_list(stub.ListChanges, request, field="changes", limit=limit, header=header, row=_row, most=_PAGE)


def _row(change: subscription_pb2.SubscriptionChange) -> tuple[str, ...]:
    actor = change.actor_key_name or change.actor_key_id
    before, after = _last_plan(change.before), _last_plan(change.after)
    plan = after if before in {"", after} else f"{before} -> {after}"
    return instant(change.change_time), actor, change.method, plan, enum_name(change.after, "state"), change.reason


def _last_plan(held: subscription_pb2.Subscription) -> str:
    """The plan that it came to: the last of its terms."""
    return f"{held.terms[-1].plan_key} v{held.terms[-1].plan_version}" if held.terms else ""


def _previewed(client: Client, request: PreviewChangeRequest) -> None:
    """Ask what a change would cost, and show it."""
    stub = PricingServiceStub(client.channel)
    response = client.call(stub.PreviewChange, request)
    client.show(response, lambda: _cost(response))


def _cost(response: PreviewChangeResponse) -> str:
    lines = lines_table(response.lines) if response.lines else "nothing is charged or credited by then"
    return "\n".join([f"as of {instant(response.change_time)}", lines, next_invoice(response)])
