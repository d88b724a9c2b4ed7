"""Compares counters with the facts that were collected, account by account, and mends those that know too little.

The facts are right: a counter that misses units of theirs is raised, for a limit must hold. One that knows more is told
of and left as it is until an operator says otherwise, for the log may be what has lost something. Levels are set right
either way: a late replay of one leaves what stood before it to be told by the facts.
"""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tallygate.domain.errors import TallygateError, UnavailableError
from tallygate.domain.event import UsageFact
from tallygate.domain.gating.quota import CounterName
from tallygate.domain.tenant_clock import REAL_TIME, TenantClock
from tallygate.metering.audited import NO_STRAYS, AuditedStore, Counted, Looking, Seen
from tallygate.metering.comparing import Difference, difference, uncounted
from tallygate.metering.ports import Clock, Sleep
from tallygate.metering.rebuilding import ApartOf, CountedFacts
from tallygate.metering.recounting import AccountId, MeterId, Recounted, recount
from tallygate.metering.whole import WholePartitions
from tallygate.records.audits import Audit, AuditStats
from tallygate.records.rebuilds import Standing

_AT_ONCE = 100
_CLOSELY = 20
_SHARE = 50
"""An audit works for one part in so many of its time."""
_LEAST_PAUSE = 0.01
_LOOK_SECONDS = 0.05
_PATIENCE = 100
_ROUND_SECONDS = 60.0
_TICK_SECONDS = 1.0
_MOST_SUSPECTS = 100_000
_MICROSECONDS = 1_000_000
Clocks = Mapping[str, TenantClock]
Work = Callable[[int, Sequence[AccountId], Clocks, Audit, Counted], Awaitable[None]]
_log = logging.getLogger(__name__)


class Mends(StrEnum):
    """Which counters are set right: none, those that know too little, or those that know too much as well."""

    NONE = "none"
    LOW = "low"
    ALL = "all"


