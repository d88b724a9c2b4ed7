"""A settings file, read as strictly as the catalogue: each value as it is written, with its line."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path

import yaml

from tallygate.settings.documents import DocumentError, compose, is_ambiguous
from tallygate.settings.texts import UnreadableError, read_text

_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,18})", re.ASCII)
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,18})\.[0-9]{1,18}", re.ASCII)
_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_SHOWN = 50
Value = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a setting may be in a file: values of these types; `expected` says so to people."""

    types: frozenset[type]
    expected: str


@dataclass(slots=True, kw_only=True)
class FileSettings:
    """What a file says, by dotted key, where it says so, and everything that is wrong with it by line."""

    path: Path
    values: dict[str, Value] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def problem(self, line: int, text: str) -> None:
        """Note what is wrong."""
        self.problems.append((line, f"{self.path}:{line}: {text}"))

    def place(self, key: str) -> str:
        """`file:line` of a key."""
        return f"{self.path}:{self.lines.get(key, 1)}"


def read_file(path: Path, forms: Mapping[str, Form]) -> FileSettings:
    """Read a settings file, YAML or, by its name, TOML; unknown keys stand among the values, for others to judge."""
    found, text = FileSettings(path=path), ""
    try:
        text = read_text(path)
        if path.suffix == ".toml":
            _Toml(found, forms, text).table(tomllib.loads(text), "")
        elif (node := compose(text)) is not None:
            _Yaml(found, forms).section(node, "")
    except UnreadableError as error:
        found.problems.append((0, f"cannot read the settings file {path}: {error}"))
    except DocumentError as error:
        found.problem(error.line, str(error))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        place = _TOML_PLACE.search(str(error))
        line = int(place[1] or len(text.splitlines())) if place else 1
        found.problem(line, _TOML_PLACE.sub("", str(error)))
    return found


def _children(forms: Mapping[str, Form], path: str) -> list[str]:
    names = (key.removeprefix(path).partition(".")[0] for key in forms if key.startswith(path))
    return list(dict.fromkeys(names))


class _Yaml:
    """Walks the nodes of a YAML document."""

    def __init__(self, found: FileSettings, forms: Mapping[str, Form]) -> None:
        self._found = found
        self._forms = forms

    def section(self, node: yaml.Node, path: str) -> None:
        """Read a mapping of settings and of sections."""
        if not isinstance(node, yaml.MappingNode):
            names = ", ".join(_children(self._forms, path))
            told = f"expected a mapping with {names}, got {_shown(node)}"
            self._found.problem(_line(node), f"{path.removesuffix('.') or 'the document'}: {told}")
            return
        for key_node, value in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or is_ambiguous(key_node):
                self._found.problem(_line(key_node), f"expected the name of a setting, got {_shown(key_node)}")
            else:
                self._entry(f"{path}{key_node.value}", _line(key_node), value)

    def _entry(self, key: str, line: int, node: yaml.Node) -> None:
        if key in self._found.lines:
            told = f"the key {key} comes twice, first in line {self._found.lines[key]}"
            self._found.problem(line, told)
            return
        self._found.lines[key] = line
        form = self._forms.get(key)
        if form is None and _children(self._forms, f"{key}."):
            self.section(node, f"{key}.")
            return
        value = _scalar(node)
        if form is None:
            self._found.values[key] = ""  # unknown, whatever it is
        elif value is None or type(value) not in form.types:
            quoted = (
                "; put it in quotes" if form.types == {str} and isinstance(node, yaml.ScalarNode) and node.value else ""
            )
            self._found.problem(line, f"{key}: expected {form.expected}, got {_shown(node)}{quoted}")
        else:
            self._found.values[key] = value


class _Toml:
    """Walks the tables of a TOML document, which knows types, and refuses keys that come twice, by itself."""

    def __init__(self, found: FileSettings, forms: Mapping[str, Form], text: str) -> None:
        self._found = found
        self._forms = forms
        self._places = dict(_toml_lines(text))

    def table(self, values: Mapping[str, object], path: str) -> None:
        """Read a table of settings and of tables."""
        for name, value in values.items():
            key = f"{path}{name}"
            line = self._found.lines[key] = self._places.get(key, 1)
            form = self._forms.get(key)
            if form is None and isinstance(value, dict):
                self.table(value, f"{key}.")
            elif form is None:
                self._found.values[key] = ""
            elif isinstance(value, str | int | float) and type(value) in form.types:
                self._found.values[key] = value
            else:
                self._found.problem(line, f"{key}: expected {form.expected}, got {_told(value)}")


def _toml_lines(text: str) -> Iterator[tuple[str, int]]:
    """Where keys stand that are written in the plain way, each on a line of its own."""
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[([\w.]+)\]", line):
            section = f"{header[1]}."
        elif entry := re.match(r"\s*([\w.]+)\s*=", line):
            yield f"{section}{entry[1]}", number


def _scalar(node: yaml.Node) -> Value | None:
    """What a scalar is without a doubt; None where readers differ, as with `010`, `yes` or `1:30`, or it is nothing."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    text = str(node.value)
    if not is_ambiguous(node):
        return text
    if text in {"true", "false"}:
        return text == "true"
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _shown(node: yaml.Node) -> str:
    match node:
        case yaml.MappingNode():
            return "a mapping"
        case yaml.SequenceNode():
            return "a list"
        case yaml.ScalarNode() if is_ambiguous(node):
            return str(node.value)[:_SHOWN] or "nothing"
        case _:  # never shown: it may be a secret
            return "a text"


def _told(value: object) -> str:
    match value:
        case dict():
            return "a table"
        case list():
            return "a list"
        case str():
            return "a text"
        case date() | time():
            return "a date or time"
        case _:
            return str(value).lower()
