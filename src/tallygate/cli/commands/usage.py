"""What was counted, and the events behind it."""

import signal
import threading
from collections.abc import Iterator
from functools import partial

import click
import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.client import Client
from tallygate.cli.commands.event_export import export
from tallygate.cli.commands.event_import import import_
from tallygate.cli.failures import failure_of
from tallygate.cli.groups import Command, Group
from tallygate.cli.options import feature_option, limit_option, remote
from tallygate.cli.output import echo_json, enum_name, number, optional_instant, table
from tallygate.cli.terminal import ReaderLeftError, say, visible, when_reader_leaves
from tallygate.cli.values import INSTANT, SEQUENCE
from tallygate_api.v1 import usage_service_pb2 as wire
from tallygate_api.v1.usage_service_pb2_grpc import UsageServiceStub

_PERIODS = {"current": wire.PERIOD_SELECTION_CURRENT, "previous": wire.PERIOD_SELECTION_PREVIOUS}
_PAGE = 1_000
_OLD_CONNECTION = "max connection age"
"""What gRPC says of a connection that the server has closed for its age (`server.max_connection_age`)."""
_after = click.option("--after", type=SEQUENCE, default=0, metavar="N", help="Only after sequence N.")
_account = click.option("--account", metavar="ID", help="Only of this account.")


@click.command(
    "usage",
    cls=Command,
    examples=[
        "tallygate usage acme",
        "tallygate usage acme --feature api_calls --period previous",
        "tallygate usage acme --from 2026-01-01 --to 2027-01-01 -o json",
    ],
)
@click.argument("account")
@feature_option
@click.option("--period", type=click.Choice(list(_PERIODS)), help="Seen from now; default: current.")
@click.option("--from", "start", type=INSTANT, metavar="TIME", help="Every period that overlaps, from here")
@click.option("--to", "end", type=INSTANT, metavar="TIME", help="until here; default: now.")
@click.option("--group-by", metavar="DIMENSION", help="A row for each value of this dimension.")
@limit_option
@remote
def usage_command(
    client: Client,
    *,
    account: str,
    feature: str | None,
    period: str | None,
    start: Timestamp | None,
    end: Timestamp | None,
    group_by: str | None,
    limit: int | None,
) -> None:
    """Show an account's usage by period and feature.

    It is counted from the collected events, about a second behind.
    """
    if period is not None and (start is not None or end is not None):
        msg = "--period and --from/--to exclude each other."
        raise click.UsageError(msg)
    request = wire.GetUsageRequest(account_id=account, feature_key=feature, group_by=group_by)
    if start is not None or end is not None:
        request.range.CopyFrom(wire.TimeRange(start_time=start, end_time=end))
    else:
        request.selection = _PERIODS[period or "current"]
    stub = UsageServiceStub(client.channel)
    header = ("FEATURE", "USED", "AS", "FROM", "TO", *((group_by.upper(),) if group_by else ()))
    row = partial(_row, grouped=bool(group_by))
    client.show_list(stub.GetUsage, request, field="rows", limit=limit, header=header, row=row, empty="no usage")


@click.group("events", cls=Group)
def events_command() -> None:
    """List and follow billable events, in CloudEvents shape.

    Events are numbered from 1 without gaps; the number of the last one that you
    have is what --after takes.
    """


events_command.add_command(export)
events_command.add_command(import_)


@events_command.command(
    "list", examples=["tallygate events list", "tallygate events list --after 120 --account acme -o json"]
)
@_after
@_account
@feature_option
@limit_option
@remote
def list_(client: Client, *, after: int, account: str | None, feature: str | None, limit: int | None) -> None:
    """List events after a sequence, in order."""
    request = wire.ListEventsRequest(after_sequence=after, account_id=account, feature_key=feature)
    response = _events(client, request, limit)
    header = ("SEQ", "RECORDED (UTC)", "ACCOUNT", "FEATURE", "QUANTITY", "REQUEST")
    client.show(response, lambda: table(header, map(_event, response.events), empty="no events"))


@events_command.command(
    "follow", examples=["tallygate events follow", "tallygate events follow --after 120 -o json | jq .data"]
)
@_after
@_account
@feature_option
@remote
def follow(client: Client, *, after: int, account: str | None, feature: str | None) -> None:
    """Print events after a sequence, then each as it comes.

    One event a line. Ctrl-C ends it, and so does whoever read it and leaves.
    """
    request = wire.FollowEventsRequest(after_sequence=after, account_id=account, feature_key=feature)
    open_streams: list[grpc.Call] = []
    stopped = threading.Event()

    def stop(*_: object) -> None:
        stopped.set()
        for stream in open_streams:
            stream.cancel()

    # A KeyboardInterrupt may fall where Python ignores exceptions, and would be lost.
    before = signal.signal(signal.SIGINT, stop)
    when_reader_leaves(stop)
    try:
        for answer in _followed(client, request, open_streams):
            if client.as_json:
                echo_json(answer.event, indent=None)
            else:
                say(visible("  ".join(_event(answer.event))))
    except ReaderLeftError:
        return
    except grpc.RpcError as error:
        if stopped.is_set():
            return
        failure = failure_of(error, address=client.target.address)
        failure.hints = (*failure.hints, f"go on with --after {request.after_sequence}")
        raise failure from None
    finally:
        signal.signal(signal.SIGINT, before)


def _followed(
    client: Client, request: wire.FollowEventsRequest, open_streams: list[grpc.Call]
) -> Iterator[wire.FollowEventsResponse]:
    """What follows, from one stream after the other: a server closes connections that are old.

    The request says up to where, and `open_streams` holds the stream that is open.
    """
    stub = UsageServiceStub(client.channel)
    while True:
        stream = stub.FollowEvents(request, metadata=client.metadata)
        open_streams[:] = [stream]
        try:
            for answer in stream:
                request.after_sequence = answer.event.sequence
                yield answer
        except grpc.RpcError as error:
            if _OLD_CONNECTION in (error.details() or ""):
                continue
            raise
        return


def _events(client: Client, request: wire.ListEventsRequest, limit: int | None) -> wire.ListEventsResponse:
    """All events after a sequence, or the first `limit`, as one answer."""
    stub = UsageServiceStub(client.channel)
    whole = wire.ListEventsResponse(next_after_sequence=request.after_sequence)
    while limit is None or len(whole.events) < limit:
        request.page_size = _PAGE if limit is None else min(_PAGE, limit - len(whole.events))
        page = client.call(stub.ListEvents, request)
        whole.events.extend(page.events)
        whole.next_after_sequence = max(page.next_after_sequence, whole.next_after_sequence)
        if not page.events:
            break
        request.after_sequence = page.next_after_sequence
    return whole


def _row(row: wire.UsageRow, *, grouped: bool) -> tuple[str, ...]:
    start, end = optional_instant(row, "period_start_time"), optional_instant(row, "period_end_time")
    group = (row.group,) if grouped else ()
    return row.feature_key, number(row.quantity), enum_name(row, "aggregation"), start, end, *group


def _event(event: wire.CloudEvent) -> tuple[str, ...]:
    fact = event.data
    when = optional_instant(fact, "recorded_time").removesuffix(" UTC")
    return str(event.sequence), when, fact.account_id, fact.feature_key, number(fact.quantity), fact.request_id
