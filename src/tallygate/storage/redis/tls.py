"""TLS towards Redis: whom to trust, as whom to come, and what a failed handshake means in one line."""

import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_WRONG_PROTOCOL = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING"})
_CERTIFICATE_WANTED = frozenset({"TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE"})


class TlsFileError(OSError):
    """A certificate or key cannot be used; the text is one line with its path and cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisTls:
    """TLS 1.2 or newer; the server's certificate is always verified.

    `ca` is a PEM file of the authorities to trust, else the system's; `cert` and `key` are our own, where the server
    wants one; `server_name` is the name to ask for and to find in its certificate, else the host's.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    server_name: str = ""

    def context(self) -> ssl.SSLContext:
        """The context of the files as they are now.

        Raises:
            TlsFileError: one cannot be read, or is not what it should be.
        """
        return _context(self, tuple(_stamp(path) for path in (self.ca, self.cert, self.key)))


@lru_cache(maxsize=4)
def _context(tls: RedisTls, stamps: tuple[object, ...]) -> ssl.SSLContext:  # noqa: ARG001 - of which files, at which time
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.ca is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(tls.ca)
        except OSError as error:
            problem = f"cannot use {tls.ca}: expected certificates in PEM form"
            raise TlsFileError(problem) from error
    if tls.cert is not None:
        try:
            context.load_cert_chain(tls.cert, tls.key, password=_no_password)
        except (OSError, ValueError) as error:
            with_key = f" with {tls.key}" if tls.key else ""
            problem = f"cannot use {tls.cert}{with_key}: expected a certificate and its key, unencrypted, in PEM form"
            raise TlsFileError(problem) from error
    return context


def _no_password() -> str:
    """Without it OpenSSL would ask the terminal, and wait."""
    msg = "the key is encrypted"
    raise ValueError(msg)


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    if path is None:
        return None
    try:
        found = path.stat()
        with path.open("rb"):
            return found.st_mtime_ns, found.st_size, found.st_ino
    except OSError as error:
        problem = f"cannot read {path}: {error.strerror}"
        raise TlsFileError(problem) from error


def told(error: Exception) -> str:
    """What a connection failed with; of a handshake, what it means for whoever set it up."""
    if not isinstance(error, ssl.SSLError):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted ({error.verify_message})"
    if error.reason in _WRONG_PROTOCOL:
        return "it does not speak TLS: expected redis:// instead of rediss://, or another port"
    if error.reason in _CERTIFICATE_WANTED:
        return "it wants a client's certificate: redis.tls_cert and redis.tls_key"
    return f"TLS failed ({(error.reason or 'unknown').lower().replace('_', ' ')})"
