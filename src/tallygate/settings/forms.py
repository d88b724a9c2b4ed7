"""The forms that settings take beyond plain texts and numbers: durations, sizes, paths, and URLs with passwords."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema
from pydantic.fields import FieldInfo
from typing_extensions import override

from tallygate.settings.files import Form

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZES = {"B": 1, "KiB": 1024, "MiB": 1024**2}
_SCHEME = re.compile(r"[a-z][a-z0-9+]{0,30}://", re.ASCII)
_HOST = r"([A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+]{0,30})://((?P<user>[^@/?#:]*)(:(?P<password>[^@/?#]*))?@)?"
    rf"(?P<host>{_HOST}(,{_HOST})*)(?P<path>/[^?#@]*)?(\?(?P<query>[^#@]*))?",
    re.ASCII,
)
_DATABASES = ("postgres", "sqlite")
_SHOWN_OPTIONS = frozenset(
    {"db", "dbname", "host", "hostaddr", "port", "user", "username", "sslmode", "connect_timeout", "application_name"}
)


def _scaled(value: object, units: Mapping[str, float]) -> object:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", value.strip()) if isinstance(value, str) else None
    if found is None or found[2] not in units:
        return value
    return float(found[1]) * units[found[2]]


def _measure(units: Mapping[str, float]) -> tuple[BeforeValidator, WithJsonSchema]:
    pattern = rf"^\d+(\.\d+)?\s*({'|'.join(units)})?$"
    schema = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": pattern}]}
    return BeforeValidator(lambda value: _scaled(value, units)), WithJsonSchema(schema)


Seconds = Annotated[float, Field(ge=0, le=31_536_000, allow_inf_nan=False), *_measure(_UNITS)]
"""At most a year."""
Bytes = Annotated[int, Field(ge=0, le=2**31 - 1), *_measure(_SIZES)]
Count = Annotated[int, Field(ge=1, le=2**31 - 1)]


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


_HERE = r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/\S*)?"
_WEB = re.compile(rf"https://[^/?#@\s]+(/[^?#\s]*)?(\?[^#\s]*)?|{_HERE}", re.ASCII)


def _on_the_web(value: str) -> str:
    if value and _WEB.fullmatch(value) is None:
        msg = "expected an https:// address (http:// on this machine alone), without user or password"
        raise ValueError(msg)
    return value


WebUrl = Annotated[str, AfterValidator(_on_the_web)]
"""An address in the web, to which nothing goes in the clear; empty where there is none."""


_RECEIVER = re.compile(r"https?://[^/?#@\s:]+(:\d{1,5})?", re.ASCII)


def _receiver(value: str) -> str:
    if value and _RECEIVER.fullmatch(value) is None:
        msg = "expected http://host:port, or https://host:port"
        raise ValueError(msg)
    return value


ReceiverUrl = Annotated[str, AfterValidator(_receiver)]
"""Where a receiver listens, with or without TLS; empty where there is none."""


class SecretUrl(SecretStr):
    """A URL that shows where it leads and as whom, and nothing that may be a secret."""

    @override
    def _display(self) -> str:  # pydantic's own hook for what str() and repr() show
        return shown_url(self.get_secret_value())


def shown_url(url: str) -> str:
    """A URL for people; what does not read as one without a doubt is hidden, for a password may lie anywhere in it."""
    found = _URL.fullmatch(url)
    if found is None:
        scheme = _SCHEME.match(url)
        return f"{scheme[0]}***" if scheme else "***" * bool(url)
    user, password = found["user"], found["password"]
    # Many write a Redis password alone before the @, where it is a user's name to everybody else.
    hidden = user and not password and not found["scheme"].startswith(_DATABASES)
    who = "" if user is None else ("***" if hidden else user) + (":***" if password else "") + "@"
    options = "&".join(map(_option, found["query"].split("&"))) if found["query"] else ""
    return f"{found['scheme']}://{who}{found['host']}{found['path'] or ''}" + (f"?{options}" if options else "")


def _option(text: str) -> str:
    name, sign, _ = text.partition("=")
    return text if sign and name in _SHOWN_OPTIONS else f"{name}=***" if sign and name.isidentifier() else "***"


def form_of(setting: FieldInfo) -> Form:
    """What a setting may be in a file, which has types of its own: there a number is no text, and a text no number."""
    types: dict[object, set[type]] = {bool: {bool}, float: {int, float}, int: {int}}
    written: set[type] = {str} if _is_measured(setting) else set()
    return Form(types=frozenset(types.get(setting.annotation, {str}) | written), expected=expected_of(setting))


def _is_measured(setting: FieldInfo) -> bool:
    """Whether it takes a unit."""
    return any(isinstance(note, WithJsonSchema) for note in setting.metadata)


def expected_of(setting: FieldInfo) -> str:
    """What a setting takes, with its bounds."""
    kind, measured = setting.annotation, _is_measured(setting)
    words = [str(word) for word in get_args(kind)] if get_origin(kind) is Literal else []
    if kind is bool:
        return "true or false"
    if words:
        return " or ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]
    if kind is float:
        what = "a duration such as 250ms, 5s or 2h, or seconds" if measured else "a number"
    elif kind is int:
        what = "a size such as 256KiB or 1MiB, or bytes" if measured else "a whole number without leading zeros"
    else:
        return "a text"
    return ", ".join(filter(None, (what, _bounds(setting))))


def _bounds(setting: FieldInfo) -> str:
    """Its least and its greatest value: of several the one that is nearer."""
    found = {
        name: [getattr(note, name) for note in setting.metadata if getattr(note, name, None) is not None]
        for name in ("ge", "gt", "le", "lt")
    }
    told = (
        f"above {max(found['gt'])}" if found["gt"] else f"at least {max(found['ge'])}" if found["ge"] else "",
        f"below {min(found['lt'])}" if found["lt"] else f"at most {min(found['le'])}" if found["le"] else "",
    )
    return " and ".join(filter(None, told))
