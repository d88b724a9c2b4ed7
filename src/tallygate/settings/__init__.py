"""Every setting, where it came from, and the only reading of the environment.

Defaults < file < environment `TALLYGATE_...` < flags; groups nest with `__` (TALLYGATE_REDIS__URL).
"""

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from tallygate.settings.files import FileSettings, Form, read_file
from tallygate.settings.forms import Bytes, Count, HomePath, OptionalPath, Seconds, SecretUrl, form_of

_NAME = re.compile(r"[\w.-]{1,100}")
_ENVIRON = os.environ  # noqa: TID251 - this is the only reader of the environment
ENV_PREFIX = "TALLYGATE_"
CONFIG_FILE_VARIABLE = "TALLYGATE_CONFIG_FILE"
CLIENT_VARIABLES = ("TALLYGATE_ADDRESS", "TALLYGATE_API_KEY", "TALLYGATE_CONTEXT_FILE")
# Kubernetes gives every pod such variables for each Service, one named "tallygate" among them.
_KUBERNETES = re.compile(r"TALLYGATE_(\w+_)?(SERVICE_HOST|SERVICE_PORT\w*|PORT|PORT_\d+_(TCP|UDP|SCTP)\w*)")


class SettingsError(Exception):
    """The settings cannot be used; the message is one line a problem, each with the key and the fix."""


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ServerSettings(_Group):
    """Where the server listens and what it lets in."""

    grpc_address: str = "127.0.0.1:7420"
    """Where gRPC is served: host:port, or unix:/path."""
    admin_address: str = "127.0.0.1:7421"
    """Where /live, /ready and /metrics are served: host:port."""
    transport: Literal["auto", "grpcio", "native"] = "auto"
    """What carries gRPC; auto takes native where the extra is installed and the listener is local."""
    workers: Annotated[int, Field(ge=1, le=1024)] = 1
    """How many processes serve the hot path, on one TCP port or a Unix socket each; more than one: role data."""
    listener_key_file: OptionalPath = None
    """A file with the API key that callers without one act as; for local listeners."""
    max_in_flight: Count = 1024
    """How many calls may be in flight in a process, one tenant's up to seven eighths; more are UNAVAILABLE."""
    native_in_place: bool = True
    """Whether the native transport's thread answers calls itself while the event loop waits: a third off a lone one."""
    max_connection_age: Annotated[Seconds, Field(gt=0)] = 3600.0
    """How long a connection takes new calls on transport grpcio; its client then opens another one."""
    max_connection_age_grace: Annotated[Seconds, Field(gt=0)] = 60.0
    """How long what is still open on such a connection may take: streams, and calls that never became whole."""
    default_deadline: Annotated[Seconds, Field(gt=0)] = 5.0
    """The deadline of a call that brings none, and the longest that one may bring."""
    max_message_bytes: Annotated[Bytes, Field(ge=1024)] = 256 * 1024
    """The largest request of a single call."""
    max_batch_message_bytes: Annotated[Bytes, Field(ge=1024)] = 1024 * 1024
    """The largest request of a batch or of the control plane."""
    drain_delay_seconds: Seconds = 0.0
    """How long to keep serving after health says NOT_SERVING, for balancers to notice."""
    drain_seconds: Seconds = 10.0
    """How long calls in flight may take to finish at a stop."""
    reflection: bool = True
    """Whether the server describes its services to callers."""


class RedisSettings(_Group):
    """The store of views, gates and events."""

    url: SecretUrl = SecretUrl("")
    """redis://, valkey:// or unix:// URL; empty starts an embedded Valkey in data_dir."""
    connect_timeout: Annotated[Seconds, Field(gt=0)] = 0.25
    """How long connecting may take."""
    read_timeout: Annotated[Seconds, Field(gt=0)] = 0.1
    """How long a reply may take before the call is answered by its failure policy."""
    appendfsync: Literal["everysec", "always"] = "everysec"
    """When the embedded Valkey writes through to disk: once a second, or before every answer."""
    partitions: Annotated[int, Field(ge=1, le=4096)] = 64
    """How many partitions keys are hashed to; fixed for the life of an installation."""


