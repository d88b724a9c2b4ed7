"""Named seats. A refused assignment is an answer, with exit code 1."""

import click

from tallygate.cli.charging import charge_options, charged_by
from tallygate.cli.client import Client
from tallygate.cli.failures import DENIED
from tallygate.cli.groups import Group
from tallygate.cli.options import feature_option, limit_option, remote
from tallygate.cli.output import optional_instant
from tallygate.cli.phrases import decision_phrase
from tallygate_api.v1 import account_service_pb2 as wire
from tallygate_api.v1.account_service_pb2_grpc import AccountServiceStub


@click.group("seat", cls=Group)
def seat_command() -> None:
    """Assign seats to users."""


@seat_command.command(
    "assign",
    examples=[
        "tallygate seat assign acme seats ada@acme.example",
        "tallygate seat assign acme seats ada --proration none",
    ],
)
@click.argument("account")
@click.argument("feature")
@click.argument("user")
@charge_options
@remote
def assign(client: Client, *, account: str, feature: str, user: str, **charged: str | None) -> None:
    """Assign a seat to a user, who is added if unknown."""
    request = wire.AssignSeatRequest(
        account_id=account,
        feature_key=feature,
        user_id=user,
        **charged_by(**charged),
    )
    response = client.call(AccountServiceStub(client.channel).AssignSeat, request)
    client.show(response, lambda: decision_phrase(response.decision))
    if not response.decision.allowed:
        raise click.exceptions.Exit(DENIED)


@seat_command.command("unassign", examples=["tallygate seat unassign acme seats ada@acme.example"])
@click.argument("account")
@click.argument("feature")
@click.argument("user")
@charge_options
@remote
def unassign(client: Client, *, account: str, feature: str, user: str, **charged: str | None) -> None:
    """Take a seat from a user; one who holds none is passed over."""
    request = wire.UnassignSeatRequest(
        account_id=account,
        feature_key=feature,
        user_id=user,
        **charged_by(**charged),
    )
    response = client.call(AccountServiceStub(client.channel).UnassignSeat, request)
    verb = "no longer holds a" if response.unassigned else "held no"
    client.show(response, lambda: f"{user} {verb} seat of {feature}")


@seat_command.command("list", examples=["tallygate seat list acme", "tallygate seat list acme --feature seats"])
@click.argument("account")
@feature_option
@limit_option
@remote
def list_(client: Client, *, account: str, feature: str | None, limit: int | None) -> None:
    """List an account's seats by feature and user."""
    stub = AccountServiceStub(client.channel)
    request = wire.ListSeatsRequest(account_id=account, feature_key=feature)
    header = ("FEATURE", "USER", "SINCE")
    client.show_list(
        stub.ListSeats, request, field="seats", limit=limit, header=header, row=_row, empty="no seats are assigned"
    )


def _row(seat: wire.Seat) -> tuple[str, ...]:
    return seat.feature_key, seat.user_id, optional_instant(seat, "assign_time")
