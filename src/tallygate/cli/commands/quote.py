"""What plans cost, before anybody buys or changes one."""

from collections.abc import Sequence

import click
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.amounts import money
from tallygate.cli.client import Client
from tallygate.cli.commands.invoice import lines_table
from tallygate.cli.groups import Command, Group
from tallygate.cli.options import remote
from tallygate.cli.output import instant, table
from tallygate.cli.values import ADD_ON, DAYS, INSTANT, QUANTITY, SOME, numbered
from tallygate_api.v1 import pricing_service_pb2 as wire
from tallygate_api.v1.invoice_pb2 import Invoice
from tallygate_api.v1.pricing_service_pb2_grpc import PricingServiceStub
from tallygate_api.v1.subscription_service_pb2 import AddOnSelection


@click.command(
    "quote",
    cls=Command,
    examples=[
        "tallygate quote pro --seats seats=5 --usage api_calls=100000",
        "tallygate quote pro --add-on api-pack=2 --users 12 --account acme",
        "tallygate quote pro --advance 12 --coupon WELCOME",
    ],
)
@click.argument("plan")
@click.option("--version", "plan_version", type=SOME, metavar="N", help="Which version; default: the newest.")
@click.option("--trial-days", type=DAYS, metavar="N", help="Days on trial; default: the plan's.")
@click.option("--add-on", "add_ons", type=ADD_ON, multiple=True, metavar="KEY[=N]", help="An add-on to hold.")
@click.option("--seats", type=ADD_ON, multiple=True, metavar="FEATURE=N", help="How many seats.")
@click.option("--users", type=QUANTITY, default=0, metavar="N", help="How many users.")
@click.option("--usage", type=ADD_ON, multiple=True, metavar="FEATURE=N", help="What is used in a period.")
@click.option("--account", metavar="ID", help="For whom: its own prices, zone and creation hold.")
@click.option("--coupon", "coupons", multiple=True, metavar="CODE", help="A coupon to redeem with it.")
@click.option("--advance", type=SOME, metavar="N", help="Pay so many periods at once.")
@click.option(
    "--payment-method/--no-payment-method",
    default=None,
    help="Whether there is one when a trial ends; default: as the account has it, else there is.",
)
@click.option("--country", metavar="CODE", help="Where they are, for tax; default: the account's.")
@click.option("--region", metavar="CODE", help="Which region of it, as in Canada.")
@remote
def quote_command(
    client: Client,
    *,
    plan: str,
    plan_version: int | None,
    trial_days: int | None,
    add_ons: Sequence[tuple[str, int | None]],
    seats: Sequence[tuple[str, int | None]],
    users: int,
    usage: Sequence[tuple[str, int | None]],
    account: str | None,
    coupons: Sequence[str],
    advance: int | None,
    payment_method: bool | None,
    country: str | None,
    region: str | None,
) -> None:
    """Show what a plan would cost, before anybody buys it.

    What is charged at once, or when a trial ends, and what with the first
    period's end. Where a trial ends in another plan it is that one's. Events with
    dimensions can be asked for over the API.
    """
    request = wire.QuoteRequest(
        plan_key=plan,
        plan_version=plan_version,
        trial_days=trial_days,
        add_ons=[AddOnSelection(add_on_key=key, quantity=count) for key, count in add_ons],
        seats=numbered(seats, "--seats"),
        users=users,
        usage=[
            wire.ExpectedUsage(feature_key=key, quantity=count) for key, count in numbered(usage, "--usage").items()
        ],
        account_id=account,
        country=country,
        region=region,
        coupon_codes=coupons,
        advance_length=advance,
        payment_method=payment_method,
    )
    response = client.call(PricingServiceStub(client.channel).Quote, request)
    client.show(response, lambda: _quote(plan, response))


@click.group("plan", cls=Group)
def plan_command() -> None:
    """Compare what plans cost."""


@plan_command.command(
    "compare",
    examples=["tallygate plan compare acme", "tallygate plan compare acme --start 2026-01-01 --end 2026-07-01"],
)
@click.argument("account")
@click.option("--start", type=INSTANT, metavar="TIME", help="From when on; default: that of the last period.")
@click.option("--end", type=INSTANT, metavar="TIME", help="Until when; default: the last period's end.")
@remote
def compare(client: Client, *, account: str, start: Timestamp | None, end: Timestamp | None) -> None:
    """Show what an account used under its plan and every other on sale.

    Each for the same time, without set-up amounts. GRANTS TOO LITTLE OF names the
    features of which a plan would have denied a part.
    """
    request = wire.ComparePlansRequest(account_id=account, start_time=start, end_time=end)
    response = client.call(PricingServiceStub(client.channel).ComparePlans, request)
    client.show(response, lambda: _comparison(response))


def _quote(plan: str, response: wire.QuoteResponse) -> str:
    on_trial = response.HasField("trial_end_time")
    begun = "when the trial ends" if on_trial else "at once"
    told = [_after_trial(plan, response)] if on_trial and response.plan_key != plan else []
    told += [f"{begun}, {instant(response.start_time)}", *_documents(response.opening)]
    if response.HasField("cut_time"):
        told += [f"then, {instant(response.cut_time)}", *_documents(response.following)]
    if response.HasField("suggestion"):
        told += ["what costs least, and what else there is", *response.suggestion.explanation]
    return "\n".join(told)


def _after_trial(plan: str, response: wire.QuoteResponse) -> str:
    """What is charged is not the plan that was asked for."""
    follows = f"plan {response.plan_key} follows the trial of {plan}, and this is what it costs"
    ended = f"the subscription ends with the trial of {plan}"
    return f"{follows if response.plan_key else ended}; --trial-days 0 shows {plan} without a trial"


def _documents(documents: Sequence[Invoice]) -> list[str]:
    return [_document(each) for each in documents] or ["nothing"]


def _document(document: Invoice) -> str:
    tax = f"tax {money(document.tax)}, " if document.tax.units or document.tax.nanos else ""
    return f"{lines_table(document.lines)}\n{tax}total {money(document.total)}"


def _comparison(response: wire.ComparePlansResponse) -> str:
    header = ("PLAN", "VERSION", "TOTAL", "", "GRANTS TOO LITTLE OF")
    rows = table(header, map(_row, response.plans), empty="no plan is on sale")
    return f"{instant(response.start_time)} to {instant(response.end_time)}\n{rows}"


def _row(plan: wire.PlanComparison) -> tuple[str, ...]:
    total = ", ".join(money(each.total) for each in plan.invoices) or "0"
    present = "current" if plan.current else ""
    return plan.plan_key, str(plan.plan_version), total, present, ", ".join(plan.exceeded_features)
