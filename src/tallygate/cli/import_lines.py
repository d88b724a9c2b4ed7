"""Lines of a JSON-lines file of accounts: what is wrong with one is told with it, and stops no other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from tallygate.cli.json_fields import misfit
from tallygate.cli.json_lines import LineError, read_json, unique
from tallygate_api.v1.account_service_pb2 import ImportAccountsItem

_MOST_BYTES = 16 * 1024 * 1024
"""What is read of a line at all: far beyond what any server takes."""
_TOO_LONG = f"the line is longer than {_MOST_BYTES // 1024**2} MiB"
_LONGEST_PROBLEM = 300
_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the file: an account, and the subscription that it may bring; or why it is none."""

    number: int
    end: int
    item: ImportAccountsItem
    problem: str = ""


def read_lines(stream: IO[bytes], *, first: int) -> Iterator[Line]:
    """The lines from here on that are not blank, the first of which has this number; `end` is where each ends."""
    number, end = first, stream.tell()
    while raw := stream.readline(_MOST_BYTES + 1):
        end += len(raw)
        problem = ""
        while len(raw) > _MOST_BYTES and not raw.endswith(b"\n"):
            problem, raw = _TOO_LONG, stream.readline(_MOST_BYTES + 1)
            end += len(raw)
        if problem or raw.strip():
            yield _parse(number, end, raw, problem)
        number += 1


def _parse(number: int, end: int, raw: bytes, problem: str) -> Line:
    item = ImportAccountsItem()
    try:
        content = {} if problem else _object(raw)
        held = content.pop("subscription", None)
        _fill(item.account, content)
        if held is not None:
            _fill(item.subscription, held, "subscription")
            item.subscription.account_id = item.subscription.account_id or item.account.account_id
    except (ValueError, TypeError, ParseError) as error:
        problem = " ".join(str(error).split())[:_LONGEST_PROBLEM]
    return Line(number=number, end=end, item=item, problem=problem)


def _object(raw: bytes) -> dict[str, Any]:
    content = read_json(raw)
    if not isinstance(content, dict):
        raise LineError("a line holds one JSON object")  # noqa: EM101 - told with the line
    return content


def _fill(message: Message, content: object, path: str = "") -> None:
    """Read a message; a field by two of its names would be one silently lost."""
    if isinstance(content, dict):
        unique([(_HUMP.sub(lambda hump: f"_{hump[1].lower()}", key), None) for key in content])
    if problem := misfit(message.DESCRIPTOR, content, path):
        raise ValueError(problem)
    ParseDict(cast("dict[str, Any]", content), message)
