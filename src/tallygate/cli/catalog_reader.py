"""From YAML to the message Catalog, strictly: each scalar is what the wire's field says, and nothing is guessed.

YAML alone reads `no` as false and `12:30` as 750; here a scalar keeps its text until its field has been found.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import yaml
from google.protobuf.message import Message

from tallygate.cli.catalog_scalars import NOTHING, Expected, Field, choices, is_list, read_scalar
from tallygate.cli.failures import CommandError
from tallygate.cli.terminal import is_watched
from tallygate.records.naming import nearest
from tallygate.settings.documents import LARGE, DocumentError, compose, is_ambiguous
from tallygate.settings.texts import UnreadableError, decode, read_text
from tallygate_api.v1.catalog_pb2 import Catalog

SCHEMA = "tallygate.catalog.v1"
MAX_BYTES = 8 * 1024 * 1024
"""The longest document that is read: ten thousand plans are shorter, and no server takes more in one message."""
_LONGEST = 50
_DURATION = "google.protobuf.Duration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A catalogue, and where each part of it stands in its file."""

    file: str
    catalog: Catalog
    lines: dict[str, int]

    def place(self, path: str) -> str:
        """`file:line` of a part, or of what is nearest around it."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return f"{self.file}:{self.lines.get(path, 1)}"


def read_document(file: Path) -> Document:
    """Read a catalogue file; `-` is standard input.

    Raises:
        CommandError: it cannot be read or is not valid, one line a problem.
    """
    try:
        if str(file) == "-":
            if sys.stdin is None:
                msg = "cannot read standard input: it is closed"
                raise CommandError(msg)
            with click.open_file("-", "rb") as stream:
                text = decode(stream.read(MAX_BYTES + 1))
        else:
            text = read_text(file)
    except (UnreadableError, OSError) as error:
        msg = f"cannot read {'standard input' if str(file) == '-' else file}: {error}"
        raise CommandError(msg) from error
    return parse_document(text, file="stdin" if str(file) == "-" else str(file))


def parse_document(text: str, *, file: str) -> Document:
    """Read a catalogue from its text; `file` is what problems name.

    Raises:
        CommandError: the text is not a valid catalogue, one line a problem.
    """
    node = _compose(text, file)
    reader = _Reader(file=file)
    catalog = Catalog()
    reader.message(node, catalog, "")
    if not reader.problems and catalog.schema != SCHEMA:
        reader.problem(node, "schema", f"expected {SCHEMA}, got {catalog.schema or 'nothing'}")
    if reader.problems:
        raise CommandError("\n".join(line for _, line in sorted(reader.problems)))
    return Document(file=file, catalog=catalog, lines=reader.lines)


def _compose(text: str, file: str) -> yaml.Node:
    size = len(text.encode())
    if size > MAX_BYTES:
        msg = f"{file}: {size / 1024**2:.1f} MiB, and a catalogue has at most {MAX_BYTES // 1024**2} MiB"
        raise CommandError(msg)
    hidden = len(text) < LARGE or not is_watched()
    try:
        with click.progressbar(length=len(text), label=f"reading {file}", file=sys.stderr, hidden=hidden) as bar:
            node = compose(text, None if hidden else bar.update)
    except DocumentError as error:
        msg = f"{file}:{error.line}: {error}"
        raise CommandError(msg) from error
    if node is None:
        msg = f"{file}:1: the document is empty; it starts with `schema: {SCHEMA}`"
        raise CommandError(msg)
    return node


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Walks nodes and descriptors side by side; notes every problem rather than the first."""

    file: str
    problems: list[tuple[int, str]] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)

    def problem(self, node: yaml.Node, path: str, text: str) -> None:
        """Note what is wrong, and where."""
        line = node.start_mark.line + 1
        self.problems.append((line, f"{self.file}:{line}: {path or 'the document'}: {text}"))

    def message(self, node: yaml.Node, into: Message, path: str) -> None:
        """Fill a message from a mapping, or from the one word that names a choice of it."""
        if isinstance(node, yaml.ScalarNode) and not is_ambiguous(node) and node.value in choices(into.DESCRIPTOR):
            setattr(into, node.value, True)
            return
        if isinstance(node, yaml.SequenceNode) and (only := is_list(into.DESCRIPTOR)) is not None:
            self._list(only, node, getattr(into, only.name), path)
            return
        known = into.DESCRIPTOR.fields_by_name
        for key, key_node, value in self._entries(node, path, f"a mapping with {_names(into.DESCRIPTOR)}"):
            inner = f"{path}.{key}" if path else key
            self.lines[inner] = key_node.start_mark.line + 1
            if key not in known:
                self.problem(key_node, inner, f"unknown key{nearest(key, known)}")
            elif others := _alternatives(known[key], into):
                self.problem(key_node, inner, f"only one of {others} can stand here")
            else:
                self._field(known[key], value, into, inner)

    def _field(self, descriptor: Field, node: yaml.Node, into: Message, path: str) -> None:
        target: Any = getattr(into, descriptor.name)
        if _is_map(descriptor):
            self._map(descriptor.message_type.fields_by_name["value"], node, target, path)
        elif descriptor.is_repeated:
            self._list(descriptor, node, target, path)
            if descriptor.name in NOTHING and isinstance(node, yaml.SequenceNode) and not node.value:
                setattr(into, NOTHING[descriptor.name], True)
        elif descriptor.message_type is not None and descriptor.message_type.full_name != _DURATION:
            target.SetInParent()
            self.message(node, target, path)
        else:
            value = self._scalar(descriptor, node, path)
            if value is not None and descriptor.message_type is not None:
                target.CopyFrom(value)
            elif value is not None:
                setattr(into, descriptor.name, value)

    def _map(self, of: Field, node: yaml.Node, target: Any, path: str) -> None:  # noqa: ANN401 - a proto's map
        for key, key_node, value in self._entries(node, path, "a mapping by key"):
            inner = f"{path}.{key}"
            self.lines[inner] = key_node.start_mark.line + 1
            if of.message_type is not None:
                self.message(value, target[key], inner)
            elif (scalar := self._scalar(of, value, inner)) is not None:
                target[key] = scalar

    def _list(self, descriptor: Field, node: yaml.Node, target: Any, path: str) -> None:  # noqa: ANN401 - a proto's list
        if not isinstance(node, yaml.SequenceNode):
            self.problem(node, path, f"expected a list, got {_shown(node)}")
            return
        for index, item in enumerate(node.value):
            inner = f"{path}[{index}]"
            self.lines[inner] = item.start_mark.line + 1
            if descriptor.message_type is not None:
                self.message(item, target.add(), inner)
            elif (value := self._scalar(descriptor, item, inner)) is not None:
                target.append(value)

    def _scalar(self, descriptor: Field, node: yaml.Node, path: str) -> Any:  # noqa: ANN401 - the field's own type
        try:
            return read_scalar(descriptor, node)
        except Expected as error:
            self.problem(node, path, f"expected {error}, got {_shown(node)}")
            return None

    def _entries(self, node: yaml.Node, path: str, expected: str) -> list[tuple[str, yaml.Node, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            self.problem(node, path, f"expected {expected}, got {_shown(node)}")
            return []
        entries: dict[str, tuple[str, yaml.Node, yaml.Node]] = {}
        for key_node, value in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or is_ambiguous(key_node):
                self.problem(key_node, path, f"expected a text as key, got {_shown(key_node)}; put it in quotes")
            elif key_node.value in entries:
                first = entries[key_node.value][1].start_mark.line + 1
                self.problem(key_node, path, f"the key {key_node.value!r} comes twice, first in line {first}")
            else:
                entries[key_node.value] = (key_node.value, key_node, value)
        return list(entries.values())


def _alternatives(descriptor: Field, into: Message) -> str:
    """The names of the fields of which only one can be set, where one is already."""
    oneof = descriptor.containing_oneof
    if oneof is None or len(oneof.fields) == 1 or into.WhichOneof(oneof.name) is None:
        return ""
    return _names(oneof)


def _is_map(descriptor: Field) -> bool:
    return descriptor.message_type is not None and bool(descriptor.message_type.GetOptions().map_entry)


def _names(descriptor: Any) -> str:  # noqa: ANN401 - a message's descriptor, of either kind
    return ", ".join(item.name for item in descriptor.fields)


def _shown(node: yaml.Node) -> str:
    match node:
        case yaml.MappingNode():
            return "a mapping"
        case yaml.SequenceNode():
            return "a list"
        case yaml.ScalarNode() if not node.value and node.style is None:
            return "nothing"
        case yaml.ScalarNode() if node.style in {'"', "'"}:
            return f"the text {node.value[:_LONGEST]!r}"
        case _:
            return str(node.value)[:_LONGEST]
