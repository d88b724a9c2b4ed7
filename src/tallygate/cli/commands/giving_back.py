"""Money that goes back: refunds, and what payers have their banks take back."""

from decimal import Decimal

import click

from tallygate.cli.amounts import money, typed_money
from tallygate.cli.client import Client
from tallygate.cli.groups import Command
from tallygate.cli.options import limit_option, remote
from tallygate.cli.output import enum_name, instant, table
from tallygate.cli.values import MONEY, SOME
from tallygate_api.v1 import payment_service_pb2 as wire
from tallygate_api.v1.payment_service_pb2_grpc import PaymentServiceStub

_PAGE = 100
"""The largest page of either."""
_DISPUTE = ("TIME", "ACCOUNT", "AMOUNT", "FEE", "STATE", "PAYMENT", "ID")
_REFUND = ("TIME", "ACCOUNT", "AMOUNT", "TO", "STATE", "REASON", "ID")

_invoice = click.option("--invoice", metavar="ID", help="Only of this invoice, by its id.")
_account = click.option("--account", metavar="ID", help="Only of this account.")


@click.command(
    "refund",
    cls=Command,
    examples=[
        "tallygate payment refund INV-2026-000001 1",
        "tallygate payment refund INV-2026-000001 1 --amount 9.00 --id case-17",
    ],
)
@click.argument("invoice")
@click.argument("line", type=SOME)
@click.option("--amount", type=MONEY, help="How much of it, without tax; default: all that is left.")
@click.option("--reason", metavar="TEXT", help="Why; the credit note shows it.")
@click.option("--id", "refund_id", metavar="ID", help="Your own id, so that repeating it gives back once.")
@remote
def refund(
    client: Client, *, invoice: str, line: int, amount: Decimal | None, reason: str | None, refund_id: str | None
) -> None:
    """Give back what was paid for a line, as it came.

    LINE is its place in the invoice, from 1 on.
    """
    request = wire.RefundLineRequest(
        invoice_id=invoice,
        line=line,
        amount=typed_money(amount) if amount is not None else None,
        reason=reason,
        refund_id=refund_id,
    )
    response = client.call(PaymentServiceStub(client.channel).RefundLine, request)
    client.show(response, lambda: table(_REFUND, map(_refund, response.refunds), empty="nothing went back"))


@click.command("refunds", cls=Command, examples=["tallygate payment refunds --account acme"])
@_account
@_invoice
@limit_option
@remote
def refunds(client: Client, *, account: str | None, invoice: str | None, limit: int | None) -> None:
    """List money that went back, newest first."""
    request = wire.ListRefundsRequest(account_id=account, invoice_id=invoice)
    stub = PaymentServiceStub(client.channel)
    client.show_list(stub.ListRefunds, request, field="refunds", limit=limit, header=_REFUND, row=_refund, most=_PAGE)


@click.command(
    "dispute",
    cls=Command,
    examples=[
        "tallygate payment dispute pay_1 dp_1 --reason fraudulent",
        "tallygate payment dispute pay_1 dp_1 --state lost",
    ],
)
@click.argument("payment")
@click.argument("dispute")
@click.option("--state", type=click.Choice(["opened", "won", "lost"]), default="opened", show_default=True)
@click.option("--amount", type=MONEY, help="How much of it; default: all that did not go back.")
@click.option("--fee", type=MONEY, help="What the gateway keeps for it; default: as the catalogue says.")
@click.option("--reason", metavar="TEXT", help="Why.")
@remote
def dispute(
    client: Client,
    *,
    payment: str,
    dispute: str,
    state: str,
    amount: Decimal | None,
    fee: Decimal | None,
    reason: str | None,
) -> None:
    """Note that a payer disputes a payment, or how that ended.

    DISPUTE is the gateway's id of it. Lost, what it had paid is due again.
    """
    request = wire.RecordDisputeRequest(
        payment_id=payment,
        dispute_id=dispute,
        state=f"DISPUTE_STATE_{state.upper()}",
        amount=typed_money(amount, None) if amount is not None else None,
        fee=typed_money(fee, None) if fee is not None else None,
        reason=reason,
    )
    response = client.call(PaymentServiceStub(client.channel).RecordDispute, request)
    client.show(response, lambda: table(_DISPUTE, [_dispute(response.dispute)], empty=""))


@click.command("disputes", cls=Command, examples=["tallygate payment disputes --account acme"])
@_account
@_invoice
@limit_option
@remote
def disputes(client: Client, *, account: str | None, invoice: str | None, limit: int | None) -> None:
    """List payments that payers had taken back, newest first."""
    request = wire.ListDisputesRequest(account_id=account, invoice_id=invoice)
    stub = PaymentServiceStub(client.channel)
    client.show_list(
        stub.ListDisputes, request, field="disputes", limit=limit, header=_DISPUTE, row=_dispute, most=_PAGE
    )


def _refund(one: wire.Refund) -> tuple[str, ...]:
    to = one.gateway or enum_name(one, "kind")
    state = enum_name(one, "state")
    return instant(one.create_time), one.account_id, money(one.amount), to, state, one.reason, one.refund_id


def _dispute(one: wire.Dispute) -> tuple[str, ...]:
    state = enum_name(one, "state")
    fee = money(one.fee)
    return instant(one.create_time), one.account_id, money(one.amount), fee, state, one.payment_id, one.dispute_id
