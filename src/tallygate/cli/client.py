"""The connection of a command: which server, with which key, and how a call is made."""

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import grpc
from google.protobuf.message import Message

from tallygate.cli.client_tls import NO_TLS, ClientTls, chosen, of_context
from tallygate.cli.failures import CommandError, failure_of
from tallygate.cli.output import echo_json, echo_text, table
from tallygate.cli.terminal import require_output
from tallygate.settings import client_environment, load
from tallygate.settings.directories import make_private
from tallygate.settings.texts import UnreadableError, read_text
from tallygate_api.service_config import default_service_config

DEFAULT_ADDRESS = "127.0.0.1:7420"
_OWNER_ONLY = 0o600
_PAGE = 1_000
_KEY_FORM = "tg_ and 49 letters and digits"
_SENDABLE = re.compile(r"[!-~]{0,1024}")
"""What metadata can carry. Whether it is a key is for the server to say."""
_SHOWN = 80
_UNIX = "unix:"
_LOCAL = ("127.", "localhost", "[::1]", _UNIX)
_ADDRESS = re.compile(
    r"(dns:/{0,3}([^/\s]+/)?|ipv[46]:)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+(%\w+)?\]):[0-9]{1,5}", re.ASCII
)

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom to call as whom; the deadline is in seconds."""

    address: str
    key: str
    timeout: float = 5.0
    tls: ClientTls = NO_TLS

    @property
    def uri(self) -> str:
        """The address as gRPC takes it, which undoes percent-encoding of a socket's path."""
        if not self.address.startswith(_UNIX):
            return self.address
        path = self.address.removeprefix(_UNIX)
        return _UNIX + quote("/" + path.lstrip("/") if path.startswith("/") else path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An open connection, and the form in which its answers are shown."""

    channel: grpc.Channel
    target: Target
    as_json: bool = False

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What every call carries."""
        return (("authorization", f"Bearer {self.target.key}"),) if self.target.key else ()

    def call(
        self,
        method: "grpc.UnaryUnaryMultiCallable[Request, Response]",
        request: Request,
        *,
        unheard: bool = False,
    ) -> Response:
        """Make one call; `unheard` even where nobody can be told the answer, as to take something back.

        Raises:
            CommandError: it failed.
            OutputError: there is no standard output, where its answer would go; nothing was asked.
        """
        if not unheard:
            require_output()
        try:
            return method(request, timeout=self.target.timeout, metadata=self.metadata)
        except grpc.RpcError as error:
            raise failure_of(error, address=self.target.address) from None

    def pages(
        self,
        method: "grpc.UnaryUnaryMultiCallable[Request, Response]",
        request: Request,
        *,
        field: str,
        limit: int | None = None,
        most: int = _PAGE,
    ) -> Response:
        """All pages of a list as one answer, or its first `limit` rows, `most` a page; `field` holds the rows."""
        paged: Any = request
        whole: Any = None
        while True:
            left = most if limit is None else limit - (len(getattr(whole, field)) if whole is not None else 0)
            paged.page_size = min(left, most)
            page: Any = self.call(method, paged)
            if whole is None:
                whole = page
            else:
                getattr(whole, field).extend(getattr(page, field))
                whole.next_page_token = page.next_page_token
            paged.page_token = whole.next_page_token
            if not paged.page_token or (limit is not None and len(getattr(whole, field)) >= limit):
                answer: Response = whole
                return answer

    def show_list(
        self,
        method: "grpc.UnaryUnaryMultiCallable[Request, Response]",
        request: Request,
        *,
        field: str,
        limit: int | None,
        header: Sequence[str],
        row: Callable[[Any], Sequence[str]],
        empty: str = "",
        most: int = _PAGE,
    ) -> None:
        """Show all rows of a list in a table, or its first `limit`; `field` holds them, `empty` says there are none."""
        answer = self.pages(method, request, field=field, limit=limit, most=most)
        self.show(answer, lambda: table(header, map(row, getattr(answer, field)), empty=empty or f"no {field}"))

    def show(self, answer: Message, text: Callable[[], str]) -> None:
        """Print an answer: as JSON the message itself, and nothing else; else the text."""
        if self.as_json:
            echo_json(answer)
        else:
            echo_text(text())


@contextlib.contextmanager
def connect(target: Target, *, as_json: bool = False) -> Iterator[Client]:
    """Open a connection for one command. Nothing is sent before the first call."""
    options: list[tuple[str, Any]] = [("grpc.service_config", default_service_config())]
    if target.address.startswith(_LOCAL):
        options.append(("grpc.enable_http_proxy", 0))
    with _channel(target, options) as channel:
        yield Client(channel=channel, target=target, as_json=as_json)


def _channel(target: Target, options: Sequence[tuple[str, Any]]) -> grpc.Channel:
    if target.tls:
        return grpc.secure_channel(target.uri, target.tls.credentials(), options=options)
    return grpc.insecure_channel(target.uri, options=options)


def find_target(
    *, server: str | None, key: str | None, key_file: Path | None, timeout: float, tls: ClientTls | None = None
) -> Target:
    """Whom to call: flags before environment before the context that `tallygate dev` wrote.

    The context's key and certificates are for the context's server: they are sent to no other.

    Raises:
        CommandError: a file that was named cannot be read.
    """
    environment = client_environment()
    named = server or environment.address
    context = _read_context(environment.context_file, needed=not named)
    address = named or context.get("server", "") or DEFAULT_ADDRESS
    _require_address(address, "--server" if server else "TALLYGATE_ADDRESS" if named else "the context's server")
    is_its = context.get("server") == address
    own = context.get("key", "") if is_its else ""
    of_environment = ClientTls(ca=environment.tls_ca, cert=environment.tls_cert, key=environment.tls_key)
    trusted = chosen(tls or NO_TLS, of_environment, of_context(context if is_its else {}))
    secrets = {
        "--key": key or "",
        f"--key-file {key_file}": _read_key(key_file) if key_file and not key else "",
        "TALLYGATE_API_KEY": environment.api_key.strip(),
        "the context's key": own,
    }
    origin, secret = next(((name, secret) for name, secret in secrets.items() if secret), ("", ""))
    if not _SENDABLE.fullmatch(secret):
        msg = f"{origin}: expected an API key, {_KEY_FORM}, got other characters"
        raise CommandError(msg)
    return Target(address=address, key=secret, timeout=timeout, tls=trusted)


def write_context(path: Path, context: dict[str, str]) -> None:
    """Write the context file, which holds a key."""
    write_private(path, json.dumps(context, indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file so that only its owner ever can read it, whole or not at all."""
    make_private(path.parent)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)


def read_context(path: Path) -> dict[str, str]:
    """What the context file says; nothing where there is none.

    Raises:
        CommandError: it is there and cannot be read.
    """
    try:
        if not path.exists():
            return {}
        content = json.loads(read_text(path))
    except (UnreadableError, OSError, ValueError, RecursionError) as error:
        msg = f"cannot read {path}: {error}; remove it, or start `tallygate dev` again"
        raise CommandError(msg) from error
    return {str(k): str(v) for k, v in content.items()} if isinstance(content, dict) else {}


def _require_address(address: str, origin: str) -> None:
    """Refuse what gRPC would look for in vain, or look up as something else."""
    socket = address.startswith(_UNIX) and len(address) > len(_UNIX) and address.isprintable() and "," not in address
    if not socket and not _ADDRESS.fullmatch(address):
        msg = f"{origin}: expected host:port, as {DEFAULT_ADDRESS}, or unix:/path, got {address[:_SHOWN]!r}"
        raise CommandError(msg)


def _read_context(named: str, *, needed: bool) -> dict[str, str]:
    if named:
        return read_context(Path(named))
    directory = load().settings.data_dir if needed else Path(".tallygate")
    return read_context(_nearest_context(directory / "context.json"))


def _nearest_context(path: Path) -> Path:
    """A relative path's file from here upwards, as a repository's settings are found; where there is none, the path.

    Above here only this user's own counts: in a shared directory anybody could lead callers to a server of theirs.
    """
    if path.is_absolute() or path.exists():
        return path
    with contextlib.suppress(OSError):  # the directory was removed, or may not be looked into: there is no context
        for directory in Path.cwd().parents:
            found = directory / path
            if found.exists() and found.stat().st_uid == os.getuid():
                return found
    return path


def _read_key(path: Path) -> str:
    try:
        key = read_text(path).strip()
    except UnreadableError as error:
        msg = f"--key-file: cannot read {path}: {error}"
        raise CommandError(msg) from error
    if not key:
        msg = f"--key-file: {path} is empty: expected an API key, {_KEY_FORM}"
        raise CommandError(msg)
    return key
