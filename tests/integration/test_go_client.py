"""The README's Go block: stubs by `buf generate` with local plugins, and its three calls against a live server."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from child_processes import temporary_directory
from readme import BIN, DECLARED_SKIPS, ROOT, Shell, block, commands, running_dev
from thorough import THOROUGH

README = ROOT / "README.md"
SECONDS = 300
"""Building two plugins and gRPC itself takes a minute where nothing is cached."""
BUILT = Path(sys.prefix) / "go-build"
"""What Go has built stays beside what pip has installed."""


@pytest.fixture
def workshop():
    """A directory of one's own beside a clone; what Go installs stays in it."""
    top = temporary_directory("tg-go-")
    for name in ("protos", "buf.yaml"):
        source, clone = ROOT / name, top / "tallygate"
        clone.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, clone / name)
    (top / "demo").mkdir()
    return top / "demo"


def proxies_only():
    """Where modules come from, without what would fetch them from where their source is kept."""
    found = subprocess.run(["go", "env", "GOPROXY"], capture_output=True, text=True, check=True).stdout.strip()
    return ",".join(proxy for proxy in found.replace("|", ",").split(",") if proxy != "direct")


@pytest.mark.skipif(not THOROUGH, reason="make faults runs it: Go builds gRPC itself, on all CPUs, for over a minute")
@pytest.mark.skipif(shutil.which("go") is None, reason=DECLARED_SKIPS["go"])
def test_the_three_calls_from_go(workshop: Path):
    tools = workshop.parent / "bin"
    environment = {"GOBIN": str(tools), "GOPROXY": proxies_only(), "GOTOOLCHAIN": "local", "GOWORK": "off"}
    environment |= {"GOCACHE": str(BUILT), "CGO_ENABLED": "0"}  # without C it needs neither a compiler nor as long
    shell = Shell(directory=workshop, environment=environment)
    shell.run(f'export PATH="{tools}:{BIN}:$PATH"')
    for language, name in (("yaml", "buf.gen.yaml"), ("go", "main.go")):
        (workshop / name).write_text(block(README, language, f"file: {name}"))
    with running_dev() as dev:
        for command in commands(dev.filled(block(README, "sh", "run: in a directory beside"))):
            shell.expect(command, seconds=SECONDS)
    generated = {path.name for path in (workshop / "gen" / "tallygate" / "v1").iterdir()}
    assert {"entitlement_service.pb.go", "entitlement_service_grpc.pb.go"} <= generated
    assert subprocess.run(["go", "vet", "."], cwd=workshop, env=shell.environment, check=False).returncode == 0
    formatted = subprocess.run(["gofmt", "-l", "main.go"], cwd=workshop, capture_output=True, text=True, check=True)
    assert formatted.stdout == ""
