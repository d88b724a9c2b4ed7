"""Plain calls of `admit.lua`: one quota without grants, or rate limits without an identity.

What a view decides is packed once; what is left to do for a call is to fill in its own bytes.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgpack
from cachetools import LRUCache

from tallygate.data_plane.ports import About, AdmitCall, Answered, Clock, Identity, PlainStatus
from tallygate.domain.catalog import Algorithm
from tallygate.domain.event import FactKind
from tallygate.domain.gating.quota import DELTAS, QuotaGate, Slot
from tallygate.domain.gating.rate_limit import RateGate
from tallygate.storage.redis.gate_codec import REPLAY_BUCKETS, WorldKind, pack_all, pack_context_around, rate_figures
from tallygate.storage.redis.link.commands import pack_arguments
from tallygate.storage.redis.link.link import LinkError, RedisLink, ReplyError, Script

_STATUSES = {
    b"TAKEN": PlainStatus.TAKEN,
    b"DENIED": PlainStatus.DENIED,
    b"SEEN": PlainStatus.SEEN,
    b"CLOCK_SKEW": PlainStatus.UNAVAILABLE,
}
_BUCKETS = tuple(pack_arguments([str(number)]) for number in range(REPLAY_BUCKETS))
_SHARED = 4_096
_STR8 = tuple(b"\xd9%c" % length for length in range(256))
_NOBODY = b"\xa0\x80"
"""No user and no dimensions, packed."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What like calls share: all before the sequence number, by how many arguments follow, and the packed worlds."""

    head: Callable[[int], bytes]
    world: Callable[[WorldKind], bytes]


