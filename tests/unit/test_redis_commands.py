import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallygate.storage.redis.address import RedisUrlError
from tallygate.storage.redis.link.commands import pack, pack_arguments
from tallygate.storage.redis.link.link import (
    RedisAddress,
    Script,
)

ARGUMENT = st.binary() | st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(2**63), 2**63)


@given(st.lists(ARGUMENT, min_size=1))
def test_commands_are_packed_as_hiredis_packs_them(arguments):
    assert pack(*arguments) == hiredis.pack_command(tuple(arguments))


@given(st.lists(ARGUMENT), st.lists(ARGUMENT))
def test_script_calls_are_packed_as_hiredis_packs_them(keys, arguments):
    script = Script("return 1")
    expected = hiredis.pack_command(("EVALSHA", script.sha1, len(keys), *keys, *arguments))
    for _ in range(2):
        assert script.prefix(len(keys), len(arguments)) + pack_arguments([*keys, *arguments]) == expected


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://", RedisAddress()),
        ("redis://cache", RedisAddress(host="cache")),
        ("valkey://cache:7000/2", RedisAddress(host="cache", port=7000, database=2)),
        ("redis://[::1]:7000", RedisAddress(host="::1", port=7000)),
        ("redis://:p%40ss@cache", RedisAddress(host="cache", password="p@ss")),
        ("redis://user:pass@cache", RedisAddress(host="cache", username="user", password="pass")),
        ("unix:///run/a%20b.sock", RedisAddress(socket_path="/run/a b.sock")),
        ("valkey://h?db=2&password=p%26w&username=u", RedisAddress(host="h", database=2, username="u", password="p&w")),
        ("unix://:pass@/run/a.sock?db=3", RedisAddress(socket_path="/run/a.sock", password="pass", database=3)),
    ],
)
def test_urls(url, address):
    assert RedisAddress.parse(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cache:6379",
        "rediss://:secret@cache",
        "redis://:sec/ret@cache",
        "redis://:secret@cache/x",
        "unix://:secret@",
        "valkeys://:secret@cache",
        "http://:secret@cache",
        "redis://:secret@cache?sslx=secret",
        "redis://:secret@cache:0",
        "redis://:secret@cache:99999",
        "redis://:secret@cache/-1",
        "redis://:secret@cache/9999999999",
        "redis://:sec#ret@cache",
        "redis://[:secret@cache",
    ],
)
def test_a_bad_url_is_one_line_without_its_secret(url):
    with pytest.raises(RedisUrlError) as error:
        RedisAddress.parse(url)
    assert "sec" not in str(error.value)
    assert "\n" not in str(error.value)
