"""Certificates of listeners: read again once their files have changed, kept while what is there does not fit together.

TLS 1.2 or newer, everywhere. New connections get the new certificate; those that are open go on with theirs.
"""

import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import grpc

_log = logging.getLogger(__name__)
_ALPN = ["http/1.1"]


_UNCHANGED: Any = None  # gRPC's word for it, which its types do not know


class TlsError(Exception):
    """Certificate files cannot be used; the message is one line with their paths and what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files: a certificate with its chain, its key (None: in the same file), and who signs clients' certificates.

    With `client_ca` a client without a certificate that it signed is refused in the handshake.
    """

    cert: Path
    key: Path | None = None
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class _Pair:
    """What the files held at one time; `stamps` are of that time."""

    stamps: tuple[object, ...]
    context: ssl.SSLContext
    grpc: grpc.ServerCertificateConfiguration


class ServerTls:
    """What the files hold; a handshake asks again, from whichever thread it happens in."""

    def __init__(self, files: TlsFiles) -> None:
        """Read the files. Raises TlsError."""
        self._files = files
        self._lock = Lock()
        self._refused: tuple[object, ...] | None = None
        self._pair = _read(files)

    @property
    def files(self) -> TlsFiles:
        """Where it is read from."""
        return self._files

    def credentials(self) -> grpc.ServerCredentials:
        """For a gRPC listener, which asks for what is current at each handshake."""
        given = self._pair

        def fetch() -> grpc.ServerCertificateConfiguration:
            nonlocal given
            before, given = given, self.current()
            return given.grpc if given is not before else _UNCHANGED

        return grpc.dynamic_ssl_server_credentials(given.grpc, fetch, self._files.client_ca is not None)

    def context(self) -> ssl.SSLContext:
        """For a listener of HTTP; it asks no client for a certificate."""
        context = self._pair.context

        def fresh(connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext) -> None:
            connection.context = self.current().context

        context.sni_callback = fresh
        return context

    def current(self) -> _Pair:
        """What is to be used now."""
        with self._lock:
            stamps: tuple[object, ...] = ()
            try:
                stamps = _stamps(self._files)
                if stamps not in {self._pair.stamps, self._refused}:
                    pair = _read(self._files)
                    if _stamps(self._files) == pair.stamps == stamps:  # else in the middle of it: the next one looks
                        self._pair, self._refused = pair, None
                        _log.info("certificate read again", extra={"path": str(self._files.cert)})
            except TlsError as error:  # two files are not replaced at one instant: another handshake looks again
                told = stamps or (str(error),)
                if told != self._refused:  # once a change, not once a handshake
                    _log.warning("the certificate in use is kept: %s", error)
                self._refused = told
            return self._pair


def _read(files: TlsFiles) -> _Pair:
    stamps = _stamps(files)
    cert, key = _bytes(files.cert), _bytes(files.key or files.cert)
    roots = _bytes(files.client_ca) if files.client_ca is not None else None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(_ALPN)
    try:
        context.load_cert_chain(files.cert, files.key, password=_no_password)
    except (OSError, ValueError) as error:
        together = f" with {files.key}" if files.key is not None else ""
        problem = f"cannot use {files.cert}{together}: expected a certificate and its key, unencrypted, in PEM form"
        raise TlsError(problem) from error
    if files.client_ca is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(files.client_ca)
        except OSError as error:
            problem = f"cannot use {files.client_ca}: expected certificates in PEM form"
            raise TlsError(problem) from error
    return _Pair(stamps, context, grpc.ssl_server_certificate_configuration([(key, cert)], roots))


def _no_password() -> str:
    """Without it OpenSSL would ask the terminal, and wait."""
    msg = "the key is encrypted"
    raise ValueError(msg)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _stamps(files: TlsFiles) -> tuple[object, ...]:
    return tuple(_stamp(path) for path in (files.cert, files.key, files.client_ca) if path is not None)


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    return found.st_mtime_ns, found.st_size, found.st_ino


def _unreadable(path: Path, error: OSError) -> TlsError:
    return TlsError(f"cannot read {path}: {error.strerror}")
