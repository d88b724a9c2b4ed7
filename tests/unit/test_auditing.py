"""An audit beside other work: whose time it takes, and what a failure costs it."""

import asyncio
import contextlib

from tallygate.domain.errors import StoreUnavailableError
from tallygate.domain.gating.decision import Pot, PotKind
from tallygate.domain.gating.quota import MeterState, PeriodCounter
from tallygate.domain.tenant_clock import REAL_TIME, TenantClock
from tallygate.metering.audited import Seen
from tallygate.metering.auditing import Auditor
from tallygate.metering.recounting import CountedIn, Facts, Paid
from tallygate.records.rebuilds import Standing

SECOND = 1_000_000
WORK, WAITS = SECOND // 10, 4


class Counted:
    """Of each account ten units; to read them takes a while."""

    def __init__(self, time):
        self.time = time

    async def accounts(self):
        yield [("t", f"a{number}") for number in range(4)] + [("test", "a0")]

    async def clocks(self):
        return {"t": REAL_TIME, "test": TenantClock(standing=5)}

    async def facts(self, accounts, **_):
        self.time[0] += WORK
        period = CountedIn(start=0, end=10_000 * SECOND, trial=False)
        pot = Pot(kind=PotKind.INCLUDED, quantity=10)
        return Facts(paid=[Paid(meter=(*account, "calls"), period=period, pot=pot) for account in accounts])


class Store:
    """Two partitions, one of which cannot be read; of one account a unit is missing."""

    def __init__(self):
        self.waits = WAITS
        self.mended = []
        self.noted = None

    def home_of(self, account):
        return int(account[1][1:]) % 2

    @contextlib.asynccontextmanager
    async def looking(self):
        yield self

    async def counted(self):
        yield {("t", "a0", "ghost"): [(0, False)], ("t", "a2", "calls"): [(0, False)], ("gone", "a0", "x"): []}

    async def look(self, partition, meters, **_):
        if partition:
            raise StoreUnavailableError(store="redis")
        states = {
            each.meter: MeterState(counters={(0, False): PeriodCounter(used=used, included=used)})
            for each in meters
            for used in [9 if each.meter[1] == "a2" else 10]
        }
        return Seen(epoch="e", entry_id="7-0", returned=0, states=states)

    async def collected(self, _partition, _entry_id):
        self.waits -= 1
        return self.waits < 0

    async def mend(self, _partition, _seen, differences, _clocks):
        self.mended += differences
        return True

    async def note(self, audit):
        self.noted = audit


def test_it_works_for_a_fiftieth_of_its_time_and_passes_over_what_fails():
    time, slept, store = [0], [], Store()

    async def sleep(seconds):
        time[0] += round(seconds * SECOND)
        slept.append(seconds)

    async def no_losses():
        return []

    auditor = Auditor(
        facts=Counted(time),
        store=store,
        apart=None,
        standing=Standing(),
        losses=no_losses,
        clock=lambda: time[0],
        sleep=sleep,
    )
    audit = asyncio.run(auditor.audit())
    assert (audit.accounts, audit.unsure) == (3, 2), "what cannot be read is left out"
    assert (audit.meters, audit.drifting, audit.surplus) == (4, 1, 10), "of a ghost no fact tells"
    assert [each.meter[1] for each in store.mended] == ["a2"]
    assert (audit.mended, audit.mended_units) == (1, 1)
    assert auditor.stats.failures == 1
    assert store.noted == auditor.stats.last == audit
    worked = 3 * WORK / SECOND  # the first look, and both readings of the closer one
    assert slept == [0.05] * WAITS + [worked * 49, 1.0, worked * 49], "what was waited for is not worked"
