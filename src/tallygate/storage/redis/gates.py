"""The gates in Redis: what a call says, packed once for all that are like it, and what a reply says of it."""

import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cachetools import LRUCache

from tallygate.data_plane.burst import Burst
from tallygate.data_plane.ports import About, AdmitCall, AdmitReply, Answered, Asked, Clock, Program
from tallygate.domain.errors import EpochMismatchError, NotReplicatedError, StoreUnavailableError
from tallygate.domain.gating.admit import AdmitStatus, Identified
from tallygate.domain.gating.rate_limit import RateGate
from tallygate.domain.limits import LimitOwner
from tallygate.storage.redis import keys
from tallygate.storage.redis.bursts import Bursts, Home
from tallygate.storage.redis.gate_codec import (
    context_around,
    kind_of,
    pack_all,
    pack_asked,
    pack_endings,
    pack_rule,
    read_answers,
)
from tallygate.storage.redis.link.cluster import AnyLink, ClusterLink
from tallygate.storage.redis.link.commands import pack_arguments
from tallygate.storage.redis.link.link import LinkDownError, RedisLink, Script
from tallygate.storage.redis.scattered import HandBack, Part, ScatteredProgram, parted
from tallygate.storage.redis.script_parts import script as script_of

ADMIT, HAND_BACK = script_of("admit"), script_of("hand_back")

_STATUSES = {status.value.encode(): status for status in AdmitStatus}
_FAILED = b"FAILED"
_SHARED = 4_096
_UNKNOWN = "?"
_logger = logging.getLogger(__name__)

