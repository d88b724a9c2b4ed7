"""Accounts out of a JSON-lines file: many in a call, each once, resumed after an interruption."""

import hashlib
import io
import json
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

import click

from tallygate.cli.client import Client
from tallygate.cli.failures import UNDECIDED, CommandError, field_problem
from tallygate.cli.import_lines import Line, read_lines
from tallygate.cli.terminal import is_watched, json_text, tell
from tallygate_api.v1 import account_service_pb2 as wire
from tallygate_api.v1.account_service_pb2_grpc import AccountServiceStub

_TOGETHER = 100
"""How many accounts are imported in one call: enough to share a commit, few enough to let other writers in between."""
_MOST_BYTES = 256 * 1024
"""How large such a call may be, in bytes: a quarter of what servers take by default."""
_PERMISSION_DENIED, _TOO_LARGE, _UNAUTHENTICATED = 7, 8, 16


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of an import; `resumed` lines were done by an earlier run."""

    file: Path
    imported: int = 0
    failed: int = 0
    resumed: int = 0
    problems: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The outcome as a sentence."""
        resumed = f", {self.resumed:,} by the run before" if self.resumed else ""
        return f"imported {self.imported:,} accounts{resumed}, {self.failed:,} failed"

    def json(self) -> str:
        """The outcome as JSON."""
        counts = {"imported": self.imported, "failed": self.failed, "resumed": self.resumed}
        return json_text({**counts, "problems": self.problems})

    def raise_failures(self) -> None:
        """Fail when a line did.

        Raises:
            CommandError: at least one line was refused.
        """
        if self.failed:
            lines = "1 line" if self.failed == 1 else f"{self.failed:,} lines"
            told = f"{lines} of {self.file} refused; correct what is wrong and import the file again"
            raise CommandError(told)


def import_accounts(client: Client, file: Path, *, restart: bool = False) -> Outcome:
    """Import a file. Lines that are refused are told on stderr and passed over; the rest goes on.

    Raises:
        CommandError: the file cannot be read, or the server stopped answering; the next run goes on from there.
    """
    try:
        size = file.stat().st_size
        stream = file.open("rb")
    except OSError as error:
        msg = f"cannot read {file}: {error.strerror}"
        raise CommandError(msg) from error
    progress = _Progress(path=file.with_name(file.name + ".progress"), server=client.target.address)
    outcome = Outcome(file=file)
    with stream:
        _require_text(stream, file)
        start = 0 if restart else progress.resume(stream, outcome)
        stream.seek(start)
        with _bar(size - start) as bar:
            _import(client, stream, progress, outcome, bar)
    progress.path.unlink(missing_ok=True)
    return outcome


def _require_text(stream: IO[bytes], file: Path) -> None:
    """Refuse a file in another encoding as a whole: every line of it would be told to be broken."""
    if stream.read(2) in {BOM_UTF16_LE, BOM_UTF16_BE}:
        msg = f"{file}:1: it is UTF-16; save it as UTF-8"
        raise CommandError(msg)
    stream.seek(0)


def plant_accounts(client: Client, file: Path) -> list[str]:
    """Create those accounts of a file that are not there yet; returns why lines were refused.

    Raises:
        CommandError: the file cannot be read, or the server stopped answering.
    """
    listed = client.pages(AccountServiceStub(client.channel).ListAccounts, wire.ListAccountsRequest(), field="accounts")
    there = {account.account_id for account in listed.accounts}
    try:
        lines = list(read_lines(io.BytesIO(file.read_bytes()), first=1))
    except OSError as error:
        msg = f"cannot read {file}: {error.strerror}"
        raise CommandError(msg) from error
    new = iter([line for line in lines if line.item.account.account_id not in there])
    outcomes = [outcome for batch in _batches(new) for outcome in _send(client, batch)]
    return [f"{file}:{line.number}: {problem}" for line, problem in outcomes if problem]


