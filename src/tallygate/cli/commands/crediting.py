"""Credit notes that a person asks for."""

from decimal import Decimal

import click

from tallygate.cli.amounts import money, typed_money
from tallygate.cli.client import Client
from tallygate.cli.groups import Command
from tallygate.cli.options import remote
from tallygate.cli.values import MONEY, SOME
from tallygate_api.v1 import invoice_service_pb2 as wire
from tallygate_api.v1.invoice_pb2 import Invoice
from tallygate_api.v1.invoice_service_pb2_grpc import InvoiceServiceStub


@click.command(
    "credit",
    cls=Command,
    examples=[
        "tallygate invoice credit INV-2026-000017",
        "tallygate invoice credit INV-2026-000017 --line 2 --amount 5.00",
    ],
)
@click.argument("invoice")
@click.option("--line", type=SOME, metavar="N", help="Only this line, from 1 on; default: all of them.")
@click.option("--amount", type=MONEY, help="With --line: how much of it, without tax; default: what is left.")
@click.option("--reason", metavar="TEXT", help="Why; the credit note shows it.")
@click.option("--id", "credit_id", metavar="ID", help="Your own id, so that repeating it changes nothing.")
@remote
def credit(
    client: Client,
    *,
    invoice: str,
    line: int | None,
    amount: Decimal | None,
    reason: str | None,
    credit_id: str | None,
) -> None:
    """Issue a credit note: off what is due, the rest into the wallet."""
    if amount is not None and line is None:
        msg = "--amount needs --line"
        raise click.UsageError(msg)
    part = wire.LineCredit(line=line, amount=typed_money(amount) if amount is not None else None)
    request = wire.CreateCreditNoteRequest(
        invoice_id=invoice, lines=[] if line is None else [part], reason=reason, credit_id=credit_id
    )
    response = client.call(InvoiceServiceStub(client.channel).CreateCreditNote, request)
    client.show(response, lambda: _told(response.credit_note, response.invoice))


@click.command("dispute", cls=Command, examples=['tallygate invoice dispute INV-2026-000017 2 --reason "not used"'])
@click.argument("invoice")
@click.argument("line", type=SOME)
@click.option("--reason", metavar="TEXT", help="Why; the credit note shows it.")
@click.option("--id", "credit_id", metavar="ID", help="Your own id, so that repeating it changes nothing.")
@remote
def dispute(client: Client, *, invoice: str, line: int, reason: str | None, credit_id: str | None) -> None:
    """Take a line off an invoice that is not due yet.

    LINE is its place in the invoice, from 1 on.
    """
    request = wire.DisputeLineRequest(invoice_id=invoice, line=line, reason=reason, credit_id=credit_id)
    response = client.call(InvoiceServiceStub(client.channel).DisputeLine, request)
    client.show(response, lambda: _told(response.credit_note, response.invoice))


def _told(note: Invoice, invoice: Invoice) -> str:
    return f"{note.number}: {money(note.total)}; {money(invoice.due)} of {invoice.number} are due"
