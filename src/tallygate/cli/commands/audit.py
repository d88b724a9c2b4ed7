"""Comparing what is counted with what was recorded. Reads Redis and the database itself."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallygate.cli.groups import Command, Group
from tallygate.cli.options import settings_options
from tallygate.cli.terminal import say
from tallygate.settings import load

if TYPE_CHECKING:
    from tallygate.metering.comparing import Difference


@click.group("audit", cls=Group)
def audit_command() -> None:
    """Compare what is counted with what was recorded."""


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
