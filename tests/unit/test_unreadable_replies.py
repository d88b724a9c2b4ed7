"""What Redis answers may be anything that its protocol allows: it is the store that failed, never this program."""

import asyncio

import pytest

from tallygate.domain.errors import StoreUnavailableError
from tallygate.storage.redis.bursts import _Waiter
from tallygate.storage.redis.clocks import time_of
from tallygate.storage.redis.gates import _Asking
from tallygate.storage.redis.link.errors import ReplyError
from tallygate.storage.redis.views import RedisViews

NOISE = [7, b"", b"x", b"-1", b"1.5", [], [b"x"], [None, None, None], [1, [2]]]


class Link:
    """Answers everything alike, and notes why it was told to leave."""

    vouched = True

    def __init__(self, reply=None):
        self.reply = reply
        self.left = []

    async def call(self, *_command):
        return self.reply

    def reset(self, why):
        self.left.append(why)

    def hear(self, _error):
        pass


@pytest.mark.parametrize("reply", NOISE, ids=repr)
@pytest.mark.parametrize(
    "ask",
    [
        lambda views: views.all_versions("t", ["a"]),
        lambda views: views.newest("t", "a"),
        lambda views: views.table_version(),
        lambda views: views.catalog("t"),
        lambda views: views.key("digest"),
    ],
    ids=["versions", "newest", "table_version", "catalog", "key"],
)
def test_a_view_that_cannot_be_read_is_the_store_s_failure(ask, reply):
    with pytest.raises(StoreUnavailableError):
        asyncio.run(ask(RedisViews(Link(reply), partitions=2)))


@pytest.mark.parametrize("reply", [*NOISE, None], ids=repr)
def test_a_time_that_cannot_be_read_is_an_error_of_redis(reply):
    with pytest.raises(ReplyError):
        asyncio.run(time_of(Link(reply).call))


class Effect:
    def __init__(self):
        self.replies = []

    def deliver(self, reply):
        self.replies.append(reply)


@pytest.mark.parametrize("reply", [*NOISE, None, [b"1"], [b"1", [b"D"]], [b"2", [b"D"], [b"D"]]], ids=repr)
def test_every_call_of_a_burst_is_told_that_its_reply_was_not_readable(reply):
    link, effects = Link(), [Effect(), Effect()]
    _Waiter(b"1", effects, link).set_result(reply)
    assert [effect.replies for effect in effects] == [[None], [None]]
    assert len(link.left) == 1


class Gates:
    def __init__(self):
        self.link = Link()


class Program:
    kinds, counts = "q", True


@pytest.mark.parametrize(
    "reply",
    [*(noise for noise in NOISE if not isinstance(noise, list)), [], [b"DECIDED"], [b"DECIDED", 1], [b"DECIDED", 1, 0],
     [b"DECIDED", 1, 0, b"\xc1"], [b"DECIDED", 1, 0, b"\x90"], [b"DECIDED", 1, 0, 5], [b"DECIDED", b"now", 0, b""],
     [[], 1], [b"ERROR", 1], [b"ERROR", 1, 5]],
    ids=repr,
)  # fmt: skip
def test_a_call_is_answered_once_whatever_came_back(reply):
    answers = []
    _Asking(Gates(), Program(), [b""], answers.append).deliver(reply)
    (answer,) = answers
    assert isinstance(answer, StoreUnavailableError)
