"""Each fault test is shown to fail without what protects it: by `fails_without`, or as the README here says."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
TESTS = HERE.parent
FILES = [path for path in sorted(HERE.glob("test_*.py")) if path != Path(__file__)]
CLUSTER = TESTS / "integration" / "test_cluster.py"
_NAME = re.compile(r"`(test_\w+(?:\.py(?:::test_\w+)?)?)`")


def declared_in(path):
    """Each test of a file by name, and whether it runs without what protects it, too."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            planted = any("fails_without(" in ast.unparse(each) for each in node.decorator_list)
            yield f"{path.name}::{node.name}", planted


def tables():
    """Of the tests that have no such run: what the last column says of each."""
    protected, plain = (HERE / "README.md").read_text().split("| Tests | Why")
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in protected.splitlines() if "`test_" in line
    ]
    shown = {name: _NAME.findall(row[-1]) for row in rows if len(row) == 3 for name in _NAME.findall(row[0])}
    rows = [line.strip("|").split(" | ") for line in plain.splitlines() if "`test_" in line]
    return shown, {name for row in rows for name in _NAME.findall(row[0])}


def test_every_fault_test_is_shown_to_fail():
    shown, plain = tables()
    found = {name: planted for path in [*FILES, CLUSTER] for name, planted in declared_in(path)}
    showing = {name for names in shown.values() for name in names}
    untold = {
        name
        for name, planted in found.items()
        if not (
            planted or name in shown or {name, name.partition("::")[0]} & plain or name.partition("::")[2] in showing
        )
    }
    assert untold == set(), "named neither in the README nor by fails_without"
    assert all(shown.values()), [name for name, by in shown.items() if not by]
    # One that only looks on as it is off is itself of no use in the table.
    assert not [name for name in shown if found[name]], "run without it already"


def test_what_the_page_names_is_there():
    shown, plain = tables()
    everywhere = {name for path in TESTS.rglob("test_*.py") for name, _ in declared_in(path)}
    alone = {name.partition("::")[2] for name in everywhere}
    files = {name.partition("::")[0] for name in everywhere}
    assert {name for name in {*shown, *plain} if name not in everywhere | files} == set()
    assert {name for names in shown.values() for name in names if name not in alone} == set()
