"""What arrives together is asked together: the effects of one burst travel as one call of `admit.lua`, in parts.

Each is still all or none, remembered and answered by itself; of a call that nobody answers nobody knows what became.
"""

import asyncio
import itertools
import logging
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from tallygate.data_plane.burst import Burst
from tallygate.data_plane.ports import Clock
from tallygate.data_plane.turns import Turns
from tallygate.domain.tenant_clock import TenantClock
from tallygate.storage.redis.gate_codec import pack_all
from tallygate.storage.redis.link.cluster import AnyLink, ClusterLink
from tallygate.storage.redis.link.commands import pack_arguments
from tallygate.storage.redis.link.link import LinkError, RedisLink, ReplyError, Script
from tallygate.storage.redis.link.topology import read_redirection

MOST_EFFECTS = 32
FIRST_EFFECTS = 8
"""So many leave at once where the store has nothing to do, and it works on them while the others are being packed."""
MOST_ABROAD, _TURN = 128, 8
"""So many wait for their replies at most: whoever comes next does not wait behind more. The others wait here, and a
tenant's turn among them is so many."""
_FIXED_ARGUMENTS, _HOME_ARGUMENTS, _HOME_KEYS = 5, 2, 5
_COUNTS = tuple(pack_arguments([count]) for count in range(MOST_EFFECTS + 1))
_PLACE = struct.Struct(">BH")
_UINT16 = 0xCD
_CLOCK_SKEW = b"CLOCK_SKEW"
_ELSEWHERE = frozenset({"MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN"})
_logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Home:
    """A tenant in a partition, and what its effects were resolved with; packed, once it has an epoch.

    `versions` are the keys that are read first, `places` those that effects write to.
    """

    partition: int
    versions: bytes
    places: bytes
    catalog_version: int
    clock: TenantClock
    tenant_id: str = ""
    epoch: str | None = None
    argument: bytes = b""

    def turn(self, epoch: str) -> None:
        """Say this epoch from now on."""
        self.epoch = epoch
        clock = self.clock.offset if self.clock.standing is None else str(self.clock.standing)
        self.argument = pack_arguments([pack_all(epoch, str(self.catalog_version), clock)])


class Packed(Protocol):
    """What like effects share: home, keys and arguments as the command has them, their number, and whether they count.

    `rules` are those of each gate, which others may share.
    """

    home: Home
    keys: bytes
    head: bytes
    rules: list[bytes]
    key_count: int
    argument_count: int
    counts: bool


class Effect(Protocol):
    """An effect as it travels: what it asks of each gate, and who is told."""

    said: list[bytes]

    @property
    def program(self) -> Packed:
        """What it shares with others."""
        ...

    def deliver(self, reply: list[Any] | None, /) -> None:
        """Take its reply: status, `now` and whatever follows; None where nobody knows what became of it."""
        ...

    def again(self) -> None:
        """Be sent once more, for it was not executed, or take it that nobody answers; raises nothing."""
        ...