def log(found: Difference, mended: bool) -> None:  # noqa: FBT001 - one of two things to tell of
    """Tell of a difference in the log of the process."""
    tenant_id, account_id, feature_key = found.meter
    _log.warning(
        "feature %s of account %s of tenant %s is not counted as its events are: %s; %s",
        feature_key, account_id, tenant_id, found.told,
        "set right" if mended else "left so, as the events may lack something: see tallygate audit usage",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditor:
    """Audits all accounts, round after round; any number of workers may.

    Partitions whose counters are not whole, or whose loss was accepted, are left alone. Of a tenant whose clock is a
    test's the store may let go of counters early: one that is gone is not missed.
    """

    facts: CountedFacts
    store: AuditedStore
    apart: ApartOf
    standing: Standing
    whole: WholePartitions
    clock: Clock
    sleep: Sleep
    mends: Mends = Mends.LOW
    tell: Callable[[Difference, bool], None] = log
    stats: AuditStats = field(default_factory=AuditStats)
    suspects: set[AccountId] = field(default_factory=set)
    begun: dict[MeterId, set[CounterName]] = field(default_factory=lambda: defaultdict(set))
    """Counters of suspects that no event may tell of."""

    def notice(self, facts: Sequence[UsageFact]) -> None:
        """Suspect the accounts of these facts: a rebuild may not have read them, or they are late replays of levels."""
        if len(self.suspects) < _MOST_SUSPECTS:
            self.suspects.update((fact.tenant_id, fact.account_id) for fact in facts)
            for fact in facts:
                meter = fact.tenant_id, fact.account_id, fact.feature_key
                self.begun[meter].update((fact.period_start, apart) for apart in {False, fact.trial})

    async def run(self, sleep: Sleep) -> None:
        """Until cancelled: a round a minute at most, suspects at once, whatever fails."""
        due = self.clock() + round(_ROUND_SECONDS * _MICROSECONDS)
        while True:
            await sleep(_TICK_SECONDS)
            try:
                if self.suspects and not self.standing.lost:
                    await self.audit_suspects()
                if self.clock() >= due:
                    await self.audit()
                    due = self.clock() + round(_ROUND_SECONDS * _MICROSECONDS)
            except TallygateError as error:
                self.stats.failures += 1
                _log.warning("counters cannot be audited, will retry: %s", error)
                due = self.clock() + round(_ROUND_SECONDS * _MICROSECONDS)

    async def audit(self, *, hurry: bool = False) -> Audit:
        """One round over all accounts; without `hurry` most of the time is others', and a failure is passed over."""
        audit, clocks = Audit(), await self.facts.clocks()
        await self.whole.learn()
        work = self._home if hurry else self._aside
        async for page in self.facts.accounts():
            for number, accounts in self._by_home(page, clocks).items():
                await work(number, accounts, clocks, audit, NO_STRAYS)
        try:
            await self._strays(work, clocks, audit)
        except UnavailableError as error:
            if hurry:
                raise
            self.stats.failures += 1
            _log.warning("counters without events cannot be looked for: %s", error)
        audit.ended_time = self.clock()
        async with self.store.looking() as looking:
            await looking.note(audit)
        self._count(audit)
        self.stats.last = audit
        return audit

    async def _strays(self, work: Work, clocks: Clocks, audit: Audit) -> None:
        """Look through all counters that there are for those of which no fact tells."""
        async with self.store.looking() as listing:
            async for counted in listing.counted():
                accounts = sorted({meter[:2] for meter in counted})
                for number, some in self._by_home(accounts, clocks).items():
                    await work(number, some, clocks, audit, counted)

    async def audit_suspects(self) -> Audit:
        """Those accounts alone whose counters may miss something."""
        audit, suspects = Audit(), sorted(self.suspects)
        clocks = await self.facts.clocks()
        await self.whole.learn()
        self.suspects.difference_update(account for account in suspects if account[0] not in clocks)
        for number, accounts in self._by_home(suspects, clocks).items():
            unsure = audit.unsure
            await self._home(number, accounts, clocks, audit, NO_STRAYS)
            begun = {meter: names for meter, names in self.begun.items() if meter[:2] in accounts}
            if begun:
                await self._home(number, accounts, clocks, audit, begun)
            if audit.unsure == unsure and number not in self.standing.lost:
                self.suspects.difference_update(accounts)
                for meter in begun:
                    del self.begun[meter]
        self._count(audit)
        return audit

    async def _home(
        self, number: int, accounts: Sequence[AccountId], clocks: Clocks, audit: Audit, strays: Counted
    ) -> None:
        async with self.store.looking() as looking:
            await self._group(looking, number, accounts, clocks, audit, strays)

    async def _aside(
        self, number: int, accounts: Sequence[AccountId], clocks: Clocks, audit: Audit, strays: Counted
    ) -> None:
        """One home, and then a pause: as long as was worked for it, many times over."""
        began, waited = self.clock(), self.stats.waited
        try:
            await self._home(number, accounts, clocks, audit, strays)
        except UnavailableError as error:
            self.stats.failures += 1
            audit.unsure += len(accounts)
            _log.warning("counters of partition %d cannot be audited: %s", number, error)
            await self.sleep(_TICK_SECONDS)
            return
        worked = (self.clock() - began) / _MICROSECONDS - (self.stats.waited - waited)
        await self.sleep(max(_LEAST_PAUSE, worked * (_SHARE - 1)))

    def _count(self, audit: Audit) -> None:
        self.stats.meters += audit.meters
        self.stats.mended += audit.mended
        self.stats.mended_units += audit.mended_units

    def _by_home(self, accounts: Sequence[AccountId], clocks: Clocks) -> Mapping[int, Sequence[AccountId]]:
        """By partition; without those whose tenant came after the clocks were read: the next round looks at them."""
        homes: dict[int, list[AccountId]] = defaultdict(list)
        for account in accounts:
            if account[0] not in clocks:
                continue
            homes[self.store.home_of(account)].append(account)
        return homes

    async def _group(
        self,
        looking: Looking,
        number: int,
        accounts: Sequence[AccountId],
        clocks: Clocks,
        audit: Audit,
        strays: Counted,
    ) -> None:
        """Compare accounts of one home; where there are `strays`, those of them alone of which no fact tells."""
        if number in self.standing.lost or self.whole.lacks(number):
            return
        for start in range(0, len(accounts), _AT_ONCE):
            some = accounts[start : start + _AT_ONCE]
            meters = await self._recounted(some, clocks, strays)
            if strays and not meters:
                continue
            seen = await looking.look(number, meters.values())
            audit.accounts += 0 if strays else len(some)
            audit.meters += len(meters)
            if seen is None or seen.epoch.startswith("!"):
                continue
            differ = {each.meter[:2] for each in self._differences(meters, meters, seen, clocks)}
            suspects = sorted(differ)
            for begin in range(0, len(suspects), _CLOSELY):
                await self._closely(looking, number, suspects[begin : begin + _CLOSELY], clocks, audit, strays)

    async def _closely(
        self,
        looking: Looking,
        number: int,
        accounts: Sequence[AccountId],
        clocks: Clocks,
        audit: Audit,
        strays: Counted,
    ) -> None:
        """Compare these accounts as of one moment: with all that was counted by then, and nothing that came later."""
        named = await self._recounted(accounts, clocks, strays)
        seen = await looking.look(number, named.values(), alone=True)
        if seen is None or not await self._is_certain(looking, number, seen):
            audit.unsure += len(accounts)
            return
        expected = await self._recounted(accounts, clocks, strays, until=seen.entry_id)
        found = self._differences(expected, named, seen, clocks)
        mended = [each for each in found if self._mends(each)]
        if mended and not await looking.mend(number, seen, mended, clocks):
            audit.unsure += len(accounts)
            return
        for each in found:
            self.tell(each, each in mended)
            if each in mended:
                audit.mended += 1
                audit.mended_units += each.missing + each.surplus
            else:
                audit.drifting += 1
                audit.missing += each.missing
                audit.surplus += each.surplus

    def _mends(self, each: Difference) -> bool:
        return self.mends is Mends.ALL or (self.mends is Mends.LOW and (each.is_low or each.expected.is_level))

    async def _is_certain(self, looking: Looking, number: int, seen: Seen) -> bool:
        return await self.whole.is_whole(number, seen.epoch) and await self._is_settled(looking, number, seen)

    async def _is_settled(self, looking: Looking, number: int, seen: Seen) -> bool:
        """Whether all that was counted then is in SQL, and none of it was taken back as a late replay's since."""
        for _ in range(_PATIENCE):
            if await looking.collected(number, seen.entry_id):
                now = await looking.look(number, ())
                return now is not None and (now.epoch, now.returned) == (seen.epoch, seen.returned)
            await self.sleep(_LOOK_SECONDS)
            self.stats.waited += _LOOK_SECONDS
        return False

    async def _recounted(
        self, accounts: Sequence[AccountId], clocks: Clocks, strays: Counted, *, until: str = ""
    ) -> Mapping[MeterId, Recounted]:
        facts = await self.facts.facts(accounts, until=until)
        trials, now = facts.trials(), self.clock()
        times = {tenant_id: clock.at(now) for tenant_id, clock in clocks.items()}
        found = recount(facts, apart=await self.apart(trials) if trials else (), now=times)
        return uncounted(strays, found, set(accounts)) if strays else found

    def _differences(
        self,
        expected: Mapping[MeterId, Recounted],
        named: Mapping[MeterId, Recounted],
        seen: Seen,
        clocks: Clocks,
    ) -> list[Difference]:
        now = self.clock()
        found = [
            difference(
                each,
                seen.states[meter],
                now=clocks[meter[0]].at(now),
                looked_at=named[meter].state.counters.keys(),
                may_be_gone=clocks[meter[0]] != REAL_TIME,
            )
            for meter, each in expected.items()
            if meter in seen.states and meter in named
        ]
        return [each for each in found if each is not None]
