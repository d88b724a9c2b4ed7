"""How accounts pay, and what they paid."""

from decimal import Decimal

import click
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.amounts import money, typed_money
from tallygate.cli.client import Client
from tallygate.cli.commands.giving_back import dispute, disputes, refund, refunds
from tallygate.cli.commands.payment_methods import attach, default, detach, gateway, methods, setup
from tallygate.cli.commands.told_by_gateways import events, reconcile
from tallygate.cli.groups import Group
from tallygate.cli.options import limit_option, remote
from tallygate.cli.output import enum_name, instant, table
from tallygate.cli.values import INSTANT, MONEY, PRIORITY
from tallygate_api.v1 import billing_service_pb2, invoice_service_pb2
from tallygate_api.v1 import payment_service_pb2 as wire
from tallygate_api.v1.billing_service_pb2_grpc import BillingServiceStub
from tallygate_api.v1.catalog_pb2 import Collection
from tallygate_api.v1.invoice_service_pb2_grpc import InvoiceServiceStub
from tallygate_api.v1.payment_service_pb2_grpc import PaymentServiceStub

_COLLECTIONS = {
    "automatic": Collection.COLLECTION_AUTOMATIC,
    "manual": Collection.COLLECTION_MANUAL,
    "catalogue": Collection.COLLECTION_UNSPECIFIED,
}
_OBSTACLES = {
    wire.RETRY_OBSTACLE_METHOD_REFUSED: "the card was refused for good",
    wire.RETRY_OBSTACLE_METHOD_MISSING: "no method is attached",
    wire.RETRY_OBSTACLE_BY_HAND: "it is collected by hand",
}
_PAGE = 100
"""The largest page of payments."""
_ATTEMPT = ("TIME", "INVOICE", "AMOUNT", "STATE", "REASON", "CAUSE", "ID")
_PAYMENT = ("TIME", "ACCOUNT", "AMOUNT", "KIND", "PAID", "ID")

_invoice = click.option("--invoice", metavar="ID", help="Only of this invoice, by its id.")
_account = click.option("--account", metavar="ID", help="Only of this account.")


@click.group("payment", cls=Group)
def payment_command() -> None:
    """Get invoices paid: gateways, methods, charges, money that came otherwise."""


_OTHERS = gateway, attach, setup, methods, default, detach, refund, refunds, dispute, disputes, reconcile, events

for command in _OTHERS:
    payment_command.add_command(command)


@payment_command.command("pay", examples=["tallygate payment pay INV-2026-000001"])
@click.argument("invoice")
@click.option("--method", metavar="ID", help="By which method; default: the account's own.")
@click.option("--id", "attempt_id", metavar="ID", help="Your own id, so that repeating it charges once.")
@remote
def pay(client: Client, *, invoice: str, method: str | None, attempt_id: str | None) -> None:
    """Charge what is due of an invoice now."""
    request = wire.PayRequest(invoice_id=invoice, method_id=method, attempt_id=attempt_id)
    response = client.call(PaymentServiceStub(client.channel).Pay, request)
    client.show(response, lambda: table(_ATTEMPT, [_attempt(response.attempt)], empty=""))


@payment_command.command("top-up", examples=["tallygate payment top-up acme 50.00 --id order-17"])
@click.argument("account")
@click.argument("amount", type=MONEY)
@click.option("--currency", metavar="CODE", help="Default: the tenant's.")
@click.option("--method", metavar="ID", help="By which method; default: the account's own.")
@click.option("--id", "attempt_id", metavar="ID", help="Your own id, so that repeating it charges once.")
@remote
def top_up(
    client: Client, *, account: str, amount: Decimal, currency: str | None, method: str | None, attempt_id: str | None
) -> None:
    """Charge an account for its wallet, which pays what is open first."""
    request = wire.TopUpRequest(
        account_id=account, amount=typed_money(amount, currency), method_id=method, attempt_id=attempt_id
    )
    response = client.call(PaymentServiceStub(client.channel).TopUp, request)
    client.show(response, lambda: table(_ATTEMPT, [_attempt(response.attempt)], empty=""))


@payment_command.command(
    "offline",
    examples=["tallygate payment offline acme 29.00 --id transfer-4711"],
)
@click.argument("account")
@click.argument("amount", type=MONEY)
@click.option("--currency", metavar="CODE", help="Default: the tenant's.")
@click.option("--reference", metavar="TEXT", help="What you know it by.")
@click.option("--invoice", metavar="ID", help="Which invoice it is for; default: the oldest.")
@click.option("--id", "payment_id", metavar="ID", help="Your own id, so that repeating it changes nothing.")
@remote
def offline(
    client: Client,
    *,
    account: str,
    amount: Decimal,
    currency: str | None,
    reference: str | None,
    invoice: str | None,
    payment_id: str | None,
) -> None:
    """Record money that came past every gateway: a transfer, a cheque, cash."""
    paid = typed_money(amount, currency)
    request = wire.RecordOfflineRequest(
        account_id=account, amount=paid, reference=reference, invoice_id=invoice, payment_id=payment_id
    )
    response = client.call(PaymentServiceStub(client.channel).RecordOffline, request)
    client.show(response, lambda: _recorded(client, response.payment, invoice))


