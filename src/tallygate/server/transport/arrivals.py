"""Calls between their arrival and their beginning: who finds room to wait, and whose turn it is.

The library's tuples of events stay what they are; who begins a call, lets it go or refuses it is told as a function.
"""

import logging
from collections.abc import Callable, Sequence
from itertools import islice, repeat
from threading import Lock
from time import monotonic
from typing import Any

from pygrpc_native import EVENT_CANCEL

from tallygate.data_plane.burst import Burst
from tallygate.data_plane.turns import Turns
from tallygate.server.calls.port import authorization_of
from tallygate.server.calls.room import Room

_BURST_SECONDS, _TURN_SECONDS = 0.002, 0.001
"""For how long calls are begun before the loop does other things; for how long one caller's, while others wait."""
_log = logging.getLogger(__name__)


class Arrivals:
    """What has arrived at one server, which may know `max_calls`.

    `begin` takes an event and how many seconds ago it arrived, `leave` and `refuse` the id of a call whose caller has
    left, and of one that cannot be begun; `soon` has a function called on the loop, after what waits there already.
    """

    def __init__(
        self,
        max_calls: int,
        burst: Burst,
        *,
        begin: Callable[[Any, float], None],
        leave: Callable[[int], None],
        refuse: Callable[[int], None],
        soon: Callable[[Callable[[], None]], object],
    ) -> None:
        self._begin, self._leave, self._refuse, self._soon = begin, leave, refuse, soon
        self._burst = burst
        self._max_calls = max_calls
        self._queued = self._taken = 0  # by the dispatching thread, by whoever is in the loop's place
        self._room, self._lock = Room(max_calls), Lock()
        self._later: Turns[tuple[Any, float, str | None]] = Turns(_TURN_SECONDS)
        self._waiting: set[int] = set()  # calls in it whose callers have not left

    @property
    def nothing_waits(self) -> bool:
        """Whether all that was admitted has been taken."""
        return self._queued == self._taken

    def admit(
        self, events: list[Any], always: frozenset[int], at_work: int
    ) -> tuple[list[Any], Sequence[str | None], list[int]]:
        """The events for which there is room beside so many calls at work; who holds it; the calls for which is none.

        Called by the dispatching thread. Who calls is looked at only once half of all room is taken, and not of methods
        that are `always` served.
        """
        busy = at_work + self._queued - self._taken
        if busy + len(events) <= self._max_calls // 2:
            self._queued += len(events)
            return events, (), []
        elsewhere = busy - len(self._room)
        admitted: list[Any] = []
        holders: list[str | None] = []
        refused: list[int] = []
        for event in events:
            who = None
            if event[0] != EVENT_CANCEL and event[2] not in always:
                who = authorization_of(event[5][0]) or ""
                with self._lock:
                    is_admitted = self._room.enter(who, elsewhere=elsewhere)
                if not is_admitted:
                    refused.append(event[1])
                    continue
            admitted.append(event)
            holders.append(who)
        self._queued += len(admitted)
        return admitted, holders, refused

    def take(self, events: list[Any], arrived: float, holders: Sequence[str | None]) -> None:
        """Take what has arrived, in its order; what a burst leaves no time for waits, and is taken in turns."""
        done = 0
        with self._burst:
            if not self._later:
                done = self._take_at_once(events, arrived)
                self._count(done, holders[:done])
                if done == len(events):
                    return
            for event, who in islice(zip(events, holders or repeat(None), strict=False), done, None):
                if event[0] == EVENT_CANCEL:
                    self._waiting.discard(event[1])
                    self._leave(event[1])
                    self._count(1, (who,))
                else:
                    self._put_off(event, arrived, who)

    def _take_at_once(self, events: list[Any], arrived: float) -> int:
        """One after the other, for as long as a burst may last; how many that was."""
        now = monotonic()
        late, until, done = now - arrived, now + _BURST_SECONDS, 0
        for event in events:
            self._take(event, late)
            done += 1
            if monotonic() >= until:
                break
        return done

    def _take(self, event: Any, late: float) -> None:  # noqa: ANN401 - the library's tuple
        try:
            self._begin(event, late)
        except Exception:  # noqa: BLE001 - one bad event must not lose the rest of its batch
            _log.exception("a call could not be begun")
            self._refuse(event[1])

    def _count(self, done: int, holders: Sequence[str | None]) -> None:
        """So many do not wait any more, nor hold room."""
        self._taken += done
        if holders:
            with self._lock:
                for who in holders:
                    if who is not None:
                        self._room.leave(who)

    def _put_off(self, event: Any, arrived: float, who: str | None) -> None:  # noqa: ANN401 - the library's tuple
        if not self._later:
            self._soon(self._take_turns)
        self._waiting.add(event[1])
        whose = authorization_of(event[5][0]) or "" if who is None else who
        self._later.put(whose, (event, arrived, who))

    def _take_turns(self) -> None:
        """Take what waits, for as long as a burst may last; the loop does other things in between."""
        with self._burst:
            now = monotonic()
            until = now + _BURST_SECONDS
            while self._later and now < until:
                event, arrived, who = self._later.take()
                if event[1] in self._waiting:  # else its caller has left
                    self._waiting.discard(event[1])
                    self._take(event, now - arrived)
                self._count(1, (who,))
                before, now = now, monotonic()
                self._later.spend(now - before)
        if self._later:
            self._soon(self._take_turns)
