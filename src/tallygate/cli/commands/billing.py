"""Invoices, and the run that issues those whose time has come."""

from decimal import Decimal
from functools import partial

import click

from tallygate.cli.amounts import money, typed_money
from tallygate.cli.client import Client
from tallygate.cli.commands.invoice import short_row
from tallygate.cli.commands.profile import profile_command
from tallygate.cli.failures import DENIED
from tallygate.cli.groups import Group
from tallygate.cli.options import limit_option, remote
from tallygate.cli.output import Grid, enum_name, instant, table
from tallygate.cli.values import MONEY
from tallygate_api.v1 import billing_service_pb2, invoice_service_pb2
from tallygate_api.v1.billing_service_pb2_grpc import BillingServiceStub
from tallygate_api.v1.invoice_service_pb2_grpc import InvoiceServiceStub

_PAGE = 100
"""The largest page of invoices."""


@click.group("billing", cls=Group)
def billing_command() -> None:
    """Issue invoices whose time has come."""


billing_command.add_command(profile_command)


@billing_command.command("run", examples=["tallygate billing run", "tallygate billing run --account acme"])
@click.option("--account", metavar="ID", help="Only of this account.")
@remote
def run(client: Client, *, account: str | None) -> None:
    """Issue every invoice that is due; a worker does the same once a second.

    Exit code 1 where something failed: it is named, and holds up no other account.
    """
    response = _run_all(client, billing_service_pb2.RunBillingRequest(account_id=account))
    header = ("NUMBER", "ACCOUNT", "TOTAL", "STATE", "ID")
    empty = "nothing was issued" if response.failures else "nothing was due"
    failed = [f"failed: {one.kind} of {one.subject}: {one.problem}" for one in response.failures]
    if response.more:
        failed.append("more is due: a worker is at it or a gateway does not answer; run it again")
    client.show(response, lambda: "\n".join([table(header, map(short_row, response.invoices), empty=empty), *failed]))
    if response.failures:
        raise click.exceptions.Exit(DENIED)


def _run_all(client: Client, request: billing_service_pb2.RunBillingRequest) -> billing_service_pb2.RunBillingResponse:
    """What all runs issued until nothing is due, or one issued nothing; a server answers each after some seconds."""
    method, whole = BillingServiceStub(client.channel).RunBilling, billing_service_pb2.RunBillingResponse()
    while True:
        one: billing_service_pb2.RunBillingResponse = client.call(method, request)
        whole.invoices.extend(one.invoices)
        del whole.failures[:]  # each run names what still fails
        whole.failures.extend(one.failures)
        whole.more = one.more
        if not one.more or not one.invoices:
            return whole


@billing_command.command("verify", examples=["tallygate billing verify INV-2026-000002", "tallygate billing verify"])
@click.argument("invoice", required=False)
@click.option("--account", metavar="ID", help="Every invoice of this account.")
@remote
def verify(client: Client, *, invoice: str | None, account: str | None) -> None:
    """Make invoices once more from the log of events, and compare.

    One, or all of an account, or all there are. Exit code 1 where a document comes
    out otherwise: what of it is named.
    """
    if invoice and account:
        message = "name an invoice or --account, not both"
        raise click.UsageError(message)
    stub, same, wanted = InvoiceServiceStub(client.channel), True, [(invoice, invoice)] if invoice else []
    if not invoice:
        request = invoice_service_pb2.ListInvoicesRequest(account_id=account)
        listed = client.pages(stub.ListInvoices, request, field="invoices", most=_PAGE)
        wanted = [(one.invoice_id, one.number) for one in listed.invoices]
    for name, number in wanted:
        answer = client.call(stub.VerifyInvoice, invoice_service_pb2.VerifyInvoiceRequest(invoice_id=name))
        client.show(answer, partial(_verified, number, answer))
        same = same and answer.same
    if not same:
        raise click.exceptions.Exit(DENIED)


def _verified(number: str, answer: invoice_service_pb2.VerifyInvoiceResponse) -> str:
    if answer.same:
        return f"{number}: all lines come out the same ({answer.lines})"
    return Grid("\n".join(f"{number}, {_difference(each)}" for each in answer.differences))


def _difference(found: invoice_service_pb2.LineDifference) -> str:
    place = f"line {found.line} {found.line_key}" if found.line else found.line_key or "the document itself"
    issued, now = found.issued or "no such line", found.derived or "nothing like it"
    return f"{place}\n  issued  {issued}\n  now     {now}"


