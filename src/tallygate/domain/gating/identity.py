"""What makes an effect the same effect: its identity, and the hash of what was asked under it."""

from collections.abc import Mapping
from hashlib import blake2b


def effect_digest(*, tenant_id: str, account_id: str, gate_key: str, request_id: str) -> bytes:
    """16 bytes that stand for (tenant, account, gate, request_id); lengths precede the parts, so none run together."""
    return blake2b(_joined(tenant_id, account_id, gate_key, request_id), digest_size=16).digest()


def payload_hash(*, quantity: int, mode: str, dimensions: Mapping[str, str], extra: str = "") -> bytes:
    """8 bytes that stand for what was asked: quantity (or cost), mode and dimensions, and whatever else is payload."""
    pairs = [text for item in sorted(dimensions.items()) for text in item]
    return blake2b(_joined(str(quantity), mode, extra, *pairs), digest_size=8).digest()


def _joined(*parts: str) -> bytes:
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