Confirm = Callable[[Callable[[bool], None], int], None]
"""Tells whether replicas have all that was answered until now of a partition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOptions:
    """`replay_window` in microseconds; `stream_max` is how many uncollected facts a partition may hold."""

    partitions: int = 64
    replay_window: int = 3_600_000_000
    stream_max: int = 100_000
    homes: int = 50_000


class RedisGates:
    """`GateStore` over a Redis or Valkey server, or a cluster of them."""

    def __init__(
        self,
        link: AnyLink,
        options: GateOptions,
        clock: Clock,
        *,
        burst: Burst | None = None,
        script: Script | None = None,
        confirm: Confirm | None = None,
    ) -> None:
        """Without `confirm` nothing that a strict call takes can be answered."""
        self.link = link
        self.cluster = link if isinstance(link, ClusterLink) else None
        self.confirm = confirm
        self._options = options
        self._clock = clock
        settings = pack_all(options.replay_window, options.stream_max)
        self.bursts = Bursts(link, script or ADMIT, clock, settings, burst=burst or link.burst, current=self.current)
        self._epochs: dict[int, str] = {}
        self._homes: LRUCache[tuple[Any, ...], Home] = LRUCache(options.homes)
        self._shared: LRUCache[bytes, bytes] = LRUCache(_SHARED)

    def prepare(self, call: AdmitCall) -> Program:
        """Pack what all calls like this one share."""
        return self._packed(call) if self.cluster is None else self._scattered(self.cluster, call)

    def _packed(self, call: AdmitCall) -> "RedisProgram":
        home = self._home(call, self._partition(call))
        accounts = [call.account_id] if call.account_id else []
        names = [self._record_key(call, account_id) for account_id in (*accounts, *(each for each, _ in call.others))]
        names += [self._state_key(item, call) for item in call.gates]
        rules = [pack_arguments([pack_rule(item.gate, call)]) for item in call.gates]
        return RedisProgram(self, home, call, names, [self._shared.setdefault(packed, packed) for packed in rules])

    def _scattered(self, cluster: ClusterLink, call: AdmitCall) -> Program:
        """Part by part where gates have several homes."""
        home = self._partition(call)
        calls = parted(call, home, self._partition_of, self._account_home)
        if len(calls) == 1:
            return self._packed(call)
        parts = [
            Part(
                partition=number,
                places=places,
                call=mine,
                program=self._packed(mine),
                looking=self._packed(replace(mine, peek=True)),
                states=[self._state_key(item, mine) for item in mine.gates],
            )
            for number, (places, mine) in calls.items()
        ]
        window = self._options.replay_window
        return ScatteredProgram(parts, HandBack(cluster, HAND_BACK, self._clock, replay_window=window), peek=call.peek)

    def current(self, home: Home) -> Home:
        """The home with the epoch that its partition is known to have; where none is known, with one that none has."""
        epoch = self._epochs.get(home.partition, _UNKNOWN)
        if home.epoch != epoch:
            home.turn(epoch)
        return home

    def adopt(self, partition: int, raw: bytes) -> str:
        """Take over the epoch that is."""
        epoch = self._epochs[partition] = raw.decode()
        return epoch

    def vouches_for(self, home: Home) -> bool:
        """Whether this home's node was found whole, where not all are."""
        return self.cluster is not None and self.cluster.vouches_for(home.partition)

    def skew(self, now: int) -> StoreUnavailableError:
        """How far the store's time is off this process's own, as the reason why nothing was decided."""
        return StoreUnavailableError(clock_skew=f"{(now - self._clock()) / 1_000_000:.0f} s")

    def _home(self, call: AdmitCall, partition: int) -> Home:
        place = (call.tenant_id, partition, call.catalog_version, call.clock)
        home = self._homes.get(place)
        if home is None:
            versions = keys.epoch(partition), keys.clock(partition), keys.catalog_version(partition, call.tenant_id)
            places = keys.stream(partition), keys.replays(partition)
            packed = pack_arguments(versions), pack_arguments(places)
            home = self._homes[place] = Home(partition, *packed, call.catalog_version, call.clock, call.tenant_id)
        return home

    def _partition(self, call: AdmitCall) -> int:
        """An account's home; a call of no account is at home where its first limit is."""
        count = self._options.partitions
        if call.account_id:
            return keys.partition_of(count, call.tenant_id, call.account_id)
        gate = call.gates[0].gate
        if not isinstance(gate, RateGate):
            return keys.partition_of(count, call.tenant_id, gate.feature_key)
        return self._limit_home(gate, call)

    def _limit_home(self, gate: RateGate, call: AdmitCall) -> int:
        values = [value for _, value in gate.descriptor]
        return keys.partition_of(self._options.partitions, call.tenant_id, gate.limit_key, *values)

    def _account_home(self, call: AdmitCall, account_id: str) -> int:
        return keys.partition_of(self._options.partitions, call.tenant_id, account_id)

    def _record_key(self, call: AdmitCall, account_id: str) -> str:
        return keys.account(self._account_home(call, account_id), call.tenant_id, account_id)

    def _partition_of(self, item: Identified, call: AdmitCall) -> int:
        """Where a gate's state is at home."""
        gate = item.gate
        if not isinstance(gate, RateGate):
            return self._partition(call)
        if gate.owner is LimitOwner.ACCOUNT:
            return self._account_home(call, item.account_id or call.account_id)
        return self._limit_home(gate, call)

    def _state_key(self, item: Identified, call: AdmitCall) -> str:
        gate, home = item.gate, self._partition_of(item, call)
        if not isinstance(gate, RateGate):
            return keys.meter(home, call.tenant_id, call.account_id, gate.feature_key)
        account_id = (item.account_id or call.account_id) if gate.owner is LimitOwner.ACCOUNT else ""
        return keys.rate_limit(home, call.tenant_id, account_id, gate.limit_key, gate.descriptor)


class RedisProgram:
    """`Program` of calls that share all but what each asks; made by `RedisGates.prepare`."""

    __slots__ = (
        "_gates", "_packing", "argument_count", "counts", "head", "home", "key_count", "keys", "kinds", "rules",
        "strict",
    )  # fmt: skip

    def __init__(self, gates: RedisGates, home: Home, call: AdmitCall, names: list[str], rules: list[bytes]) -> None:
        self._gates = gates
        self.home = home
        self.keys = pack_arguments(names)
        self.key_count = len(names)
        self.kinds = "".join([kind_of(item.gate) for item in call.gates])
        self.counts = self.kinds.strip("r") != ""
        self.strict = call.strict
        self.argument_count = 1 + len(self.kinds)
        versions: list[Any] = [str(call.account_version)] if call.account_id else []
        if call.others:
            versions.append([str(version) for _, version in call.others])
        self.head = pack_arguments([pack_all(int(call.peek), self.kinds, *versions)])
        self.rules = rules
        gates_ = [item.gate for item in call.gates]
        self._packing = [(kind_of(one), context_around(one, call), pack_endings(one, call)) for one in gates_]

    def ask(self, asked: Sequence[Asked], about: About, answered: Answered) -> None:
        """Ask this of the gates, in their order."""
        said = [
            pack_asked(kind, one, around, about, endings)
            for (kind, around, endings), one in zip(self._packing, asked, strict=True)
        ]
        _Asking(self._gates, self, said, answered).send()


