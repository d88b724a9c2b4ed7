"""AES-256-GCM under the installation's master keys. A text begins with which one sealed it, so that keys can change."""

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tallygate.domain.payment_errors import MasterKeyMissingError, MasterKeyWrongError

KEY_BYTES = 32
_NONCE_BYTES = 12
_MARK = "sealed"
_VERSION = "v1"
_EXPECTED = f"base64 of {KEY_BYTES} bytes, as `openssl rand -base64 {KEY_BYTES}` makes"


class MasterKeyError(Exception):
    """A text holds no master keys; the message says in which line, and shows nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AesSealing:
    """Seals with the first of its keys, and opens with each; without any it does neither."""

    keys: Sequence[bytes] = field(default=(), repr=False)

    @property
    def can_seal(self) -> bool:
        """Whether there is a key."""
        return bool(self.keys)

    def seal(self, text: str, *, place: Sequence[str]) -> str:
        """A text that only `open` reads, and only for the same place."""
        if not self.keys:
            raise MasterKeyMissingError
        key, nonce = self.keys[0], secrets.token_bytes(_NONCE_BYTES)
        closed = nonce + AESGCM(key).encrypt(nonce, text.encode(), _bound(place))
        return ".".join((_MARK, _VERSION, key_id(key), base64.urlsafe_b64encode(closed).decode()))

    def is_sealed(self, text: str) -> bool:
        """Whether a text was sealed."""
        return text.startswith(f"{_MARK}.{_VERSION}.")

    def is_current(self, sealed: str) -> bool:
        """Whether it was sealed with the first key."""
        return self.is_sealed(sealed) and bool(self.keys) and sealed.split(".")[2] == key_id(self.keys[0])

    def open(self, sealed: str, *, place: Sequence[str]) -> str:
        """What was sealed."""
        if not self.keys:
            raise MasterKeyMissingError
        mark, _, rest = sealed.partition(f".{_VERSION}.")
        name, _, body = rest.partition(".")
        key = next((key for key in self.keys if key_id(key) == name and mark == _MARK), None)
        wrong = MasterKeyWrongError(sealed_by=name, present=", ".join(map(key_id, self.keys)))
        if key is None:
            raise wrong
        try:
            closed = base64.urlsafe_b64decode(body)
            text = AESGCM(key).decrypt(closed[:_NONCE_BYTES], closed[_NONCE_BYTES:], _bound(place)).decode()
        except (InvalidTag, ValueError) as error:
            raise wrong from error
        if base64.urlsafe_b64encode(closed).decode() != body:  # its last letter has bits that decoding lets be
            raise wrong
        return text


def parse_keys(text: str) -> tuple[bytes, ...]:
    """The keys in a text: each line base64 of 32 bytes; empty lines and what follows a # are let be.

    Raises:
        MasterKeyError: a line is none, one comes twice, or there is no key at all.
    """
    found: list[bytes] = []
    for number, line in enumerate(text.splitlines(), start=1):
        word = line.partition("#")[0].strip()
        if not word:
            continue
        try:
            key = base64.b64decode(word, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            msg = f"line {number} holds no key: expected {_EXPECTED}"
            raise MasterKeyError(msg)
        if key in found:
            msg = f"line {number} holds a key that stands above it"
            raise MasterKeyError(msg)
        found.append(key)
    if not found:
        msg = f"it holds no key: expected {_EXPECTED}"
        raise MasterKeyError(msg)
    return tuple(found)


def key_id(key: bytes) -> str:
    """What tells keys apart and may be shown: nothing of a key follows from it."""
    return hashlib.sha256(b"tallygate master key\0" + key).hexdigest()[:8]


def _bound(place: Sequence[str]) -> bytes:
    return json.dumps(list(place)).encode()
