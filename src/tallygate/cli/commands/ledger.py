"""The ledger: balances, transfers, its export, and whether it agrees with the invoices."""

from functools import partial

import click
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.amounts import money
from tallygate.cli.client import Client
from tallygate.cli.failures import CommandError
from tallygate.cli.groups import Group
from tallygate.cli.options import limit_option, remote
from tallygate.cli.output import instant, table
from tallygate.cli.values import INSTANT
from tallygate_api.v1 import ledger_service_pb2 as wire
from tallygate_api.v1.ledger_service_pb2_grpc import LedgerServiceStub

_PAGE = 100
"""The largest page of transfers."""

_account = click.option("--account", metavar="ID", help="Only of this account.")
_since = click.option("--since", type=INSTANT, metavar="TIME", help="Only what takes effect then or later.")
_until = click.option("--until", type=INSTANT, metavar="TIME", help="Only what takes effect before.")


@click.group("ledger", cls=Group)
def ledger_command() -> None:
    """Ask the double-entry ledger behind invoices."""


@ledger_command.command("balance", examples=["tallygate ledger balance", "tallygate ledger balance --at 2027-01-01"])
@click.option("--at", "at_time", type=INSTANT, metavar="TIME", help="At an instant; default: now.")
@_account
@remote
def balance(client: Client, *, at_time: Timestamp | None, account: str | None) -> None:
    """Show what every ledger account stands at: debits and credits of a currency are equal."""
    request = wire.GetTrialBalanceRequest(at_time=at_time, account_id=account)
    response = client.call(LedgerServiceStub(client.channel).GetTrialBalance, request)
    header = ("LEDGER ACCOUNT", "DEBITS", "CREDITS", "BALANCE")
    client.show(response, lambda: table(header, map(_balance, response.balances), empty="nothing is posted"))


@ledger_command.command("close", examples=["tallygate ledger close 2026-12-01T00:00:00Z"])
@click.argument("until", type=INSTANT, metavar="TIME")
@remote
def close(client: Client, *, until: Timestamp) -> None:
    """Close the books: trial balances of before TIME change no more.

    What comes to light later takes effect at TIME. It moves forwards only.
    """
    request = wire.CloseBooksRequest(closed_time=until)
    response = client.call(LedgerServiceStub(client.channel).CloseBooks, request)
    client.show(response, lambda: f"the books are closed until {instant(response.closed_time)}")


@ledger_command.command(
    "transfers", examples=["tallygate ledger transfers acme", "tallygate ledger transfers --of seller:Income"]
)
@click.argument("account", required=False)
@click.option("--of", "ledger_account", metavar="NAME", help="Only of this ledger account, as account:Receivable.")
@_since
@_until
@limit_option
@remote
def transfers(
    client: Client,
    *,
    account: str | None,
    ledger_account: str | None,
    since: Timestamp | None,
    until: Timestamp | None,
    limit: int | None,
) -> None:
    """List transfers, newest first, of one account or of all."""
    request = wire.ListTransfersRequest(
        account_id=account, ledger_account=ledger_account, start_time=since, end_time=until
    )
    stub = LedgerServiceStub(client.channel)
    header = ("TIME", "DEBIT", "CREDIT", "AMOUNT", "ACCOUNT", "ENTRY")
    client.show_list(stub.ListTransfers, request, field="transfers", limit=limit, header=header, row=_row, most=_PAGE)


@ledger_command.command(
    "export", examples=["tallygate ledger export > books.ledger", "tallygate ledger export -o json"]
)
@_account
@_since
@_until
@remote
def export(client: Client, *, account: str | None, since: Timestamp | None, until: Timestamp | None) -> None:
    """Print transfers, oldest first, as the `ledger` program reads them."""
    request = wire.ExportLedgerRequest(account_id=account, start_time=since, end_time=until)
    stub = LedgerServiceStub(client.channel)
    while True:
        page = client.call(stub.ExportLedger, request)
        client.show(page, partial(_text, page))
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


@ledger_command.command("audit", examples=["tallygate ledger audit"])
@remote
def audit(client: Client) -> None:
    """Compare the ledger with invoices, what is kept for accounts, and what is no income yet; fails on a difference."""
    response = client.call(LedgerServiceStub(client.channel).AuditLedger, wire.AuditLedgerRequest())
    header = ("LEDGER ACCOUNT", "ACCOUNT", "EXPECTED", "POSTED")
    client.show(response, lambda: table(header, map(_difference, response.differences), empty="the books agree"))
    if response.differences:
        msg = f"the ledger disagrees with its records in {len(response.differences)} places"
        raise CommandError(msg)


def _text(page: wire.ExportLedgerResponse) -> str:
    """A page without its last end of line, which is printed behind it."""
    return page.text.removesuffix("\n")


def _balance(one: wire.LedgerBalance) -> tuple[str, ...]:
    return one.ledger_account, money(one.debits), money(one.credits), money(one.balance)


def _row(one: wire.Transfer) -> tuple[str, ...]:
    return instant(one.effective_time), one.debit, one.credit, money(one.amount), one.account_id, one.entry_id


def _difference(one: wire.LedgerDifference) -> tuple[str, ...]:
    return one.ledger_account, one.account_id, money(one.expected), money(one.posted)
