"""The forms that settings take beyond plain texts and numbers: durations, sizes, paths, and URLs with passwords."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, WithJsonSchema
from typing_extensions import override

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZES = {"B": 1, "KiB": 1024, "MiB": 1024**2}


def _scaled(value: object, units: Mapping[str, float]) -> object:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", value.strip()) if isinstance(value, str) else None
    if found is None or found[2] not in units:
        return value
    return float(found[1]) * units[found[2]]


def _measure(units: Mapping[str, float]) -> tuple[BeforeValidator, WithJsonSchema]:
    pattern = rf"^\d+(\.\d+)?\s*({'|'.join(units)})?$"
    schema = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": pattern}]}
    return BeforeValidator(lambda value: _scaled(value, units)), WithJsonSchema(schema)


Seconds = Annotated[float, Field(ge=0), *_measure(_UNITS)]
Bytes = Annotated[int, Field(ge=0), *_measure(_SIZES)]


def _at_home(value: object) -> object:
    """A path from the home directory, as a shell reads `~`: in a file or a variable no shell did."""
    if isinstance(value, str | Path) and str(value).startswith("~"):
        try:
            value = Path(value).expanduser()
        except RuntimeError:
            msg = f"there is no such home directory as {str(value).partition('/')[0]}; a directory of that name is ./~"
            raise ValueError(msg) from None
    if isinstance(value, str) and (not value or not value.isprintable()):
        msg = "expected a path, without control characters"
        raise ValueError(msg)
    return value


HomePath = Annotated[Path, BeforeValidator(_at_home)]
OptionalPath = Annotated[Path | None, BeforeValidator(lambda value: _at_home(value) if value else None)]
"""A path, or an empty text, which names none."""


class SecretUrl(SecretStr):
    """A URL that shows everything but its password."""

    @override
    def _display(self) -> str:  # pydantic's own hook for what str() and repr() show
        value = self.get_secret_value()
        try:
            password = urlsplit(value).password
        except ValueError:
            return "***"
        return value.replace(f":{password}@", ":***@", 1) if password else value
