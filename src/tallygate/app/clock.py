"""The only reading of the clock; everywhere else `now` is an argument."""

import secrets
import time

import uuid_utils


def now() -> int:
    """Microseconds since the Unix epoch."""
    return time.time_ns() // 1_000  # noqa: TID251 - this is the only reader of the clock


def new_id() -> str:
    """A new id that sorts by its creation (UUIDv7)."""
    return str(uuid_utils.uuid7())


def new_epoch() -> str:
    """A new epoch: never used before, without the mark of a rebuild."""
    return secrets.token_hex(8)


def entropy(size: int) -> bytes:
    """Random bytes for keys."""
    return secrets.token_bytes(size)
