"""Who did what, and whether counters and records agree; the latter reads Redis and the database itself."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.client import Client
from tallygate.cli.failures import CommandError
from tallygate.cli.groups import Command, Group
from tallygate.cli.options import limit_option, remote, settings_options
from tallygate.cli.output import instant
from tallygate.cli.terminal import say
from tallygate.cli.values import INSTANT
from tallygate.settings import load
from tallygate_api.v1 import audit_service_pb2 as wire
from tallygate_api.v1.audit_service_pb2_grpc import AuditServiceStub

if TYPE_CHECKING:
    from tallygate.metering.comparing import Difference

_PAGE = 100
"""The largest page of entries."""


@click.group("audit", cls=Group)
def audit_command() -> None:
    """Show who did what, and check what was recorded."""


@audit_command.command(
    "log",
    cls=Command,
    examples=["tallygate audit log acme", "tallygate audit log --method BillingService/CreateFee --limit 20 -o json"],
)
@click.argument("account", required=False)
@click.option("--method", metavar="NAME", help="Only of this call, as BillingService/CreateFee.")
@click.option("--of-key", "key_id", metavar="ID", help="Only with this API key.")
@click.option("--request", "request_id", metavar="ID", help="Only of the call of this name (x-request-id).")
@click.option("--since", type=INSTANT, metavar="TIME", help="Only then or later.")
@click.option("--until", type=INSTANT, metavar="TIME", help="Only before.")
@limit_option
@remote
def log(
    client: Client,
    *,
    account: str | None,
    method: str | None,
    key_id: str | None,
    request_id: str | None,
    since: Timestamp | None,
    until: Timestamp | None,
    limit: int | None,
) -> None:
    """List what was done, newest first, to one account or to all; -o json shows before and after."""
    request = wire.ListAuditEntriesRequest(
        account_id=account, method=method, key_id=key_id, request_id=request_id, start_time=since, end_time=until
    )
    stub, header = AuditServiceStub(client.channel), ("PLACE", "TIME", "CALL", "WHAT", "KEY", "PERSON", "REQUEST")
    client.show_list(stub.ListAuditEntries, request, field="entries", limit=limit, header=header, row=_row, most=_PAGE)


@audit_command.command("verify", cls=Command, examples=["tallygate audit verify"])
@remote
def verify(client: Client) -> None:
    """Verify that no entry was edited, deleted or put in since it was chained; fails where one was."""
    stub, request = AuditServiceStub(client.channel), wire.VerifyAuditLogRequest()
    found = client.call(stub.VerifyAuditLog, request)
    while found.more:
        request.after_place, anchored = found.verified_place, found.anchored_place
        found = client.call(stub.VerifyAuditLog, request)
        found.anchored_place = max(found.anchored_place, anchored)
    client.show(found, lambda: _verdict(found))
    if found.faulty_place:
        msg = f"entry {found.faulty_place} of the audit log is not as it was written: {found.fault}"
        raise CommandError(msg)


def _row(entry: wire.AuditEntry) -> tuple[str, ...]:
    key = entry.key_name or entry.key_id or entry.source
    what = entry.resource or "-"
    return str(entry.place), instant(entry.entry_time), entry.method, what, key, entry.actor or "-", entry.request_id


def _verdict(found: wire.VerifyAuditLogResponse) -> str:
    waiting = f"; {found.waiting} more wait to be chained" if found.waiting else ""
    anchored = f"anchored up to {found.anchored_place}" if found.anchored_place else "no anchor vouches for them"
    return (
        f"{found.verified_place} entries are as they were written{waiting}; {anchored}\nhead: {found.head_hash or '-'}"
    )


@audit_command.command("usage", cls=Command, examples=["tallygate audit usage", "tallygate audit usage --repair"])
@click.option("--repair", is_flag=True, help="Count what the events say, also where that is less.")
@settings_options()
def usage(*, repair: bool, flags: dict[str, Any], config: Path | None) -> None:
    """Compare each account's counters with its events, and tell which differ.

    A worker does so by itself all the time, raises counters that miss
    something, and sets levels; one that knows more than the events it
    leaves as it is.
    """
    from tallygate import app  # noqa: PLC0415 - loads the database, which `--help` does not need

    def tell(found: "Difference", mended: bool) -> None:  # noqa: FBT001 - one of two things to tell of
        tenant_id, account_id, feature_key = found.meter
        done = "repaired" if mended else "not repaired"
        say(f"{tenant_id} {account_id} {feature_key}: {found.told}; {done}")

    audit = asyncio.run(app.audit_usage(load(flags, config_file=config).settings, repair=repair, tell=tell))
    say(
        f"{audit.meters} features of {audit.accounts} accounts: {audit.mended} repaired, {audit.drifting} differ"
        + (f"; {audit.unsure} accounts could not be compared: does a worker run?" if audit.unsure else "")
    )
