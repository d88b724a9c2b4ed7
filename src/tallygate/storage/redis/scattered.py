"""A call whose gates have several homes, which lie on several nodes of a cluster: limits elsewhere are taken first.

They are taken under the call's identity, and given back when what is at home denies. So nothing is admitted that does
not fit everywhere; what is cut off in between has taken too much, until it flows back or the same call is admitted.
"""

import logging
from asyncio import Future
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tallygate.data_plane.ports import About, AdmitCall, AdmitReply, Answered, Asked, Clock, Program
from tallygate.domain.errors import UnavailableError
from tallygate.domain.gating.admit import AdmitStatus, Answer, Identified
from tallygate.domain.gating.rate_limit import RateAnswer, RateGate
from tallygate.storage.redis import keys
from tallygate.storage.redis.gate_codec import ALGORITHMS, REPLAY_BUCKETS
from tallygate.storage.redis.link.cluster import ClusterLink
from tallygate.storage.redis.link.commands import Argument, Script, pack_arguments
from tallygate.storage.redis.link.link import LinkError

Reply = AdmitReply | UnavailableError
AccountHome = Callable[[AdmitCall, str], int]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The gates of one home: where they stand in the call, and how to take them or to look; `states` are their keys."""

    partition: int
    places: Sequence[int]
    call: AdmitCall
    program: Program
    looking: Program
    states: Sequence[str]


def parted(
    call: AdmitCall, home: int, gate_home: Callable[[Identified, AdmitCall], int], account_home: AccountHome
) -> dict[int, tuple[list[int], AdmitCall]]:
    """By partition, the call's home last: which of its gates are at home there, and a call of these alone.

    Accounts whose records it was resolved with are compared where they live, whether they have gates there or not.
    """
    places: dict[int, list[int]] = {}
    for place, item in enumerate(call.gates):
        places.setdefault(gate_home(item, call), []).append(place)
    accounts: dict[int, list[tuple[str, int]]] = {}
    for account in ((call.account_id, call.account_version), *call.others):
        if account[0]:
            accounts.setdefault(account_home(call, account[0]), []).append(account)
    found: dict[int, tuple[list[int], AdmitCall]] = {}
    for number in (*({**places, **accounts}.keys() - {home}), home):
        (account_id, version), *others = accounts.get(number) or [("", 0)]
        mine = places.get(number, [])
        gates = tuple(call.gates[place] for place in mine)
        own = replace(call, account_id=account_id, account_version=version, others=tuple(others), gates=gates)
        found[number] = mine, own
    return found


class HandBack:
    """Gives limits back; what cannot be given back flows back by itself."""

    def __init__(self, cluster: ClusterLink, script: Script, clock: Clock, *, replay_window: int) -> None:
        self._cluster = cluster
        self._script = script
        self._clock = clock
        self._window = replay_window

    def give(self, part: Part, asked: Sequence[Asked], answers: Sequence[Answer], done: Callable[[], None]) -> None:
        """Give back what this part has taken, not what an earlier call had, and say when that is done."""
        names = [keys.replays(part.partition)]
        arguments: list[Argument] = [self._clock(), self._window]
        for item, one, answer, state in zip(part.call.gates, asked, answers, part.states, strict=True):
            if (
                isinstance(item.gate, RateGate)
                and isinstance(answer, RateAnswer)
                and one.quantity
                and not answer.replayed
            ):
                names.append(state)
                arguments += _taken(item.gate, one, answer)
        if len(names) == 1:
            done()
            return
        head = self._script.head(len(names), len(arguments))
        packed = head + pack_arguments(names) + pack_arguments(arguments)
        try:
            reply = self._cluster.eval_packed(self._script, packed, names[0])
        except LinkError as error:
            _log.info("a limit was not given back, and flows back by itself: %s", error)
            done()
            return
        reply.add_done_callback(_given)
        reply.add_done_callback(lambda _: done())


class ScatteredProgram:
    """`Program` of a call with several parts; the last one is where its account is at home, and decides last."""

    __slots__ = ("_hand_back", "_parts", "_peek")

    def __init__(self, parts: Sequence[Part], hand_back: HandBack, *, peek: bool) -> None:
        self._parts = parts
        self._hand_back = hand_back
        self._peek = peek

    def ask(self, asked: Sequence[Asked], about: About, answered: Answered) -> None:
        """Ask this of the gates, in their order."""
        run = _Run(self._parts, self._hand_back, asked, about, answered)
        if self._peek:
            run.look(self._parts, {})
        else:
            run.take()


class _Run:
    """One call from its first part to its answer."""

    def __init__(
        self, parts: Sequence[Part], hand_back: HandBack, asked: Sequence[Asked], about: About, answered: Answered
    ) -> None:
        self._elsewhere = parts[:-1]
        self._home = parts[-1]
        self._hand_back = hand_back
        self._asked = asked
        self._about = about
        self._answered = answered

    def take(self) -> None:
        """Take what is elsewhere."""
        self._ask(self._elsewhere, self._took, looks=False)

    def look(self, parts: Sequence[Part], known: dict[int, Reply]) -> None:
        """Say what stands in these parts, and what is known of the others, by the number of their partition."""
        self._ask(parts, lambda found: self._tell(known | found), looks=True)

    def _took(self, replies: dict[int, Reply]) -> None:
        undecided = _undecided(replies)
        denied = {number: reply for number, reply in replies.items() if not _allows(reply)}
        if not denied:
            self._ask([self._home], lambda found: self._decided(replies, found[self._home.partition]), looks=False)
            return
        if undecided is not None:
            self._return(replies, lambda: self._answered(undecided))
            return
        others = [each for each in (*self._elsewhere, self._home) if each.partition not in denied]
        self._return(replies, lambda: self.look(others, denied))

    def _decided(self, taken: dict[int, Reply], reply: Reply) -> None:
        decided = {self._home.partition: reply}
        if isinstance(reply, UnavailableError):  # it may have happened: who asks again is told
            self._answered(reply)
        elif _allows(reply):
            self._confirm([part for part in self._elsewhere if _replays(taken[part.partition])], taken | decided)
        elif reply.status is AdmitStatus.DECIDED:
            self._return(taken, lambda: self.look(self._elsewhere, decided))
        else:
            self._return(taken, lambda: self._answered(reply))

    def _confirm(self, replayed: Sequence[Part], replies: dict[int, Reply]) -> None:
        """Take once more what an earlier attempt had taken: it may have been denied at home since, and given back."""
        if replayed:
            self._ask(replayed, lambda _: self._tell(replies), looks=False)
        else:
            self._tell(replies)

    def _return(self, replies: dict[int, Reply], then: Callable[[], None]) -> None:
        """Give back what was taken elsewhere, and go on when nothing of it is remembered any more."""
        found = [(part, replies[part.partition]) for part in self._elsewhere]
        taken = [(part, reply) for part, reply in found if isinstance(reply, AdmitReply) and _allows(reply)]
        left = len(taken)

        def done() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                then()

        for part, reply in taken:
            self._hand_back.give(part, self._of(part), reply.answers, done)
        if not taken:
            then()

    def _tell(self, replies: dict[int, Reply]) -> None:
        undecided = _undecided(replies)
        if undecided is not None:
            self._answered(undecided)
            return
        answers: dict[int, Answer] = {}
        now = 0
        for part in (*self._elsewhere, self._home):
            reply = replies[part.partition]
            if isinstance(reply, AdmitReply):
                answers |= zip(part.places, reply.answers, strict=True)
                now = reply.now
        in_order = tuple(answers[place] for place in range(len(answers)))
        self._answered(AdmitReply(status=AdmitStatus.DECIDED, now=now, answers=in_order))

    def _ask(self, parts: Sequence[Part], then: Callable[[dict[int, Reply]], None], *, looks: bool) -> None:
        replies: dict[int, Reply] = {}

        def told(number: int) -> Answered:
            def tell(reply: Reply) -> None:
                replies[number] = reply
                if len(replies) == len(parts):
                    then(replies)

            return tell

        for part in parts:
            program = part.looking if looks else part.program
            program.ask(self._of(part), self._about, told(part.partition))

    def _of(self, part: Part) -> list[Asked]:
        return [self._asked[place] for place in part.places]


def _allows(reply: Reply) -> bool:
    """Whether all of a part was taken."""
    if not isinstance(reply, AdmitReply) or reply.status is not AdmitStatus.DECIDED:
        return False
    return all(answer.allowed for answer in reply.answers)


def _replays(reply: Reply) -> bool:
    """Whether an earlier attempt had taken some of it."""
    return isinstance(reply, AdmitReply) and any(answer.replayed for answer in reply.answers)


def _undecided(replies: dict[int, Reply]) -> Reply | None:
    """Why a part was not decided at all, if there is one."""
    for reply in replies.values():
        if not isinstance(reply, AdmitReply) or reply.status is not AdmitStatus.DECIDED:
            return reply
    return None


def _taken(gate: RateGate, asked: Asked, answer: RateAnswer) -> list[Argument]:
    digest = asked.digest
    bucket = str((digest[0] << 8 | digest[1]) % REPLAY_BUCKETS) if digest else ""
    return [ALGORITHMS[gate.algorithm], asked.quantity or 0, answer.decided_time, bucket, digest]


def _given(reply: Future[Any]) -> None:
    error = None if reply.cancelled() else reply.exception()
    if error is not None:
        _log.info("a limit was not given back, and flows back by itself: %s", error)
