"""Grants: dated allowances on top of a metered entitlement."""

import click
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.client import Client
from tallygate.cli.effects import minted, repeatable
from tallygate.cli.groups import Group
from tallygate.cli.options import feature_option, limit_option, remote
from tallygate.cli.output import number, optional_instant
from tallygate.cli.values import AMOUNT, INSTANT, PRIORITY
from tallygate_api.v1 import account_service_pb2 as wire
from tallygate_api.v1.account_service_pb2_grpc import AccountServiceStub


@click.group("grant", cls=Group)
def grant_command() -> None:
    """Grant accounts more units of a feature: top-ups, promotions, credits."""


@grant_command.command(
    "create",
    examples=[
        "tallygate grant create acme api_calls 5000 --expire 2027-01-01",
        "tallygate grant create acme api_calls 100 --id topup-1 --priority 10",
    ],
)
@click.argument("account")
@click.argument("feature")
@click.argument("amount", type=AMOUNT)
@click.option("--priority", type=PRIORITY, default=0, metavar="N", help="Lower burns first; default 0.")
@click.option("--effective", type=INSTANT, metavar="TIME", help="From when on; default: now.")
@click.option("--expire", type=INSTANT, metavar="TIME", help="Until when; default: without end.")
@click.option("--id", "grant_id", metavar="ID", help="Your own id, so that repeating it changes nothing.")
@remote
def create(
    client: Client,
    *,
    account: str,
    feature: str,
    amount: int,
    priority: int,
    effective: Timestamp | None,
    expire: Timestamp | None,
    grant_id: str | None,
) -> None:
    """Grant units of a metered feature, burnt once.

    Without --id a new one is made, and written to standard error before the
    call.
    """
    identity = grant_id or minted("grant_id", as_json=client.as_json, prefix="grt_")
    request = wire.CreateGrantRequest(
        account_id=account,
        feature_key=feature,
        amount=amount,
        priority=priority,
        effective_time=effective,
        expire_time=expire,
        grant_id=identity,
    )
    with repeatable(f"--id {identity}"):
        response = client.call(AccountServiceStub(client.channel).CreateGrant, request)
        grant = response.grant
        client.show(response, lambda: f"granted {number(grant.amount)} {grant.feature_key} as {grant.grant_id}")


@grant_command.command("list", examples=["tallygate grant list acme", "tallygate grant list acme -o json"])
@click.argument("account")
@feature_option
@limit_option
@remote
def list_(client: Client, *, account: str, feature: str | None, limit: int | None) -> None:
    """List an account's grants in the order in which they burn."""
    stub = AccountServiceStub(client.channel)
    request = wire.ListGrantsRequest(account_id=account, feature_key=feature)
    header = ("GRANT", "FEATURE", "AMOUNT", "LEFT", "PRIORITY", "EXPIRES", "REVOKED")
    client.show_list(stub.ListGrants, request, field="grants", limit=limit, header=header, row=_row)


@grant_command.command("revoke", examples=["tallygate grant revoke acme topup-1"])
@click.argument("account")
@click.argument("grant")
@remote
def revoke(client: Client, *, account: str, grant: str) -> None:
    """End a grant now: what is left of it is lost, what it paid stays paid."""
    request = wire.RevokeGrantRequest(account_id=account, grant_id=grant)
    response = client.call(AccountServiceStub(client.channel).RevokeGrant, request)
    client.show(response, lambda: f"revoked {response.grant.grant_id}")


def _row(grant: wire.Grant) -> tuple[str, ...]:
    revoked = optional_instant(grant, "revoke_time")
    expires = optional_instant(grant, "expire_time")
    left = number(grant.remaining) if grant.HasField("remaining") else "-"
    return grant.grant_id, grant.feature_key, number(grant.amount), left, str(grant.priority), expires, revoked