@payment_command.command(
    "credit", examples=["tallygate payment credit acme 5.00", "tallygate payment credit acme 5.00 --id sorry-1"]
)
@click.argument("account")
@click.argument("amount", type=MONEY)
@click.option("--currency", metavar="CODE", help="Default: the tenant's.")
@click.option("--expires", type=INSTANT, metavar="TIME", help="Then what is left is taken out again; default: never.")
@click.option("--priority", type=PRIORITY, help="What has a lower one is spent first; default: 0.")
@click.option("--id", "credit_id", metavar="ID", help="Your own id, so that repeating it changes nothing.")
@remote
def credit(
    client: Client,
    *,
    account: str,
    amount: Decimal,
    currency: str | None,
    expires: Timestamp | None,
    priority: int | None,
    credit_id: str | None,
) -> None:
    """Give an account money into its wallet, which pays its invoices."""
    request = billing_service_pb2.AddWalletCreditRequest(
        account_id=account,
        amount=typed_money(amount, currency),
        credit_id=credit_id,
        expire_time=expires,
        priority=priority,
    )
    response = client.call(BillingServiceStub(client.channel).AddWalletCredit, request)
    client.show(response, lambda: f"gave {money(response.entry.amount)} as {response.entry.entry_id}")


@payment_command.command(
    "write-off",
    examples=["tallygate payment write-off INV-2026-000001", "tallygate payment write-off INV-2026-000001 --cancel"],
)
@click.argument("invoice")
@click.option("--cancel", is_flag=True, help="Nobody has to pay it any more; else nobody will.")
@remote
def write_off(client: Client, *, invoice: str, cancel: bool) -> None:
    """Give up what is due of an invoice, which stays as it was issued."""
    request = invoice_service_pb2.WriteOffInvoiceRequest(invoice_id=invoice, canceled=cancel)
    response = client.call(InvoiceServiceStub(client.channel).WriteOffInvoice, request)
    client.show(response, lambda: f"gave up {money(response.invoice.written_off)} of {response.invoice.number}")


@payment_command.command(
    "collection", examples=["tallygate payment collection acme", "tallygate payment collection acme --by manual"]
)
@click.argument("account")
@click.option("--by", type=click.Choice(list(_COLLECTIONS)), help="From now on; catalogue: as it says there.")
@remote
def collection(client: Client, *, account: str, by: str | None) -> None:
    """Show how an account is collected and what it did not pay, or say how."""
    stub = PaymentServiceStub(client.channel)
    if by is not None:
        client.call(stub.SetCollection, wire.SetCollectionRequest(account_id=account, collect=_COLLECTIONS[by]))
    response = client.call(stub.GetCollection, wire.GetCollectionRequest(account_id=account))
    client.show(response, lambda: _collection(response))


@payment_command.command("list", examples=["tallygate payment list", "tallygate payment list --account acme"])
@_account
@_invoice
@limit_option
@remote
def list_payments(client: Client, *, account: str | None, invoice: str | None, limit: int | None) -> None:
    """List money that came, newest first."""
    request = wire.ListPaymentsRequest(account_id=account, invoice_id=invoice)
    stub = PaymentServiceStub(client.channel)
    client.show_list(
        stub.ListPayments, request, field="payments", limit=limit, header=_PAYMENT, row=_payment, most=_PAGE
    )


@payment_command.command("attempts", examples=["tallygate payment attempts --account acme"])
@_account
@_invoice
@limit_option
@remote
def attempts(client: Client, *, account: str | None, invoice: str | None, limit: int | None) -> None:
    """List attempts to charge, newest first, with what became of them."""
    request = wire.ListAttemptsRequest(account_id=account, invoice_id=invoice)
    stub = PaymentServiceStub(client.channel)
    client.show_list(
        stub.ListAttempts, request, field="attempts", limit=limit, header=_ATTEMPT, row=_attempt, most=_PAGE
    )


def _collection(response: wire.GetCollectionResponse) -> str:
    stands = enum_name(response, "state") if response.state else "nothing is overdue"
    header = ("CURRENCY", "SINCE", "RETRIES", "NEXT", "STATE", "UNPAID")
    rows = [
        (one.currency_code, instant(one.start_time), str(one.retries), _next(one), enum_name(one, "state"), _worse(one))
        for one in response.cases
    ]
    cases = table(header, rows, empty="")
    return f"collected: {enum_name(response, 'collect')}; {stands}" + (f"\n{cases}" if cases else "")


def _next(case: wire.DunningCase) -> str:
    """When it is tried again, or why not."""
    if case.HasField("retry_time"):
        return instant(case.retry_time)
    why = _OBSTACLES.get(case.obstacle, "")
    return f"never: {why}" if why else "never"


def _worse(case: wire.DunningCase) -> str:
    """What the account is next where nobody pays."""
    if not case.HasField("next_state_time"):
        return "stays so"
    return f"{enum_name(case, 'next_state')} {instant(case.next_state_time)}"


def _attempt(attempt: wire.PaymentAttempt) -> tuple[str, ...]:
    return (
        instant(attempt.create_time),
        attempt.text.removeprefix("INV "),
        money(attempt.amount),
        enum_name(attempt, "state"),
        attempt.reason or attempt.next_action_url,
        enum_name(attempt, "cause"),
        attempt.attempt_id,
    )


def _recorded(client: Client, payment: wire.Payment, name: str | None) -> str:
    """A payment, and where what was meant for an invoice went instead."""
    shown = table(_PAYMENT, [_payment(payment)], empty="")
    if not name or not any(not share.invoice_id for share in payment.shares):
        return shown
    request = invoice_service_pb2.GetInvoiceRequest(invoice_id=name)
    meant = client.call(InvoiceServiceStub(client.channel).GetInvoice, request).invoice
    if any(share.invoice_id == meant.invoice_id for share in payment.shares):
        return shown
    return (
        f"{shown}\nnothing of {meant.number} was due, for it is {enum_name(meant, 'state')}: the money is in the wallet"
    )


def _payment(payment: wire.Payment) -> tuple[str, ...]:
    paid = ", ".join(f"{share.invoice_id or 'wallet'} {money(share.amount)}" for share in payment.shares)
    kind = enum_name(payment, "kind")
    return instant(payment.create_time), payment.account_id, money(payment.amount), kind, paid, payment.payment_id
