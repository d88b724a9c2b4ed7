"""Invoices and credit notes: listed, shown, explained, finalised, made void."""

from collections.abc import Iterable
from functools import partial

import click
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.amounts import money
from tallygate.cli.client import Client
from tallygate.cli.commands.crediting import credit, dispute
from tallygate.cli.commands.profile import party_lines
from tallygate.cli.commands.render import render
from tallygate.cli.explanations import event_row, explanation, figure
from tallygate.cli.groups import Group
from tallygate.cli.options import limit_option, remote
from tallygate.cli.output import enum_name, instant, optional_instant, table
from tallygate.cli.values import INSTANT, SOME
from tallygate_api.v1 import billing_service_pb2, invoice_service_pb2
from tallygate_api.v1.billing_service_pb2_grpc import BillingServiceStub
from tallygate_api.v1.invoice_pb2 import (
    TAX_NOTICE_TAX_ID_UNVERIFIED,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    TaxGroup,
)
from tallygate_api.v1.invoice_service_pb2 import ExplainLineRequest
from tallygate_api.v1.invoice_service_pb2_grpc import InvoiceServiceStub
from tallygate_api.v1.pricing_service_pb2 import PreviewChangeResponse

_STATES = {
    "draft": InvoiceState.INVOICE_STATE_DRAFT,
    "open": InvoiceState.INVOICE_STATE_OPEN,
    "paid": InvoiceState.INVOICE_STATE_PAID,
    "void": InvoiceState.INVOICE_STATE_VOID,
    "uncollectible": InvoiceState.INVOICE_STATE_UNCOLLECTIBLE,
}
_KINDS = {
    "opening": InvoiceKind.INVOICE_KIND_OPENING,
    "period": InvoiceKind.INVOICE_KIND_PERIOD,
    "change": InvoiceKind.INVOICE_KIND_CHANGE,
    "order": InvoiceKind.INVOICE_KIND_ORDER,
    "credit_note": InvoiceKind.INVOICE_KIND_CREDIT_NOTE,
}
_DAY = 10
_PAGE = 100
"""The largest page of invoices."""


@click.group("invoice", cls=Group)
def invoice_command() -> None:
    """List and show invoices and credit notes."""


invoice_command.add_command(render)
invoice_command.add_command(credit)
invoice_command.add_command(dispute)


@invoice_command.command(
    "list",
    examples=[
        "tallygate invoice list acme --state open",
        "tallygate invoice list --kind credit_note --since 2026-01-01 --text seats",
    ],
)
@click.argument("account", required=False)
@click.option("--state", type=click.Choice(list(_STATES)), help="Only those that stand so.")
@click.option("--kind", type=click.Choice(list(_KINDS)), help="Only those that this made.")
@click.option("--since", type=INSTANT, metavar="TIME", help="Only those issued then or later.")
@click.option("--until", type=INSTANT, metavar="TIME", help="Only those issued before.")
@click.option("--text", metavar="TEXT", help="Only those with it in their number, buyer or a line.")
@limit_option
@remote
def list_(
    client: Client,
    *,
    account: str | None,
    state: str | None,
    kind: str | None,
    since: Timestamp | None,
    until: Timestamp | None,
    text: str | None,
    limit: int | None,
) -> None:
    """List invoices, newest first, of one account or of all."""
    request = invoice_service_pb2.ListInvoicesRequest(
        account_id=account,
        state=_STATES[state] if state else None,
        kind=_KINDS[kind] if kind else None,
        start_time=since,
        end_time=until,
        text=text,
    )
    stub = InvoiceServiceStub(client.channel)
    header = ("NUMBER", "ACCOUNT", "KIND", "ISSUED", "TOTAL", "STATE", "ID")
    client.show_list(stub.ListInvoices, request, field="invoices", limit=limit, header=header, row=_row, most=_PAGE)


@invoice_command.command(
    "show", examples=["tallygate invoice show INV-2026-000002", "tallygate invoice show ID -o json"]
)
@click.argument("invoice")
@remote
def show(client: Client, *, invoice: str) -> None:
    """Show an invoice by its number or id, with its lines."""
    request = invoice_service_pb2.GetInvoiceRequest(invoice_id=invoice)
    response = client.call(InvoiceServiceStub(client.channel).GetInvoice, request)
    client.show(response, lambda: _page(response.invoice))


