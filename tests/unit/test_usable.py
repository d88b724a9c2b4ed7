"""What is found of settings before anything is started."""

import pytest

from tallygate.app.errors import UnusableSettingError
from tallygate.app.usable import require_usable
from tallygate.settings import RedisSettings, ServerSettings, Settings


@pytest.mark.parametrize(
    ("role", "address", "problem"),
    [
        ("data", "127.0.0.1:7422", "role data has no database to keep webhooks in"),
        ("control", "unix:///run/hooks.sock", "expected host:port"),
        ("control", "nowhere", "server.http_address"),
    ],
)
def test_webhooks_are_heard_on_a_port_and_where_there_is_a_database(role, address, problem):
    settings = Settings(
        role=role, redis=RedisSettings(url="redis://localhost"), server=ServerSettings(http_address=address)
    )
    with pytest.raises(UnusableSettingError) as raised:
        require_usable(settings)
    assert problem in str(raised.value)
    assert "server.http_address" in str(raised.value)
