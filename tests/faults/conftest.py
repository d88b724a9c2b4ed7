import gc
import shutil

import pytest

from faults.installations import Installation, sqlite
from faults.planted import plant
from servers import ValkeyServer
from tallygate.domain.credential import mint_key
from tallygate.metering.rebuilding import Rebuilder
from tallygate.storage.sql.schema import migrate


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call):
    """Who cannot even begin without what protects it has shown nothing."""
    report = yield
    if call.when != "call" and hasattr(report, "wasxfail"):
        del report.wasxfail
        report.outcome = "failed"
    return report


@pytest.fixture(autouse=True)
def unprotected(request, monkeypatch):
    """What protects this test is there, or the one thing is off that `planted.fails_without` names."""
    plant(getattr(request, "param", None), monkeypatch, request.module)


@pytest.fixture
def key(request):
    return mint_key(request.node.name.encode()[-32:].ljust(32, b"."))


@pytest.fixture
def without_rebuilds(monkeypatch):
    """No worker makes lost counters anew: what is left to an operator then."""

    async def idle(_, sleep):
        while True:
            await sleep(1)

    monkeypatch.setattr(Rebuilder, "run", idle)


@pytest.fixture
def valkey():
    with ValkeyServer(append_only=True) as server:
        yield server


@pytest.fixture
def installation(valkey, tmp_path):
    return Installation(valkey, sqlite(tmp_path))


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "tallygate.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def fresh(template, tmp_path):
    """Gives an empty database, each time."""

    def make():
        for left in tmp_path.glob("world.db*"):
            left.unlink()
        return shutil.copy(template, tmp_path / "world.db")

    yield make
    gc.collect()  # what the dead left open is told of here, not in whichever test comes next
