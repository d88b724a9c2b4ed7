"""Write the pages of docs/ that protos' comments are: `python protos/reference.py`, or with `--check` only compare."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from generate import compile_protos
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

DOCS = Path(__file__).resolve().parent.parent / "docs"
_CATALOG, _ERRORS = "tallygate/v1/catalog.proto", "tallygate/v1/error_reason.proto"
_MESSAGES, _ENUMS, _NESTED, _FIELDS, _VALUES = 4, 5, 3, 2, 2
"""Numbers of fields in descriptor.proto, of which paths to comments are made."""
_DURATION = ".google.protobuf.Duration"
_SCALARS = {
    FieldDescriptorProto.TYPE_STRING: "text",
    FieldDescriptorProto.TYPE_BOOL: "true or false",
    FieldDescriptorProto.TYPE_INT32: "integer",
    FieldDescriptorProto.TYPE_INT64: "integer",
}
_HEAD = "<!-- Written by protos/reference.py from {source}: change the comments there. -->\n\n# {title}\n\n{lead}\n"


def main() -> int:
    """Write the pages, or with `--check` say which are out of date and return 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is out of date")
    check = parser.parse_args().check
    stale = {name: text for name, text in pages().items() if not _is(DOCS / name, text)}
    for name, text in stale.items():
        if check:
            sys.stderr.write(f"out of date: {DOCS / name}; make proto\n")
        else:
            (DOCS / name).write_text(text, "utf-8")
    return 1 if check and stale else 0


def pages() -> dict[str, str]:
    """Every page by its name in docs/."""
    with TemporaryDirectory() as directory:
        compile_protos(Path(directory))
        image = FileDescriptorSet.FromString((Path(directory) / "image").read_bytes())
    files = {file.name: file for file in image.file}
    return {
        "catalogue-reference.md": _catalogue(Source(files[_CATALOG])),
        "errors.md": _errors(Source(files[_ERRORS])),
    }


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text("utf-8") == text


class Source:
    """A proto with the comments of its parts."""

    def __init__(self, file: FileDescriptorProto) -> None:
        self.file = file
        self._comments = {tuple(at.path): at.leading_comments for at in file.source_code_info.location}
        self.messages: dict[str, tuple[DescriptorProto, tuple[int, ...]]] = {}
        self.enums: dict[str, tuple[EnumDescriptorProto, tuple[int, ...]]] = {}
        for index, enum in enumerate(file.enum_type):
            self.enums[f".{file.package}.{enum.name}"] = (enum, (_ENUMS, index))
        for index, message in enumerate(file.message_type):
            self._add(f".{file.package}", message, (_MESSAGES, index))

    def comment(self, *path: int) -> str:
        """What stands above a part, without its indentation."""
        lines = self._comments.get(path, "").splitlines()
        return "\n".join(line.removeprefix(" ") for line in lines).strip()

    def line(self, *path: int) -> str:
        """The same in one line, safe in a table's cell."""
        return " ".join(self.comment(*path).split()).replace("|", "\\|")

    def _add(self, scope: str, message: DescriptorProto, path: tuple[int, ...]) -> None:
        name = f"{scope}.{message.name}"
        self.messages[name] = (message, path)
        for index, nested in enumerate(message.nested_type):
            self._add(name, nested, (*path, _NESTED, index))


def _catalogue(source: Source) -> str:
    lead = (
        "What a catalogue document can hold: `tallygate catalog validate FILE` checks one and names the line and what\n"
        'was expected, `tallygate catalog apply FILE` publishes it. Money is a text of decimal digits, `"49.00"`.'
    )
    parts = [_HEAD.format(source="protos/" + _CATALOG, title="The catalogue, key by key", lead=lead)]
    parts += [_section(source, name) for name in _reachable(source, f".{source.file.package}.Catalog")]
    return "\n".join(parts)


def _reachable(source: Source, first: str) -> list[str]:
    """Messages in the order in which a reader meets them."""
    found = [first]
    for name in found:
        for field in source.messages[name][0].field:
            inner = _value(source, field).type_name
            if inner in source.messages and inner not in found:
                found.append(inner)
    return found


def _section(source: Source, name: str) -> str:
    message, path = source.messages[name]
    rows = [
        f"| `{field.name}` | {_type(source, field)} | {source.line(*path, _FIELDS, index)} |"
        for index, field in enumerate(message.field)
    ]
    words = list(_enum_lines(source, message))
    return "\n".join(
        [
            f"## {_title(name)}\n",
            source.comment(*path) + "\n",
            "| key | holds | |",
            "| --- | --- | --- |",
            *rows,
            *(["", *words] if words else []),
            "",
        ]
    )


def _enum_lines(source: Source, message: DescriptorProto) -> Iterator[str]:
    for name in dict.fromkeys(field.type_name for field in message.field if field.type_name in source.enums):
        enum, path = source.enums[name]
        prefix = enum.value[0].name.removesuffix("UNSPECIFIED")
        for index, value in enumerate(enum.value):
            word = value.name.removeprefix(prefix).lower() if value.number else "(absent)"
            yield f"* {_title(name)} `{word}`: {source.line(*path, _VALUES, index)}"


def _value(source: Source, field: FieldDescriptorProto) -> FieldDescriptorProto:
    """Of a map its values, else the field itself."""
    entry = source.messages.get(field.type_name)
    return entry[0].field[1] if entry and entry[0].options.map_entry else field


def _type(source: Source, field: FieldDescriptorProto) -> str:
    value = _value(source, field)
    if value.type_name == _DURATION:
        name = "duration, as `500ms`, `60s` or `24h`"
    elif value.type_name in source.enums:
        enum, _ = source.enums[value.type_name]
        prefix = enum.value[0].name.removesuffix("UNSPECIFIED")
        name = " or ".join(f"`{item.name.removeprefix(prefix).lower()}`" for item in enum.value if item.number)
    elif value.type_name in source.messages:
        name = f"[{_title(value.type_name)}](#{_title(value.type_name).lower()})"
    else:
        name = _SCALARS.get(value.type, "number")
    if value is not field:
        return f"by key: {name}"
    return f"list of {name}" if field.label == FieldDescriptorProto.LABEL_REPEATED else name


def _title(name: str) -> str:
    return name.rpartition(".")[2]


def _errors(source: Source) -> str:
    [(enum, path)] = source.enums.values()
    prefix = enum.value[0].name.removesuffix("UNSPECIFIED")
    parts = [_HEAD.format(source="protos/" + _ERRORS, title="Errors, reason by reason", lead=source.comment(*path))]
    for index, value in enumerate(enum.value):
        if value.number:
            parts.append(f"## {value.name.removeprefix(prefix)}\n\n{source.comment(*path, _VALUES, index)}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
