"""One process at a time where an SQLite file is migrated: SQLite's own locks are not waited for everywhere."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL

from tallygate.domain.errors import StoreUnavailableError
from tallygate.storage.file_locks import try_lock

_SECONDS = 300.0
_LOOK_SECONDS = 0.05
_SUFFIX = ".migrating"


@contextmanager
def alone(target: URL, *, seconds: float = _SECONDS) -> Iterator[None]:
    """Wait until nobody else works beside this file, and hold them up meanwhile; whoever dies lets them go. Blocks.

    A database with a server has locks that wait, and a directory that takes no file has no second writer.

    Raises:
        StoreUnavailableError: another process took longer than that.
    """
    descriptor = _opened(target)
    if descriptor is None:
        yield
        return
    try:
        deadline = time.monotonic() + seconds
        while not try_lock(descriptor):
            if time.monotonic() >= deadline:
                raise StoreUnavailableError(store="sql") from TimeoutError(f"locked for {seconds:.0f} s")
            time.sleep(_LOOK_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _opened(target: URL) -> int | None:
    if target.get_backend_name() != "sqlite" or not target.database:
        return None
    try:
        return os.open(f"{target.database}{_SUFFIX}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:  # opening the database itself says what is the matter
        return None