class DatabaseSettings(_Group):
    """The store of catalogue, accounts, keys and billable events."""

    url: SecretUrl = SecretUrl("")
    """postgresql:// or sqlite:// URL; empty is SQLite in data_dir."""
    pool_size: Count = 10
    """How many PostgreSQL connections are kept."""


class DataPlaneSettings(_Group):
    """How the hot path decides."""

    max_staleness: Seconds = 5.0
    """How old a view or a key may be when its store cannot be asked."""
    key_outage: Seconds = 86400.0
    """How long a key that was valid when Redis went away serves what failure policies allow."""
    replay_window: Annotated[Seconds, Field(gt=0, le=86400)] = 3600.0
    """How long a request_id is answered with its first answer; at most 24 h."""
    stream_max: Count = 1_000_000
    """How many events a partition's stream holds before consumes answer EVENT_BACKLOG (noticed within 0.1 s)."""
    cached_accounts: Count = 25_000
    """How many accounts' folded entitlements are kept in process."""
    cached_keys: Count = 10_000
    """How many API keys are kept in process."""


class CollectorSettings(_Group):
    """How events move from the stream to SQL."""

    batch_size: Annotated[int, Field(ge=1, le=10_000)] = 500
    """How many events are written in one transaction."""
    flush_interval: Annotated[Seconds, Field(gt=0, le=1)] = 0.2
    """How long an event may wait for company."""


