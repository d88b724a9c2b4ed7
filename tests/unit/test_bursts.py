"""What a burst gave rise to is written at its end: in order, whatever fails, and nothing is left behind."""

import asyncio
from types import SimpleNamespace

import pytest

from tallygate.data_plane.burst import Burst
from tallygate.storage.redis.bursts import Bursts
from tallygate.storage.redis.link.commands import Script, pack
from tallygate.storage.redis.link.connection import LinkConnection, LinkCounters

PONG = b"+PONG\r\n"


class Transport:
    """Takes what is written."""

    def __init__(self):
        self.written = []

    def write(self, data):
        self.written.append(data)

    def is_closing(self):
        return False

    def abort(self):
        self.written.append(None)


class Waiter:
    """Does something with its reply."""

    def __init__(self, then):
        self.then = then
        self.failed = None

    def done(self):
        return False

    def set_result(self, reply):
        self.then(reply)

    def set_exception(self, error):
        self.failed = error


def connected(burst):
    ended = []
    connection = LinkConnection(
        counters=LinkCounters(),
        reply_seconds=60,
        max_outstanding=100,
        on_end=lambda _, why: ended.append(why),
        on_refusal=lambda _, why: ended.append(why),
        burst=burst,
    )
    transport = Transport()
    connection.connection_made(transport)
    burst.at_end(connection.flush)
    return connection, transport, ended


def receive(connection, data):
    connection.get_buffer(len(data))[: len(data)] = data
    connection.buffer_updated(len(data))


def test_writers_are_called_in_their_order_at_the_end_of_each_burst():
    burst, called = Burst(), []
    burst.at_end(lambda: called.append(("first", burst.is_open)))
    burst.at_end(lambda: called.append(("second", burst.is_open)))
    for _ in range(2):
        with burst:
            assert burst.is_open
            assert called == []
        assert called == [("first", False), ("second", False)]
        called.clear()


def test_a_writer_that_fails_holds_up_no_other_and_is_logged(caplog):
    burst, called = Burst(), []

    def broken():
        called.append("broken")
        raise ZeroDivisionError

    burst.at_end(broken)
    burst.at_end(lambda: called.append("other"))
    for _ in range(2):
        with burst:
            pass
    assert called == ["broken", "other"] * 2
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError] * 2


def test_what_fails_inside_a_burst_is_raised_when_everything_was_written():
    burst, called = Burst(), []
    burst.at_end(lambda: called.append(burst.is_open))
    with pytest.raises(ZeroDivisionError), burst:
        raise ZeroDivisionError
    assert called == [False]


async def test_commands_of_a_burst_are_one_write_at_its_end():
    burst = Burst()
    connection, transport, _ = connected(burst)
    with burst:
        replies = [connection.send(pack("PING")) for _ in range(3)]
        assert transport.written == []
    assert transport.written == [pack("PING") * 3]
    await asyncio.sleep(0)
    assert len(transport.written) == 1
    receive(connection, PONG * 3)
    assert await asyncio.gather(*replies) == [b"PONG"] * 3
    connection.end("done")


async def test_a_long_burst_begins_to_leave_before_its_end_each_command_once_and_in_order():
    burst = Burst()
    connection, transport, _ = connected(burst)
    commands = [pack("ECHO", str(number)) for number in range(50)]
    with burst:
        for command in commands:
            connection.send(command).cancel()
        assert transport.written
    assert b"".join(transport.written) == b"".join(commands)
    assert len(transport.written) < len(commands) / 4
    connection.end("done")


async def test_what_was_queued_before_a_burst_is_written_once():
    burst = Burst()
    connection, transport, _ = connected(burst)
    connection.send(pack("PING")).cancel()
    with burst:
        connection.send(pack("TIME")).cancel()
    await asyncio.sleep(0)
    assert transport.written == [pack("PING") + pack("TIME")]
    connection.end("done")


async def test_what_replies_give_rise_to_leaves_with_the_last_of_them():
    burst = Burst()
    connection, transport, _ = connected(burst)
    for _ in range(3):
        connection.send_for(Waiter(lambda _: connection.send(pack("TIME")).cancel()), pack("PING"))
    await asyncio.sleep(0)
    receive(connection, PONG * 3)
    assert transport.written == [pack("PING") * 3, pack("TIME") * 3]
    connection.end("done")


async def test_what_a_writer_queues_leaves_with_the_tick():
    burst = Burst()
    connection, transport, _ = connected(burst)
    burst.at_end(lambda: connection.send(pack("TIME")).cancel())
    with burst:
        connection.send(pack("PING")).cancel()
    assert transport.written == [pack("PING")]
    await asyncio.sleep(0)
    assert transport.written == [pack("PING"), pack("TIME")]
    connection.end("done")


async def test_commands_leave_although_another_writer_failed_and_the_burst_did():
    burst = Burst()

    def broken():
        raise ZeroDivisionError

    burst.at_end(broken)
    connection, transport, _ = connected(burst)

    def fails_after_sending():
        with burst:
            connection.send(pack("PING")).cancel()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails_after_sending()
    assert transport.written == [pack("PING")]
    connection.end("done")


async def test_a_connection_that_its_own_reply_ends_delivers_nothing_more():
    connection, transport, ended = connected(Burst())
    seen = []

    def ends(reply):
        seen.append(reply)
        connection.end("not its reply")

    others = [Waiter(seen.append), Waiter(seen.append)]
    for waiter in (Waiter(ends), *others):
        connection.send_for(waiter, pack("PING"))
    await asyncio.sleep(0)
    receive(connection, PONG * 3)
    assert (seen, ended) == ([b"PONG"], ["not its reply"])
    assert [str(waiter.failed) for waiter in others] == ["not its reply"] * 2
    assert transport.written[-1] is None


class AnyHome:
    """Where all effects of these tests live."""

    versions = places = argument = b""


HOME = AnyHome()


class Counting:
    """An effect that counts, or not, and what it was told."""

    def __init__(self, counts):
        packed = {"keys": b"", "head": b"", "rules": [], "key_count": 0, "argument_count": 0}
        self.program = SimpleNamespace(counts=counts, home=HOME, **packed)
        self.said = []
        self.heard = []

    def deliver(self, reply):
        self.heard.append(reply)


@pytest.mark.parametrize("vouched", [True, False])
async def test_what_counts_leaves_only_to_a_server_that_is_vouched_for_when_it_leaves(vouched):
    """Between asking and sending the link may have come back, to a server that is older than what was counted."""
    sent = []
    link = SimpleNamespace(vouched=True, eval_for=lambda waiter, _script, _command: sent.append(waiter))
    burst = Burst()
    bursts = Bursts(link, Script("return 1"), lambda: 1, b"", burst=burst, current=lambda home: home)
    counting, looking = Counting(counts=True), Counting(counts=False)
    with burst:
        bursts.add(counting)
        bursts.add(looking)
        link.vouched = vouched
    assert counting.heard == ([] if vouched else [None])
    assert looking.heard == []
    assert len(sent) == 1
