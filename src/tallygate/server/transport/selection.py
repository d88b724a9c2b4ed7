"""Which transport carries gRPC on a listener: the one seam between the two."""

import logging
from collections.abc import Sequence
from typing import Literal

from tallygate.server.calls.registry import Service
from tallygate.server.calls.streams import Streams
from tallygate.server.calls.wrapper import Calls
from tallygate.server.listeners import Address
from tallygate.server.transport import native
from tallygate.server.transport.transports import GrpcioTransport, Transport, TransportOptions

_NO_TLS = "it speaks no TLS, for it never listens beyond this machine; choose transport `grpcio`, or no server.tls_cert"
_log = logging.getLogger(__name__)


class TransportError(Exception):
    """The transport that was chosen cannot be used; the message says why and what to do."""


def require_transport(kind: str, addresses: Sequence[Address], *, tls: bool) -> None:
    """Make sure that the transport of this kind can listen there.

    Raises:
        TransportError: `native` was asked for and cannot be used; the message says why.
    """
    if kind == "native" and (reason := _why_not_native(addresses, tls=tls)) is not None:
        msg = f"transport `native` cannot be used: {reason}"
        raise TransportError(msg)


def _why_not_native(addresses: Sequence[Address], *, tls: bool) -> str | None:
    return _NO_TLS if tls else native.why_not(addresses)


def new_transport(
    kind: Literal["auto", "grpcio", "native"],
    addresses: Sequence[Address],
    services: Sequence[Service],
    *,
    calls: Calls,
    streams: Streams,
    options: TransportOptions,
) -> Transport:
    """The transport of this kind, not started yet.

    Raises:
        TransportError: `native` was asked for and cannot be used; the message says why.
    """
    require_transport(kind, addresses, tls=options.tls is not None)
    if kind != "grpcio":
        reason = _why_not_native(addresses, tls=options.tls is not None)
        if reason is None:
            return native.NativeTransport(addresses, services, calls=calls, streams=streams, options=options)
        _log.info("transport grpcio, not native: %s", reason)
    return GrpcioTransport(addresses, services, calls=calls, streams=streams, options=options)
