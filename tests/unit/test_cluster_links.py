"""Which node has what, as nodes tell it, and who waits for a reply that is to be had elsewhere."""

import asyncio

import pytest

from tallygate.storage.redis.address import RedisAddress, RedisUrlError
from tallygate.storage.redis.link.commands import Script, pack
from tallygate.storage.redis.link.errors import LinkDownError, ReplyError
from tallygate.storage.redis.link.following import Following
from tallygate.storage.redis.link.tags import tag_in
from tallygate.storage.redis.link.topology import Redirection, read_redirection, read_slots, slot_of

ASKED = ("asked", 1)
SCRIPT = Script("return 1")


def test_slots_are_those_that_redis_documents():
    assert {tag: slot_of(tag) for tag in ("foo", "somekey", "hash_tag")} == {
        "foo": 12182,
        "somekey": 11058,
        "hash_tag": 2515,
    }


def test_a_map_is_read_as_a_node_tells_it():
    told = [
        [10, 16383, [b"::1", 7001, b"id"], [b"replica", 7003, b"id"]],
        [0, 4, [b"", 7000, b"id"]],
        [5, 6, [None, 7000, b"id"]],
        [7, 7, [b"?", 7000, b"id"]],
    ]
    found = read_slots(told, ASKED)
    assert [found.place_of(slot) for slot in (0, 4, 6)] == [("asked", 7000)] * 3, "it does not know its own host"
    assert [found.place_of(slot) for slot in (7, 8, 9)] == [None] * 3, "at an unknown place, or nowhere"
    assert [found.place_of(slot) for slot in (10, 16383)] == [("::1", 7001)] * 2
    assert found.replicas == (("replica", 7003),)


@pytest.mark.parametrize("reply", [None, b"OK", 7, [7], [[0, 1]], [[0, 1, b"x"]], [[b"x", 1, [b"a", 1]]], [[0, 1, []]]])
def test_a_map_that_cannot_be_read_is_none(reply):
    with pytest.raises(ValueError, match=r"SLOTS|invalid literal"):
        read_slots(reply, ASKED)


@pytest.mark.parametrize(
    ("error", "found"),
    [
        ("MOVED 3999 127.0.0.1:6381", Redirection(3999, ("127.0.0.1", 6381), for_good=True)),
        ("ASK 12 ::1:6381", Redirection(12, ("::1", 6381), for_good=False)),
        ("MOVED 1 :6381", Redirection(1, ("asked", 6381), for_good=True)),
        ("MOVED x 127.0.0.1:6381", None),
        ("MOVED 1 127.0.0.1:x", None),
        ("TRYAGAIN Multiple keys request during rehashing of slot", None),
        ("ERR MOVED 1 127.0.0.1:1", None),
    ],
)
def test_where_a_node_says_that_a_slot_is(error, found):
    assert read_redirection(error, ASKED) == found


@pytest.mark.parametrize(
    ("command", "tag"),
    [
        (("GET", "tg:{12}:epoch"), "12"),
        (("XINFO", "STREAM", b"tg:{3}:ev"), "3"),
        (("XGROUP", "CREATE", "tg:{3}:ev", "billing", "0"), "3"),
        (("EVAL", "return 1", 2, "tg:{5}:a", "tg:{5}:b"), "5"),
        (("EVALSHA", "x", 0), "keys"),
        (("XREADGROUP", "GROUP", "billing", "{7}", b"STREAMS", "tg:{9}:ev", ">"), "9"),
        (("PUBLISH", "tg:changes", "x"), "keys"),
        (("TIME",), "keys"),
    ],
)
def test_a_command_goes_where_its_first_key_is(command, tag):
    assert tag_in(command) == tag


class Node:
    """Takes what is sent to it."""

    place = ASKED

    def __init__(self):
        self.sent = []

    def eval_for(self, waiter, script, packed):
        self.sent.append((waiter, script, packed))


def following(node, redirected, script=None):
    packed = pack("GET", "a") if script is None else script.prefix(1, 0) + b"$1\r\na\r\n"
    reply = asyncio.get_running_loop().create_future()
    return reply, Following(redirected, reply, node, packed, script)


async def test_a_command_follows_its_slot_once():
    other, told = Node(), []
    reply, waiter = following(Node(), lambda to: told.append(to) or other)
    waiter.set_exception(ReplyError("MOVED 7 there:2"))
    assert told == [Redirection(7, ("there", 2), for_good=True)]
    assert other.sent == [(waiter, None, pack("GET", "a"))]
    waiter.set_exception(ReplyError("MOVED 7 elsewhere:3"))
    with pytest.raises(ReplyError, match="elsewhere"):
        await reply
    assert len(told) == len(other.sent) == 1


async def test_what_is_asked_for_this_once_is_asked_in_one_go_and_with_its_text():
    other = Node()
    reply, waiter = following(Node(), lambda _: other, SCRIPT)
    waiter.set_exception(ReplyError("ASK 7 there:2"))
    (nobody, _, asking), (waits, script, packed) = other.sent
    assert (asking, nobody.done()) == (pack("ASKING"), True)
    assert (waits, script, packed) == (waiter, None, pack("EVAL", "return 1", 1, "a"))
    waiter.set_result(b"there")
    assert await reply == b"there"


@pytest.mark.parametrize("error", [ReplyError("TRYAGAIN"), ReplyError("CLUSTERDOWN"), LinkDownError("down")])
async def test_what_nobody_says_to_be_elsewhere_fails(error):
    reply, waiter = following(Node(), lambda _: pytest.fail("nobody is asked"))
    waiter.set_exception(error)
    with pytest.raises(type(error)):
        await reply


async def test_what_is_at_a_node_that_is_not_connected_fails():
    def redirected(_):
        raise LinkDownError

    reply, waiter = following(Node(), redirected)
    waiter.set_exception(ReplyError("MOVED 7 there:2"))
    with pytest.raises(LinkDownError):
        await reply


def test_nodes_of_a_cluster_stand_in_the_place_of_a_server():
    address = RedisAddress.parse("rediss+cluster://me:s%2Fe:cret@one,two:7001,[::1]:7002")
    assert address.seeds == (("one", 6379), ("two", 7001), ("::1", 7002))
    assert (address.credentials(), address.tls is not None) == (("me", "s/e:cret"), True)
    assert "s/e" not in f"{address} {address!r}"
    assert str(address) == "rediss+cluster://one:6379,two:7001,::1:7002"
    plain = RedisAddress.parse("valkey+cluster://one/")
    assert (plain.tls, plain.has_credentials, plain.seeds) == (None, False, (("one", 6379),))


@pytest.mark.parametrize(
    "url",
    [
        "redis+cluster://:secret@",
        "redis+cluster://:secret@one,",
        "redis+cluster://:secret@one/3",
        "redis+cluster://:secret@one:x",
        "unix+cluster://:secret@one",
        "redis+cluster://:secret@one?sentinel_password=secret",
    ],
)
def test_a_bad_url_is_one_line_without_its_secret(url):
    with pytest.raises(RedisUrlError) as error:
        RedisAddress.parse(url)
    assert "sec" not in str(error.value)
    assert "\n" not in str(error.value)
