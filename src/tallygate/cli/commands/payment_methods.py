"""Through whom accounts pay, and by what: gateways, and methods that are their tokens."""

from pathlib import Path

import click

from tallygate.cli.client import Client
from tallygate.cli.failures import CommandError
from tallygate.cli.groups import Command
from tallygate.cli.options import remote
from tallygate.cli.output import instant, table
from tallygate.cli.values import PAIR, by_key
from tallygate.settings.texts import UnreadableError, read_text
from tallygate_api.v1 import payment_service_pb2 as wire
from tallygate_api.v1.payment_service_pb2_grpc import PaymentServiceStub

_GATEWAY = ("GATEWAY", "SINCE", "SECRETS", "WEBHOOKS")
_SETUP = ("SETUP", "GATEWAY", "WHERE", "TOKEN")
_METHOD = ("METHOD", "GATEWAY", "CARD", "EXPIRES", "DEFAULT")


@click.command(
    "gateway",
    cls=Command,
    examples=[
        "tallygate payment gateway fake",
        "tallygate payment gateway fake --secret webhook_secret=hook.txt",
        "tallygate payment gateway",
    ],
)
@click.argument("name", required=False)
@click.option("--secret", "secrets", type=PAIR, multiple=True, metavar="NAME=FILE", help="A secret, in a file.")
@remote
def gateway(client: Client, *, name: str | None, secrets: tuple[tuple[str, str], ...]) -> None:
    """Use a payment gateway, or show those in use.

    What is issued from then on is collected by itself. Secrets come from files,
    for others can read a command line; they are kept sealed and never shown.
    """
    if secrets and name is None:
        msg = "a secret is a gateway's: name it, as in `tallygate payment gateway fake --secret ...`"
        raise CommandError(msg)
    stub = PaymentServiceStub(client.channel)
    if name is not None:
        credentials = {secret: _secret(Path(file)) for secret, file in by_key(secrets, "--secret").items()}
        client.call(stub.SetGateway, wire.SetGatewayRequest(name=name, credentials=credentials))
    response = client.call(stub.ListGateways, wire.ListGatewaysRequest())
    client.show(
        response,
        lambda: table(_GATEWAY, (_gateway(one) for one in response.gateways), empty="no gateway is used"),
    )


@click.command(
    "attach",
    cls=Command,
    examples=["tallygate payment attach acme fake_ok", "tallygate payment attach acme fake_ok --default"],
)
@click.argument("account")
@click.argument("token")
@click.option("--gateway", metavar="NAME", help="Which keeps it; default: the only one in use.")
@click.option("--default/--no-default", default=False, help="Pay by it from now on; the first always is.")
@click.option("--id", "method_id", metavar="ID", help="Your own id, so that repeating it changes nothing.")
@remote
def attach(
    client: Client, *, account: str, token: str, gateway: str | None, default: bool, method_id: str | None
) -> None:
    """Attach a gateway's token to an account: never a card number.

    The built-in gateway's tokens say what it does: fake_ok pays. Charging,
    fake_decline is refused until another card comes, fake_never for good,
    fake_later_3 three times; fake_pending waits an hour for its payer,
    fake_pending_5 five seconds (with a webhook_secret); fake_timeout pays and
    does not answer, fake_timeout_before is not reached. Then fake_dispute,
    fake_dispute_won and fake_dispute_lost pay and are disputed, and
    fake_refund_decline, _later_3, _pending, _timeout and _timeout_before pay
    and do that when money is to go back.
    """
    request = wire.AttachMethodRequest(
        account_id=account, token=token, gateway=gateway, default=default, method_id=method_id
    )
    response = client.call(PaymentServiceStub(client.channel).AttachMethod, request)
    client.show(response, lambda: table(_METHOD, [_method(response.method)], empty=""))


@click.command(
    "setup",
    cls=Command,
    examples=["tallygate payment setup acme --return-url https://shop.example/paid", "tallygate payment setup acme"],
)
@click.argument("account")
@click.option("--gateway", metavar="NAME", help="Which is to keep it; default: the only one in use.")
@click.option("--return-url", metavar="URL", help="Where the payer comes back to.")
@click.option("--id", "setup_id", metavar="ID", help="Your own id, so that repeating it begins nothing new.")
@remote
def setup(client: Client, *, account: str, gateway: str | None, return_url: str | None, setup_id: str | None) -> None:
    """Prepare for a payer to leave a method with a gateway."""
    request = wire.BeginSetupRequest(account_id=account, gateway=gateway, return_url=return_url, setup_id=setup_id)
    response = client.call(PaymentServiceStub(client.channel).BeginSetup, request)
    row = (response.setup_id, response.gateway, response.url or response.client_secret, response.token)
    client.show(response, lambda: table(_SETUP, [row], empty=""))


@click.command("methods", cls=Command, examples=["tallygate payment methods acme"])
@click.argument("account")
@remote
def methods(client: Client, *, account: str) -> None:
    """List how an account pays."""
    response = client.call(PaymentServiceStub(client.channel).ListMethods, wire.ListMethodsRequest(account_id=account))
    client.show(response, lambda: table(_METHOD, map(_method, response.methods), empty="no method is attached"))


@click.command("default", cls=Command, examples=["tallygate payment default acme pm_1"])
@click.argument("account")
@click.argument("method")
@remote
def default(client: Client, *, account: str, method: str) -> None:
    """Pay by a method from now on; what had failed is charged at once."""
    request = wire.SetDefaultMethodRequest(account_id=account, method_id=method)
    response = client.call(PaymentServiceStub(client.channel).SetDefaultMethod, request)
    client.show(response, lambda: table(_METHOD, [_method(response.method)], empty=""))


@click.command("detach", cls=Command, examples=["tallygate payment detach acme pm_1"])
@click.argument("account")
@click.argument("method")
@remote
def detach(client: Client, *, account: str, method: str) -> None:
    """Use a method no more."""
    request = wire.DetachMethodRequest(account_id=account, method_id=method)
    response = client.call(PaymentServiceStub(client.channel).DetachMethod, request)
    client.show(response, lambda: table(_METHOD, [_method(response.method)], empty=""))


def _secret(path: Path) -> str:
    try:
        return read_text(path.expanduser()).strip()
    except (UnreadableError, RuntimeError) as error:
        msg = f"cannot read {path}: {error}"
        raise CommandError(msg) from error


def _gateway(one: wire.Gateway) -> tuple[str, ...]:
    return one.name, instant(one.create_time), ", ".join(one.credentials), one.webhook_path


def _method(method: wire.PaymentMethod) -> tuple[str, ...]:
    card = f"{method.brand} *{method.last4}" if method.last4 else method.brand
    expires = f"{method.expiry_month:02}/{method.expiry_year}" if method.expiry_year else ""
    return method.method_id, method.gateway, card, expires, "yes" if method.default else ""
