"""How much is tried: some of it each time, all of it where `make faults` asks (TALLYGATE_THOROUGH=1)."""

import os
from zlib import crc32

THOROUGH = os.environ.get("TALLYGATE_THOROUGH") == "1"  # noqa: TID251 - of tests alone
_PART = 6


def some(whole: int) -> int:
    """A sixth of a number that is whole where all is tried; at least one."""
    return whole if THOROUGH else max(whole // _PART, 1)


def every(steps: int) -> int:
    """How far apart the tried ones of many are: `steps` where all are tried, else six times as far."""
    return steps if THOROUGH else steps * _PART


def chosen(name: str) -> bool:
    """Whether this of many is tried: each where all are, else a third of them, always the same."""
    return THOROUGH or crc32(name.encode()) % 3 == 1
