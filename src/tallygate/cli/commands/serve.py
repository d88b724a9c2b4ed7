"""The server in the foreground, for whoever supervises it."""

from pathlib import Path
from typing import Any

import click

from tallygate.cli.groups import Command
from tallygate.cli.options import settings_options
from tallygate.cli.values import SOME
from tallygate.settings import Settings, load


@click.command(
    "serve",
    cls=Command,
    examples=[
        "tallygate serve",
        "tallygate serve --redis-url redis://cache:6379 --role data --workers 4",
        "tallygate serve --testing --data-dir /tmp/tallygate",
        "tallygate serve --set data_plane.replay_window=2h",
    ],
)
@click.option(
    "--role",
    type=click.Choice(["all", "data", "control", "worker"]),
    help="What this process does; default: all.",
)
@click.option("--workers", type=SOME, metavar="N", help="So many processes serve, in role data; default: 1.")
@click.option("--testing", is_flag=True, default=None, help="Any unknown key opens a fresh test tenant.")
@settings_options(listeners=True)
def serve_command(
    *, role: str | None, workers: int | None, testing: bool | None, flags: dict[str, Any], config: Path | None
) -> None:
    """Start a server and run it until SIGTERM or Ctrl-C.

    Without settings it starts a private Valkey and SQLite in .tallygate. The
    database's schema is made by `tallygate migrate`.
    """
    given = {**flags, "role": role, "server.workers": workers, "testing": testing}

    def read() -> Settings:
        return load(given, config_file=config).settings

    loaded = load(given, config_file=config)
    from tallygate import app  # noqa: PLC0415 - loads the server, which `--help` does not need

    app.run(app.serve(loaded.settings, read, loaded.file))
