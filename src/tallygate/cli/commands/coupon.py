"""Coupons: make, list, check and archive them."""

from decimal import Decimal

import click
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.amounts import money, typed_money
from tallygate.cli.client import Client
from tallygate.cli.groups import Group
from tallygate.cli.options import limit_option, remote
from tallygate.cli.output import instant, table
from tallygate.cli.values import AMOUNT, INSTANT, MONEY, SOME
from tallygate_api.v1 import discount_service_pb2 as wire
from tallygate_api.v1.discount_service_pb2_grpc import DiscountServiceStub

_HEADER = ("CODE", "OFF", "INVOICES", "USED", "FROM", "UNTIL", "STATE")


@click.group("coupon", cls=Group)
def coupon_command() -> None:
    """Make coupons, which take something off invoices.

    `tallygate subscription create ACCOUNT PLAN --coupon CODE` redeems one.
    """


@coupon_command.command(
    "create",
    examples=[
        "tallygate coupon create WELCOME --percent 50",
        "tallygate coupon create LAUNCH --amount 25.00 --plan pro --max-uses 10",
        "tallygate coupon create PARTNER --percent 20 --forever",
    ],
)
@click.argument("code")
@click.option("--percent", metavar="N", help="So many per cent off each line.")
@click.option("--amount", type=MONEY, help="So much off all lines together, in the tenant's currency.")
@click.option("--plan", "plans", multiple=True, metavar="KEY", help="Only for subscriptions to this plan.")
@click.option("--feature", "features", multiple=True, metavar="KEY", help="Only off usage of this feature.")
@click.option("--invoices", type=SOME, metavar="N", help="Off so many invoices; default: the first.")
@click.option("--forever", is_flag=True, help="Off every invoice.")
@click.option("--from", "start", type=INSTANT, metavar="TIME", help="Default: now.")
@click.option("--until", "end", type=INSTANT, metavar="TIME", help="Default: 30 days.")
@click.option("--max-uses", type=AMOUNT, metavar="N", help="Default: as often as one likes.")
@click.option("--per-account", type=AMOUNT, metavar="N", help="Default: once.")
@click.option("--provider", metavar="ID", help="Whose it is, for its plans alone; default: yours.")
@click.option("--text", metavar="TEXT", help="A name for people.")
@remote
def create(
    client: Client,
    *,
    code: str,
    percent: str | None,
    amount: Decimal | None,
    plans: tuple[str, ...],
    features: tuple[str, ...],
    invoices: int | None,
    forever: bool,
    start: Timestamp | None,
    end: Timestamp | None,
    max_uses: int | None,
    per_account: int | None,
    provider: str | None,
    text: str | None,
) -> None:
    """Make a coupon; the same once more changes nothing."""
    if (percent is None) == (amount is None):
        msg = "name one of --percent and --amount."
        raise click.UsageError(msg)
    if forever and invoices is not None:
        msg = "name one of --invoices and --forever."
        raise click.UsageError(msg)
    coupon = wire.Coupon(
        code=code,
        text=text,
        percent_off=percent,
        amount_off=typed_money(amount) if amount is not None else None,
        plan_keys=plans,
        feature_keys=features,
        invoices=invoices,
        forever=True if forever else None,
        start_time=start,
        end_time=end,
        max_uses=max_uses,
        max_uses_per_account=per_account,
        provider=provider,
    )
    response = client.call(DiscountServiceStub(client.channel).CreateCoupon, wire.CreateCouponRequest(coupon=coupon))
    client.show(response, lambda: _said(response.coupon))


@coupon_command.command("list", examples=["tallygate coupon list"])
@limit_option
@remote
def list_(client: Client, *, limit: int | None) -> None:
    """List coupons, newest first."""
    stub = DiscountServiceStub(client.channel)
    client.show_list(
        stub.ListCoupons, wire.ListCouponsRequest(), field="coupons", limit=limit, header=_HEADER, row=_row, most=100
    )


@coupon_command.command("check", examples=["tallygate coupon check WELCOME --plan pro --account acme"])
@click.argument("code")
@click.option("--plan", metavar="KEY", help="For a subscription to this plan.")
@click.option("--account", metavar="ID", help="By this account.")
@remote
def check(client: Client, *, code: str, plan: str | None, account: str | None) -> None:
    """Say whether a coupon may be redeemed now; it reserves nothing."""
    request = wire.CheckCouponRequest(code=code, plan_key=plan, account_id=account)
    response = client.call(DiscountServiceStub(client.channel).CheckCoupon, request)
    client.show(response, lambda: _said(response.coupon))


@coupon_command.command("options", examples=["tallygate coupon options pro --coupon WELCOME"])
@click.argument("plan")
@click.option("--coupon", "code", metavar="CODE", help="With this coupon.")
@remote
def list_options(client: Client, *, plan: str, code: str | None) -> None:
    """Show the ways to pay a plan: by its period, or several at once for less."""
    request = wire.ListPaymentOptionsRequest(plan_key=plan, coupon_code=code)
    response = client.call(DiscountServiceStub(client.channel).ListPaymentOptions, request)
    rows = ((str(one.length), money(one.amount), money(one.full_amount), one.text) for one in response.options)
    header = ("LENGTH", "AMOUNT", "INSTEAD OF", "TEXT")
    client.show(response, lambda: table(header, rows, empty="it is not paid by a period"))


@coupon_command.command("archive", examples=["tallygate coupon archive WELCOME"])
@click.argument("code")
@remote
def archive(client: Client, *, code: str) -> None:
    """Let nobody redeem a coupon any more."""
    request = wire.ArchiveCouponRequest(code=code)
    response = client.call(DiscountServiceStub(client.channel).ArchiveCoupon, request)
    client.show(response, lambda: _said(response.coupon))


def _off(coupon: wire.Coupon) -> str:
    return f"{coupon.percent_off} %" if coupon.WhichOneof("off") == "percent_off" else money(coupon.amount_off)


def _invoices(coupon: wire.Coupon) -> str:
    return "every" if coupon.forever else str(coupon.invoices)


def _said(coupon: wire.Coupon) -> str:
    many = "every invoice" if coupon.forever else "the first invoice" if coupon.invoices == 1 else ""
    state = "archived" if coupon.archived else f"to be redeemed until {instant(coupon.end_time)}"
    return f"{coupon.code}: {_off(coupon)} off {many or f'{coupon.invoices} invoices'}, {state}"


def _row(coupon: wire.Coupon) -> tuple[str, ...]:
    used = f"{coupon.used} of {coupon.max_uses}" if coupon.HasField("max_uses") else str(coupon.used)
    state = "archived" if coupon.archived else ""
    start, end = instant(coupon.start_time), instant(coupon.end_time)
    return coupon.code, _off(coupon), _invoices(coupon), used, start, end, state
