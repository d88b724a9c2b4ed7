"""From the message Catalog to YAML that reads back as the same message."""

from typing import Any

import yaml
from google.protobuf.message import Message
from typing_extensions import override

from tallygate.cli.catalog_scalars import NOTHING, Field, choices, duration_text, enum_words, is_list
from tallygate_api.v1.catalog_pb2 import Catalog

_WIDTH = 120
_DURATION = "google.protobuf.Duration"


def write_catalog(catalog: Catalog) -> str:
    """The catalogue as a YAML document, keys in order, parts that are not set left out."""
    return yaml.dump(
        _tree(catalog), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=None
    )


class _Dumper(yaml.SafeDumper):
    """Writes what repeats again, rather than an alias to it."""

    @override
    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def _tree(message: Message) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        if field.name in NOTHING and getattr(message, NOTHING[field.name]):
            tree[field.name] = []
        elif _is_set(field, message) and field.name not in NOTHING.values():
            tree[field.name] = _value(field, getattr(message, field.name))
    return tree


def _is_set(field: Field, message: Message) -> bool:
    return message.HasField(field.name) if field.has_presence else bool(getattr(message, field.name))


def _value(field: Field, value: Any) -> Any:  # noqa: ANN401 - the field's own type
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return {key: _single(field.message_type.fields_by_name["value"], value[key]) for key in sorted(value)}
    if field.is_repeated:
        return [_single(field, item) for item in value]
    return _single(field, value)


def _single(field: Field, value: Any) -> Any:  # noqa: ANN401 - the field's own type
    if field.enum_type is not None:
        words = {number: word for word, number in enum_words(field.enum_type).items()}
        return words.get(value, value)
    if field.message_type is None:
        return value
    if field.message_type.full_name == _DURATION:
        return duration_text(value)
    if (only := is_list(field.message_type)) is not None:
        return _value(only, getattr(value, only.name))
    tree = _tree(value)
    word = next(iter(tree), "")
    return word if word in choices(field.message_type) and tree == {word: True} else tree
