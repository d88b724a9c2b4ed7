"""Reflection in both its versions, which have the same messages; methods, fields and values are found, too."""

import re
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import Default
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc
from typing_extensions import override

V1ALPHA: str = reflection.SERVICE_NAME
V1 = "grpc.reflection.v1.ServerReflection"
_OLD, _NEW = ".grpc.reflection.v1alpha.", ".grpc.reflection.v1."
_OURS, _STUBS = "tallygate.v1", "tallygate_api.v1"
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")
_FILE = "grpc/reflection/v1/reflection.proto"


class _Symbols(reflection.BaseReflectionServicer):  # type: ignore[misc] # untyped
    """The library's own search knows neither methods nor fields nor values.

    Services that another process answers are described by their messages, too, which are loaded once somebody asks.
    """

    @override
    def _file_by_filename(self, request: Any, filename: str) -> Any:
        _load(self._service_names)
        return super()._file_by_filename(request, filename)

    @override
    def _file_containing_symbol(self, request: Any, fully_qualified_name: str) -> Any:
        _load(self._service_names)
        parent, _, member = fully_qualified_name.rpartition(".")
        known = _has_member(parent, member)
        return super()._file_containing_symbol(request, parent if known else fully_qualified_name)


class _Waiting(_Symbols, reflection.aio.ReflectionServicer):  # type: ignore[misc] # untyped
    pass


class _Blocking(_Symbols, reflection.ReflectionServicer):  # type: ignore[misc] # untyped
    pass


def enable_reflection(services: Iterable[str], server: Any) -> None:  # noqa: ANN401 - grpcio's or native's
    """Let a server describe these services, its health and reflection itself, to any caller."""
    _describe_v1()
    names = (*services, V1ALPHA, V1)
    servicer = _Waiting(names) if isinstance(server, grpc.aio.Server) else _Blocking(names)
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, server)
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    handlers = {"ServerReflectionInfo": handler}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(V1, handlers),))
    server.add_registered_method_handlers(V1, handlers)


@cache
def _load(services: tuple[str, ...]) -> None:
    for name in services:
        package, _, service = name.rpartition(".")
        if package == _OURS:
            import_module(f"{_STUBS}.{_CAPITAL.sub('_', service).lower()}_pb2")


def _has_member(parent: str, member: str) -> bool:
    """Whether this service has such a method, this message such a field, or this enum such a value."""
    pool = Default()
    for find, members in (
        (pool.FindServiceByName, "methods_by_name"),
        (pool.FindMessageTypeByName, "fields_by_name"),
        (pool.FindMessageTypeByName, "oneofs_by_name"),
        (pool.FindEnumTypeByName, "values_by_name"),
    ):
        try:
            found: Any = find(parent)
        except KeyError:
            continue
        if member in getattr(found, members):
            return True
    return False


def _describe_v1() -> None:
    """Make v1 known to the pool: the package is another one, and nothing else."""
    try:
        Default().FindServiceByName(V1)
    except KeyError:
        file = FileDescriptorProto()
        reflection_pb2.DESCRIPTOR.CopyToProto(file)
        file.name, file.package = _FILE, _NEW.strip(".")
        for message in file.message_type:
            _rename(message)
        for method in file.service[0].method:
            method.input_type = method.input_type.replace(_OLD, _NEW)
            method.output_type = method.output_type.replace(_OLD, _NEW)
        Default().AddSerializedFile(file.SerializeToString())


def _rename(message: DescriptorProto) -> None:
    for field in message.field:
        if field.type_name:
            field.type_name = field.type_name.replace(_OLD, _NEW)
    for nested in message.nested_type:
        _rename(nested)
