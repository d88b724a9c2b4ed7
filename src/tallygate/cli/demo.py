"""The demo world: where its files are, how it gets into a server, and calls to try on it."""

import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tallygate.cli.account_import import plant_accounts
from tallygate.cli.catalog_publishing import apply_document
from tallygate.cli.catalog_reader import Document, read_document
from tallygate.cli.client import Client, Target, connect
from tallygate.cli.failures import CALLER, CommandError
from tallygate.settings import Settings
from tallygate_api.v1.catalog_service_pb2 import GetCatalogRequest
from tallygate_api.v1.catalog_service_pb2_grpc import CatalogServiceStub

_KEY_SECONDS = 10.0
"""How long the server may take to know a key that was just made: about a second."""
_POLL_SECONDS = 0.05
_HERE = Path(__file__).parent
_CATALOG, _ACCOUNTS = "catalog.yaml", "accounts.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A catalogue that was read, and the file of its accounts."""

    document: Document
    accounts: Path


def find_demo(*, catalog: Path | None, accounts: Path | None) -> Demo:
    """The files named; else those of the repository that this code lies in; else those of the wheel.

    Raises:
        CommandError: a file cannot be read, or is no catalogue.
    """
    examples = _HERE.parents[2] / "examples"
    home = examples if (examples / _CATALOG).is_file() and (examples / _ACCOUNTS).is_file() else _HERE / "demo_world"
    document, path = read_document(catalog or home / _CATALOG), accounts or home / _ACCOUNTS
    try:
        path.open("rb").close()
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}"
        raise CommandError(msg) from error
    return Demo(document=document, accounts=path)


def seed(target: Target, demo: Demo) -> list[str]:
    """Publish the catalogue and create the accounts that are not there yet; returns what a person should know.

    What was changed since an earlier start is left alone.

    Raises:
        CommandError: the server does not answer, or does not know the key.
    """
    with connect(target) as client:
        _await_key(client)
        notes = []
        try:
            apply_document(client, demo.document)
        except CommandError as error:
            if error.exit_code != CALLER:
                raise
            notes.append(f"the catalogue stays as it was: {error}")
        return [*notes, *plant_accounts(client, demo.accounts)]


def paste(target: Target, settings: Settings, *, admin: str, notes: list[str]) -> str:
    """What `tallygate dev` prints: addresses, key, and calls to paste."""
    command = _command()
    context = settings.data_dir / "context.json"
    here = settings.data_dir.resolve() == Path.cwd() / ".tallygate"
    elsewhere = [] if here else [f"  export TALLYGATE_CONTEXT_FILE={context.resolve()}"]
    return "\n".join(
        [
            *(f"note: {note}" for note in notes),
            f"gRPC   {target.address}",
            f"admin  http://{admin}/ready  http://{admin}/metrics",
            f"key    {target.key}",
            f"data   {settings.data_dir.resolve()}",
            "",
            "Ask it from another terminal:",
            "",
            *elsewhere,
            f"  {command} check globex sso",
            f"  {command} consume acme api_calls 10",
            f"  {command} ratelimit acme api_rps",
            "",
            "Or from Python:",
            "",
            *_python(target),
            "",
            "Ctrl-C stops it; the data stays.",
        ]
    )


def _python(target: Target) -> list[str]:
    return [
        "  import grpc",
        "  from tallygate_api.v1 import entitlement_service_pb2 as api",
        "  from tallygate_api.v1.entitlement_service_pb2_grpc import EntitlementServiceStub",
        f'  stub = EntitlementServiceStub(grpc.insecure_channel("{target.address}"))',
        f'  key = ("authorization", "Bearer {target.key}")',
        '  request = api.CheckEntitlementRequest(account_id="acme", feature_key="api_calls")',
        "  print(stub.CheckEntitlement(request, timeout=1, metadata=[key]).decision)",
    ]


def _command() -> str:
    """How this command is typed here: by its name where that is found, else as it was typed."""
    typed = Path(sys.argv[0])
    if shutil.which("tallygate") or not typed.name.startswith("tallygate"):
        return "tallygate"
    inside = typed.is_relative_to(Path.cwd())
    return str(typed.relative_to(Path.cwd()) if inside else typed)


def _await_key(client: Client) -> None:
    """Wait until the server has heard of the key."""
    deadline = time.monotonic() + _KEY_SECONDS
    stub = CatalogServiceStub(client.channel)
    while True:
        try:
            client.call(stub.GetCatalog, GetCatalogRequest())
        except CommandError as error:
            if error.reason() not in {"UNAUTHENTICATED", "STORE_UNAVAILABLE"} or time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return
