import pytest

from faults.installations import Installation, sqlite
from servers import ValkeyServer
from tallygate.domain.credential import mint_key


@pytest.fixture
def key(request):
    return mint_key(request.node.name.encode()[-32:].ljust(32, b"."))


@pytest.fixture
def valkey():
    with ValkeyServer(append_only=True) as server:
        yield server


@pytest.fixture
def installation(valkey, tmp_path):
    return Installation(valkey, sqlite(tmp_path))
