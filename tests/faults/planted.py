"""Runs of fault tests with what protects them switched off: each must fail then, or it proved nothing.

    @fails_without(the_look, the_epoch_in_the_script)
    async def test_...

runs as it is, and once more without each: `make test` tries a third of the plants, `make faults` all. A plant is told
of the test's module, for what it means by its names.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from collectors import until
from tallygate.storage.redis import gates
from tallygate.storage.redis.link.link import Script
from tallygate.storage.redis.script_parts import numbered
from thorough import THOROUGH, chosen

BRIEF = 5.0
"""What has not come about by then, does not come about without what brings it; seconds."""

CAUGHT = AssertionError, AttributeError, TimeoutError
"""How a test fails: by a claim, by an answer where a refusal was to come, by what does not come about."""

Plant = Callable[[pytest.MonkeyPatch, ModuleType], Any]


def fails_without(*plants: Plant, at_length: bool = False) -> pytest.MarkDecorator:
    """A test that runs once as it is and once without each of these.

    One that goes on for long does so `at_length`: in `make faults` alone, and it waits as long as ever for what comes.
    """
    tried = [each for each in plants if chosen(_named(each)) and (THOROUGH or not at_length)]
    off = [pytest.param((each, at_length), id=f"without {_named(each)}", marks=_MUST_FAIL) for each in tried]
    return pytest.mark.parametrize("unprotected", [pytest.param(None, id="protected"), *off], indirect=True)


_MUST_FAIL = pytest.mark.xfail(strict=True, raises=CAUGHT, reason="what protects it is off")


def plant(off: tuple[Plant, bool] | None, monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> None:
    """Switch it off for this test, which then waits for nothing for long."""
    if off is None:
        return
    changes, at_length = off
    if hasattr(module, "until") and not at_length:
        monkeypatch.setattr(module, "until", _briefly)
    changes(monkeypatch, module)


async def _briefly(condition: Callable[[], Any], *, seconds: float = BRIEF) -> None:
    await until(condition, seconds=min(seconds, BRIEF))


def _named(changes: Plant) -> str:
    return getattr(changes, "__name__", str(changes)).replace("_", " ")


def script(name: str, *changes: tuple[str, str]) -> Plant:
    """The script with these parts of its text replaced."""

    def changed(monkeypatch: pytest.MonkeyPatch, _module: ModuleType) -> None:
        body = gates.ADMIT.body.decode()
        for right, wrong in changes:
            assert numbered(right) in body
            body = body.replace(numbered(right), wrong)
        monkeypatch.setattr(gates, "ADMIT", Script(body))

    changed.__name__ = name
    return changed


async def idle(*_: object, **__: object) -> None:
    """In the place of what is not done."""


the_epoch = script(
    "the epoch",
    ("epoch ~= expected and 'EPOCH_MISMATCH' or ", ""),
    ("local lost = epoch == '' or string.sub(epoch, 1, 1) == '!'", "local lost = false"),
)
"""A lost counter counts for zero usage."""
