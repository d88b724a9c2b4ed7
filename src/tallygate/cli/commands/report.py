"""What the business looks like."""

import click
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.amounts import money
from tallygate.cli.client import Client
from tallygate.cli.groups import Command
from tallygate.cli.options import remote
from tallygate.cli.output import instant, number, optional_instant, table
from tallygate.cli.values import INSTANT
from tallygate_api.v1 import report_service_pb2 as wire
from tallygate_api.v1.report_service_pb2_grpc import ReportServiceStub

_BOOKS = ("BY THE MONTH", "INVOICED", "RECEIVED", "INCOME", "OUTSTANDING")
_LOST = ("ACCOUNT", "PLAN", "LEFT", "LAST ACTIVE", "REASON")


@click.command(
    "report",
    cls=Command,
    examples=["tallygate report 2026-01-01", "tallygate report 2026-01-01 --to 2026-02-01 -o json"],
)
@click.argument("start", type=INSTANT)
@click.option("--to", "end", type=INSTANT, metavar="TIME", help="Until here; default: now.")
@remote
def report_command(client: Client, *, start: Timestamp, end: Timestamp | None) -> None:
    """Show what recurs, what was earned since START, and who left."""
    request = wire.GetReportRequest(start_time=start, end_time=end)
    response = client.call(ReportServiceStub(client.channel).GetReport, request)
    client.show(response, lambda: _text(response))


def _text(report: wire.GetReportResponse) -> str:
    books = table(_BOOKS, map(_books, report.books), empty="no money moved")
    accounts = (
        f"accounts: {number(report.accounts_at_start)} + {number(report.accounts_gained)} "
        f"- {number(report.accounts_lost)} = {number(report.accounts_at_end)}; {report.churn_percent} % left"
    )
    lost = ["", table(_LOST, map(_lost, report.lost), empty="")] if report.lost else []
    since = f"{instant(report.start_time)} to {instant(report.end_time)}"
    return type(books)("\n".join([since, "", books, "", accounts, *lost]))


def _books(books: wire.ReportedBooks) -> tuple[str, ...]:
    shown = books.monthly_recurring, books.invoiced, books.received, books.income, books.outstanding
    return tuple(map(money, shown))


def _lost(lost: wire.LostAccount) -> tuple[str, ...]:
    active = optional_instant(lost, "last_activity_time")
    return lost.account_id, lost.plan_key, instant(lost.end_time), active, lost.reason or "-"
