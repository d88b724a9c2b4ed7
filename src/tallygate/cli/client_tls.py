"""TLS of the command line as a client: whom to trust, and as whom to come."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc

from tallygate.cli.failures import CommandError

SYSTEM = "system"
"""In the place of a file of authorities: those that gRPC brings along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTls:
    """PEM files by name; `ca` may be `system`. An empty one is not used; without any of them there is no TLS."""

    ca: str = ""
    cert: str = ""
    key: str = ""

    def __bool__(self) -> bool:
        return bool(self.ca or self.cert or self.key)

    def credentials(self) -> grpc.ChannelCredentials:
        """For a channel.

        Raises:
            CommandError: a file cannot be read, or one is missing beside another.
        """
        if self.key and not self.cert:
            msg = "--tls-key: a key needs its certificate: expected --tls-cert, too"
            raise CommandError(msg)
        roots = None if self.ca in {"", SYSTEM} else _read("--tls-ca", self.ca)
        if not self.cert:
            return grpc.ssl_channel_credentials(roots)
        cert = _read("--tls-cert", self.cert)
        return grpc.ssl_channel_credentials(roots, _read("--tls-key", self.key) if self.key else cert, cert)


NO_TLS = ClientTls()


def chosen(*layers: ClientTls) -> ClientTls:
    """Each file from the first layer that names it."""

    def first(name: str) -> str:
        return next((found for layer in layers if (found := getattr(layer, name))), "")

    return ClientTls(ca=first("ca"), cert=first("cert"), key=first("key"))


def of_context(context: Mapping[str, str]) -> ClientTls:
    """What a context file says of it."""
    return ClientTls(ca=context.get("tls_ca", ""), cert=context.get("tls_cert", ""), key=context.get("tls_key", ""))


def _read(option: str, path: str) -> bytes:
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        msg = f"{option}: cannot read {path}: {getattr(error, 'strerror', None) or error}"
        raise CommandError(msg) from error
    if b"-----BEGIN " not in content:
        msg = f"{option}: {path} is not in PEM form"
        raise CommandError(msg)
    return content
