"""Services as a transport takes them: every method of a descriptor, wrapped, as a registered handler."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass

from tallygate.server.calls.method import Method, decoder
from tallygate.server.calls.scopes import METHOD_RULES
from tallygate.server.calls.streams import Streams
from tallygate.server.calls.wrapper import Calls

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
    handlers = {method.name: _handler(method, servicer, calls, streams) for method in descriptor.methods}
    return Service(descriptor.full_name, handlers)


def service_named(name: str, servicer: object, *, calls: Calls, streams: Streams) -> Service:
    """As `service_of`, for the service of this full name, whose messages the servicer's module has loaded."""
    return service_of(Default().FindServiceByName(name), servicer, calls=calls, streams=streams)


def _handler(method: MethodDescriptor, servicer: object, calls: Calls, streams: Streams) -> Handler:
    """Bytes in, bytes out: the wrapper decodes and encodes, so that it can answer without doing either."""
    service = method.containing_service
    rule = METHOD_RULES[f"{service.full_name}/{method.name}"]
    options = calls.options
    limit = options.max_batch_message_bytes if rule.batch else options.max_message_bytes
    read = (getattr(servicer, "readers", None) or {}).get(method.name)
    known = Method(
        f"{service.name}/{method.name}",
        rule,
        decoder(GetMessageClass(method.input_type), limit, read),
        max_bytes=options.max_message_bytes,
        fast=(getattr(servicer, "fast_answers", None) or {}).get(method.name),
        straight=(getattr(servicer, "straight_methods", None) or {}).get(method.name),
        weigh=(getattr(servicer, "weights", None) or {}).get(method.name),
    )
    function = getattr(servicer, method.name)
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(streams.streaming(known, function))
    return grpc.unary_unary_rpc_method_handler(calls.unary(known, function))