class LoggingSettings(_Group):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe line that is written; debug writes one a call."""
    format: Literal["json", "text"] = "json"
    """One JSON object a line, or text for people."""


class Settings(_Group):
    """All settings of one process. Constructed by itself it is the defaults; `load` is what reads the world."""

    role: Literal["all", "data", "control", "worker"] = "all"
    """What this process does: the hot path, the catalogue and accounts, the background work, or all of it."""
    data_dir: HomePath = Path(".tallygate")
    """Where the embedded Valkey, SQLite and the context file live."""
    testing: bool = False
    """Whether any unknown well-formed key opens a fresh test tenant with a clock of its own; never in production."""
    bootstrap_key_file: OptionalPath = None
    """A file with the first key of an installation: its tenant is created if there is none yet."""
    server: ServerSettings = ServerSettings()
    redis: RedisSettings = RedisSettings()
    database: DatabaseSettings = DatabaseSettings()
    data_plane: DataPlaneSettings = DataPlaneSettings()
    collector: CollectorSettings = CollectorSettings()
    logging: LoggingSettings = LoggingSettings()


Origin = Literal["default", "file", "env", "flag"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The settings in force, and where each value that is not a default came from, by dotted key."""

    settings: Settings
    origins: Mapping[str, Origin]

    def effective(self) -> dict[str, dict[str, Any]]:
        """Every value with its origin, by dotted key; secrets show as `***`."""
        found = _flat(self.settings.model_dump())
        values = {key: str(value) if isinstance(value, SecretStr | Path) else value for key, value in found}
        return {key: {"value": value, "origin": self.origins.get(key, "default")} for key, value in values.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEnvironment:
    """Which server the command line speaks to, as the environment says; empty where it does not."""

    address: str
    api_key: str
    context_file: str


def client_environment() -> ClientEnvironment:
    """What the environment says to the command line as a client."""
    address, api_key, context_file = (_ENVIRON.get(name, "") for name in CLIENT_VARIABLES)
    return ClientEnvironment(address=address, api_key=api_key, context_file=context_file)


def load(flags: Mapping[str, Any] | None = None, *, config_file: Path | None = None) -> Loaded:
    """The settings of this process. Flags are named by dotted key (`redis.url`); one that is None was not given.

    Raises:
        SettingsError: the file cannot be read, a key is unknown, or a value is not what is expected.
    """
    file = _read_file(config_file)
    layers: list[tuple[Origin, dict[str, Any]]] = [
        ("file", dict(file.values)),
        ("env", _read_environment()),
        ("flag", {key: value for key, value in (flags or {}).items() if value is not None}),
    ]
    problems = [line for line, _ in _unknown(layers[2][1], "setting in the flag")]
    if problems:
        raise SettingsError("\n".join(problems))
    merged = {key: (value, origin) for origin, layer in layers for key, value in layer.items()}
    try:
        settings = Settings.model_validate(_nested({key: value for key, (value, _) in merged.items()}))
    except ValidationError as error:
        raise SettingsError("\n".join(_explained(error, merged, file))) from None
    return Loaded(settings=settings, origins={key: origin for key, (_, origin) in merged.items()})


def schema() -> dict[str, Any]:
    """The JSON Schema of the settings file."""
    return Settings.model_json_schema()


def known_keys() -> tuple[str, ...]:
    """Every setting by its dotted key."""
    return tuple(key for key, _ in _flat(Settings().model_dump()))


def environment_name(key: str) -> str:
    """The environment variable that sets this key."""
    return ENV_PREFIX + key.replace(".", "__").upper()


def _read_file(named: Path | None) -> FileSettings:
    variable = _ENVIRON.get(CONFIG_FILE_VARIABLE)
    if named is None and not variable:  # an empty variable is none
        return FileSettings(path=Path())
    path = named or Path(str(variable))
    file = read_file(path, _forms())
    for told, key in _unknown(file.values, "setting"):
        file.problem(file.lines.get(key, 1), told)
    if file.problems:
        raise SettingsError("\n".join(line for _, line in sorted(file.problems)))
    return file


def _forms() -> dict[str, Form]:
    """What each setting may be in a file, by dotted key."""
    groups = {name: field.annotation for name, field in Settings.model_fields.items()}
    found: dict[str, Form] = {}
    for name, field in Settings.model_fields.items():
        group = groups[name]
        if isinstance(group, type) and issubclass(group, _Group):
            found |= {f"{name}.{inner}": form_of(each) for inner, each in group.model_fields.items()}
        else:
            found[name] = form_of(field)
    return found


def _read_environment() -> dict[str, Any]:
    known = {environment_name(key): key for key in known_keys()}
    ours = {name: value for name, value in _ENVIRON.items() if name.startswith(ENV_PREFIX) and value}
    unknown = [name for name in ours if name not in known and not _belongs_to_others(name)]
    if unknown:
        raise SettingsError("\n".join(_nearest(name, known, "environment variable") for name in unknown))
    return {known[name]: value for name, value in ours.items() if name in known}


def _belongs_to_others(name: str) -> bool:
    return name == CONFIG_FILE_VARIABLE or name in CLIENT_VARIABLES or _KUBERNETES.fullmatch(name) is not None


def _unknown(layer: Mapping[str, Any], what: str) -> Iterator[tuple[str, str]]:
    """What to tell of each key that is unknown, and the key."""
    known = known_keys()
    yield from ((_nearest(key, known, what), key) for key in layer if key not in known)


def _nearest(name: str, known: Iterable[str], what: str) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    shown = name if _NAME.fullmatch(name) else "***"  # a URL in the wrong place may hold a password
    return f"unknown {what}: {shown}" + (f"; did you mean {near[0]}?" if near else "")


def _explained(error: ValidationError, merged: Mapping[str, tuple[Any, Origin]], file: FileSettings) -> Iterator[str]:
    for problem in error.errors(include_input=False, include_url=False):
        key = ".".join(str(part) for part in problem["loc"])
        told = problem["msg"].removeprefix("Value error, ")
        match merged[key][1] if key in merged else "flag":
            case "file":
                yield f"{file.place(key)}: {key}: {told}"
            case "env":
                yield f"{environment_name(key)} (env): {told}"
            case _:
                yield f"{key} (flag): {told}"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in values.items():
        group, _, leaf = key.rpartition(".")
        (tree.setdefault(group, {}) if group else tree)[leaf] = value
    return tree
