"""What is off for one account by agreement, what is given for referrals, and what was bought for whoever has a code."""

from decimal import Decimal

import click
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.amounts import money, typed_money
from tallygate.cli.client import Client
from tallygate.cli.groups import Group
from tallygate.cli.options import remote
from tallygate.cli.output import instant, optional_instant, table
from tallygate.cli.values import DAYS, INSTANT, MONEY
from tallygate_api.v1 import discount_service_pb2 as wire
from tallygate_api.v1 import order_service_pb2
from tallygate_api.v1.discount_service_pb2_grpc import DiscountServiceStub
from tallygate_api.v1.order_service_pb2_grpc import OrderServiceStub

_DISCOUNTS = ("ID", "OFF", "PLANS", "FROM", "UNTIL", "TEXT")
_REFERRALS = ("ACCOUNT", "AMOUNT", "GIVEN", "TAKEN BACK", "INVOICE")
_account = click.argument("account")


@click.group("discount", cls=Group)
def discount_command() -> None:
    """Take something off for one account, by agreement.

    It comes before coupons, and after what is paid in advance and own prices.
    """


@discount_command.command(
    "grant",
    examples=[
        "tallygate discount grant acme --percent 10 --text Partner",
        "tallygate discount grant acme --amount 5.00 --plan pro --until 2027-01-01",
    ],
)
@_account
@click.option("--percent", metavar="N", help="So many per cent off each line.")
@click.option("--amount", type=MONEY, help="So much off each invoice, in the tenant's currency.")
@click.option("--plan", "plans", multiple=True, metavar="KEY", help="Only for subscriptions to this plan.")
@click.option("--id", "discount_id", metavar="ID", help="An id of your own; default: one is made.")
@click.option("--from", "start", type=INSTANT, metavar="TIME", help="Default: now.")
@click.option("--until", "end", type=INSTANT, metavar="TIME", help="Default: for good.")
@click.option("--text", metavar="TEXT", help="What invoices say beside it.")
@remote
def grant(
    client: Client,
    *,
    account: str,
    percent: str | None,
    amount: Decimal | None,
    plans: tuple[str, ...],
    discount_id: str | None,
    start: Timestamp | None,
    end: Timestamp | None,
    text: str | None,
) -> None:
    """Agree a discount; the same id once more changes nothing."""
    if (percent is None) == (amount is None):
        msg = "name one of --percent and --amount."
        raise click.UsageError(msg)
    discount = wire.Discount(
        discount_id=discount_id,
        account_id=account,
        text=text,
        percent_off=percent,
        amount_off=typed_money(amount) if amount is not None else None,
        plan_keys=plans,
        start_time=start,
        end_time=end,
    )
    request = wire.GrantDiscountRequest(discount=discount)
    response = client.call(DiscountServiceStub(client.channel).GrantDiscount, request)
    client.show(response, lambda: _said(response.discount))


@discount_command.command("end", examples=["tallygate discount end acme partner-2026"])
@_account
@click.argument("discount")
@remote
def end(client: Client, *, account: str, discount: str) -> None:
    """Let a discount end now; what it took off stays off."""
    request = wire.EndDiscountRequest(account_id=account, discount_id=discount)
    response = client.call(DiscountServiceStub(client.channel).EndDiscount, request)
    client.show(response, lambda: _said(response.discount))


@discount_command.command("list", examples=["tallygate discount list acme"])
@_account
@remote
def list_(client: Client, *, account: str) -> None:
    """List what was agreed with an account, oldest first."""
    request = wire.ListDiscountsRequest(account_id=account)
    response = client.call(DiscountServiceStub(client.channel).ListDiscounts, request)
    client.show(response, lambda: table(_DISCOUNTS, map(_row, response.discounts), empty="nothing was agreed"))


@click.group("referral", cls=Group)
def referral_command() -> None:
    """Note who referred accounts, and see what they were given for it.

    The credit comes when the first invoice of who was referred is paid.
    """


@referral_command.command("create", examples=["tallygate referral create globex acme 10.00"])
@click.argument("referrer")
@click.argument("referee")
@click.argument("amount", type=MONEY)
@remote
def refer(client: Client, *, referrer: str, referee: str, amount: Decimal) -> None:
    """Note that REFERRER brought REFEREE, who paid nothing yet."""
    request = wire.CreateReferralRequest(
        referrer_account_id=referrer, referee_account_id=referee, amount=typed_money(amount)
    )
    response = client.call(DiscountServiceStub(client.channel).CreateReferral, request)
    referral = response.referral
    said = (
        f"{referral.referrer_account_id} is given {money(referral.amount)} when {referral.referee_account_id} has paid"
    )
    client.show(response, lambda: said)


@referral_command.command("list", examples=["tallygate referral list globex"])
@_account
@remote
def referrals(client: Client, *, account: str) -> None:
    """List whom an account referred, oldest first."""
    request = wire.ListReferralsRequest(account_id=account)
    response = client.call(DiscountServiceStub(client.channel).ListReferrals, request)
    client.show(response, lambda: table(_REFERRALS, map(_referral, response.referrals), empty="nobody was referred"))


@click.group("claim", cls=Group)
def claim_command() -> None:
    """Redeem what an order bought for whoever has a code."""


@claim_command.command("redeem", examples=["tallygate claim redeem ABCDEF-GHIJKL-MNOPQR-STUVWX acme"])
@click.argument("code")
@_account
@remote
def redeem(client: Client, *, code: str, account: str) -> None:
    """Give an account what was bought for the holder of a code: once."""
    request = order_service_pb2.RedeemClaimRequest(code=code, account_id=account)
    response = client.call(OrderServiceStub(client.channel).RedeemClaim, request)
    client.show(response, lambda: f"{response.account_id} has {response.subscription_id}, of order {response.order_id}")


@claim_command.command(
    "replace", examples=["tallygate claim replace cart-17", "tallygate claim replace cart-17 --item 3"]
)
@click.argument("order")
@click.option("--item", type=DAYS, default=0, metavar="N", help="Which item of the order, from 0 on.")
@remote
def replace(client: Client, *, order: str, item: int) -> None:
    """Give a claim that nobody redeemed another code; the one before is refused."""
    request = order_service_pb2.ReplaceClaimCodeRequest(order_id=order, item=item)
    response = client.call(OrderServiceStub(client.channel).ReplaceClaimCode, request)
    claim = response.claim
    client.show(response, lambda: f"{claim.email} redeems {claim.code}, which is shown here alone")


def _off(discount: wire.Discount) -> str:
    return f"{discount.percent_off} %" if discount.WhichOneof("off") == "percent_off" else money(discount.amount_off)


def _said(discount: wire.Discount) -> str:
    until = optional_instant(discount, "end_time", "")
    how_long = f"until {until}" if until else "for good"
    return f"{discount.discount_id} of {discount.account_id}: {_off(discount)} off, {how_long}"


def _row(discount: wire.Discount) -> tuple[str, ...]:
    plans, start = ", ".join(discount.plan_keys) or "all", instant(discount.start_time)
    return discount.discount_id, _off(discount), plans, start, optional_instant(discount, "end_time"), discount.text


def _referral(referral: wire.Referral) -> tuple[str, ...]:
    given, back = optional_instant(referral, "earn_time"), optional_instant(referral, "return_time")
    return referral.referee_account_id, money(referral.amount), given, back, referral.invoice_id