def _text(reply: list[Any]) -> str:
    """What stands behind status and `now`; nothing where there is no text."""
    text = reply[2] if len(reply) > 2 else b""  # noqa: PLR2004 - behind those two
    return text.decode(errors="replace") if isinstance(text, bytes) else ""


class _Asking:
    """One call until it is answered; where its partition turns out to have another epoch, it is asked once more."""

    __slots__ = ("_answered", "_gates", "_sent", "program", "said")

    def __init__(self, gates: RedisGates, program: RedisProgram, said: list[bytes], answered: Answered) -> None:
        self._gates = gates
        self.program = program
        self.said = said
        self._answered = answered
        self._sent = 0

    def send(self) -> None:
        """Send it with the others of its burst; counters of a server that nobody vouches for decide nothing."""
        if self.program.counts and not self._gates.link.vouched and not self._gates.vouches_for(self.program.home):
            self._answered(EpochMismatchError(partition=self.program.home.partition))
            return
        self._sent += 1
        self._gates.bursts.add(self)

    def again(self) -> None:
        """Send it once more: it was not executed; a second time the store has not answered."""
        if self._sent > 1:
            self._answered(StoreUnavailableError())
        else:
            self.send()

    def deliver(self, reply: list[Any] | None) -> None:
        """Read the reply."""
        if reply is None:
            self._answered(StoreUnavailableError())
            return
        try:
            status, now = _STATUSES.get(reply[0]), int(reply[1])
            answers = read_answers(reply, self.program.kinds) if status is AdmitStatus.DECIDED else None
        except Exception as error:  # noqa: BLE001 - a boundary: what came over the network may be anything
            _logger.error("a reply of admit.lua cannot be read: %s", type(error).__name__)  # noqa: TRY400 - as above
            self._tell(lambda link: link.reset("a reply cannot be read"))
            self._answered(StoreUnavailableError(damaged="reply"))
            return
        if answers is None:
            self._undecided(status, reply)
            return
        decided = AdmitReply(status=AdmitStatus.DECIDED, now=now, answers=answers)
        if self.program.strict and any(answer.allowed for answer in answers):
            self._confirm(decided)
        else:
            self._answered(decided)

    def _tell(self, what: Callable[[RedisLink], None]) -> None:
        """Tell the link to the server that this is at home on, if there is one now."""
        link = self._gates.link
        with contextlib.suppress(LinkDownError):
            what(link.at(self.program.home.partition) if isinstance(link, ClusterLink) else link)

    def _confirm(self, decided: AdmitReply) -> None:
        """Answer when replicas have what was taken, now or by the attempt that this one repeats."""

        def told(confirmed: bool) -> None:  # noqa: FBT001 - one of two ways in which it ends
            self._answered(decided if confirmed else NotReplicatedError())

        if self._gates.confirm is None:
            self._answered(NotReplicatedError())
        else:
            self._gates.confirm(told, self.program.home.partition)

    def _undecided(self, status: AdmitStatus | None, reply: list[Any]) -> None:
        if status is None:
            error = _text(reply)
            _logger.error("admit.lua failed: %s", error)
            self._answered(StoreUnavailableError())
            self._tell(lambda link: link.hear(error))
        elif status is AdmitStatus.CLOCK_SKEW:
            self._answered(self._gates.skew(reply[1]))
        elif status is AdmitStatus.EPOCH_MISMATCH:
            self._turn(self.program.home.partition, _text(reply).encode())
        else:
            self._answered(AdmitReply(status=status, now=reply[1]))

    def _turn(self, partition: int, raw: bytes) -> None:
        """Adopt a new epoch once; where counters are being rebuilt, nothing is counted."""
        epoch = self._gates.adopt(partition, raw)
        lost = not epoch or epoch.startswith("!")
        if self._sent > 1 or (lost and self.program.counts):
            self._answered(EpochMismatchError(partition=partition))
        else:
            self.send()
