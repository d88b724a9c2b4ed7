"""What was told of what happened: the outbox of billing."""

import click

from tallygate.cli.client import Client
from tallygate.cli.groups import Group
from tallygate.cli.options import remote
from tallygate.cli.output import instant, table
from tallygate.cli.values import SEQUENCE, SOME, TEXT
from tallygate_api.v1 import message_service_pb2 as wire
from tallygate_api.v1.message_service_pb2_grpc import MessageServiceStub

_HEADER = ("SEQUENCE", "TIME", "TYPE", "ACCOUNT", "ABOUT", "DELIVERED")
_PAGE = 100
_ABOUT = ("subscription_id", "attempt_id", "refund_id", "dispute_id", "payment_id", "method_id", "feature_key")
"""What a message without a document is about: the first of these facts that it has."""


@click.group("message", cls=Group)
def message_command() -> None:
    """Read what happened to invoices, payments and subscriptions, each told once."""


@message_command.command(
    "list", examples=["tallygate message list", "tallygate message list acme --type invoice.paid --after 120"]
)
@click.argument("account", type=TEXT, required=False)
@click.option("--type", "kind", type=TEXT, metavar="TYPE", help="Only of this type, as invoice.paid.")
@click.option("--invoice", type=TEXT, metavar="ID", help="Only of this invoice, by its id.")
@click.option("--after", type=SEQUENCE, default=0, metavar="N", help="Only messages after this sequence number.")
@click.option("--limit", type=SOME, metavar="N", help="At most N messages; default: all.")
@remote
def list_messages(
    client: Client, *, account: str | None, kind: str | None, invoice: str | None, after: int, limit: int | None
) -> None:
    """List messages in the order in which they were told, of one account or of all."""
    stub = MessageServiceStub(client.channel)
    request = wire.ListMessagesRequest(account_id=account, type=kind, invoice_id=invoice, after_sequence=after)
    whole = wire.ListMessagesResponse(next_after_sequence=after)
    while limit is None or len(whole.messages) < limit:
        request.page_size = _PAGE if limit is None else min(_PAGE, limit - len(whole.messages))
        page = client.call(stub.ListMessages, request)
        whole.messages.extend(page.messages)
        whole.next_after_sequence = request.after_sequence = page.next_after_sequence
        if not page.messages:
            break
    client.show(whole, lambda: table(_HEADER, map(_row, whole.messages), empty="nothing was told yet"))


def _row(message: wire.Message) -> tuple[str, ...]:
    facts = (message.facts.get(name, "") for name in _ABOUT)
    about = message.invoice.number or next((fact for fact in facts if fact), "")
    delivered = ", ".join(_delivery(one) for one in message.deliveries)
    return str(message.sequence), instant(message.create_time), message.type, message.account_id, about, delivered


def _delivery(one: wire.Delivery) -> str:
    state = wire.DeliveryState.Name(one.state).removeprefix("DELIVERY_STATE_").lower()
    return f"{one.channel} {state}" + (f": {one.problem}" if one.problem else "")
