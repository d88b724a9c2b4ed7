"""What tests of whole stores share."""

import pytest

from billed_worlds import Places


@pytest.fixture(scope="session")
def places(tmp_path_factory):
    found = Places(tmp_path_factory.mktemp("worlds"))
    yield found
    found.close()
