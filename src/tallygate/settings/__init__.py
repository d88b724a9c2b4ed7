"""Every setting, where it came from, and the only reading of the environment.

Defaults < file < environment `TALLYGATE_...` < flags; groups nest with `__` (TALLYGATE_REDIS__URL).
"""

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from tallygate.settings.files import FileSettings, Form, read_file
from tallygate.settings.forms import SecretUrl, expected_of, form_of
from tallygate.settings.groups import (
    BillingSettings,
    CollectorSettings,
    DatabaseSettings,
    DataPlaneSettings,
    DocumentSettings,
    Group,
    LoggingSettings,
    MailSettings,
    RedisSettings,
    ServerSettings,
    Settings,
    TaxSettings,
    TracingSettings,
)

__all__ = [
    "CLIENT_VARIABLES",
    "CONFIG_FILE_VARIABLE",
    "ENV_PREFIX",
    "BillingSettings",
    "ClientEnvironment",
    "CollectorSettings",
    "DataPlaneSettings",
    "DatabaseSettings",
    "DocumentSettings",
    "Loaded",
    "LoggingSettings",
    "MailSettings",
    "Origin",
    "RedisSettings",
    "SecretUrl",
    "ServerSettings",
    "Settings",
    "SettingsError",
    "TaxSettings",
    "TracingSettings",
    "client_environment",
    "environment_name",
    "flat",
    "known_keys",
    "load",
    "schema",
]  # fmt: skip

_NAME = re.compile(r"[\w.-]{1,100}")
_ENVIRON = os.environ  # noqa: TID251 - this is the only reader of the environment
ENV_PREFIX = "TALLYGATE_"
CONFIG_FILE_VARIABLE = "TALLYGATE_CONFIG_FILE"
CLIENT_VARIABLES = (
    "TALLYGATE_ADDRESS", "TALLYGATE_API_KEY", "TALLYGATE_CONTEXT_FILE",
    "TALLYGATE_TLS_CA", "TALLYGATE_TLS_CERT", "TALLYGATE_TLS_KEY",
)  # fmt: skip
# Kubernetes gives every pod such variables for each Service, one named "tallygate" among them.
_KUBERNETES = re.compile(r"TALLYGATE_(\w+_)?(SERVICE_HOST|SERVICE_PORT\w*|PORT|PORT_\d+_(TCP|UDP|SCTP)\w*)")


class SettingsError(Exception):
    """The settings cannot be used; the message is one line a problem, each with the key and the fix."""


Origin = Literal["default", "file", "env", "flag"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The settings in force, where each value that is not a default came from, by dotted key, and the file, if any."""

    settings: Settings
    origins: Mapping[str, Origin]
    file: Path | None = None

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
    tls_ca: str
    tls_cert: str
    tls_key: str


def client_environment() -> ClientEnvironment:
    """What the environment says to the command line as a client."""
    fields = ("address", "api_key", "context_file", "tls_ca", "tls_cert", "tls_key")
    found = (_ENVIRON.get(name, "") for name in CLIENT_VARIABLES)
    return ClientEnvironment(**dict(zip(fields, found, strict=True)))


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
    origins = {key: origin for key, (_, origin) in merged.items()}
    return Loaded(settings=settings, origins=origins, file=file.path if file.path != Path() else None)


def schema() -> dict[str, Any]:
    """The JSON Schema of the settings file."""
    return Settings.model_json_schema()


def known_keys() -> tuple[str, ...]:
    """Every setting by its dotted key."""
    return tuple(key for key, _ in _flat(Settings().model_dump()))


def flat(settings: Settings) -> Iterator[tuple[str, Any]]:
    """Every value by its dotted key."""
    yield from _flat(settings.model_dump())


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
    return {key: form_of(setting) for key, setting in _fields().items()}


def _fields() -> dict[str, FieldInfo]:
    """Each setting by its dotted key."""
    found: dict[str, FieldInfo] = {}
    for name, field in Settings.model_fields.items():
        group = field.annotation
        if isinstance(group, type) and issubclass(group, Group):
            found |= {f"{name}.{inner}": each for inner, each in group.model_fields.items()}
        else:
            found[name] = field
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
        told = _told(problem, key)
        match merged[key][1] if key in merged else "flag":
            case "file":
                yield f"{file.place(key)}: {key}: {told}"
            case "env":
                yield f"{environment_name(key)} (env): {told}"
            case _:
                yield f"{key} (flag): {told}"


def _told(problem: ErrorDetails, key: str) -> str:
    """What is wrong with a value: our own validators say it, and of the library's findings what was expected."""
    setting = _fields().get(key)
    if problem["type"] == "value_error" or setting is None:
        return problem["msg"].removeprefix("Value error, ")
    return f"expected {expected_of(setting)}"


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
