"""A meter's key is read as it was written, whatever its parts hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallygate.storage.redis import keys
from tallygate.storage.redis.counter_fields import counter_key

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)


@given(st.tuples(TEXTS, TEXTS, TEXTS), st.none() | st.tuples(st.integers(0, 1 << 53), st.booleans()))
def test_whose_it_is_can_be_read_from_it(meter, counter):
    key = keys.meter(7, *meter)
    assert keys.read_meter((key if counter is None else counter_key(key, counter)).encode()) == (meter, counter)


@pytest.mark.parametrize("meter", [("%3A", "a:b", "{x}=,"), ("t", "%25", "é")])
def test_what_looks_escaped_is_itself(meter):
    assert keys.read_meter(keys.meter(0, *meter).encode()) == (meter, None)
