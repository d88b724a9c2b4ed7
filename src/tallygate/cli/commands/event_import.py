"""Events of trackers, recorded as usage."""

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click

from tallygate.cli.client import Client
from tallygate.cli.failures import CommandError, field_problem
from tallygate.cli.groups import Command
from tallygate.cli.json_lines import LineError
from tallygate.cli.options import remote
from tallygate.cli.output import enum_name, number
from tallygate.cli.terminal import json_text, say, tell
from tallygate.cli.tracked_events import tracked
from tallygate_api.v1 import usage_service_pb2 as wire
from tallygate_api.v1.usage_service_pb2_grpc import UsageServiceStub

_TOGETHER = 500


@click.command("import", cls=Command, examples=["tallygate events import tracked.jsonl"])
@click.argument("file", metavar="FILE")
@remote
def import_(client: Client, *, file: str) -> None:
    """Record events of trackers as usage: JSON, one a line; - is standard input.

    CloudEvents, Segment's track calls and Snowplow's enriched events are known by
    their fields. The same event once more is recorded once.
    """
    counts = {"recorded": 0, "repeated": 0, "refused": 0}
    items = _items(file, counts)
    while batch := list(islice(items, _TOGETHER)):
        request = wire.RecordUsageRequest(items=[item for _, item in batch])
        response = client.call(UsageServiceStub(client.channel).RecordUsage, request)
        for (line, _), outcome in zip(batch, response.outcomes, strict=True):
            if problem := _problem(outcome):
                _refuse(counts, file, line, problem)
            else:
                counts["repeated" if outcome.decision.replayed else "recorded"] += 1
    shown = ", ".join(f"{number(count)} {name}" for name, count in counts.items())
    say(json_text(counts) if client.as_json else shown)
    if counts["refused"]:
        msg = f"{number(counts['refused'])} of {file} refused; correct what is wrong and import the file again"
        raise CommandError(msg)


def _problem(outcome: wire.RecordUsageOutcome) -> str:
    """Why a use was not recorded; empty: it was."""
    if outcome.HasField("error"):
        return field_problem(outcome.error.metadata) or outcome.error.message
    return "" if outcome.decision.allowed else f"denied: {enum_name(outcome.decision, 'reason')}"


def _items(file: str, counts: dict[str, int]) -> Iterator[tuple[int, wire.RecordUsageItem]]:
    """The uses of a file with their lines; what is none is told and passed over."""
    for line, text in enumerate(_lines(file), start=1):
        if text.strip():
            try:
                yield line, tracked(text)
            except LineError as error:
                _refuse(counts, file, line, str(error))


def _lines(file: str) -> Iterator[bytes]:
    try:
        if file == "-":
            yield from sys.stdin.buffer
            return
        with Path(file).open("rb") as stream:
            yield from stream
    except OSError as error:
        msg = f"cannot read {file}: {error.strerror}"
        raise CommandError(msg) from error


def _refuse(counts: dict[str, int], file: str, line: int, problem: str) -> None:
    counts["refused"] += 1
    tell(f"{file}:{line}: {problem}")
