"""Options that many commands share."""

import functools
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tallygate.cli.client import Client, connect, find_target
from tallygate.cli.client_tls import ClientTls
from tallygate.cli.values import FILE, FREE_TEXT, PAIR, SECONDS, SECRET, SOME, TEXT

Function = Callable[..., None]
Decorator = Callable[[Function], Function]

output_option: Decorator = click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Text, or the answer as JSON."
)
limit_option: Decorator = click.option("--limit", type=SOME, metavar="N", help="At most N rows; default: all.")
feature_option: Decorator = click.option("--feature", metavar="KEY", help="Only of this feature.")
_TLS: tuple[Decorator, ...] = (
    click.option("--tls-ca", type=TEXT, metavar="FILE", help="Use TLS; trust these authorities, or `system`."),
    click.option("--tls-cert", type=TEXT, metavar="FILE", help="Our certificate, where the server wants one."),
    click.option("--tls-key", type=TEXT, metavar="FILE", help="Its key; default: in the same file."),
)
_CONNECTION: tuple[Decorator, ...] = (
    click.option("--server", metavar="ADDRESS", help="host:port or unix:/path; default: TALLYGATE_ADDRESS."),
    click.option(
        "--key", type=SECRET, metavar="KEY", help="An API key; TALLYGATE_API_KEY or --key-file keep it out of sight."
    ),
    click.option("--key-file", type=FILE, help="A file that holds the API key."),
    *_TLS,
    click.option("--timeout", type=SECONDS, default=5.0, show_default=True, help="In seconds."),
    output_option,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What the connection options said."""

    server: str | None
    key: str | None
    key_file: Path | None
    timeout: float
    as_json: bool
    tls: ClientTls

    def open(self) -> AbstractContextManager[Client]:
        """Connect to whom they name, or to whom the environment or the context file does."""
        target = find_target(
            server=self.server, key=self.key, key_file=self.key_file, timeout=self.timeout, tls=self.tls
        )
        return connect(target, as_json=self.as_json)


def connection_options(function: Function) -> Function:
    """Give a command the connection options; it receives them as its first argument."""

    @functools.wraps(function)
    def command(
        *,
        server: str | None,
        key: str | None,
        key_file: Path | None,
        timeout: float,
        output: str,
        tls_ca: str | None,
        tls_cert: str | None,
        tls_key: str | None,
        **arguments: Any,  # noqa: ANN401 - whatever the command itself declares
    ) -> None:
        tls = ClientTls(ca=tls_ca or "", cert=tls_cert or "", key=tls_key or "")
        as_json = output == "json"
        connection = Connection(server=server, key=key, key_file=key_file, timeout=timeout, as_json=as_json, tls=tls)
        function(connection, **arguments)

    return _decorated(command, _CONNECTION)


def remote(function: Function) -> Function:
    """Give a command the connection options; it receives the client that they describe as its first argument."""

    @functools.wraps(function)
    def command(connection: Connection, **arguments: Any) -> None:  # noqa: ANN401 - as above
        with connection.open() as client:
            function(client, **arguments)

    return connection_options(command)


def _flag(key: str) -> str:
    """The parameter that carries a setting: dots cannot stand in a Python name."""
    return key.replace(".", "__")


def _setting(key: str, name: str, text: str, **attributes: Any) -> Decorator:  # noqa: ANN401 - click's own
    return click.option(name, _flag(key), type=FREE_TEXT, help=text, **attributes)


_STORES: tuple[Decorator, ...] = (
    click.option("--config", type=FILE, metavar="FILE", help="A settings file, YAML or TOML."),
    _setting("data_dir", "--data-dir", "Where embedded stores live.", metavar="DIR"),
    _setting(
        "redis.url",
        "--redis-url",
        "Redis or Valkey; default: an embedded one. A password is safer in TALLYGATE_REDIS__URL.",
        metavar="URL",
    ),
    _setting(
        "database.url",
        "--database-url",
        "PostgreSQL or SQLite; default: SQLite. A password is safer in TALLYGATE_DATABASE__URL.",
        metavar="URL",
    ),
    click.option(
        "--set", "others", type=PAIR, multiple=True, metavar="KEY=VALUE", help="Any other setting, by dotted key."
    ),
)
_LISTENERS: tuple[Decorator, ...] = (
    _setting("server.grpc_address", "--listen", "Where gRPC is served.", metavar="ADDRESS"),
    _setting("server.admin_address", "--admin", "Where health and metrics are served.", metavar="ADDRESS"),
    _setting("logging.level", "--log-level", "The least that is logged.", metavar="LEVEL"),
    _setting("logging.format", "--log-format", "json or text.", metavar="FORMAT"),
)


def settings_options(*, listeners: bool = False) -> Decorator:
    """Give a command the flags of the main settings; it receives `flags`, by dotted key, and `config`."""

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def command(*, config: Path | None, others: tuple[tuple[str, str], ...], **arguments: Any) -> None:  # noqa: ANN401 - as above
            keys = [key for key in _KEYS if _flag(key) in arguments]
            flags = {key: arguments.pop(_flag(key)) for key in keys}
            flags.update(others)
            # What fails is told by its error; without a handler Python would print the log's warning beside it.
            logging.getLogger("tallygate").addHandler(logging.NullHandler())
            function(flags=flags, config=config, **arguments)

        return _decorated(command, (*_STORES, *(_LISTENERS if listeners else ())))

    return decorate


_KEYS = (
    "data_dir",
    "redis.url",
    "database.url",
    "server.grpc_address",
    "server.admin_address",
    "logging.level",
    "logging.format",
)


def _decorated(function: Function, options: tuple[Decorator, ...]) -> Function:
    for option in reversed(options):
        function = option(function)
    return function
