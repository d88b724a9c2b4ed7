"""Scripts are joined from their parts, every one of which is used, and every place has a name."""

import re
from importlib.resources import files

import pytest

from tallygate.storage.redis.script_parts import joined, numbered

SCRIPTS = files("tallygate.storage.redis") / "scripts"
TEXT = (SCRIPTS / "admit.lua").read_text()


def test_a_place_is_its_number_and_an_unknown_one_is_refused():
    assert numbered("segment[SEGMENT_END], grant[GRANT_ID], KEYS[7]") == "segment[2], grant[1], KEYS[7]"
    with pytest.raises(KeyError):
        numbered("segment[SEGMENT_OF_NOBODY]")


def test_every_part_is_joined_and_nothing_is_left_to_join():
    parts = {part.name.removesuffix(".lua") for part in (SCRIPTS / "parts").iterdir()}
    assert set(re.findall(r"--@ (\w+)\n", TEXT)) == parts
    assert not re.search(r"--@ \w|\[[A-Z][A-Z_]+\]", joined("admit").split("\nlocal END")[1])
