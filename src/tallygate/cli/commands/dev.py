"""A server to try things out with: embedded stores, a demo world, and a key."""

import asyncio
import base64
import contextlib
import secrets
import signal
from pathlib import Path
from typing import Any

import click

from tallygate.cli.client import Target, read_context, write_context, write_private
from tallygate.cli.demo import Demo, find_demo, paste, seed
from tallygate.cli.failures import CommandError
from tallygate.cli.groups import Command
from tallygate.cli.options import settings_options
from tallygate.cli.terminal import say, tell
from tallygate.cli.values import FILE
from tallygate.settings import Settings, load
from tallygate.settings.directories import make_private

TENANT = "demo"
_CONTEXT = "context.json"
_MASTER_KEY = "master.key"
_KEY_BYTES = 32
_DEFAULTS = {
    "logging.level": "warning",
    "logging.format": "text",
    "redis.connect_timeout": "1s",
    "redis.read_timeout": "1s",
    "testing": True,
    "billing.fake_on_live": True,
}
"""What is wanted on a desk, where the machine does other things and time is moved; whatever was set counts instead."""


@click.command("dev", cls=Command, examples=["tallygate dev", "tallygate dev --listen 127.0.0.1:9000 --no-demo"])
@click.option("--catalog", type=FILE, help="The catalogue to apply; default: the demo's.")
@click.option("--accounts", type=FILE, help="The accounts to import; default: the demo's.")
@click.option("--no-demo", is_flag=True, help="Neither catalogue nor accounts.")
@settings_options(listeners=True)
def dev_command(
    *, catalog: Path | None, accounts: Path | None, no_demo: bool, flags: dict[str, Any], config: Path | None
) -> None:
    """Start a server with a demo world; Ctrl-C stops it.

    Data stays in .tallygate. Each start mints a key, revokes the one before, and
    writes .tallygate/context.json, where the other commands find the server.
    A key of `tallygate key test` opens a tenant of its own with a clock to move.
    """
    loaded = load(flags, config_file=config)
    defaults = {key: value for key, value in _DEFAULTS.items() if key not in loaded.origins}
    settings = load({**flags, **defaults}, config_file=config).settings
    _require_writable(settings.data_dir)
    if settings.billing.master_key_file is None:
        known = {"billing.master_key_file": str(_master_key(settings.data_dir))}
        settings = load({**flags, **defaults, **known}, config_file=config).settings
    demo = None if no_demo else find_demo(catalog=catalog, accounts=accounts)
    from tallygate import app  # noqa: PLC0415 - loads the server, which `--help` does not need

    app.run(_run(settings, demo))


async def _run(settings: Settings, demo: Demo | None) -> None:
    from tallygate import app  # noqa: PLC0415 - as above
    from tallygate.server.operations import logs  # noqa: PLC0415

    logs.configure(level=settings.logging.level, output=settings.logging.format)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    app.require_usable(settings)
    await app.migrate(settings)
    async with app.Application(settings, apart=settings.role == "all" and settings.server.apart) as application:
        target = await _enter(settings, application.grpc_address)
        notes = await asyncio.to_thread(seed, target, demo) if demo is not None else []
        say(paste(target, settings, admin=application.admin_address, notes=notes))
        waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(application.wait_stopped())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        tell("stopping")
    tell("stopped")


async def _enter(settings: Settings, address: str) -> Target:
    """Make this start's key, revoke the one of the start before, and write the context.

    Only now, with the server up: another live instance on this directory would have refused the start, and so its
    key is not touched.
    """
    from tallygate import app  # noqa: PLC0415 - as above
    from tallygate.domain.errors import ConflictError, NotFoundError  # noqa: PLC0415

    path = settings.data_dir / _CONTEXT
    with contextlib.suppress(ConflictError):  # it is there from an earlier start
        await app.create_tenant(settings, tenant_id=TENANT, currency="USD", time_zone="UTC")
    key_id, key = await app.create_key(
        settings, tenant_id=TENANT, name="dev", scopes={"data", "control"}, expire_time=None
    )
    previous = read_context(path).get("key_id")
    write_context(path, {"server": address, "key": key, "key_id": key_id, "tenant": TENANT})
    if previous:
        with contextlib.suppress(NotFoundError):  # the database is younger than the context
            await app.revoke_key_local(settings, tenant_id=TENANT, key_id=previous)
    return Target(address=address, key=key)


def _master_key(directory: Path) -> Path:
    """The file of the key that seals what gateways are known by, made at the first start."""
    path = directory.absolute() / _MASTER_KEY
    if not path.exists():
        write_private(path, f"{base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()}\n")
    return path


def _require_writable(directory: Path) -> None:
    """Fail in one line before anything is started in a directory that cannot be written."""
    probe = directory / ".writable"
    try:
        make_private(directory)
        probe.touch()
        probe.unlink(missing_ok=True)
    except OSError as error:
        msg = f"cannot write to {directory}: {error.strerror}; name another by --data-dir"
        raise CommandError(msg) from error
