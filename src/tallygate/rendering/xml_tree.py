"""XML from nested tuples: what is empty is left out, so a builder says only what can stand where."""

from collections.abc import Iterable, Mapping
from typing import Union
from xml.sax.saxutils import escape, quoteattr

Node = tuple[str, Mapping[str, str], Union[str, "Children"]]
Children = tuple["Node | None", ...]


def node(name: str, content: "str | Iterable[Node | None]" = "", **attributes: str) -> Node | None:
    """An element with a text or elements in it; None where it would be empty."""
    inner = content if isinstance(content, str) else tuple(each for each in content if each is not None)
    return (name, attributes, inner) if inner else None


def document(root: Node | None, namespaces: Mapping[str, str]) -> bytes:
    """A whole document in UTF-8, one element a line."""
    if root is None:
        msg = "a document has a root"
        raise ValueError(msg)
    name, attributes, inner = root
    declared = {f"xmlns:{prefix}" if prefix else "xmlns": uri for prefix, uri in namespaces.items()}
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', *_lines((name, {**declared, **attributes}, inner), "")]
    return "\n".join([*lines, ""]).encode()


def _lines(each: Node, indent: str) -> Iterable[str]:
    name, attributes, inner = each
    opened = name + "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    if isinstance(inner, str):
        yield f"{indent}<{opened}>{escape(inner)}</{name}>"
        return
    yield f"{indent}<{opened}>"
    for child in inner:
        if child is not None:
            yield from _lines(child, f"{indent}  ")
    yield f"{indent}</{name}>"
