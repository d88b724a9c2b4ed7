"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import message_service_pb2 as _pb2

class MessageServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    ListMessages: grpc.UnaryUnaryMultiCallable[_pb2.ListMessagesRequest, _pb2.ListMessagesResponse]

class MessageServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    ListMessages: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListMessagesRequest, _pb2.ListMessagesResponse]

class MessageServiceServicer:
    def ListMessages(self, request: _pb2.ListMessagesRequest, context: grpc.aio.ServicerContext[_pb2.ListMessagesRequest, _pb2.ListMessagesResponse]) -> Awaitable[_pb2.ListMessagesResponse]: ...

def add_MessageServiceServicer_to_server(
    servicer: MessageServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
