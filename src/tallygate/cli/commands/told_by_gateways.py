"""What gateways say: what they took and gave back, beside the books, and what they told by themselves."""

import click
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.amounts import money
from tallygate.cli.client import Client
from tallygate.cli.failures import CommandError
from tallygate.cli.groups import Command
from tallygate.cli.options import limit_option, remote
from tallygate.cli.output import enum_name, instant, table
from tallygate.cli.values import INSTANT
from tallygate_api.v1 import payment_service_pb2 as wire
from tallygate_api.v1.payment_service_pb2_grpc import PaymentServiceStub

_PAGE = 100
"""The largest page of events."""
_EVENT = ("TIME", "GATEWAY", "KIND", "ABOUT", "STATE", "PROBLEM", "ID")
_EVENT_STATES = ("applied", "old", "asked", "foreign")


@click.command("reconcile", cls=Command, examples=["tallygate payment reconcile fake --since 2027-01-01"])
@click.argument("gateway")
@click.option("--since", type=INSTANT, required=True, metavar="TIME", help="Charges begun then or later.")
@click.option("--until", type=INSTANT, metavar="TIME", help="Only those begun before; default: now.")
@remote
def reconcile(client: Client, *, gateway: str, since: Timestamp, until: Timestamp | None) -> None:
    """Compare what a gateway took and gave back with the books.

    Fails on a difference.
    """
    request = wire.ReconcileRequest(gateway=gateway, start_time=since, end_time=until)
    response = client.call(PaymentServiceStub(client.channel).Reconcile, request)
    client.show(response, lambda: _reconciled(response))
    if response.differences:
        msg = f"the gateway disagrees with the books in {len(response.differences)} of them"
        raise CommandError(msg)


@click.command(
    "events",
    cls=Command,
    examples=["tallygate payment events", "tallygate payment events --gateway stripe --state asked"],
)
@click.option("--gateway", metavar="NAME", help="Only of this gateway.")
@click.option("--state", type=click.Choice(_EVENT_STATES), help="Only those from which this followed.")
@click.option("--of", "subject", metavar="ID", help="Only about this attempt, refund or dispute.")
@limit_option
@remote
def events(client: Client, *, gateway: str | None, state: str | None, subject: str | None, limit: int | None) -> None:
    """List what gateways told by themselves, newest first."""
    wanted = f"GATEWAY_EVENT_STATE_{state.upper()}" if state else None
    request = wire.ListGatewayEventsRequest(gateway=gateway, state=wanted, subject=subject)
    stub = PaymentServiceStub(client.channel)
    client.show_list(
        stub.ListGatewayEvents, request, field="events", limit=limit, header=_EVENT, row=_event, most=_PAGE
    )


def _reconciled(response: wire.ReconcileResponse) -> str:
    header = ("KIND", "ID", "BOOKED", "SETTLED", "FEE BOOKED", "FEE SETTLED")
    rows = [
        (
            enum_name(one, "kind"),
            one.gateway_id,
            *map(money, (one.booked, one.settled, one.booked_fee, one.settled_fee)),
        )
        for one in response.differences
    ]
    fees = f"; it kept {', '.join(map(money, response.fees))} for charges" if response.fees else ""
    return table(header, rows, empty=f"{response.booked} charges, refunds and disputes agree") + fees


def _event(one: wire.GatewayEvent) -> tuple[str, ...]:
    about = one.subject or "-"
    return instant(one.create_time), one.gateway, one.kind, about, enum_name(one, "state"), one.problem, one.event_id