def _import(client: Client, stream: IO[bytes], progress: "_Progress", outcome: Outcome, bar: "_Bar") -> None:
    reached = stream.tell()
    for batch in _batches(read_lines(stream, first=progress.lines + 1)):
        for line, problem in _send(client, batch):
            if problem:
                outcome.failed += 1
                outcome.problems.append(f"{outcome.file}:{line.number}: {problem}")
                tell(f"error: {outcome.problems[-1]}")
            else:
                outcome.imported += 1
        progress.save(stream, end=batch[-1].end, lines=batch[-1].number, outcome=outcome)
        bar.update(batch[-1].end - reached)
        reached = batch[-1].end


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    """Lines that can be imported together: of one account only one, and no more than a call takes."""
    batch: list[Line] = []
    accounts: set[str] = set()
    size = 0
    for line in lines:
        bytes_ = line.item.ByteSize()
        full = len(batch) == _TOGETHER or (batch and size + bytes_ > _MOST_BYTES)
        if full or line.item.account.account_id in accounts:
            yield batch
            batch, accounts, size = [], set(), 0
        batch.append(line)
        accounts.add(line.item.account.account_id)
        size += bytes_
    if batch:
        yield batch


def _send(client: Client, batch: list[Line]) -> Iterator[tuple[Line, str]]:
    """Import the accounts of a batch; yields what was refused, and why."""
    outcomes = _outcomes(client, [line for line in batch if not line.problem])
    for line in batch:
        yield line, line.problem or next(outcomes)


def _outcomes(client: Client, lines: list[Line]) -> Iterator[str]:
    """Why each of the lines was refused, or nothing; a call that is refused as a whole is made again by halves."""
    if not lines:
        return
    request = wire.ImportAccountsRequest(items=[line.item for line in lines])
    try:
        response = client.call(AccountServiceStub(client.channel).ImportAccounts, request)
    except CommandError as error:
        problem = _refusal(error)
        if len(lines) == 1:
            yield problem
        else:
            half = len(lines) // 2
            yield from _outcomes(client, lines[:half])
            yield from _outcomes(client, lines[half:])
        return
    if len(response.outcomes) != len(lines):
        msg = f"the server answered {len(response.outcomes)} outcomes for {len(lines)} accounts"
        raise CommandError(msg, exit_code=UNDECIDED)
    for outcome in response.outcomes:
        refused = outcome.error
        yield (field_problem(refused.metadata) or refused.message) if outcome.HasField("error") else ""


def _refusal(error: CommandError) -> str:
    """Why a call was refused; a server that could not decide stops the import instead."""
    code = error.status.get("code")
    undecided = error.exit_code == UNDECIDED and code != _TOO_LARGE
    if undecided or code in {_PERMISSION_DENIED, _UNAUTHENTICATED}:  # no line passes without a permitted key
        error.hints = (*error.hints, "run the same command again to go on from here")
        raise error
    return str(error)


@dataclass(slots=True, kw_only=True)
class _Progress:
    """How far an import came, in a file beside the one imported; it holds for that file's beginning and server."""

    path: Path
    server: str
    lines: int = 0
    offset: int = 0
    _digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def resume(self, stream: IO[bytes], outcome: Outcome) -> int:
        """Where to go on; 0 when nothing was interrupted, or something else was."""
        try:
            saved = json.loads(self.path.read_text(encoding="utf-8"))
            offset, lines, failed = int(saved["offset"]), int(saved["lines"]), int(saved["failed"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0
        digest = hashlib.sha256(stream.read(offset))
        if saved.get("sha256") != digest.hexdigest() or saved.get("server") != self.server:
            return 0
        self.lines, self.offset, self._digest = lines, offset, digest
        outcome.resumed, outcome.failed = int(saved.get("imported", 0)), failed
        return offset

    def save(self, stream: IO[bytes], *, end: int, lines: int, outcome: Outcome) -> None:
        """Note that all before `end` is done."""
        position = stream.tell()
        stream.seek(self.offset)
        self._digest.update(stream.read(end - self.offset))
        stream.seek(position)
        self.offset, self.lines = end, lines
        done = {"imported": outcome.imported + outcome.resumed, "failed": outcome.failed}
        content = {"server": self.server, "offset": end, "lines": lines, "sha256": self._digest.hexdigest(), **done}
        part = self.path.with_name(self.path.name + ".part")
        part.write_text(json.dumps(content), encoding="utf-8")
        part.replace(self.path)


class _Bar(Protocol):
    """What a progress bar takes: how many more bytes are done."""

    def update(self, n_steps: int) -> None: ...


def _bar(size: int) -> AbstractContextManager[_Bar]:
    """Progress on stderr, where somebody watches."""
    return click.progressbar(length=size, label="importing", file=sys.stderr, hidden=not is_watched())
