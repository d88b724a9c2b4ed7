"""What an installation needs before its first server: the schema and a tenant. Writes the database itself."""

import asyncio
from pathlib import Path
from typing import Any

import click

from tallygate.cli.groups import Command, Group
from tallygate.cli.options import settings_options
from tallygate.cli.terminal import say, tell
from tallygate.settings import load


@click.command(
    "migrate",
    cls=Command,
    examples=["tallygate migrate", "tallygate migrate --database-url postgresql://tallygate@db/tallygate"],
)
@click.option("--accept-loss", is_flag=True, help="After Redis lost counters: count on from what it holds.")
@click.option("--reseal", is_flag=True, help="After a new master key: seal with it what the old one sealed.")
@settings_options()
def migrate_command(*, accept_loss: bool, reseal: bool, flags: dict[str, Any], config: Path | None) -> None:
    """Bring the database to this version's schema.

    It is harmless when it is there already.
    """
    from tallygate import app  # noqa: PLC0415 - loads the database, which `--help` does not need

    settings = load(flags, config_file=config).settings
    version = asyncio.run(app.migrate(settings))
    say(f"the database is at schema {version}")
    if accept_loss:
        say(f"{asyncio.run(app.accept_loss(settings))} partitions count again")
    if reseal:
        say(f"{asyncio.run(app.reseal(settings))} secrets are sealed anew")


@click.group("tenant", cls=Group)
def tenant_command() -> None:
    """Create tenants, directly in the database."""


@tenant_command.command(
    "create", examples=["tallygate tenant create demo", "tallygate tenant create shop --currency CHF"]
)
@click.argument("tenant")
@click.option("--currency", default="USD", show_default=True, help="ISO 4217 code of its amounts.")
@click.option("--time-zone", default="UTC", show_default=True, help="Its IANA time zone.")
@click.option("--test", is_flag=True, help="A test tenant, with a clock that can be moved.")
@settings_options()
def create(
    *, tenant: str, currency: str, time_zone: str, test: bool, flags: dict[str, Any], config: Path | None
) -> None:
    """Create a tenant: its own catalogue, accounts and keys."""
    from tallygate import app  # noqa: PLC0415 - loads the database, which `--help` does not need

    settings = load(flags, config_file=config).settings
    asyncio.run(app.create_tenant(settings, tenant_id=tenant, currency=currency, time_zone=time_zone, test=test))
    say(f"created the tenant {tenant}")
    tell(f"next: tallygate key create first --scope data --scope control --local --tenant {tenant}")
