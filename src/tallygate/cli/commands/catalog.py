"""The catalogue as a file: YAML here, the message Catalog on the wire."""

from pathlib import Path

import click

from tallygate.cli.catalog_publishing import MIGRATE, apply_document
from tallygate.cli.catalog_reader import Document, read_document
from tallygate.cli.catalog_writer import write_catalog
from tallygate.cli.client import Client, connect, find_target
from tallygate.cli.failures import CommandError, field_problem
from tallygate.cli.groups import Group
from tallygate.cli.options import output_option, remote
from tallygate.cli.output import echo_json, echo_text, enum_name, number
from tallygate.cli.terminal import say
from tallygate.cli.values import FILE
from tallygate_api.v1 import catalog_service_pb2 as wire
from tallygate_api.v1.catalog_service_pb2_grpc import CatalogServiceStub

_SIGNS = {"added": "+", "changed": "~", "archived": "-"}
_file = click.argument("file", type=FILE)
_migrate = click.option(
    "--migrate",
    type=click.Choice(list(MIGRATE)),
    default="none",
    help="Whom new versions move: nobody, live subscriptions now, or each at its period's end.",
)
_prune = click.option("--prune", is_flag=True, help="Archive what FILE lacks and nobody uses.")


@click.group("catalog", cls=Group)
def catalog_command() -> None:
    """Validate, compare, publish and export what is sold.

    A catalogue is one YAML document of features, rate limits, plans and
    add-ons. A published plan version never changes: a change raises it.
    """


@catalog_command.command(
    "validate",
    examples=[
        "tallygate catalog validate examples/catalog.yaml",
        "tallygate catalog validate catalog.yaml --server 127.0.0.1:7420",
    ],
)
@_file
@click.option("--server", metavar="ADDRESS", help="Also ask this server, which knows what is published.")
@click.option("--key-file", type=FILE, help="A file that holds the API key.")
@output_option
def validate(file: Path, *, server: str | None, key_file: Path | None, output: str) -> None:
    """Check a catalogue document; publish nothing.

    Without --server it is checked by itself: that what it names is in it, and
    not whether a published version was edited.
    """
    document = read_document(file)
    if server is None:
        _check_offline(document)
        echo_json(document.catalog) if output == "json" else echo_text(f"valid by itself: {_contents(document)}")
        return
    target = find_target(server=server, key=None, key_file=key_file, timeout=30.0)
    with connect(target, as_json=output == "json") as client:
        response = apply_document(client, document, validate_only=True)
        client.show(response, lambda: f"valid on {target.address}: {_contents(document)}")


@catalog_command.command(
    "diff", examples=["tallygate catalog diff catalog.yaml", "tallygate catalog diff catalog.yaml --prune -o json"]
)
@_file
@_migrate
@_prune
@remote
def diff(client: Client, *, file: Path, migrate: str, prune: bool) -> None:
    """Show what applying a document would change; publish nothing."""
    response = apply_document(client, read_document(file), migrate=migrate, prune=prune, validate_only=True)
    client.show(response, lambda: _changes(response, none="nothing would change"))


@catalog_command.command(
    "apply",
    examples=[
        "tallygate catalog apply examples/catalog.yaml",
        "tallygate catalog apply catalog.yaml --migrate period_end",
        "tallygate catalog export | tallygate catalog apply -",
    ],
)
@_file
@_migrate
@_prune
@remote
def apply(client: Client, *, file: Path, migrate: str, prune: bool) -> None:
    """Publish a document, and show what changed.

    Applying it again changes nothing. Keys that it lacks are kept.
    """
    response = apply_document(client, read_document(file), migrate=migrate, prune=prune)
    client.show(response, lambda: _changes(response, none="nothing changes"))


@catalog_command.command("export", examples=["tallygate catalog export > catalog.yaml"])
@click.option("--archived", is_flag=True, help="Include what is archived.")
@remote
def export(client: Client, *, archived: bool) -> None:
    """Print the published catalogue as YAML, ready to be applied again."""
    request = wire.GetCatalogRequest(include_archived=archived)
    response = client.call(CatalogServiceStub(client.channel).GetCatalog, request)
    if client.as_json:
        echo_json(response)
    else:
        say(write_catalog(response.catalog), nl=False)


def _check_offline(document: Document) -> None:
    """Check by the server's own rules that the document is whole and fits together."""
    from tallygate.control_plane.catalog_rules import check_catalog  # noqa: PLC0415 - only this command pays for it
    from tallygate.domain.catalog import Catalog  # noqa: PLC0415
    from tallygate.domain.errors import InvalidError  # noqa: PLC0415
    from tallygate.server.wire.catalog import decode_catalog  # noqa: PLC0415

    try:
        check_catalog(decode_catalog(document.catalog), Catalog())
    except InvalidError as error:
        facts = error.metadata
        problem = f"{document.place(facts.get('field', ''))}: {field_problem(facts) or error}"
        raise CommandError(problem) from None


def _contents(document: Document) -> str:
    rooms = ("features", "rate_limits", "plans", "add_ons")
    return ", ".join(f"{len(getattr(document.catalog, room))} {room.replace('_', ' ')}" for room in rooms)


def _changes(response: wire.ApplyCatalogResponse, *, none: str) -> str:
    lines = [_change(change) for change in response.changes] or [none]
    for plan, count in sorted(response.subscriptions_behind.items()):
        behind = "1 subscription stays" if count == 1 else f"{number(count)} subscriptions stay"
        lines.append(f"{behind} on an older version of {plan}; --migrate now or period_end moves them")
    return "\n".join(lines)


def _change(change: wire.Change) -> str:
    sign = _SIGNS.get(enum_name(change, "action"), "?")
    return f"{sign} {change.path}" + (f": {change.detail}" if change.detail else "")