class Sender:
    """Sends plain calls over a link, each under a number that its reply repeats."""

    __slots__ = ("_clock", "_link", "_numbers", "_script", "_shared")

    def __init__(self, link: RedisLink, script: Script, numbers: Iterator[int], clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._script = script
        self._numbers = numbers
        self._shared: LRUCache[bytes, bytes] = LRUCache(_SHARED)

    def shared(self, packed: bytes) -> bytes:
        """The same bytes, once for all who have them: accounts of one plan then share them in the processor's cache."""
        kept: bytes = self._shared.setdefault(packed, packed)
        return kept

    def count(self, head: bytes, tail: bytes, answered: Answered) -> None:
        """As `send`, of what rests on counters: those of a server that nobody vouches for decide nothing."""
        if self._link.vouched:
            self.send(head, tail, answered)
        else:
            answered(PlainStatus.UNDECIDED, 0, ())

    def send(self, head: bytes, tail: bytes, answered: Answered) -> None:
        """Send the command that stands around its sequence number; `answered` is told at once where it cannot be."""
        sequence, now = b"%d" % next(self._numbers), self._clock()
        waiter = _Waiter(sequence, answered, self._link)
        try:
            command = b"%b$%d\r\n%b\r\n$16\r\n%d\r\n%b" % (head, len(sequence), sequence, now, tail)
            self._link.eval_for(waiter, self._script, command)
        except LinkError as error:
            waiter.set_exception(error)


class _Waiter:
    """Takes one reply for one call."""

    __slots__ = ("_answered", "_link", "_sequence")

    def __init__(self, sequence: bytes, answered: Answered, link: RedisLink) -> None:
        self._sequence = sequence
        self._answered = answered
        self._link = link

    def done(self) -> bool:
        """Never: whoever gave up ignores the answer."""
        return False

    def set_result(self, reply: list[Any]) -> None:
        """Tell the answer, if this is its reply: else no reply on this connection counts any more."""
        if reply[0] == self._sequence:
            self._answered(_STATUSES.get(reply[1], PlainStatus.UNDECIDED), reply[2], reply[3:])
            return
        self._answered(PlainStatus.UNAVAILABLE, 0, ())
        self._link.reset("a reply was not its caller's")

    def set_exception(self, error: Exception) -> None:
        """Tell that the store did not answer."""
        if isinstance(error, ReplyError):
            _logger.error("admit.lua was refused: %s", error)
        self._answered(PlainStatus.UNAVAILABLE, 0, ())


class RedisQuota:
    """`PlainQuota` of one account's feature in one slot."""

    __slots__ = ("_context_head", "_context_tail", "_head", "_look", "_sender", "_take")

    def __init__(self, sender: Sender, around: Around, call: AdmitCall, slot: int) -> None:
        gate = call.gates[0].gate
        if not isinstance(gate, QuotaGate):
            raise TypeError(gate)
        self._sender = sender
        self._head = around.head(9)
        terms = _terms(gate.slots[slot], slot)
        self._look = around.head(4), sender.shared(pack_arguments([around.world(WorldKind.LOOK_AT_ONE), terms]))
        self._take = sender.shared(pack_arguments([around.world(WorldKind.TAKE_ONE), terms]))
        self._context_head, self._context_tail = pack_context_around(call, gate.feature_key, FactKind.CONSUME)

    def look(self, answered: Answered) -> None:
        """What is used; nothing is taken."""
        head, tail = self._look
        self._sender.count(head, tail, answered)

    def take(self, quantity: int, identity: Identity, about: About, answered: Answered) -> None:
        """Take all of it or nothing."""
        digest, payload_hash = identity
        request_id, user_id, dimensions = about
        others = msgpack.packb(user_id) + msgpack.packb(dict(dimensions)) if user_id or dimensions else _NOBODY
        context = b"%b%b%b%b\xc4\x08%b" % (
            self._context_head,
            _packed_id(request_id),
            others,
            self._context_tail,
            payload_hash,
        )
        units = b"%d" % quantity
        tail = b"%b$16\r\n%b\r\n$8\r\n%b\r\n%b$%d\r\n%b\r\n$%d\r\n%b\r\n" % (
            self._take,
            digest,
            payload_hash,
            _BUCKETS[(digest[0] << 8 | digest[1]) % REPLAY_BUCKETS],
            len(units),
            units,
            len(context),
            context,
        )
        self._sender.count(self._head, tail, answered)


class RedisRates:
    """`PlainRates` of the limits that one kind of call meets."""

    __slots__ = ("_head", "_sender", "_tail")

    def __init__(self, sender: Sender, around: Around, call: AdmitCall) -> None:
        gates = [rate_figures(item.gate) for item in call.gates if isinstance(item.gate, RateGate)]
        self._sender = sender
        self._head = around.head(4)
        self._tail = pack_arguments([around.world(WorldKind.TAKE_RATES), pack_all(gates)])

    def take(self, answered: Answered) -> None:
        """Take from all of them or from none."""
        self._sender.send(self._head, self._tail, answered)


def _packed_id(text: str) -> bytes:
    """A text of up to 255 bytes as msgpack's str 8, which the library takes five times as long to say."""
    data = text.encode()
    packed: bytes = _STR8[len(data)] + data if len(data) < len(_STR8) else msgpack.packb(text)
    return packed


def is_plain_quota(call: AdmitCall, slot: int) -> bool:
    """Whether the call is one that `RedisQuota` can stand for."""
    gate = call.gates[0].gate
    if len(call.gates) != 1 or not isinstance(gate, QuotaGate) or gate.grants or gate.occurred_time is not None:
        return False
    terms = gate.slots[slot]
    return gate.aggregation in DELTAS and terms.standing is None and not terms.absent


def are_plain_rates(call: AdmitCall) -> bool:
    """Whether the call is one that `RedisRates` can stand for."""
    return all(
        isinstance(item.gate, RateGate)
        and not item.digest
        and item.gate.cost > 0
        and item.gate.algorithm is not Algorithm.SLIDING_WINDOW
        for item in call.gates
    )


def _terms(slot: Slot, index: int) -> bytes:
    limit = -1 if slot.limit is None else slot.limit
    period = pack_all(slot.period_start, slot.period_end)
    return pack_all(
        slot.start,
        slot.end,
        limit,
        int(slot.overage),
        slot.period_start,
        str(slot.period_start),
        slot.period_end,
        slot.keep_until,
        pack_all(limit) + period + pack_all(index),
        period,
        pack_all(slot.subscription_id, slot.plan_key, slot.plan_version, int(slot.trial)),
        index,
    )
