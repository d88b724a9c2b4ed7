"""An audit beside other work: whose time it takes, and what a failure costs it."""

import asyncio
import contextlib
from dataclasses import replace

from tallygate.domain.errors import StoreUnavailableError
from tallygate.domain.gating.decision import Pot, PotKind
from tallygate.domain.gating.quota import MeterState, PeriodCounter
from tallygate.domain.tenant_clock import REAL_TIME, TenantClock
from tallygate.metering.audited import Seen
from tallygate.metering.auditing import Auditor
from tallygate.metering.recounting import CountedIn, Facts, Paid
from tallygate.metering.whole import WholePartitions
from tallygate.records.epochs import Loss, PartitionEpoch, PartitionState
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


class Ledger:
    """Two partitions under an epoch; `lost` are those whose counts were lost."""

    def __init__(self):
        self.epoch, self.lost, self.asked = "e", [], 0

    async def load(self):
        self.asked += 1
        return [PartitionEpoch(partition=n, epoch=self.epoch, state=PartitionState.ACTIVE) for n in range(2)]

    async def losses(self):
        return [Loss(partition=n, after_entry_id="0-0", until_entry_id="9-0") for n in self.lost]


def test_it_works_for_a_fiftieth_of_its_time_and_passes_over_what_fails():
    time, slept, store, ledger = [0], [], Store(), Ledger()

    async def sleep(seconds):
        time[0] += round(seconds * SECOND)
        slept.append(seconds)

    auditor = Auditor(
        facts=Counted(time),
        store=store,
        apart=None,
        standing=Standing(),
        whole=WholePartitions(ledger),
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
    assert ledger.asked == 1, "once a round, however many partitions there are"


class WholeStore(Store):
    """Each partition can be read, and shows this epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.waits, self.epoch = 0, epoch

    async def look(self, _partition, meters, **more):
        return replace(await super().look(0, meters, **more), epoch=self.epoch)


def mended(store, ledger, change=None):
    """The audit, and whose counters it set right."""

    async def sleep(_):
        return

    class Changed(Counted):
        """Once accounts are told the round has begun."""

        async def accounts(self):
            if change is not None:
                change()
            async for page in super().accounts():
                yield page

    auditor = Auditor(
        facts=Changed([0]),
        store=store,
        apart=None,
        standing=Standing(),
        whole=WholePartitions(ledger),
        clock=lambda: 0,
        sleep=sleep,
    )
    return asyncio.run(auditor.audit(hurry=True)), [each.meter[1] for each in store.mended]


def test_a_partition_whose_loss_was_accepted_is_left_alone():
    store, ledger = WholeStore("e"), Ledger()
    ledger.lost = [0]
    audit, whose = mended(store, ledger)
    assert whose == []
    assert audit.accounts == 2, "those of the other partition: a1 and a3"


def test_a_loss_that_is_accepted_while_a_round_runs_is_no_drift():
    """The round had asked before: that the partition shows another epoch tells it to ask again."""
    store, ledger = WholeStore("e"), Ledger()

    def accepted():
        store.epoch = ledger.epoch = "after the loss"
        ledger.lost = [0]

    audit, whose = mended(store, ledger, accepted)
    assert whose == []
    assert (audit.mended, audit.unsure) == (0, 1), "a2, of which a unit is missing, is not looked at more closely"
    assert ledger.asked == 2


def test_a_partition_that_shows_an_epoch_which_nobody_minted_is_left_alone():
    audit, whose = mended(WholeStore("another installation's"), Ledger())
    assert (whose, audit.unsure) == ([], 2), "a2, and a0 for the counter of which no fact tells"


def test_after_a_loss_that_was_made_good_accounts_are_audited_again():
    store, ledger = WholeStore("e"), Ledger()

    def rebuilt():
        store.epoch = ledger.epoch = "e+"

    audit, whose = mended(store, ledger, rebuilt)
    assert whose == ["a2"]
    assert (audit.mended, audit.unsure) == (1, 0)


def test_a_tenant_that_appears_while_a_round_runs_is_left_to_the_next():
    """The clocks are read once; accounts are told page by page, as late as that takes."""

    class Growing(Counted):
        async def accounts(self):
            yield [("t", "a2")]
            yield [("later", "a0")]

    store, auditor = audited(Growing([0]))
    audit = asyncio.run(auditor.audit(hurry=True))
    assert (audit.accounts, [each.meter[:2] for each in store.mended]) == (1, [("t", "a2")])
    auditor.suspects.update({("t", "a2"), ("gone", "a0")})
    audit = asyncio.run(auditor.audit_suspects())
    assert (audit.meters, auditor.suspects) == (1, set()), "there is no account of a tenant that is none"


def audited(facts):
    """A store that can be read, and who audits it by these facts."""
    store = WholeStore("e")

    async def sleep(_):
        return

    auditor = Auditor(
        facts=facts,
        store=store,
        apart=None,
        standing=Standing(),
        whole=WholePartitions(Ledger()),
        clock=lambda: 0,
        sleep=sleep,
    )
    return store, auditor
