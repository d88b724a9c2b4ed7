import re
from importlib.resources import files

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallygate.storage.redis.address import RedisUrlError
from tallygate.storage.redis.link.commands import pack, pack_arguments
from tallygate.storage.redis.link.errors import Refusal, ReplyError
from tallygate.storage.redis.link.link import (
    RedisAddress,
    Script,
)
from tallygate.storage.redis.tls import RedisTls

REFUSALS = {
    Refusal.SERVER: [
        "READONLY You can't write against a read only replica. script: on @user_script:172.",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "LOADING Valkey is loading the dataset in memory",
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "CLUSTERDOWN The cluster is down",
        "NOAUTH Authentication required.",
        "WRONGPASS invalid username-password pair or user is disabled.",
    ],
    Refusal.WRITES: [
        "OOM command not allowed when used memory > 'maxmemory'.",
        "MISCONF Errors writing to the AOF file: No space left on device",
        "NOREPLICAS Not enough good replicas to write.",
    ],
    Refusal.RIGHTS: [
        "NOPERM User u has no permissions to run the 'set' command",
        "ERR ACL failure in script: User u has no permissions to run the 'xadd' command script: on @user_script:1.",
        "ERR The user executing the script can't run this command or subcommand script: 88c9, on @user_script:1.",
    ],
    None: [
        "ERR unknown command 'NONSENSE'",
        "WRONGTYPE Operation against a key holding the wrong kind of value",
        "NOSCRIPT No matching script. Please use EVAL.",
        "BUSYGROUP Consumer Group name already exists",
    ],
}
CALL = re.compile(r"redis\.p?call\('([A-Z]+)'")

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
        ("rediss://cache", RedisAddress(host="cache", tls=RedisTls())),
        (
            "valkeys://u:p@cache:7/1",
            RedisAddress(host="cache", port=7, username="u", password="p", database=1, tls=RedisTls()),
        ),
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
        "redisss://:secret@cache",
        "redis://:sec/ret@cache",
        "redis://:secret@cache/x",
        "unix://:secret@",
        "rediss://:secret@cache?ssl_cert_reqs=none",
        "http://:secret@cache",
        "redis://:secret@cache?sslx=secret",
        "redis://:secret@cache:0",
        "redis://:secret@cache:99999",
        "redis://:secret@cache/-1",
        "redis://:secret@cache/9999999999",
        "redis://:sec#ret@cache",
        "redis://[:secret@cache",
        "redis+sentinel://:secret@cache",
        "redis+sentinel://:secret@cache:26379/",
        "redis+sentinel://:secret@cache:x/main",
        "redis+sentinel://:secret@cache,/main",
        "redis+sentinel://:secret@cache/main/x",
        "unix+sentinel://:secret@cache/main",
        "redis+sentinel://:secret@cache/main?sentinels=secret",
    ],
)
def test_a_bad_url_is_one_line_without_its_secret(url):
    with pytest.raises(RedisUrlError) as error:
        RedisAddress.parse(url)
    assert "sec" not in str(error.value)
    assert "\n" not in str(error.value)


def test_sentinels_stand_in_the_place_of_a_server():
    address = RedisAddress.parse(
        "rediss+sentinel://me:s%2Fe:cret@one,two:26380,[::1]:5/my%20main/3?sentinel_password=s%26e"
    )
    assert address.sentinels == (("one", 26379), ("two", 26380), ("::1", 5))
    assert (address.service, address.database) == ("my main", 3)
    assert address.credentials() == ("me", "s/e:cret")
    assert address.sentinel_password == "s&e"
    assert address.tls is not None
    assert "s/e" not in f"{address} {address!r}"
    assert "s&e" not in f"{address} {address!r}"
    assert str(address) == "rediss+sentinel://one:26379,two:26380,::1:5/my main"
    plain = RedisAddress.parse("valkey+sentinel://one/main")
    assert (plain.tls, plain.has_credentials, plain.database) == (None, False, 0)


@pytest.mark.parametrize(("refusal", "text"), [(kind, text) for kind, texts in REFUSALS.items() for text in texts])
def test_what_an_error_reply_says_about_its_server(refusal, text):
    assert ReplyError(text).refusal is refusal


def test_the_probe_tries_every_command_that_the_hot_path_uses():
    """So a right that is missing is known from the first connection on, and by its name."""
    scripts = files("tallygate.storage.redis").joinpath("scripts")
    used = {name for part in scripts.joinpath("parts").iterdir() for name in CALL.findall(part.read_text())}
    tried = set(re.findall(r"try\('([A-Z]+)'", scripts.joinpath("probe.lua").read_text()))
    assert used - {"PUBLISH"} <= tried  # a hint may stay untold
    assert {"HSET", "XADD"} <= used


def test_a_call_brings_its_scripts_text_along_in_the_place_of_the_digest():
    script = Script("return ARGV[1]")
    call = script.prefix(1, 2) + pack_arguments(["key", "EVALSHA", b"\r\n"])
    expected = hiredis.pack_command(("EVAL", script.body, 1, "key", "EVALSHA", b"\r\n"))
    assert script.with_text(call) == expected
