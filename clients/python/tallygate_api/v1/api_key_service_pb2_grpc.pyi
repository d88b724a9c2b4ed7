"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import api_key_service_pb2 as _pb2

class ApiKeyServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    CreateApiKey: grpc.UnaryUnaryMultiCallable[_pb2.CreateApiKeyRequest, _pb2.CreateApiKeyResponse]
    ListApiKeys: grpc.UnaryUnaryMultiCallable[_pb2.ListApiKeysRequest, _pb2.ListApiKeysResponse]
    RevokeApiKey: grpc.UnaryUnaryMultiCallable[_pb2.RevokeApiKeyRequest, _pb2.RevokeApiKeyResponse]

class ApiKeyServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    CreateApiKey: grpc.aio.UnaryUnaryMultiCallable[_pb2.CreateApiKeyRequest, _pb2.CreateApiKeyResponse]
    ListApiKeys: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListApiKeysRequest, _pb2.ListApiKeysResponse]
    RevokeApiKey: grpc.aio.UnaryUnaryMultiCallable[_pb2.RevokeApiKeyRequest, _pb2.RevokeApiKeyResponse]

class ApiKeyServiceServicer:
    def CreateApiKey(self, request: _pb2.CreateApiKeyRequest, context: grpc.aio.ServicerContext[_pb2.CreateApiKeyRequest, _pb2.CreateApiKeyResponse]) -> Awaitable[_pb2.CreateApiKeyResponse]: ...
    def ListApiKeys(self, request: _pb2.ListApiKeysRequest, context: grpc.aio.ServicerContext[_pb2.ListApiKeysRequest, _pb2.ListApiKeysResponse]) -> Awaitable[_pb2.ListApiKeysResponse]: ...
    def RevokeApiKey(self, request: _pb2.RevokeApiKeyRequest, context: grpc.aio.ServicerContext[_pb2.RevokeApiKeyRequest, _pb2.RevokeApiKeyResponse]) -> Awaitable[_pb2.RevokeApiKeyResponse]: ...

def add_ApiKeyServiceServicer_to_server(
    servicer: ApiKeyServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
