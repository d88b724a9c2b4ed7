"""Calls of clients that are known by their certificate, as handlers see them: under the header that says so."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import replace
from typing import Any, NoReturn

import grpc

from tallygate.server.calls.certified import Certified
from tallygate.server.calls.port import Metadata, authorization_of
from tallygate.server.calls.registry import Handler, Service
from tallygate.server.wire.errors import Trailing

_NAMES = ("peer_spiffe_id", "x509_subject")
_AUTHORIZATION = "authorization"


def certified_services(services: Iterable[Service], certified: Certified) -> list[Service]:
    """The same services, whose calls come under the header of their client's certificate."""
    return [
        replace(each, handlers={name: _handler(handler, certified) for name, handler in each.handlers.items()})
        for each in services
    ]


def _handler(handler: Any, certified: Certified) -> Handler:  # noqa: ANN401 - its types know grpcio's context alone
    follow: Any = handler.unary_stream
    serve: Any = handler.unary_unary

    async def followed(data: bytes, context: Any) -> AsyncGenerator[bytes, None]:  # noqa: ANN401 - grpc.aio's own
        async with aclosing(follow(data, _Context(context, certified))) as items:
            async for item in items:
                yield item

    async def served(data: bytes, context: Any) -> bytes:  # noqa: ANN401 - as above
        return bytes(await serve(data, _Context(context, certified)))

    if follow is not None:
        return grpc.unary_stream_rpc_method_handler(followed)
    return grpc.unary_unary_rpc_method_handler(served)


class _Context:
    """A context whose metadata says who calls."""

    def __init__(self, context: Any, certified: Certified) -> None:  # noqa: ANN401 - grpc.aio's own
        self._context = context
        shown = context.auth_context()
        names = [name.decode(errors="replace") for kind in _NAMES for name in shown.get(kind, ())]
        brought: Metadata = tuple(context.invocation_metadata() or ())
        header = certified.header(names, authorization_of(brought))
        others = tuple(pair for pair in brought if pair[0] != _AUTHORIZATION)
        self._metadata = others if header is None else ((_AUTHORIZATION, header), *others)

    def invocation_metadata(self) -> Metadata:
        """As the caller sent it, but for who that is."""
        return self._metadata

    def time_remaining(self) -> float | None:
        """As the transport says."""
        left: float | None = self._context.time_remaining()
        return left

    def set_trailing_metadata(self, trailing_metadata: Trailing) -> None:
        """As the transport does."""
        self._context.set_trailing_metadata(trailing_metadata)

    async def abort(self, code: grpc.StatusCode, details: str, trailing_metadata: Trailing) -> NoReturn:
        """As the transport does."""
        await self._context.abort(code, details, trailing_metadata)
        raise AssertionError
