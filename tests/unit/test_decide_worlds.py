"""Every decision world on the pure engine; and again by a process that remembers no view between two questions."""

import json

import pytest
from jsonschema import Draft202012Validator

from tallygate.domain.gating.decision import Reason, UnblockKind
from world_engine import EngineDriver
from worlds import DECISIONS, load_world, read_yaml, run_world, world_paths

PATHS = world_paths()


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
async def test_world_on_the_engine(path):
    answers = await run_world(load_world(path), EngineDriver())

    assert answers == await run_world(load_world(path), EngineDriver(forgetful=True))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_world_follows_the_schema(path):
    schema = json.loads((DECISIONS / "world.schema.json").read_text())

    assert not [error.message for error in Draft202012Validator(schema).iter_errors(read_yaml(path))]


def test_worlds_cover_every_reason_and_every_way_out():
    expected = " ".join(path.read_text() for path in PATHS)

    # STORE_UNAVAILABLE needs a store that is away: test_data_plane_failures.py.
    assert {reason for reason in Reason if f"reason: {reason}" not in expected} == {Reason.STORE_UNAVAILABLE}
    assert all(f"{kind} " in expected for kind in UnblockKind)
