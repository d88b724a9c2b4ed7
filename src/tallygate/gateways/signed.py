"""Signatures of events in the manner of most gateways: an instant and an HMAC-SHA256 over it and the very bytes."""

import hashlib
import hmac

from tallygate.billing.ports import UnverifiedEventError

_SECOND = 1_000_000
TOLERANCE = 300 * _SECOND
"""How far from now (either way) an event may have been signed: what was overheard is of no use later."""


def signature(raw: bytes, secret: str, *, now: int) -> str:
    """What goes into the header: `t=SECONDS,v1=HEX`."""
    seconds = now // _SECOND
    return f"t={seconds},v1={_digest(raw, secret, str(seconds))}"


def verify(raw: bytes, header: str, secret: str, *, now: int) -> None:
    """Make sure that bytes were signed with a secret, and lately; one of several signatures suffices.

    Raises:
        UnverifiedEventError: they were not.
    """
    parts = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name.strip() == "t"]
    shown = [value for name, _, value in parts if name.strip() == "v1"]
    if not secret or len(times) != 1 or not times[0].isascii() or not times[0].isdecimal():
        raise UnverifiedEventError
    wanted = _digest(raw, secret, times[0])
    if not any(hmac.compare_digest(one.encode(), wanted.encode()) for one in shown):
        raise UnverifiedEventError
    if abs(now - int(times[0]) * _SECOND) > TOLERANCE:
        raise UnverifiedEventError


def _digest(raw: bytes, secret: str, seconds: str) -> str:
    return hmac.new(secret.encode(), seconds.encode() + b"." + raw, hashlib.sha256).hexdigest()
