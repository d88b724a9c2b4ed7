"""The log of billable events as rows, for warehouses and spreadsheets."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import click

from tallygate.cli.client import Client
from tallygate.cli.groups import Command
from tallygate.cli.options import feature_option, remote
from tallygate.cli.output import enum_name
from tallygate.cli.terminal import json_text, say
from tallygate.cli.values import SEQUENCE
from tallygate_api.v1 import usage_service_pb2 as wire
from tallygate_api.v1.usage_service_pb2_grpc import UsageServiceStub

_PAGE, _DAY = 1_000, len("2026-03-01")
COLUMNS = (
    "sequence", "id", "recorded_time", "occurred_time", "account_id", "feature_key", "kind", "quantity",
    "billable_quantity", "billable", "plan_key", "plan_version", "subscription_id", "user_id", "request_id",
    "dimensions",
)  # fmt: skip


@click.command(
    "export",
    cls=Command,
    examples=["tallygate events export > events.csv", "tallygate events export --after 120 --into warehouse"],
)
@click.option("--after", type=SEQUENCE, default=0, metavar="N", help="Only after sequence N.")
@click.option("--account", metavar="ID", help="Only of this account.")
@feature_option
@click.option("--into", metavar="DIRECTORY", help="Write a directory for each day instead.")
@remote
def export(client: Client, *, after: int, account: str | None, feature: str | None, into: str | None) -> None:
    """Print events after a sequence as CSV (RFC 4180), in order.

    The first row names the columns. With --into, what was recorded on a day (UTC)
    is in day=2026-03-01/events-120.csv, named by its first event, as warehouses
    read it. Events never change: an export goes on where the one before ended.
    """
    request = wire.ListEventsRequest(after_sequence=after, account_id=account, feature_key=feature, page_size=_PAGE)
    pages = _pages(client, request)
    if into is None:
        say(_csv([COLUMNS]), nl=False)
        for page in pages:
            say(_csv(map(_row, page.events)), nl=False)
        return
    events = (event for page in pages for event in page.events)
    for day, found in groupby(events, lambda event: event.data.recorded_time.ToJsonString()[:_DAY]):
        say(str(_written(Path(into) / f"day={day}", found)))


def _pages(client: Client, request: wire.ListEventsRequest) -> Iterator[wire.ListEventsResponse]:
    stub = UsageServiceStub(client.channel)
    while (page := client.call(stub.ListEvents, request)).events:
        yield page
        request.after_sequence = page.next_after_sequence


def _written(directory: Path, events: Iterator[wire.CloudEvent]) -> Path:
    """The file of a day's events; one that is there already is of the same events, and written again."""
    first = next(events)
    path = directory / f"events-{first.sequence}.csv"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows((COLUMNS, _row(first), *map(_row, events)))
    except OSError as error:
        msg = f"--into: {path} cannot be written: {error.strerror}."
        raise click.UsageError(msg) from None
    return path


def _csv(rows: Iterable[tuple[str, ...]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _row(event: wire.CloudEvent) -> tuple[str, ...]:
    fact = event.data
    return (
        str(event.sequence),
        event.id,
        fact.recorded_time.ToJsonString(),
        fact.occurred_time.ToJsonString(),
        fact.account_id,
        fact.feature_key,
        enum_name(fact, "kind"),
        str(fact.quantity),
        str(fact.billable_quantity),
        str(fact.billable).lower(),
        fact.plan_key,
        str(fact.plan_version),
        fact.subscription_id,
        fact.user_id,
        fact.request_id,
        json_text(dict(sorted(fact.dimensions.items())), indent=None),
    )
