import json
from dataclasses import dataclass

import pytest

from contract.cli.fake_server import FakeServer
from tallygate import settings
from tallygate.cli.main import run


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    def json(self):
        return json.loads(self.out)

    def error(self):
        return json.loads(self.err)


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """An empty working directory, and nothing of ours in the environment."""
    for name in list(settings._ENVIRON):
        if name.startswith("TALLYGATE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def say(capsys):
    """Run a command line in this process."""

    def run_it(*words):
        capsys.readouterr()
        code = run([str(word) for word in words])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run_it


@pytest.fixture
def server(monkeypatch):
    fake = FakeServer()
    monkeypatch.setenv("TALLYGATE_ADDRESS", fake.address)
    monkeypatch.setenv("TALLYGATE_API_KEY", "tg_test")
    yield fake
    fake.stop()
