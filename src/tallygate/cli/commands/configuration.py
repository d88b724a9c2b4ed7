"""The settings in force, the state of an installation, and completion."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from click.shell_completion import get_completion_class

from tallygate.cli.failures import CALLER
from tallygate.cli.groups import Command, Group
from tallygate.cli.options import output_option, settings_options
from tallygate.cli.terminal import json_text, say, say_text
from tallygate.settings import load, schema

_SHELLS = ["bash", "zsh", "fish"]


@click.group("settings", cls=Group)
def settings_command() -> None:
    """Show the settings in force, and their schema.

    Defaults < file < environment < flags. The variable of redis.url is
    TALLYGATE_REDIS__URL, and so on.
    """


@settings_command.command("show", examples=["tallygate settings show", "tallygate settings show -o json"])
@settings_options(listeners=True)
@output_option
def show(*, flags: dict[str, Any], config: Path | None, output: str) -> None:
    """Show every setting with its origin; secrets show as ***."""
    effective = load(flags, config_file=config).effective()
    if output == "json":
        say(json_text(effective))
        return
    for key, entry in effective.items():
        say(f"{key} = {_shown(entry['value'])}" + _origin(entry["origin"]))


@settings_command.command("schema", examples=["tallygate settings schema > tallygate.schema.json"])
def show_schema() -> None:
    """Print the JSON Schema of the settings file."""
    say(json.dumps(schema(), indent=2))


@click.command("doctor", cls=Command, examples=["tallygate doctor", "tallygate doctor --redis-url redis://cache:6379"])
@settings_options()
@output_option
def doctor_command(*, flags: dict[str, Any], config: Path | None, output: str) -> None:
    """Find what is wrong with an installation, each with its fix.

    Exits with 2 when something needs fixing.
    """
    from tallygate import app  # noqa: PLC0415 - loads the stores, which `--help` does not need

    findings = asyncio.run(app.diagnose(load(flags, config_file=config).settings))
    if output == "json":
        say(json_text([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            say_text(f"{'ok  ' if finding.ok else 'FIX '} {finding.name}: {finding.detail}")
            if not finding.ok and finding.fix:
                say_text(f"fix: {finding.fix}")
    if not all(finding.ok for finding in findings):
        raise click.exceptions.Exit(CALLER)


@click.command(
    "completion",
    cls=Command,
    examples=['eval "$(tallygate completion bash)"', "tallygate completion fish > tallygate.fish"],
)
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion_command(ctx: click.Context, *, shell: str) -> None:
    """Print the completion script of a shell."""
    completion = get_completion_class(shell)
    assert completion is not None  # noqa: S101 - click completes the shells of the choice
    root = ctx.find_root().command
    say(completion(root, {}, "tallygate", "_TALLYGATE_COMPLETE").source())


def _shown(value: object) -> str:
    return '""' if value == "" else str(value)


def _origin(origin: str) -> str:
    return "" if origin == "default" else f"  ({origin})"
