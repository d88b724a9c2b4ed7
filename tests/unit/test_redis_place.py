"""What the settings say of a Redis: which fit together, and what is said of those that do not."""

import pytest

from tallygate.app.errors import UnusableSettingError
from tallygate.app.redis_place import address_of
from tallygate.settings import RedisSettings

URL = "redis://cache"
TLS = "rediss://cache"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_text("hunter2\n")
    return path


def address(**settings):
    return address_of(RedisSettings(**settings))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": URL, "tls_ca": "FILE"}, "redis.tls_ca (TALLYGATE_REDIS__TLS_CA): TLS is not used"),
        ({"url": URL, "tls_server_name": "h"}, "redis.tls_server_name (TALLYGATE_REDIS__TLS_SERVER_NAME): TLS is not"),
        ({"tls_cert": "FILE"}, "expected redis.url to begin with rediss://"),
        ({"url": TLS, "tls_key": "FILE"}, "a key needs its certificate: expected redis.tls_cert, too"),
        ({"url": TLS, "tls_ca": "/absent"}, "redis.tls_ca (TALLYGATE_REDIS__TLS_CA): cannot read /absent: No such"),
        ({"url": TLS, "tls_ca": "FILE"}, "expected certificates in PEM form"),
        ({"url": TLS, "tls_cert": "FILE"}, "redis.tls_cert (TALLYGATE_REDIS__TLS_CERT): cannot use"),
        ({"url": "redis://:p@cache", "password_file": "FILE"}, "redis.url holds one, too"),
        ({"url": "redis://u:p@cache", "username_file": "FILE"}, "redis.url holds one, too"),
        ({"password_file": "FILE"}, "the embedded Valkey takes none"),
        ({"url": URL, "username_file": "FILE"}, "a user needs a password: expected redis.password_file, too"),
        ({"url": URL, "password_file": "/absent"}, "redis.password_file (TALLYGATE_REDIS__PASSWORD_FILE): cannot read"),
        ({"url": URL, "password_file": "EMPTY"}, "expected one line with the secret"),
        ({"url": URL, "password_file": "TWO"}, "expected one line with the secret"),
        ({"url": URL, "password_file": "BYTES"}, "not UTF-8"),
    ],
)
def test_settings_that_do_not_fit_are_said_in_one_line(tmp_path, file, settings, said):
    written = {"EMPTY": b"\n", "TWO": b"hunter2\nhunter3\n", "BYTES": b"\xff"}
    for name, content in written.items():
        (tmp_path / name).write_bytes(content)
    names = {"FILE": str(file)} | {name: str(tmp_path / name) for name in written}
    with pytest.raises(UnusableSettingError) as error:
        address(**{key: names.get(value, value) for key, value in settings.items()})
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert "hunter" not in str(error.value)


def test_credentials_are_read_when_they_are_needed(file):
    found = address(url="redis://gate@cache", password_file=str(file))
    assert found.credentials() == ("gate", "hunter2")
    file.write_text("hunter3")
    assert found.credentials() == ("gate", "hunter3")
    assert "hunter" not in repr(found)


def test_a_certificate_is_read_again_when_it_has_changed_and_only_then(tmp_path):
    from certificates import Authority  # noqa: PLC0415 - runs openssl

    one = Authority(tmp_path)
    found = address(url=TLS, tls_ca=str(one.cert), tls_server_name="redis.internal")
    assert found.server_name == "redis.internal"
    before = found.tls_options()["ssl"]
    assert found.tls_options()["ssl"] is before
    one.cert.write_bytes(Authority(tmp_path, "another").cert.read_bytes())
    assert found.tls_options()["ssl"] is not before


def test_without_tls_asyncio_is_told_nothing_of_it():
    assert address(url=URL).tls_options() == {}
    assert address() is None
