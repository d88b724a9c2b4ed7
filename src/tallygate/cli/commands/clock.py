"""The clock of a test tenant, to walk through months of billing in a test."""

import click
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.client import Client
from tallygate.cli.groups import Group
from tallygate.cli.options import remote
from tallygate.cli.output import instant
from tallygate.cli.values import DAYS, INSTANT
from tallygate_api.v1 import test_clock_service_pb2 as wire
from tallygate_api.v1.test_clock_service_pb2_grpc import TestClockServiceStub

_DAY = 86_400


@click.group("clock", cls=Group)
def clock_command() -> None:
    """Show, set and move a test tenant's clock."""


@clock_command.command("show", examples=["tallygate clock show"])
@remote
def show(client: Client) -> None:
    """Show what time it is for the tenant."""
    response = client.call(TestClockServiceStub(client.channel).GetTestClock, wire.GetTestClockRequest())
    client.show(response, lambda: _text(response.clock))


@clock_command.command(
    "set",
    examples=["tallygate clock set 2025-01-31T12:00:00Z --stand", "tallygate clock set --run"],
)
@click.argument("time", type=INSTANT, required=False)
@click.option("--stand/--run", "standing", default=None, help="Let it stand there, or run on; default: as before.")
@remote
def set_(client: Client, *, time: Timestamp | None, standing: bool | None) -> None:
    """Set the clock: into the past before there are accounts, once; then forwards only."""
    if time is None and standing is None:
        msg = "give a TIME, --stand or --run"
        raise click.UsageError(msg)
    request = wire.SetTestClockRequest(time=time, standing=standing)
    response = client.call(TestClockServiceStub(client.channel).SetTestClock, request)
    client.show(response, lambda: _text(response.clock))


@clock_command.command(
    "advance",
    examples=["tallygate clock advance --days 31", "tallygate clock advance --to 2027-01-01"],
)
@click.option("--days", type=DAYS, metavar="N", help="By so many days of 24 hours.")
@click.option("--to", type=INSTANT, metavar="TIME", help="To this instant.")
@remote
def advance(client: Client, *, days: int | None, to: Timestamp | None) -> None:
    """Move the clock forwards."""
    if (days is None) == (to is None):
        msg = "give --days or --to"
        raise click.UsageError(msg)
    by = None if days is None else Duration(seconds=days * _DAY)
    request = wire.AdvanceTestClockRequest(duration=by, to_time=to)
    response = client.call(TestClockServiceStub(client.channel).AdvanceTestClock, request)
    client.show(response, lambda: _text(response.clock))


def _text(clock: wire.TestClock) -> str:
    return f"{instant(clock.current_time)}, {'standing' if clock.standing else 'running'}"
