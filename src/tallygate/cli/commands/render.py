"""A document as people read it, in a file or on the standard output."""

from pathlib import Path

import click

from tallygate.cli.client import Client
from tallygate.cli.failures import CommandError
from tallygate.cli.groups import Command
from tallygate.cli.options import remote
from tallygate.cli.output import Grid
from tallygate.cli.values import OUTPUT
from tallygate_api.v1 import invoice_service_pb2 as wire
from tallygate_api.v1.invoice_service_pb2_grpc import InvoiceServiceStub

_FORMATS = {"html": wire.DOCUMENT_FORMAT_HTML, "json": wire.DOCUMENT_FORMAT_JSON}


@click.command(
    "render",
    cls=Command,
    examples=[
        "tallygate invoice render INV-2026-000002 > invoice.html",
        "tallygate invoice render ID --format json --to invoice.json",
    ],
)
@click.argument("invoice")
@click.option("--format", "form", type=click.Choice(list(_FORMATS)), default="html", help="Default: html.")
@click.option("--to", type=OUTPUT, metavar="FILE", help="Write it there; default: print it.")
@remote
def render(client: Client, *, invoice: str, form: str, to: Path | None) -> None:
    """Show an invoice as a page to read or to send, or as JSON."""
    request = wire.RenderInvoiceRequest(invoice_id=invoice, format=_FORMATS[form])
    response = client.call(InvoiceServiceStub(client.channel).RenderInvoice, request)
    if to is None:
        client.show(response, lambda: Grid(response.content.decode().removesuffix("\n")))
        return
    try:
        to.write_bytes(response.content)
    except OSError as error:
        msg = f"{to}: {error.strerror}"
        raise CommandError(msg) from None
    client.show(response, lambda: f"wrote {to}: {len(response.content):,} bytes")
