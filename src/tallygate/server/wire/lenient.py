"""Requests whose texts come from end users: bytes that are no UTF-8 are written out, instead of making them unreadable.

A proxy copies header values as they came, and protobuf refuses a whole message for one such byte. For messages
without maps and lists of texts.
"""

from collections.abc import Callable
from functools import cache
from typing import TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

M = TypeVar("M", bound=Message)


def lenient(message: type[M]) -> Callable[[bytes], M]:
    """What reads this message, with every byte of its parts' texts that is no UTF-8 written out in four characters.

    Raises:
        DecodeError: it is not the message even so.
    """

    def read(data: bytes) -> M:
        try:
            return message.FromString(data)
        except DecodeError:
            raw = _with_bytes(message.DESCRIPTOR).FromString(data)
            _write_out_parts(raw)
            return message.FromString(raw.SerializeToString())

    return read


@cache
def _with_bytes(descriptor: Descriptor) -> type[Message]:
    """The same message on the wire, with bytes where it has texts."""
    pool = DescriptorPool()
    _add(descriptor.file, pool, set())
    return GetMessageClass(pool.FindMessageTypeByName(descriptor.full_name))


def _add(file: FileDescriptor, pool: DescriptorPool, added: set[str]) -> None:
    if file.name in added:
        return
    added.add(file.name)
    for dependency in file.dependencies:
        _add(dependency, pool, added)
    proto = FileDescriptorProto()
    file.CopyToProto(proto)
    for message in proto.message_type:
        _change(message)
    pool.Add(proto)


def _change(message: DescriptorProto) -> None:
    for field in message.field:
        if field.type == FieldDescriptorProto.TYPE_STRING:
            field.type = FieldDescriptorProto.TYPE_BYTES
    for nested in message.nested_type:
        if not nested.options.map_entry:  # bytes can be no key of a map
            _change(nested)


def _write_out_parts(message: Message) -> None:
    """Write out the texts of the messages in it; its own are the caller's, not an end user's."""
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for part in value if field.is_repeated else [value]:
                _write_out(part)


def _write_out(message: Message) -> None:
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_BYTES and not field.is_repeated:
            setattr(message, field.name, _text(value))
    _write_out_parts(message)


def _text(data: bytes) -> bytes:
    return data.decode("utf-8", "backslashreplace").encode()
