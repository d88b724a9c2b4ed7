"""One established connection: pipelines commands, matches replies by order, notices silence.

Knows no address, no reconnecting and no meaning of a command; when it ends it ends for good.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import hiredis
from typing_extensions import override

from tallygate.data_plane.burst import Burst
from tallygate.storage.redis import tls
from tallygate.storage.redis.link.commands import Script
from tallygate.storage.redis.link.errors import (
    LinkDownError,
    LinkError,
    LinkFullError,
    LinkLostError,
    NotSentError,
    Refusal,
    ReplyError,
    ReplyTimeoutError,
)
from tallygate.storage.redis.link.waiters import Learning, Waiter, fail

_NOT_YET = object()
_READ_BYTES = 1 << 16
# A long burst leaves in parts: Redis works on the first ones while the others are still being made.
_PART = 8
# After a stall of our own process a timer may fire before the socket was read: look twice before a verdict.
_GRACE_SECONDS = 0.002


class LinkCounters:
    """What the connections of one link did since it was made."""

    __slots__ = ("batches", "calls", "connects", "failures", "script_loads", "timeouts")

    def __init__(self) -> None:
        self.calls = 0
        self.batches = 0
        self.connects = 0
        self.failures = 0
        self.timeouts = 0
        self.script_loads = 0

    @property
    def reconnects(self) -> int:
        """Connects after the first one."""
        return max(0, self.connects - 1)


class LinkConnection(asyncio.BufferedProtocol):
    """A pipelined connection; all of its work happens on the event loop's thread.

    `reply_seconds` bounds silence, not queueing: it runs from the oldest unanswered batch or the last bytes
    received, whichever is later, so a busy server that answers in order is never taken for a dead one.
    """

    __slots__ = (
        "_batches",
        "_burst",
        "_counters",
        "_data",
        "_end",
        "_full",
        "_limit",
        "_loading",
        "_loop",
        "_on_end",
        "_on_refusal",
        "_pending",
        "_reader",
        "_received_at",
        "_replied",
        "_reply_seconds",
        "_sent",
        "_suspect",
        "_timer",
        "_transport",
        "_unsent",
        "_view",
        "place",
    )  # fmt: skip

    def __init__(
        self,
        *,
        counters: LinkCounters,
        reply_seconds: float,
        max_outstanding: int,
        on_end: Callable[["LinkConnection", str], None],
        on_refusal: Callable[["LinkConnection", str], None],
        burst: Burst,
    ) -> None:
        self._burst = burst
        self._loop = asyncio.get_running_loop()
        self._counters = counters
        self._reply_seconds = reply_seconds
        self._limit = max_outstanding
        self._full = f"{max_outstanding} commands wait for their replies"
        self._on_end = on_end
        self._on_refusal = on_refusal
        self._reader = hiredis.Reader(replyError=ReplyError, notEnoughData=_NOT_YET)
        self._data = bytearray(_READ_BYTES)
        self._view = memoryview(self._data)
        self.place: tuple[str, int] | None = None  # whom sentinels had named
        # Every command has its entry here, in the order of the wire, from `send` until its reply; a caller that
        # gave up leaves its entry behind. The newest len(_unsent) entries wait for the end of this tick.
        self._pending: deque[tuple[Waiter, Script | None, bytes]] = deque()
        self._unsent: list[bytes] = []
        self._batches: deque[tuple[int, float]] = deque()  # (commands sent up to here, when)
        self._sent = 0
        self._replied = 0
        self._received_at = 0.0
        self._suspect = False
        self._timer: asyncio.TimerHandle | None = None
        self._loading: set[str] = set()
        self._transport: asyncio.Transport | None = None
        self._end: str | None = None

    @property
    def outstanding(self) -> int:
        """How many commands wait for their replies, or to be written."""
        return len(self._pending)

    def send(self, command: bytes, script: Script | None = None) -> asyncio.Future[Any]:
        """Queue a packed command for the end of this loop tick; the future is its reply.

        Raises:
            LinkDownError: The connection has ended.
            LinkFullError: Too many commands are outstanding.
        """
        future: asyncio.Future[Any] = self._loop.create_future()
        self.send_for(future, command, script)
        return future

    def send_for(self, waiter: Waiter, command: bytes, script: Script | None = None) -> None:
        """As `send`, for somebody who waits in another way than by a future.

        Raises:
            LinkDownError: The connection has ended.
            LinkFullError: Too many commands are outstanding.
        """
        pending, unsent = self._pending, self._unsent
        if self._end is not None:
            raise LinkDownError(self._end)
        if len(pending) >= self._limit:
            raise LinkFullError(self._full)
        if not unsent and not self._burst.is_open:
            self._loop.call_soon(self.flush)
        pending.append((waiter, script, command))
        unsent.append(command)
        if len(unsent) >= _PART and self._burst.is_open:
            self.flush()

    def end(self, why: str, *, timed_out: bool = False) -> None:
        """Tear the connection down at once and fail every outstanding command."""
        if self._end is not None:
            return
        self._end = why
        self._sent = self._replied  # one of the replies at hand may end it: those behind it are nobody's
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()
        sent_error = ReplyTimeoutError if timed_out else LinkLostError
        pending, unsent = self._pending, len(self._unsent)
        self._unsent.clear()
        while pending:
            error = NotSentError if len(pending) <= unsent else sent_error
            self._fail(pending.popleft()[0], error, why)
        self._on_end(self, why)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio)."""
        self._transport = cast("asyncio.Transport", transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what is outstanding (asyncio)."""
        self.end(f"connection lost ({tls.told(exc)})" if exc else "connection closed by the server")

    @override
    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend the one read buffer (asyncio): hiredis copies what it needs."""
        return self._view

    @override
    def buffer_updated(self, nbytes: int) -> None:
        """Hand the replies that are complete to their callers (asyncio)."""
        self._received_at = self._loop.time()
        self._suspect = False
        try:
            self._reader.feed(self._data, 0, nbytes)  # type: ignore[arg-type] # any buffer, says its C source
            with self._burst:
                self._deliver()
        except hiredis.ProtocolError as error:
            self.end(f"protocol error ({error})")

    def _deliver(self) -> None:
        pending, gets, replied = self._pending, self._reader.gets, self._replied
        while (reply := gets()) is not _NOT_YET:
            if replied >= self._sent:  # the order is lost, so the connection is
                self.end("protocol error (a reply that nobody asked for)")
                return
            future, script, command = pending.popleft()
            replied += 1
            self._replied = replied
            if future.done():  # its caller gave up
                continue
            if type(reply) is not ReplyError:
                future.set_result(reply)
            elif script is None or reply.code != "NOSCRIPT":
                fail(future, reply)
                self.hear(reply, by_script=script is not None)
            else:
                self._load_and_resend(future, script, command)
        batches = self._batches
        while batches and batches[0][0] <= replied:
            batches.popleft()

    def flush(self) -> None:
        """Write what is queued, if anything is."""
        unsent = self._unsent
        transport = self._transport
        # When it closed in this tick, the commands are still here for `end` to say that they were never sent.
        if not unsent or transport is None or transport.is_closing():
            return
        count = len(unsent)
        data = unsent[0] if count == 1 else b"".join(unsent)
        unsent.clear()
        self._sent += count
        self._counters.calls += count
        self._counters.batches += 1
        now = self._loop.time()
        self._batches.append((self._sent, now))
        if self._timer is None:
            self._timer = self._loop.call_at(now + self._reply_seconds, self._look)
        transport.write(data)

    def retime(self, reply_seconds: float) -> None:
        """Wait so long for a reply from now on, also for those that are waited for already."""
        self._reply_seconds = reply_seconds
        if self._timer is not None and not self._suspect:
            self._timer.cancel()
            self._timer = self._loop.call_at(self._loop.time(), self._look)

    def _look(self) -> None:
        """The one timer: ends a connection that fell silent while somebody waits."""
        self._timer = None
        if not self._batches:
            return
        now, due = self._loop.time(), max(self._batches[0][1], self._received_at) + self._reply_seconds
        if now < due:
            self._timer = self._loop.call_at(due, self._look)
        elif not self._suspect:
            self._suspect = True
            self._timer = self._loop.call_at(now + _GRACE_SECONDS, self._look)
        else:
            self._counters.timeouts += 1
            self.end(f"no reply within {self._reply_seconds * 1000:g} ms", timed_out=True)

    def _load_and_resend(self, future: Waiter, script: Script, command: bytes) -> None:
        """Answer NOSCRIPT: nothing was executed, so the call is sent again, the first of them with the script's text.

        A server learns a script by executing it, which needs no right but the one to execute. The second entry
        carries no script: a second NOSCRIPT is its caller's.
        """
        if not self._unsent:
            self._loop.call_soon(self.flush)
        if script.sha1 not in self._loading:
            self._loading.add(script.sha1)
            self._counters.script_loads += 1
            future, command = Learning(future, script.sha1, self._loading), script.with_text(command)
        self._pending.append((future, None, command))
        self._unsent.append(command)

    def hear(self, error: ReplyError, *, by_script: bool) -> None:
        """Draw the conclusion if the server refuses more than this one call.

        A script that may not do all that it does is left half-done: until all rights are there no other is sent.
        """
        match error.refusal:
            case Refusal.SERVER:
                self.end(f"it refuses to work ({error.text})")
            case Refusal.RIGHTS if by_script:
                self.end(f"it lets us do too little ({error.text})")
            case Refusal.WRITES:
                self._on_refusal(self, error.text)
            case _:
                pass

    def _fail(self, future: Waiter, error: type[LinkError], why: str) -> None:
        if not future.done():
            self._counters.failures += 1
            fail(future, error(why))