@invoice_command.command(
    "explain",
    examples=[
        "tallygate invoice explain INV-2026-000002",
        "tallygate invoice explain ID --line 2 --events",
        "tallygate invoice explain --line-key setup/SUBSCRIPTION/plans/pro/setup",
    ],
)
@click.argument("invoice", required=False)
@click.option("--line", type=SOME, metavar="N", help="Only this line, from 1 on.")
@click.option("--line-key", metavar="KEY", help="Only the line of this key, on whatever invoice.")
@click.option("--events", is_flag=True, help="With --line or --line-key: the events that it counted, too.")
@limit_option
@remote
def explain(
    client: Client, *, invoice: str | None, line: int | None, line_key: str | None, events: bool, limit: int | None
) -> None:
    """Say how each line of an invoice came about, step by step."""
    stub = InvoiceServiceStub(client.channel)
    if (invoice is None) == (line_key is None) or (line is not None and line_key is not None):
        msg = "name an invoice, with --line or without, or the --line-key of one"
        raise click.UsageError(msg)
    if events:
        if line is None and line_key is None:
            msg = "--events needs --line or --line-key: the events behind one line"
            raise click.UsageError(msg)
        request = invoice_service_pb2.ListLineEventsRequest(invoice_id=invoice, line=line, line_key=line_key)
        header = ("OCCURRED (UTC)", "QUANTITY", "COUNTED", "AMOUNT", "REQUEST", "USER", "DIMENSIONS", "NOTE")
        client.show_list(stub.ListLineEvents, request, field="events", limit=limit, header=header, row=event_row)
        return
    for asked in _asked(stub, client, invoice, line) if line_key is None else [ExplainLineRequest(line_key=line_key)]:
        answer = client.call(stub.ExplainLine, asked)
        client.show(answer, partial(explanation, answer, amount=money(answer.line.amount)))


def _asked(
    stub: InvoiceServiceStub, client: Client, invoice: str | None, line: int | None
) -> Iterable[ExplainLineRequest]:
    whole = client.call(stub.GetInvoice, invoice_service_pb2.GetInvoiceRequest(invoice_id=invoice)).invoice
    for number in range(1, len(whole.lines) + 1) if line is None else [line]:
        yield ExplainLineRequest(invoice_id=whole.invoice_id, line=number)


@invoice_command.command("finalize", examples=["tallygate invoice finalize inv_4f1c"])
@click.argument("invoice")
@remote
def finalize(client: Client, *, invoice: str) -> None:
    """Issue a draft before its review is over, by its id."""
    request = invoice_service_pb2.FinalizeInvoiceRequest(invoice_id=invoice)
    response = client.call(InvoiceServiceStub(client.channel).FinalizeInvoice, request)
    issued = response.invoice
    told = f"{issued.number} is issued: {money(issued.total)}" if response.HasField("invoice") else "nothing is charged"
    client.show(response, lambda: told)


@invoice_command.command(
    "void", examples=["tallygate invoice void INV-2026-000017", "tallygate invoice void ID --reissue"]
)
@click.argument("invoice")
@click.option("--reissue", is_flag=True, help="Issue its lines anew, as to the buyer and rates of now.")
@remote
def void(client: Client, *, invoice: str, reissue: bool) -> None:
    """Forgive an open invoice, or issue it anew; what the wallet paid of it goes back into it."""
    request = invoice_service_pb2.VoidInvoiceRequest(invoice_id=invoice, reissue=reissue)
    response = client.call(InvoiceServiceStub(client.channel).VoidInvoice, request)
    anew = f"\n{response.reissued.number} is in its place" if response.HasField("reissued") else ""
    client.show(response, lambda: f"{response.invoice.number} is {enum_name(response.invoice, 'state')}{anew}")


@invoice_command.command("preview", examples=["tallygate invoice preview acme"])
@click.argument("account")
@remote
def preview(client: Client, *, account: str) -> None:
    """Show an account's next invoice as things stand."""
    request = billing_service_pb2.PreviewInvoiceRequest(account_id=account)
    response = client.call(BillingServiceStub(client.channel).PreviewInvoice, request)
    client.show(response, lambda: next_invoice(response))


