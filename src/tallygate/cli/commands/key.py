"""API keys: over the wire, or directly in the database for the first one of an installation."""

import asyncio
import secrets
from pathlib import Path
from typing import Any

import click
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.client import Client
from tallygate.cli.failures import UNDECIDED, CommandError
from tallygate.cli.groups import Group
from tallygate.cli.options import Connection, connection_options, limit_option, remote, settings_options
from tallygate.cli.output import echo_json, echo_text, optional_instant
from tallygate.cli.terminal import OutputError, require_output, say, tell
from tallygate.cli.values import INSTANT
from tallygate.settings import load
from tallygate_api.v1 import api_key_service_pb2 as wire
from tallygate_api.v1.api_key_service_pb2_grpc import ApiKeyServiceStub

_SCOPES = {
    "data": wire.SCOPE_DATA,
    "control": wire.SCOPE_CONTROL,
    "read_only": wire.SCOPE_READ_ONLY,
    "billing": wire.SCOPE_BILLING,
    "billing_read": wire.SCOPE_BILLING_READ,
    "self_service": wire.SCOPE_SELF_SERVICE,
}
_local = click.option("--local", is_flag=True, help="Write to the database itself; no server is asked.")
_tenant = click.option("--tenant", metavar="ID", help="With --local: whose key it is.")


@click.group("key", cls=Group)
def key_command() -> None:
    """Create, list and revoke API keys.

    To rotate: create the new key, move its users over, revoke the old one.
    """


@key_command.command("test", examples=["tallygate key test > key"])
def test() -> None:
    """Print a key that opens a test tenant of its own.

    On a server with --testing, as `tallygate dev` is one: an isolated tenant with
    an empty catalogue, and a clock that `tallygate clock` sets and moves. Give the
    key by TALLYGATE_API_KEY.
    """
    from tallygate.domain.credential import ENTROPY_BYTES, mint_key  # noqa: PLC0415 - as little as `--help` needs

    require_output()
    say(mint_key(secrets.token_bytes(ENTROPY_BYTES)))


@key_command.command(
    "create",
    examples=[
        "tallygate key create gateway --scope data",
        "tallygate key create ci --scope control --expire 2027-01-01",
        "tallygate key create portal --scope self_service --account acme",
        "tallygate key create first --scope data --scope control --local --tenant demo",
    ],
)
@click.argument("name")
@click.option(
    "--scope", "scopes", type=click.Choice(list(_SCOPES)), multiple=True, required=True, help="What it may call."
)
@click.option("--account", metavar="ID", help="Of self_service: the one account that it reaches.")
@click.option("--expire", type=INSTANT, metavar="TIME", help="From when on it is refused; default: never.")
@_local
@_tenant
@settings_options()
@connection_options
def create(
    connection: Connection,
    *,
    name: str,
    scopes: tuple[str, ...],
    account: str | None,
    expire: Timestamp | None,
    local: bool,
    tenant: str | None,
    flags: dict[str, Any],
    config: Path | None,
) -> None:
    """Mint a key and print it, this once.

    The first key of an installation is made with --local. A key that could not
    be printed is revoked again.
    """
    require_output()
    if local and account:
        msg = "--account goes without --local: a server knows its accounts."
        raise click.UsageError(msg)
    request = wire.CreateApiKeyRequest(
        name=name, scopes=[_SCOPES[s] for s in dict.fromkeys(scopes)], expire_time=expire, account_id=account
    )
    if local:
        response = _create_locally(request, _needed(tenant), flags, config)
    else:
        with connection.open() as client:
            response = client.call(ApiKeyServiceStub(client.channel).CreateApiKey, request)
    try:
        echo_json(response) if connection.as_json else say(response.key)
    except OutputError as error:
        key_id = response.api_key.key_id
        _take_back(connection, key_id, tenant if local else None, flags, config)
        msg = f"{error}; the key {key_id} was revoked, for nobody has it"
        raise CommandError(msg, exit_code=UNDECIDED) from error
    if not connection.as_json:
        tell(f"{response.api_key.key_id}: shown only here; keep it in a file or a secret store")


