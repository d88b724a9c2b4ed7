"""Claims: what was bought for somebody who is known by an e-mail alone, to be redeemed once. No clock, no I/O.

A code is shown when it is made; what is kept of it is its SHA-256, so that nobody who reads the table can redeem it.
"""

from base64 import b32encode
from dataclasses import dataclass
from hashlib import sha256

ENTROPY_BYTES = 15
_GROUP = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What item of which order is to be had for a code, and who had it, as which subscription (empty: nobody yet)."""

    code_hash: str
    order_id: str
    item: int
    email: str
    create_time: int
    account_id: str = ""
    subscription_id: str = ""
    redeem_time: int | None = None


def mint_code(entropy: bytes) -> str:
    """A code that can be read out: 24 letters and digits of 120 random bits, in groups."""
    text = b32encode(entropy[:ENTROPY_BYTES]).decode()
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def hash_of(code: str) -> str:
    """What is kept of a code, however it was typed."""
    folded = "".join(character for character in code.upper() if character.isalnum())
    return sha256(folded.encode()).hexdigest()