@invoice_command.command("items", examples=["tallygate invoice items acme"])
@click.argument("account")
@limit_option
@remote
def items(client: Client, *, account: str, limit: int | None) -> None:
    """Show what an account owes by now that is on no invoice yet.

    Usage of a period that runs is not owed yet: `invoice preview` counts it.
    """
    request = billing_service_pb2.ListUninvoicedItemsRequest(account_id=account)
    stub = BillingServiceStub(client.channel)
    response = client.pages(stub.ListUninvoicedItems, request, field="lines", limit=limit, most=_PAGE)
    client.show(response, lambda: lines_table(response.lines))


def next_invoice(response: billing_service_pb2.PreviewInvoiceResponse | PreviewChangeResponse) -> str:
    """The next invoice of a preview, with its lines and when it is cut."""
    if not response.HasField("cut_time"):
        return "no invoice is to come"
    if not response.invoices:
        return f"nothing is owed at {instant(response.cut_time)}"
    pages = [f"{lines_table(invoice.lines)}\ntotal {money(invoice.total)}" for invoice in response.invoices]
    return "\n".join([f"to be cut at {instant(response.cut_time)}", *pages])


def lines_table(lines: Iterable[InvoiceLine]) -> str:
    """The lines of an invoice, one a row."""
    return table(("TEXT", "FROM", "TO", "QUANTITY", "AMOUNT"), map(_line, lines), empty="no lines")


def _page(invoice: Invoice) -> str:
    kind = "credit note" if enum_name(invoice, "kind") == "credit_note" else "invoice"
    named = invoice.number or invoice.invoice_id
    head = [f"{kind} {named} for {invoice.account_id}: {money(invoice.total)}, {enum_name(invoice, 'state')}"]
    if invoice.HasField("issue_time"):
        due = f", due {instant(invoice.due_time)}" if invoice.HasField("due_time") else ""
        head += [f"issued {instant(invoice.issue_time)}{due}"]
    for who, party in (("seller", invoice.seller), ("buyer", invoice.buyer)):
        head += [f"{who}: {', '.join(party_lines(party))}"] if invoice.HasField(who) else []
    if invoice.credited_invoices:
        head += [f"credits {', '.join(one.number for one in invoice.credited_invoices)}"]
    numbered = ((str(number), *_line(line)) for number, line in enumerate(invoice.lines, start=1))
    rows = table(("LINE", "TEXT", "FROM", "TO", "QUANTITY", "AMOUNT"), numbered, empty="no lines")
    foot = f"subtotal {money(invoice.subtotal)}, tax {money(invoice.tax)}, total {money(invoice.total)}"
    if enum_name(invoice, "state") == "open":
        foot = f"{foot}, due {money(invoice.due)}"
    return "\n".join([*head, rows, *map(_tax, invoice.taxes), foot, *map(_notice, invoice.tax_notices)])


def _notice(notice: int) -> str:
    """What is to be known of an invoice's tax."""
    unverified = notice == TAX_NOTICE_TAX_ID_UNVERIFIED
    return "the buyer's tax id is not verified, so the tax is not shifted to it" if unverified else f"notice {notice}"


def _tax(group: TaxGroup) -> str:
    place = f"{group.country}-{group.region}" if group.region else group.country
    rate = f"{group.name} {place} {group.rate} % of " if group.name else "no tax on "
    return f"{rate}{money(group.base)}: {group.note or money(group.amount)}"


def _line(line: InvoiceLine) -> tuple[str, ...]:
    start, end = instant(line.start_time)[:_DAY], instant(line.end_time)[:_DAY]
    return line.text, start, end, figure(line.quantity), money(line.amount)


def short_row(invoice: Invoice) -> tuple[str, ...]:
    """A document of a list: its number, account, total, state and id."""
    return invoice.number, invoice.account_id, money(invoice.total), enum_name(invoice, "state"), invoice.invoice_id


def _row(invoice: Invoice) -> tuple[str, ...]:
    number, account, total, state, invoice_id = short_row(invoice)
    issued = optional_instant(invoice, "issue_time")[:_DAY]
    return number or "-", account, enum_name(invoice, "kind"), issued, total, state, invoice_id