@billing_command.command("unrated", examples=["tallygate billing unrated", "tallygate billing unrated acme"])
@click.argument("account", required=False)
@limit_option
@remote
def unrated(client: Client, *, account: str | None, limit: int | None) -> None:
    """List events that no invoice charges, each with the reason, newest first.

    Of one account or of all. What is owed for one can be charged by a fee.
    """
    stub, request = BillingServiceStub(client.channel), billing_service_pb2.ListUnratedFactsRequest(account_id=account)
    header = ("TIME", "ACCOUNT", "FEATURE", "QUANTITY", "PRICE", "REASON", "REQUEST")
    empty = "every event is charged"
    client.show_list(
        stub.ListUnratedFacts, request, field="facts", limit=limit, header=header, row=_fact, empty=empty, most=_PAGE
    )


def _fact(one: billing_service_pb2.UnratedFact) -> tuple[str, ...]:
    what = instant(one.occurred_time), one.account_id, one.feature_key, str(one.quantity)
    return *what, one.price_key or "-", enum_name(one, "reason"), one.request_id


@billing_command.command("wallet", examples=["tallygate billing wallet acme"])
@click.argument("account")
@limit_option
@remote
def wallet(client: Client, *, account: str, limit: int | None) -> None:
    """Show what an account has in its wallet, and what moved, newest first."""
    stub = BillingServiceStub(client.channel)
    request = billing_service_pb2.GetWalletRequest(account_id=account)
    answer = client.pages(stub.GetWallet, request, field="entries", limit=limit, most=_PAGE)
    client.show(answer, lambda: _wallet(answer))


@click.group("fee", cls=Group)
def fee_command() -> None:
    """Charge accounts fees of their own, and take them back."""


@fee_command.command(
    "create",
    examples=[
        "tallygate fee create acme 4.32 --text 'Percent of charge number 17'",
        "tallygate fee create --text Goodwill --id goodwill-1 -- acme -5.00",
        "tallygate fee create acme 0.05 --quantity 12 --text 'Extra orders'",
        "tallygate fee create acme 123.45 --percent 3.5 --text 'Of charge 17'",
    ],
)
@click.argument("account")
@click.argument("amount", type=MONEY)
@click.option("--text", required=True, metavar="TEXT", help="What the invoice line says.")
@click.option("--quantity", type=MONEY, metavar="N", help="So many, one or more, at AMOUNT each.")
@click.option("--percent", type=MONEY, metavar="RATE", help="So many per cent of AMOUNT.")
@click.option("--currency", metavar="CODE", help="Default: the tenant's, which it must be.")
@click.option("--tax-category", metavar="NAME", help="By which of the tenant's rates it is taxed; default: standard.")
@click.option("--id", "fee_id", metavar="ID", help="Your own id, so that repeating it changes nothing.")
@remote
def create_fee(
    client: Client,
    *,
    account: str,
    amount: Decimal,
    text: str,
    quantity: Decimal | None,
    percent: Decimal | None,
    currency: str | None,
    tax_category: str | None,
    fee_id: str | None,
) -> None:
    """Charge a fee; below zero it is a credit. The account's next invoice takes it."""
    request = billing_service_pb2.CreateFeeRequest(
        account_id=account, text=text, fee_id=fee_id, tax_category=tax_category
    )
    if quantity is not None and (percent is not None or currency):
        message = "name --quantity without --percent and --currency: it is at so much of the tenant's currency each"
        raise click.UsageError(message)
    if quantity is not None:
        request.quantity.MergeFrom(billing_service_pb2.FeeQuantity(quantity=f"{quantity:f}", unit_amount=f"{amount:f}"))
    elif percent is not None:
        of = typed_money(amount, currency)
        request.percent.MergeFrom(billing_service_pb2.FeePercent(rate=f"{percent:f}", of=of))
    else:
        request.amount.MergeFrom(typed_money(amount, currency))
    response = client.call(BillingServiceStub(client.channel).CreateFee, request)
    client.show(response, lambda: f"charged {money(response.fee.amount)} as {response.fee.fee_id}")


@fee_command.command("offset", examples=["tallygate fee offset goodwill-1"])
@click.argument("fee")
@remote
def offset_fee(client: Client, *, fee: str) -> None:
    """Take a fee back by an opposite one; of a fee there is one offset."""
    request = billing_service_pb2.OffsetFeeRequest(fee_id=fee)
    response = client.call(BillingServiceStub(client.channel).OffsetFee, request)
    client.show(response, lambda: f"offset {fee} by {money(response.fee.amount)} as {response.fee.fee_id}")


def _wallet(answer: billing_service_pb2.GetWalletResponse) -> str:
    rows = table(("TIME", "KIND", "AMOUNT", "INVOICE"), map(_entry, answer.entries), empty="nothing moved")
    return "\n".join([*(f"in the wallet: {money(each)}" for each in answer.balances), rows])


def _entry(entry: billing_service_pb2.WalletEntry) -> tuple[str, ...]:
    return instant(entry.create_time), enum_name(entry, "kind"), money(entry.amount), entry.invoice_id
