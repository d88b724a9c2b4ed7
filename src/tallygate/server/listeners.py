"""Where servers listen, alone or several on one address, and why an address cannot be had, in one line with its fix."""

import errno
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from os import umask
from pathlib import Path

_UNIX = "unix:"
_UNIX_PATH_BYTES = 107
_SOCKET_UMASK = 0o117
_SPREADS_CONNECTIONS = sys.platform == "linux" and hasattr(socket, "SO_REUSEPORT")


class ListenError(Exception):
    """An address cannot be listened on; the message is one line with cause and fix."""


@dataclass(frozen=True, slots=True)
class Address:
    """A place to listen: a Unix socket's path, or a host and port (0: any free one)."""

    path: Path | None = None
    host: str = ""
    port: int = 0

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it: a Unix socket, or loopback."""
        if self.path is not None or self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:  # a name, which may lead anywhere
            return False

    @property
    def target(self) -> str:
        """As gRPC writes it."""
        if self.path is not None:
            return f"{_UNIX}{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """The address that `host:port`, `[ipv6]:port`, `unix:/path` or `unix:path` names.

    Raises:
        ListenError: it is none of these.
    """
    if text.startswith(_UNIX):
        path = Path("/" + text[len(_UNIX) :].lstrip("/") if text.startswith(_UNIX + "/") else text[len(_UNIX) :])
        if len(str(path).encode()) > _UNIX_PATH_BYTES:
            msg = f"cannot listen on {text}: the path is longer than {_UNIX_PATH_BYTES} bytes; choose a shorter one"
            raise ListenError(msg)
        return Address(path=path)
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the largest port there is
        msg = f"cannot listen on {text!r}: want host:port, as 127.0.0.1:7420, or unix:/path"
        raise ListenError(msg)
    return Address(host=host.strip("[]"), port=int(port))


def bind_tcp(address: Address, *, shared: bool = False) -> socket.socket:
    """A socket bound to the address; `shared` ones may be bound beside each other, and beside no other.

    Raises:
        ListenError: it cannot be bound.
    """
    try:
        family, kind, proto, _, where = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, proto)
    except OSError as error:
        raise ListenError(_explained(address, error)) from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(where)
    except OSError as error:
        bound.close()
        raise ListenError(_explained(address, error)) from error
    return bound


@dataclass(frozen=True, slots=True)
class Reservation:
    """An address that is kept for several servers of one installation; `addresses` is where each of them listens."""

    addresses: tuple[Address, ...]
    held: socket.socket | None = None

    def close(self) -> None:
        """Give the address up."""
        if self.held is not None:
            self.held.close()


def reserve(address: Address, servers: int) -> Reservation:
    """Keep the address for so many servers: a TCP port that they share, or a Unix socket each: PATH, PATH.1, PATH.2 ...

    A Unix socket has one listener, and neither transport takes over one that is open already.

    Raises:
        ListenError: somebody listens there, it cannot be had at all, or this system cannot share it.
    """
    if address.path is not None:
        others = (parse_address(f"{address.target}.{number}") for number in range(1, servers))
        places = (address, *others)
        for place in places:
            claim(place)
        return Reservation(places)
    if not _SPREADS_CONNECTIONS:
        msg = f"cannot share {address.target} between workers: that needs Linux; choose one worker, or a Unix socket"
        raise ListenError(msg)
    held = bind_tcp(address)
    # Bound alone, so nobody listens there; opened only now to servers that share, and closed to all that do not. It
    # never listens itself, so no connection waits here for ever.
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return Reservation((Address(host=address.host, port=held.getsockname()[1]),) * servers, held)


def claim(address: Address, *, shared: bool = False) -> None:
    """Make sure that nobody listens there yet, and remove what a dead server left of a Unix socket.

    Servers that share a TCP port may listen there already; a Unix socket is never shared.

    Raises:
        ListenError: somebody does, or the address cannot be had at all.
    """
    if address.path is None:
        bind_tcp(address, shared=shared).close()
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(address.path))
        except FileNotFoundError:
            pass
        except ConnectionRefusedError:  # the file of a server that is gone
            with suppress(FileNotFoundError):
                address.path.unlink()
        except OSError as error:
            raise ListenError(_explained(address, error)) from error
        else:
            msg = f"cannot listen on {address.target}: another server does; stop it or choose another path"
            raise ListenError(msg)
    if not address.path.parent.is_dir():
        msg = f"cannot listen on {address.target}: {address.path.parent} is no directory; create it"
        raise ListenError(msg)


@contextmanager
def private_sockets() -> Iterator[None]:
    """Unix sockets bound in this block are for owner and group only."""
    before = umask(_SOCKET_UMASK)
    try:
        yield
    finally:
        umask(before)


def _explained(address: Address, error: OSError) -> str:
    causes = {
        errno.EADDRINUSE: "the port is in use; stop what uses it or choose another port",
        errno.EACCES: "permission denied; choose a port above 1023 or another path",
        errno.EADDRNOTAVAIL: "this machine has no such address; choose one of its own, as 127.0.0.1",
    }
    cause = causes.get(error.errno or 0, f"{error.strerror or error}; check the address")
    return f"cannot listen on {address.target}: {cause}"
