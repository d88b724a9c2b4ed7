"""Decision worlds: catalogue, accounts and steps in YAML, each step with what its answer must say.

They run against the pure engine (`world_engine.py`) and through gRPC (`world_server.py`). What an answer shows
is compared as a subset, exactly; a `retry_at` is the world's time plus `retry_after`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import yaml
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from tallygate.domain.period import from_datetime, to_datetime
from tallygate_api.v1 import catalog_pb2

DECISIONS = Path(__file__).parent / "decisions"
SECOND = 1_000_000
_UNITS = {"d": 86_400 * SECOND, "h": 3_600 * SECOND, "m": 60 * SECOND, "s": SECOND}


class Driver(Protocol):
    """Something that a world's steps can be done to."""

    tolerance: float
    """By how many seconds real time may have moved on since a step began."""

    async def open(self, catalog: catalog_pb2.Catalog, now: int) -> None: ...

    async def move_to(self, now: int) -> None: ...

    async def do(self, action: str, args: dict[str, Any]) -> dict[str, Any]: ...


@dataclass(frozen=True)
class World:
    name: str
    catalog: catalog_pb2.Catalog
    now: int
    accounts: dict[str, dict[str, Any]]
    steps: list[dict[str, Any]]


class _Loader(yaml.SafeLoader):
    """YAML without surprises: no duplicate keys, and instants stay text."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        duplicates = {str(key) for key in keys if keys.count(key) > 1}
        assert not duplicates, f"{node.start_mark}: duplicate keys {duplicates}"
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path) -> Any:
    return yaml.load(path.read_text(), _Loader)  # noqa: S506 - a SafeLoader that is stricter


def world_paths() -> list[Path]:
    return sorted(DECISIONS.glob("*.yaml"))


@cache
def load_world(path: Path) -> World:
    document = read_yaml(path)
    catalog = document["catalog"]
    if isinstance(catalog, str):
        catalog = read_yaml(DECISIONS / "catalogs" / f"{catalog}.yaml")
    return World(
        name=path.stem,
        catalog=catalog_message(catalog),
        now=instant(document["now"]),
        accounts=document.get("accounts", {}),
        steps=document["steps"],
    )


def catalog_message(document: dict[str, Any]) -> catalog_pb2.Catalog:
    """The wire's message of a catalogue document, whose enum values are short and lower-case."""
    expanded = _expand(document, catalog_pb2.Catalog.DESCRIPTOR)
    return json_format.ParseDict(expanded, catalog_pb2.Catalog())


def override_message(*, feature: str, entitlement: Any, limit: str, rate: Any) -> catalog_pb2.Plan:
    """The wire's message of a plan that holds just what an override says."""
    values = {"entitlements": {feature: entitlement}} if feature else {"rate_limits": {limit: rate}}
    return catalog_message({"plans": {"x": values}}).plans["x"]


def _expand(document: dict[str, Any], descriptor: Descriptor) -> dict[str, Any]:
    return {key: _expand_field(value, descriptor.fields_by_name[key]) for key, value in document.items()}


def _expand_field(value: Any, field: FieldDescriptor) -> Any:
    if field.enum_type is not None:
        prefix = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field.enum_type.name).upper()
        return f"{prefix}_{value}".upper()
    kind = field.message_type
    if kind is None or isinstance(value, str):  # a scalar, or a duration as text
        return value
    if kind.GetOptions().map_entry:
        values = kind.fields_by_name["value"]
        return {key: _expand_field(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_expand(item, kind) for item in value]
    return _expand(value, kind)


def instant(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text))


def instant_text(at: int | None) -> str | None:
    return None if at is None else to_datetime(at).astimezone(UTC).isoformat().replace("+00:00", "Z")


def duration(text: str) -> int:
    """`13d23h59m59s` in microseconds."""
    parts = re.findall(r"(\d+)([dhms])", text)
    assert "".join(number + unit for number, unit in parts) == text, text
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


async def run_world(world: World, driver: Driver) -> list[dict[str, Any]]:
    """Do every step; what each answered, after it was compared with what the world expects."""
    now, answers = world.now, []
    await driver.open(world.catalog, now)
    for account_id, account in world.accounts.items():
        await driver.do("account", {"account": account_id, **account})
    for number, step in enumerate(world.steps, 1):
        (action, args), *_ = [(key, value) for key, value in step.items() if key not in {"expect", "note"}]
        if action in {"at", "advance"}:
            now = instant(args) if action == "at" else now + duration(args)
            await driver.move_to(now)
            continue
        answer = await driver.do(action, dict(args))
        if answer.get("retry_after") is not None:
            answer["retry_at"] = now + int(answer["retry_after"] * SECOND)
        else:
            answer["retry_at"] = None
        problems = differences(step.get("expect", {"error": None}), answer, driver.tolerance)
        assert not problems, f"{world.name}, step {number} ({action} {args}): {problems}; answered {answer}"
        answers.append(answer)
    return answers


def differences(expected: Any, actual: Any, tolerance: float, path: str = "") -> list[str]:
    """Where the answer does not say what is expected of it; what is not expected is not compared."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [
            problem
            for key, value in expected.items()
            for problem in differences(value, actual.get(key), tolerance, f"{path}.{key}")
        ]
    if expected is not None and actual is not None and path in {".retry_at", ".retry_after"}:
        wanted = instant(expected) if path == ".retry_at" else duration(expected) / SECOND
        late = (wanted - actual) / (SECOND if path == ".retry_at" else 1)
        return [] if abs(late) <= tolerance else [f"{path}: wanted {expected}, got {late} s less"]
    return [] if expected == actual else [f"{path}: wanted {expected!r}, got {actual!r}"]
