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

_FORMATS = {
    "html": wire.DOCUMENT_FORMAT_HTML,
    "json": wire.DOCUMENT_FORMAT_JSON,
    "pdf": wire.DOCUMENT_FORMAT_PDF,
    "ubl": wire.DOCUMENT_FORMAT_UBL,
    "cii": wire.DOCUMENT_FORMAT_CII,
}


@click.command(
    "render",
    cls=Command,
    examples=[
        "tallygate invoice render INV-2026-000002 > invoice.html",
        "tallygate invoice render ID --format pdf --to invoice.pdf --locale de",
    ],
)
@click.argument("invoice")
@click.option("--format", "form", type=click.Choice(list(_FORMATS)), default="html", help="Default: html.")
@click.option("--locale", metavar="LOCALE", help="In which language, as de-AT; default: the buyer's.")
@click.option("--to", type=OUTPUT, metavar="FILE", help="Write it there; default: print it.")
@remote
def render(client: Client, *, invoice: str, form: str, locale: str | None, to: Path | None) -> None:
    """Show an invoice as a page to read or to send, as JSON or as an e-invoice.

    A PDF has to be written --to a file; it holds the e-invoice (CII) where the
    billing profiles of both parties are complete.
    """
    if form == "pdf" and to is None:
        msg = "a PDF is no text: name a file with --to"
        raise click.UsageError(msg)
    request = wire.RenderInvoiceRequest(invoice_id=invoice, format=_FORMATS[form], locale=locale)
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
