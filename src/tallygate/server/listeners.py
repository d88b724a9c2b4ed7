"""Where servers listen, alone or several on one address, and why an address cannot be had, in one line with its fix."""

import errno
import os
import re
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

_UNIX = "unix:"
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+(%\w+)?|\[[0-9A-Fa-f:.]+(%\w+)?\]", re.ASCII)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_UNIX_PATH_BYTES = 107
_SOCKET_UMASK = 0o117
_SPREADS_CONNECTIONS = sys.platform == "linux" and hasattr(socket, "SO_REUSEPORT")


class ListenError(Exception):
    """An address cannot be listened on; the message is one line with cause and fix."""


class AddressError(ListenError):
    """A text names no address; the message says what was expected."""


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
    def uri(self) -> str:
        """As grpcio takes it, which undoes percent-encoding: a path must be given with it, or %2F would be a slash."""
        return self.target if self.path is None else f"{_UNIX}{quote(str(self.path))}"

    @property
    def target(self) -> str:
        """As settings write it, and people read it."""
        if self.path is not None:
            return f"{_UNIX}{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """The address that `host:port`, `[ipv6]:port`, `unix:/path` or `unix:path` names; a path is taken as it stands.

    Raises:
        AddressError: it is none of these.
    """
    if text.startswith(_UNIX):
        return Address(path=_socket_path(text))
    host, _, port = text.rpartition(":")
    number = int(port) if _PORT.fullmatch(port) else 65536
    if not _HOST.fullmatch(host) or number > 65535:  # noqa: PLR2004 - the largest port there is
        msg = f"cannot listen on {text!r}: want host:port, as 127.0.0.1:7420, or unix:/path"
        raise AddressError(msg)
    return Address(host=host.strip("[]"), port=number)


def _socket_path(text: str) -> Path:
    rest = text[len(_UNIX) :]
    path = Path("/" + rest.lstrip("/") if rest.startswith("/") else rest)
    problem = ""
    if not path.name or rest.endswith("/"):
        problem = "want unix:/path, with the name of a socket"
    elif "\0" in rest or "," in rest or not rest.isprintable():
        problem = "a socket's path holds neither commas, where gRPC clients end it, nor control characters"
    elif len(os.fsencode(path)) > _UNIX_PATH_BYTES:
        problem = f"the path is longer than {_UNIX_PATH_BYTES} bytes; choose a shorter one"
    if problem:
        msg = f"cannot listen on {text!r}: {problem}"
        raise AddressError(msg)
    return path


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
        except ConnectionRefusedError:  # the file of a server that is gone, or no socket at all
            _remove_socket(address)
        except OSError as error:
            raise ListenError(_explained(address, error)) from error
        else:
            msg = f"cannot listen on {address.target}: another server does; stop it or choose another path"
            raise ListenError(msg)
    if not address.path.parent.is_dir():
        msg = f"cannot listen on {address.target}: {address.path.parent} is no directory; create it"
        raise ListenError(msg)


def _remove_socket(address: Address) -> None:
    path = address.path
    assert path is not None  # noqa: S101 - asked of Unix sockets only
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            msg = f"cannot listen on {address.target}: something is there that is no socket; choose another path"
            raise ListenError(msg)
        path.unlink()


@contextmanager
def private_sockets() -> Iterator[None]:
    """Unix sockets bound in this block are for owner and group only."""
    before = os.umask(_SOCKET_UMASK)
    try:
        yield
    finally:
        os.umask(before)


def _explained(address: Address, error: OSError) -> str:
    causes = {
        errno.EADDRINUSE: "the port is in use; stop what uses it or choose another port",
        errno.EACCES: "permission denied; choose a port above 1023 or another path",
        errno.EADDRNOTAVAIL: "this machine has no such address; choose one of its own, as 127.0.0.1",
    }
    cause = causes.get(error.errno or 0, f"{error.strerror or error}; check the address")
    return f"cannot listen on {address.target}: {cause}"
