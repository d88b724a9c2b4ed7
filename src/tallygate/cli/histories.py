"""Histories as files: a record a line, as JSON, whose `kind` says what it is."""

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tallygate.cli.failures import CommandError
from tallygate.domain.history.records import (
    Answered,
    Broken,
    Canary,
    Counter,
    Event,
    History,
    Invoked,
    Limit,
    Record,
    Resident,
    Restored,
    Written,
)

_TYPES = (Invoked, Answered, Event, Limit, Counter, Canary, Written, Broken, Restored, Resident)
_KINDS: dict[str, TypeAdapter[Record]] = {kind.__name__.lower(): TypeAdapter(kind) for kind in _TYPES}
_FIELDS = {kind.__name__.lower(): frozenset(each.name for each in fields(kind)) for kind in _TYPES}


def read_history(file: Path) -> History:
    """The history in a file.

    Raises:
        CommandError: it cannot be read, or a line is no record.
    """
    try:
        return History(list(_records(file)))
    except (OSError, ValueError) as error:
        msg = f"cannot read {file}: {getattr(error, 'strerror', None) or 'no such file'}"
        raise CommandError(msg) from None


def _records(file: Path) -> Iterator[Record]:
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _record(f"{file}:{number}", line)


def _record(place: str, line: str) -> Record:
    try:
        found = json.loads(line)
    except ValueError:
        msg = f"{place}: expected a JSON object"
        raise CommandError(msg) from None
    kind = found.pop("kind", "") if isinstance(found, dict) else ""
    adapter = _KINDS.get(kind) if isinstance(kind, str) else None
    if adapter is None:
        msg = f"{place}: kind: expected {' | '.join(_KINDS)}, got {json.dumps(kind)}"
        raise CommandError(msg)
    unknown = sorted(found.keys() - _FIELDS[kind])
    if unknown:
        msg = f"{place}: {unknown[0]}: a record of kind {kind} has no such field"
        raise CommandError(msg)
    try:
        return adapter.validate_json(json.dumps(found), strict=True)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"]))
        msg = f"{place}: {where}: {problem['msg']}"
        raise CommandError(msg) from None
