"""What makes an effect the same effect: its identity, and the hash of what was asked under it."""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b


def effect_digest(*, tenant_id: str, account_id: str, gate_key: str, request_id: str) -> bytes:
    """16 bytes that stand for (tenant, account, gate, request_id)."""
    return EffectIdentity(tenant_id=tenant_id, account_id=account_id, gate_key=gate_key).digest(request_id)


class EffectIdentity:
    """Digests of one account's effects on one gate: `effect_digest`, with all but the request id digested before."""

    __slots__ = ("_prefix",)

    def __init__(self, *, tenant_id: str, account_id: str, gate_key: str) -> None:
        head = _written((tenant_id, account_id, gate_key))
        self._prefix = blake2b(head[:-1] + b", ", digest_size=16)

    def digest(self, request_id: str) -> bytes:
        """The digest of the effect under this request id."""
        digest = self._prefix.copy()
        digest.update(b"%b)" % repr(request_id).encode())
        return digest.digest()


@lru_cache(maxsize=1024)
def plain_payload_hash(quantity: int, mode: str) -> bytes:
    """The `payload_hash` of a quantity alone."""
    return payload_hash(quantity=quantity, mode=str(mode), dimensions={})


def payload_hash(*, quantity: int, mode: str, dimensions: Mapping[str, str], extra: str = "") -> bytes:
    """8 bytes that stand for what was asked: quantity (or cost), mode and dimensions, and whatever else is payload."""
    payload = (quantity, mode, extra, sorted(dimensions.items()) if dimensions else ())
    return blake2b(_written(payload), digest_size=8).digest()


def _written(parts: tuple[object, ...]) -> bytes:
    """Quotes and escapes keep the parts apart, so that no two different ones are written alike."""
    return repr(parts).encode()
