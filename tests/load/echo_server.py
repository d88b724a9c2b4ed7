"""The yardstick: each method of EntitlementService and ShouldRateLimit answers an empty message at once.

It decodes the same requests as Tallygate, so a ratio to it shows the work that Tallygate does and nothing else.
"""

import argparse
import asyncio
import signal
import sys
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message_factory import GetMessageClass

from tallygate_api.envoy.service.ratelimit.v3 import rls_pb2
from tallygate_api.v1 import entitlement_service_pb2

_SERVICES = (
    entitlement_service_pb2.DESCRIPTOR.services_by_name["EntitlementService"],
    rls_pb2.DESCRIPTOR.services_by_name["RateLimitService"],
)


def main() -> None:
    """Serve until SIGTERM; the first line on stdout says where."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--transport", choices=["grpcio", "native"], required=True)
    parser.add_argument("--address", required=True)
    options = parser.parse_args()
    asyncio.run(_serve(options.transport, options.address))


async def _serve(transport: str, address: str) -> None:
    server = _new_server(transport)
    for service in _SERVICES:
        server.add_registered_method_handlers(service.full_name, {m.name: _handler(m) for m in service.methods})
    port = server.add_insecure_port(address)
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    await server.stop(None)


def _new_server(transport: str) -> Any:
    if transport == "grpcio":
        return grpc.aio.server(options=[("grpc.so_reuseport", 0), ("grpc.max_concurrent_streams", 1024)])
    import pygrpc_native.aio  # noqa: PLC0415 - an extra, and only this transport needs it

    return pygrpc_native.aio.Server(io_threads=1)


def _handler(method: Any) -> Any:
    answer = GetMessageClass(method.output_type)()

    async def answer_empty(_request: Any, _context: Any) -> Any:
        return answer

    decode = GetMessageClass(method.input_type).FromString
    encode = GetMessageClass(method.output_type).SerializeToString
    return grpc.unary_unary_rpc_method_handler(answer_empty, decode, encode)


if __name__ == "__main__":
    main()