class Bursts:
    """Collects effects until the end of the burst, or of this turn of the loop."""

    __slots__ = (
        "_abroad", "_burst", "_clock", "_cluster", "_current", "_effects", "_link", "_numbers", "_script", "_settings",
        "_waiting",
    )  # fmt: skip

    def __init__(
        self,
        link: AnyLink,
        script: Script,
        clock: Clock,
        settings: bytes,
        *,
        burst: Burst,
        current: Callable[[Home], Home],
    ) -> None:
        """`current` gives a home the epoch that its partition is known to have."""
        self._link = link
        self._cluster = link if isinstance(link, ClusterLink) else None
        self._script = script
        self._clock = clock
        self._current = current
        self._settings = pack_arguments([settings])
        self._burst = burst
        self._numbers = itertools.count(1)
        self._effects: list[Effect] = []
        self._abroad = 0
        self._waiting: Turns[Effect] = Turns(_TURN)
        burst.before_end(self._flush)

    def add(self, effect: Effect) -> None:
        """Let this effect travel with the others of its burst, or in its turn where too many are under way."""
        effects = self._effects
        if self._abroad + len(effects) >= MOST_ABROAD or self._waiting:
            self._waiting.put(effect.program.home.tenant_id, effect)
            self._go_on()
            return
        if not effects and not self._burst.is_open:
            asyncio.get_running_loop().call_soon(self._turn)
        effects.append(effect)
        if len(effects) == MOST_EFFECTS:
            self._flush()
        elif len(effects) == FIRST_EFFECTS and self._link.idle:
            self._flush()
            self._link.flush()

    def _turn(self) -> None:
        with self._burst:  # at its end they leave, and the command with them
            pass

    def _go_on(self) -> None:
        """Let those travel whose turn it is, as far as not too many are under way."""
        waiting, effects = self._waiting, self._effects
        free = MOST_ABROAD - self._abroad - len(effects)
        if free <= 0 or not waiting:
            return
        if not effects and not self._burst.is_open:
            asyncio.get_running_loop().call_soon(self._turn)
        while free > 0 and waiting:
            effects.append(waiting.take())
            waiting.spend(1)
            free -= 1

    def returned(self, count: int) -> None:
        """So many have been answered, in whatever way."""
        self._abroad -= count
        if self._waiting:
            self._go_on()

    def _flush(self) -> None:
        while self._effects:  # where nothing leaves those go on at once that waited for it
            effects = self._vouched()
            for start in range(0, len(effects), MOST_EFFECTS):
                self._leave(effects[start : start + MOST_EFFECTS])
            self._go_on()

    def _leave(self, effects: list[Effect]) -> None:
        by_home: dict[Home, list[Effect]] = {}
        for effect in effects:
            home = effect.program.home
            if home in by_home:
                by_home[home].append(effect)
            else:
                by_home[self._current(home)] = [effect]
        link = self._link
        if isinstance(link, ClusterLink):
            self._scatter(link, by_home)
        else:
            ordered = effects if len(by_home) == 1 else [effect for group in by_home.values() for effect in group]
            self._send(link, by_home, ordered)

    def _scatter(self, cluster: ClusterLink, by_home: dict[Home, list[Effect]]) -> None:
        """One call of the script for each partition: a script reaches keys of one slot."""
        by_partition: dict[int, dict[Home, list[Effect]]] = {}
        for home, group in by_home.items():
            by_partition.setdefault(home.partition, {})[home] = group
        for partition, homes in by_partition.items():
            effects = [effect for group in homes.values() for effect in group]
            try:
                self._send(cluster.at(partition), homes, effects)
            except LinkError:
                _deliver(effects, [None] * len(effects))

    def _send(self, link: RedisLink, by_home: dict[Home, list[Effect]], effects: list[Effect]) -> None:
        sequence = b"%d" % next(self._numbers)
        waiter = _Waiter(sequence, effects, link, self._cluster, self.returned)
        self._abroad += len(effects)
        try:
            link.eval_for(waiter, self._script, self._command(sequence, by_home, effects))
        except LinkError as error:
            waiter.set_exception(error)

    def _vouched(self) -> list[Effect]:
        """What leaves now: since it was added the link may have met a server on whose counters nobody may count."""
        effects, self._effects = self._effects, []
        if self._link.vouched or not effects:
            return effects
        left: list[Effect] = []
        for effect in effects:
            program = effect.program
            if program.counts and not (self._cluster and self._cluster.vouches_for(program.home.partition)):
                effect.deliver(None)
            else:
                left.append(effect)
        return left

    def _command(self, sequence: bytes, by_home: dict[Home, list[Effect]], effects: list[Effect]) -> bytes:
        """Keys and arguments in the order that the head of `admit.lua` tells."""
        keys = [home.versions for home in by_home]
        keys += [home.places for home in by_home]
        keys += [effect.program.keys for effect in effects]
        arguments: list[bytes] = []
        shared: dict[bytes, bytes] = {}
        for home, group in by_home.items():
            arguments += (home.argument, _COUNTS[len(group)])
            for effect in group:
                program = effect.program
                arguments.append(program.head)
                for said, rule in zip(effect.said, program.rules, strict=True):
                    place = shared.get(rule)
                    if place is None:
                        place = shared[rule] = _PLACE.pack(_UINT16, len(shared) + 1)
                    arguments.append(b"$%d\r\n%b%b\r\n" % (len(said) + _PLACE.size, place, said))
        key_count = _HOME_KEYS * len(by_home) + sum([effect.program.key_count for effect in effects])
        own = sum([effect.program.argument_count for effect in effects])
        count = _FIXED_ARGUMENTS + len(shared) + _HOME_ARGUMENTS * len(by_home) + own
        head = self._script.head(key_count, count)
        fixed = b"$%d\r\n%b\r\n$16\r\n%d\r\n" % (len(sequence), sequence, self._clock())
        counts = _COUNTS[len(by_home)], pack_arguments([len(shared)])
        return b"".join((head, *keys, fixed, self._settings, *counts, *shared, *arguments))


class _Waiter:
    """Takes one reply for all effects that travelled together."""

    __slots__ = ("_cluster", "_effects", "_link", "_returned", "_sequence")

    def __init__(
        self,
        sequence: bytes,
        effects: list[Effect],
        link: RedisLink,
        cluster: ClusterLink | None = None,
        returned: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._returned = returned
        self._sequence = sequence
        self._effects = effects
        self._link = link
        self._cluster = cluster

    def done(self) -> bool:
        """Never: whoever gave up ignores the answer."""
        return False

    def set_result(self, reply: list[Any]) -> None:
        """Tell each its reply, if this is theirs: else no reply on this connection counts any more."""
        self._returned(len(self._effects))
        is_ours = type(reply) is list and len(reply) > 1 and reply[0] == self._sequence
        if not is_ours or (reply[1] != _CLOCK_SKEW and len(reply) != len(self._effects) + 1):
            _deliver(self._effects, [None] * len(self._effects))
            self._link.reset("a reply was not its caller's")
        elif reply[1] == _CLOCK_SKEW:
            _deliver(self._effects, [reply[1:]] * len(self._effects))
        else:
            _deliver(self._effects, reply[1:])

    def set_exception(self, error: Exception) -> None:
        """Tell that the store did not answer, unless another node is to be asked, which has the slot now."""
        self._returned(len(self._effects))
        if isinstance(error, ReplyError) and not self._is_elsewhere(error):
            _logger.error("admit.lua was refused: %s", error)
        elif isinstance(error, ReplyError) and self._follows(error):
            for effect in self._effects:
                effect.again()
            return
        _deliver(self._effects, [None] * len(self._effects))

    def _is_elsewhere(self, error: ReplyError) -> bool:
        return self._cluster is not None and error.code in _ELSEWHERE

    def _follows(self, error: ReplyError) -> bool:
        """Whether to ask again where a node says that the slot is.

        Not while it is on its way (ASK): a part of its keys is still here, and a script needs all.
        """
        to = read_redirection(error.text, self._link.place)
        if self._cluster is None or to is None or not to.for_good:
            return False
        try:
            self._cluster.redirected(to)
        except LinkError:
            return False
        return True


def _deliver(effects: list[Effect], replies: list[Any]) -> None:
    for effect, reply in zip(effects, replies, strict=True):
        try:
            effect.deliver(reply)
        except Exception:  # one that cannot be told must not keep the others from their answers
            _logger.exception("an effect's answer was not taken")
