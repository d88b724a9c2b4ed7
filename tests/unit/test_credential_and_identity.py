"""Keys, and what makes an effect the same effect."""

import pytest

from tallygate.domain.credential import ENTROPY_BYTES, is_well_formed, key_digest, mint_key
from tallygate.domain.gating.identity import effect_digest, payload_hash


@pytest.mark.parametrize("entropy", [b"\0" * ENTROPY_BYTES, b"\xff" * ENTROPY_BYTES, bytes(range(ENTROPY_BYTES))])
def test_a_minted_key_is_well_formed_and_any_typo_is_not(entropy):
    key = mint_key(entropy)

    assert is_well_formed(key)
    assert len(key) == 52
    for position in range(len(key)):
        typo = key[:position] + ("a" if key[position] != "a" else "b") + key[position + 1 :]
        assert not is_well_formed(typo)
    assert not is_well_formed(key + "0")
    assert not is_well_formed("")


def test_different_randomness_is_another_key_and_another_digest():
    keys = {mint_key(bytes([index]) * ENTROPY_BYTES) for index in range(50)}

    assert len(keys) == len({key_digest(key) for key in keys}) == 50
    assert all(len(key_digest(key)) == 64 for key in keys)


def test_too_little_randomness_is_refused():
    with pytest.raises(ValueError, match="32 random bytes"):
        mint_key(b"short")


def test_parts_of_an_identity_never_run_together():
    def digest(*parts):
        return effect_digest(tenant_id=parts[0], account_id=parts[1], gate_key=parts[2], request_id=parts[3])

    assert len(digest("t", "a", "g", "r")) == 16
    assert len({digest("t", "ab", "c", "r"), digest("t", "a", "bc", "r"), digest("ta", "b", "c", "r")}) == 3


def test_a_payload_is_its_quantity_mode_and_dimensions_in_any_order():
    def hashed(**changes):
        return payload_hash(**{"quantity": 1, "mode": "ADJUST", "dimensions": {"a": "1", "b": "2"}} | changes)

    assert hashed() == hashed(dimensions={"b": "2", "a": "1"})
    others = [
        hashed(quantity=2),
        hashed(mode="BEST_EFFORT"),
        hashed(dimensions={}),
        hashed(dimensions={"a": "12", "b": ""}),
        hashed(extra="carry_in"),
    ]
    assert len({hashed(), *others}) == 6
