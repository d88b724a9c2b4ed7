"""Whether a history keeps the promises: of one's own callers, or of a test's. Needs no server."""

from pathlib import Path

import click

from tallygate.cli.failures import DENIED
from tallygate.cli.groups import Command
from tallygate.cli.histories import read_history
from tallygate.cli.options import output_option
from tallygate.cli.terminal import json_text, say, say_text
from tallygate.cli.values import FILE
from tallygate.domain.history.promises import NEEDS, violations

_SHOWN = 10


@click.command("verify", cls=Command, examples=["tallygate verify history.jsonl"])
@click.argument("history", type=FILE)
@output_option
def verify_command(*, history: Path, output: str) -> None:
    """Hold a recorded history to what Tallygate promises.

    A history is a file with a JSON object a line, in the order in which things
    happened to who wrote them down: docs/operating.md says which. Exits with 1
    when a promise was broken.
    """
    found = violations(read_history(history))
    if output == "json":
        say(json_text(found))
    else:
        for name, broken in found.items():
            say_text(f"{name}: {_told(name, broken)}")
    if any(found.values()):
        raise click.exceptions.Exit(DENIED)


def _told(name: str, broken: list[str] | None) -> str:
    if broken is None:
        return f"nothing can be said: the history has no record of kind {NEEDS[name][1]}"
    if not broken:
        return "kept"
    more = f"; {len(broken) - _SHOWN} more" if len(broken) > _SHOWN else ""
    return f"BROKEN: {'; '.join(broken[:_SHOWN])}{more}"
