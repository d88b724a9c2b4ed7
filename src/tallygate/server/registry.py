"""Services as a transport takes them: every method of a descriptor, wrapped, as a registered handler."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass

from tallygate.server.calls import Calls, Method, decoder
from tallygate.server.scopes import METHOD_RULES
from tallygate.server.streams import Streams

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


@dataclass(frozen=True, slots=True)
class Service:
    """A gRPC service by its full name, with a handler for each of its methods."""

    name: str
    handlers: dict[str, Handler]


def service_of(descriptor: ServiceDescriptor, servicer: object, *, calls: Calls, streams: Streams) -> Service:
    """The service with every method of `servicer` wrapped.

    Raises:
        AttributeError: the servicer lacks a method of its service.
        KeyError: a method has no row in METHOD_RULES.
    """
    handlers = {
        method.name: _handler(method, getattr(servicer, method.name), calls, streams) for method in descriptor.methods
    }
    return Service(descriptor.full_name, handlers)


def service_named(name: str, servicer: object, *, calls: Calls, streams: Streams) -> Service:
    """As `service_of`, for the service of this full name, whose messages the servicer's module has loaded."""
    return service_of(Default().FindServiceByName(name), servicer, calls=calls, streams=streams)


def _handler(method: MethodDescriptor, function: Any, calls: Calls, streams: Streams) -> Handler:  # noqa: ANN401 - a servicer's bound method
    service = method.containing_service
    known = Method(f"{service.name}/{method.name}", METHOD_RULES[f"{service.full_name}/{method.name}"])
    options = calls.options
    limit = options.max_batch_message_bytes if known.rule.batch else options.max_message_bytes
    decode = decoder(GetMessageClass(method.input_type), limit)
    encode = GetMessageClass(method.output_type).SerializeToString
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(streams.streaming(known, function), decode, encode)
    return grpc.unary_unary_rpc_method_handler(calls.unary(known, function), decode, encode)