@key_command.command("list", examples=["tallygate key list", "tallygate key list -o json"])
@limit_option
@remote
def list_(client: Client, *, limit: int | None) -> None:
    """List keys, newest first; never the keys themselves."""
    stub, request = ApiKeyServiceStub(client.channel), wire.ListApiKeysRequest()
    header = ("ID", "NAME", "KEY", "SCOPES", "EXPIRES", "REVOKED")
    client.show_list(stub.ListApiKeys, request, field="api_keys", limit=limit, header=header, row=_row, empty="no keys")


@key_command.command(
    "revoke",
    examples=["tallygate key revoke 0198c1", "tallygate key revoke 0198c1 --local --tenant demo"],
)
@click.argument("key_id")
@_local
@_tenant
@settings_options()
@connection_options
def revoke(
    connection: Connection,
    *,
    key_id: str,
    local: bool,
    tenant: str | None,
    flags: dict[str, Any],
    config: Path | None,
) -> None:
    """Revoke a key; every sidecar refuses it within two seconds."""
    response = _revoke(connection, key_id, _needed(tenant) if local else None, flags, config)
    if connection.as_json:
        echo_json(response)
    else:
        echo_text(f"revoked {response.api_key.key_id}")


def _create_locally(
    request: wire.CreateApiKeyRequest, tenant: str, flags: dict[str, Any], config: Path | None
) -> wire.CreateApiKeyResponse:
    from tallygate import app  # noqa: PLC0415 - loads the database, which only --local needs

    settings = load(flags, config_file=config).settings
    names = {number: name for name, number in _SCOPES.items()}
    expire = request.expire_time.ToMicroseconds() if request.HasField("expire_time") else None
    key_id, key = asyncio.run(
        app.create_key(
            settings,
            tenant_id=tenant,
            name=request.name,
            scopes={names[scope] for scope in request.scopes},
            expire_time=expire,
        )
    )
    known = wire.ApiKey(key_id=key_id, name=request.name, scopes=request.scopes)
    if request.HasField("expire_time"):
        known.expire_time.CopyFrom(request.expire_time)
    return wire.CreateApiKeyResponse(key=key, api_key=known)


def _take_back(
    connection: Connection, key_id: str, tenant: str | None, flags: dict[str, Any], config: Path | None
) -> None:
    """Revoke a key that nobody has.

    Raises:
        CommandError: it could not be; the key lives.
    """
    try:
        _revoke(connection, key_id, tenant, flags, config)
    except Exception as error:
        hint = f"revoke it when you can: tallygate key revoke {key_id}"
        msg = f"the key {key_id} was made and could not be printed, nor revoked: {error}"
        raise CommandError(msg, exit_code=UNDECIDED, hints=[hint]) from error


def _revoke(
    connection: Connection, key_id: str, tenant: str | None, flags: dict[str, Any], config: Path | None
) -> wire.RevokeApiKeyResponse:
    """Revoke a key: of a tenant in the database itself, else over the wire."""
    if tenant is not None:
        _revoke_locally(key_id, tenant, flags, config)
        return wire.RevokeApiKeyResponse(api_key=wire.ApiKey(key_id=key_id))
    with connection.open() as client:
        request = wire.RevokeApiKeyRequest(key_id=key_id)
        return client.call(ApiKeyServiceStub(client.channel).RevokeApiKey, request, unheard=True)


def _revoke_locally(key_id: str, tenant: str, flags: dict[str, Any], config: Path | None) -> None:
    from tallygate import app  # noqa: PLC0415 - loads the database, which only --local needs

    settings = load(flags, config_file=config).settings
    asyncio.run(app.revoke_key_local(settings, tenant_id=tenant, key_id=key_id))


def _needed(tenant: str | None) -> str:
    if tenant is None:
        msg = "--local needs --tenant: the database holds the keys of all."
        raise click.UsageError(msg)
    return tenant


def _row(key: wire.ApiKey) -> tuple[str, ...]:
    names = {number: name for name, number in _SCOPES.items()}
    scopes = ", ".join(names.get(scope, str(scope)) for scope in key.scopes)
    expires, revoked = optional_instant(key, "expire_time"), optional_instant(key, "revoke_time")
    return key.key_id, key.name, f"{key.prefix}...", scopes, expires, revoked
