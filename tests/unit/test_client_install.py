"""What `pip install tallygate` brings without any extra: the commands that ask a server, and a sentence for others."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tallygate.cli.main import LAZY

SERVER = ["dev", "serve", "migrate", "tenant", "doctor"]
ONLY_THE_CLIENT = """
import sys
from importlib.metadata import packages_distributions
allowed, owners = set({allowed!r}), packages_distributions()
class Absent:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in owners and not allowed & {{owner.lower().replace("_", "-") for owner in owners[top]}}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
from tallygate.__main__ import main
main()
"""


def installed(requirement, found):
    """This distribution and all that it needs, added to what was found."""
    name = re.sub(r"[-_.]+", "-", requirement.name).lower()
    if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
        return found
    found.add(name)
    for line in importlib.metadata.requires(name) or ():
        installed(Requirement(line), found)
    return found


@pytest.fixture(scope="module")
def say():
    allowed = installed(Requirement("tallygate"), set())
    assert "sqlalchemy" not in allowed

    def run(*words, directory):
        code = ONLY_THE_CLIENT.format(allowed=sorted(allowed))
        argv = [sys.executable, "-c", code, *words]
        return subprocess.run(argv, capture_output=True, text=True, cwd=directory, timeout=60, check=False)

    return run


def test_a_command_that_asks_a_server_needs_no_extra(say, tmp_path):
    done = say("check", "acme", "sso", "--server", "127.0.0.1:1", "--key", "tg_x", "--timeout", "1", directory=tmp_path)
    assert done.returncode == 3
    assert "127.0.0.1:1" in done.stderr
    catalog = Path(__file__).parents[2] / "src" / "tallygate" / "cli" / "demo_world" / "catalog.yaml"
    done = say("catalog", "validate", str(catalog), directory=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", sorted(LAZY.keys() - set(SERVER)))
def test_its_help_needs_none_either(command, say, tmp_path):
    done = say(command, "--help", directory=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "words",
    [
        ["serve"],
        ["migrate"],
        ["doctor"],
        ["tenant", "create", "x"],
        ["key", "create", "x", "--scope", "data", "--local", "--tenant", "demo"],
    ],
    ids=" ".join,
)
def test_a_command_that_is_the_server_says_what_to_install(words, say, tmp_path):
    done = say(*words, directory=tmp_path)
    assert done.returncode == 2
    assert re.fullmatch(
        r"error: [\w.]+ is missing: this command needs the server: pip install 'tallygate\[server\]'\n", done.stderr
    )
