"""Effects that can be asked for again: what identifies one is known before the call, whatever becomes of its answer."""

import contextlib
import json
from collections.abc import Iterator

import uuid_utils

from tallygate.cli.failures import UNDECIDED, CommandError
from tallygate.cli.terminal import OutputError, require_output, tell


def minted(field: str, *, as_json: bool, prefix: str = "") -> str:
    """A new id, told on standard error now: the effect can be repeated with it and happens once.

    Raises:
        CommandError: it cannot be told, so that nobody could repeat the effect.
    """
    identity = f"{prefix}{uuid_utils.uuid7()}"
    if not tell(json.dumps({field: identity}) if as_json else f"{field}: {identity}"):
        option = f"--{field.replace('_', '-')}"
        msg = f"standard error cannot be written, where a new {field} is told: name one by {option}"
        raise CommandError(msg, exit_code=UNDECIDED)
    return identity


@contextlib.contextmanager
def repeatable(option: str) -> Iterator[None]:
    """Say how to repeat a call that may have had its effect; `option` is the one that identifies it, with its value.

    Raises:
        CommandError: the call failed, or its answer could not be written.
        OutputError: there is no standard output; nothing was asked.
    """
    require_output()
    try:
        yield
    except CommandError as error:
        if error.exit_code == UNDECIDED:
            error.hints = (*error.hints, f"it may have happened: retry with {option}, and it happens once")
        raise
    except OutputError as error:
        hint = f"it was decided: retry with {option} to be answered again, and it happens once"
        raise CommandError(str(error), exit_code=UNDECIDED, hints=[hint]) from error
