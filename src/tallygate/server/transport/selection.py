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
    if kind != "grpcio":
        reason = native.why_not(addresses) if options.tls is None else _NO_TLS
        if reason is None:
            return native.NativeTransport(addresses, services, calls=calls, streams=streams, options=options)
        if kind == "native":
            msg = f"transport `native` cannot be used: {reason}"
            raise TransportError(msg)
        _log.info("transport grpcio, not native: %s", reason)
    return GrpcioTransport(addresses, services, calls=calls, streams=streams, options=options)
