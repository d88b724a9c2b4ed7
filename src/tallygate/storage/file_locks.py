"""Locks of files that processes hold for as long as they live."""

import fcntl


def try_lock(descriptor: int) -> bool:
    """Take the lock of an open file, unless another process has it; whoever dies lets it go."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
