"""API keys: how one looks, what it may do, and how it is recognised without being kept.

A key is `tg_` + 43 characters of 256 random bits + 6 of a CRC-32, so that a typo or a leak is recognised offline.
The randomness is the caller's; only the SHA-256 digest is ever stored.
"""

import zlib
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PREFIX = "tg_"
_BODY, _CHECK = 43, 6
ENTROPY_BYTES = 32
SHOWN_CHARACTERS = 9
"""How much of a key is kept and shown in lists: its prefix and six characters."""


class Scope(StrEnum):
    """What a key may call: the data plane, the control plane, what reads of both; billing, or what reads of it.

    Or what an account may do for itself: a key of that scope is bound to one, and has no other scope.
    """

    DATA = "data"
    CONTROL = "control"
    READ_ONLY = "read_only"
    BILLING = "billing"
    BILLING_READ = "billing_read"
    SELF_SERVICE = "self_service"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """What is known of a key: whose it is and what it may do; instants in microseconds since the Unix epoch.

    One that is bound to an account reaches nothing of others.
    """

    key_id: str
    tenant_id: str
    scopes: frozenset[Scope]
    name: str = ""
    expire_time: int | None = None
    revoke_time: int | None = None
    account_id: str = ""


def mint_key(entropy: bytes) -> str:
    """A new key from `ENTROPY_BYTES` random bytes."""
    if len(entropy) != ENTROPY_BYTES:
        msg = f"a key is made of {ENTROPY_BYTES} random bytes, not {len(entropy)}"
        raise ValueError(msg)
    body = _base62(int.from_bytes(entropy, "big"), _BODY)
    return _PREFIX + body + _checksum(body)


def is_well_formed(key: str) -> bool:
    """Whether the text is a key that could have been minted: prefix, alphabet, length and checksum."""
    body, check = key[len(_PREFIX) : -_CHECK], key[-_CHECK:]
    if not key.startswith(_PREFIX) or len(key) != len(_PREFIX) + _BODY + _CHECK:
        return False
    return all(character in _ALPHABET for character in body) and check == _checksum(body)


def key_digest(key: str) -> str:
    """The SHA-256 by which a key is stored and looked up, in hexadecimal."""
    return sha256(key.encode()).hexdigest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
