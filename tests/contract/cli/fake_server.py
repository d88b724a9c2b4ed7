"""A gRPC server that answers what a test tells it to, and remembers what it was asked."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from tallygate_api.v1 import (
    account_service_pb2,
    api_key_service_pb2,
    audit_service_pb2,
    billing_service_pb2,
    catalog_service_pb2,
    charge_service_pb2,
    discount_service_pb2,
    entitlement_service_pb2,
    invoice_service_pb2,
    ledger_service_pb2,
    message_service_pb2,
    order_service_pb2,
    partner_service_pb2,
    payment_service_pb2,
    pricing_service_pb2,
    product_service_pb2,
    report_service_pb2,
    subscription_service_pb2,
    test_clock_service_pb2,
    usage_service_pb2,
)

_FILES = (
    account_service_pb2,
    api_key_service_pb2,
    audit_service_pb2,
    billing_service_pb2,
    catalog_service_pb2,
    charge_service_pb2,
    entitlement_service_pb2,
    invoice_service_pb2,
    ledger_service_pb2,
    message_service_pb2,
    discount_service_pb2,
    order_service_pb2,
    partner_service_pb2,
    payment_service_pb2,
    pricing_service_pb2,
    report_service_pb2,
    product_service_pb2,
    subscription_service_pb2,
    test_clock_service_pb2,
    usage_service_pb2,
)
METHODS = {
    f"/{service.full_name}/{method.name}": method
    for file in _FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


class Refuse:
    """An answer that is an error, with an ErrorInfo where there is a reason."""

    def __init__(self, code: grpc.StatusCode, message: str, reason: str = "", **metadata: str) -> None:
        self.code, self.message, self.reason, self.metadata = code, message, reason, metadata

    def trailing(self) -> tuple[tuple[str, bytes], ...]:
        if not self.reason:
            return ()
        detail = AnyMessage()
        detail.Pack(ErrorInfo(reason=self.reason, domain="tallygate", metadata=self.metadata))
        status = Status(code=self.code.value[0], message=self.message, details=[detail])
        return (("grpc-status-details-bin", status.SerializeToString()),)


Answer = Message | Refuse | list[Any] | Callable[[Any], Message]
"""A list is answered one by one, its last element for good; of a streaming method it is the stream, up to a "wait"."""


class FakeServer(grpc.GenericRpcHandler):
    """Answers `answers[method]`, else an empty message; `requests` holds what came, by method name."""

    def __init__(self, credentials: grpc.ServerCredentials | None = None) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, Any]] = []
        self.metadata: list[dict[str, str]] = []
        self._server = grpc.server(ThreadPoolExecutor(max_workers=8), handlers=[self])
        place = "127.0.0.1:0"
        server = self._server
        port = server.add_secure_port(place, credentials) if credentials else server.add_insecure_port(place)
        self.address = f"127.0.0.1:{port}"
        self._server.start()

    def stop(self) -> None:
        self._server.stop(None).wait()

    def asked(self, method: str) -> list[Any]:
        """The requests of one method."""
        return [request for name, request in self.requests if name == method]

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        method = METHODS[handler_call_details.method]
        request = message_factory.GetMessageClass(method.input_type)
        coding = {"request_deserializer": request.FromString, "response_serializer": lambda m: m.SerializeToString()}
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(lambda r, c: self._stream(method, r, c), **coding)
        return grpc.unary_unary_rpc_method_handler(lambda r, c: self._answer(method, r, c), **coding)

    def _answer(self, method: Any, request: Any, context: grpc.ServicerContext) -> Message:
        self._note(method, request, context)
        answer = self.answers.get(method.name, message_factory.GetMessageClass(method.output_type)())
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        return self._say(answer(request) if callable(answer) else answer, context)

    def _stream(self, method: Any, request: Any, context: grpc.ServicerContext) -> Iterator[Message]:
        self._note(method, request, context)
        for answer in self.answers.get(method.name, []):
            if answer == "wait":
                left = Event()
                context.add_callback(left.set)
                left.wait()
                return
            yield self._say(answer, context)

    def _note(self, method: Any, request: Any, context: grpc.ServicerContext) -> None:
        self.requests.append((method.name, request))
        self.metadata.append(dict(context.invocation_metadata()))

    def _say(self, answer: Any, context: grpc.ServicerContext) -> Message:
        if isinstance(answer, Refuse):
            context.set_trailing_metadata(answer.trailing())
            context.abort(answer.code, answer.message)
        return answer
