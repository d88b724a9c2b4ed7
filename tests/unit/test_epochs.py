"""Epochs: lost counters are never zero usage, and an accepted loss stays accepted, whoever looks in between."""

import itertools
from dataclasses import replace
from types import MappingProxyType

import pytest

from tallygate.domain.errors import StoreUnavailableError
from tallygate.records.epochs import (
    EpochKeeper,
    ForeignStoreError,
    Look,
    Loss,
    PartitionEpoch,
    PartitionState,
    entry_order,
)


class Ledger:
    def __init__(self, count=2):
        self.lost = []
        self.writes = 0
        self.rows = {n: PartitionEpoch(partition=n, epoch=f"e{n}", state=PartitionState.FRESH) for n in range(count)}

    async def load(self):
        return list(self.rows.values())

    async def save(self, *partitions, losses=()):
        self.writes += 1
        self.rows |= {partition.partition: partition for partition in partitions}
        self.lost += losses

    async def losses(self):
        return self.lost

    async def settle_rebuilt(self, *partitions):
        self.writes += 1
        for partition in partitions:
            assert self.rows[partition.partition] == partition
            self.rows[partition.partition] = partition.rebuilt
            self.lost = [loss for loss in self.lost if loss.partition != partition.partition]

    def states(self):
        return [row.state for row in self.rows.values()]


class Board:
    """A server that is vouched for until it restarts; `ends` are its streams' ends, `now` its clock in milliseconds."""

    def __init__(self):
        self.shown = {}
        self.ends = {}
        self.gone = set()
        self.now = 1000
        self.vouched = False
        self.connection = 1
        self.calls = 0

    def within_reach(self, partitions):
        return [n for n in partitions if n not in self.gone]

    async def read(self, partitions):
        self.calls += 1
        return {n: self.shown[n] for n in partitions if n in self.shown}

    async def show(self, epochs, *, after=MappingProxyType({})):
        self.calls += 1
        self.shown.update(epochs)
        self.ends |= {n: max(end, self.ends.get(n, "0-0"), key=entry_order) for n, end in after.items()}

    async def look(self, partitions, *, anyway=False):
        self.calls += 1
        if self.vouched and not anyway:
            return None
        ends = {n: self.ends.get(n, "0-0") for n in partitions}
        return Look(connection=self.connection, entry_id=f"{self.now}-0", ends=ends)

    async def vouch(self, look, token):
        assert token
        if look.connection != self.connection:
            raise StoreUnavailableError
        self.vouched = True

    def restart(self, **ends):
        """With these ends of its streams, by `p<partition>`."""
        self.vouched = False
        self.connection += 1
        self.ends |= {int(name[1:]): end for name, end in ends.items()}


class Expiry:
    """A server's clock, which runs ahead once."""

    def __init__(self):
        self.ahead, self.sets = False, 0

    async def outran(self):
        return self.ahead

    async def set(self):
        self.ahead, self.sets = False, self.sets + 1


async def test_counters_that_expired_before_their_time_are_lost_until_an_operator_counts_on():
    ledger, board, minted, expiry = Ledger(), Board(), itertools.count(), Expiry()
    keeper = EpochKeeper(ledger=ledger, board=board, new_epoch=lambda: f"new{next(minted)}", expiry=expiry)
    assert (await keeper.settle(), await keeper.settle(), expiry.sets) == ([], [], 2)
    expiry.ahead = True
    assert await keeper.settle() == [0, 1]
    assert set(ledger.states()) == {PartitionState.REBUILDING}
    assert (await keeper.settle(), await keeper.accept_loss()) == ([0, 1], [0, 1])
    assert (await keeper.settle(), expiry.ahead) == ([], False)


async def test_what_is_lost_is_settled_in_as_many_steps_however_many_partitions_there_are():
    """A busy machine takes long for each step: one for each partition would add up to what callers notice."""
    steps = set()
    for count in (1, 64):
        ledger, board, minted = Ledger(count), Board(), itertools.count()
        keeper = EpochKeeper(ledger=ledger, board=board, new_epoch=lambda minted=minted: f"new{next(minted)}")
        taken = []
        for shown in ({}, {}, None, {}):  # a first start, all of it lost, made anew, and not shown any more
            board.shown = {n: row.rebuilt.epoch for n, row in ledger.rows.items()} if shown is None else dict(shown)
            ledger.writes = board.calls = 0
            lost = await keeper.settle()
            taken.append((ledger.writes, board.calls, len(lost) == count))
        assert len(ledger.lost) == count
        board.calls = 0
        await keeper.accept_loss()
        steps.add((*taken, board.calls))
    assert len(steps) == 1


@pytest.fixture
def rig():
    ledger, board, minted = Ledger(), Board(), itertools.count()
    return EpochKeeper(ledger=ledger, board=board, new_epoch=lambda: f"new{next(minted)}"), ledger, board


async def test_a_fresh_installation_shows_what_it_minted(rig):
    keeper, ledger, board = rig
    assert await keeper.settle() == []
    assert board.shown == {0: "e0", 1: "e1"}
    assert set(ledger.states()) == {PartitionState.ACTIVE}


async def test_anothers_counters_are_refused(rig):
    keeper, _, board = rig
    board.shown = {1: "another installation's"}
    with pytest.raises(ForeignStoreError):
        await keeper.settle()


async def test_an_epoch_that_is_gone_is_a_loss_and_says_so(rig):
    keeper, ledger, board = rig
    await keeper.settle()
    board.shown = {0: "e0"}
    assert await keeper.settle() == [1]
    assert board.shown == {0: "e0", 1: "!new1"}
    assert ledger.states() == [PartitionState.ACTIVE, PartitionState.REBUILDING]
    board.shown.clear()
    assert await keeper.settle() == [0, 1]
    assert board.shown[1] == "!new1"


async def test_counters_that_were_restored_wait_for_the_operator_too(rig):
    keeper, _, board = rig
    await keeper.settle()
    before = dict(board.shown)
    board.shown.clear()
    assert await keeper.settle() == [0, 1]
    board.shown.update(before)
    assert await keeper.settle() == [0, 1]
    assert await keeper.accept_loss() == [0, 1]
    assert await keeper.settle() == []


async def test_an_accepted_loss_counts_on(rig):
    keeper, ledger, board = rig
    await keeper.settle()
    board.shown.clear()
    await keeper.settle()
    assert await keeper.accept_loss() == [0, 1]
    assert await keeper.settle() == []
    assert not any(epoch.startswith("!") for epoch in board.shown.values())
    assert set(ledger.states()) == {PartitionState.ACTIVE}


async def test_a_keeper_that_looks_while_a_loss_is_accepted_undoes_nothing(rig):
    keeper, ledger, board = rig
    await keeper.settle()
    board.shown.clear()
    await keeper.settle()
    lost = replace(ledger.rows[0])
    await ledger.save(replace(lost, state=PartitionState.ACTIVE))  # accepted, and not shown yet
    await keeper.settle()
    assert board.shown[0] == lost.epoch
    assert ledger.rows[0].state is PartitionState.ACTIVE
    await ledger.save(lost)  # as a keeper sees it that has loaded before, and looks at the board after
    await keeper.settle()
    assert board.shown[0] == lost.epoch


async def test_a_rebuild_that_was_finished_and_not_noted_stands(rig):
    """Its worker died between the last write of the counters and SQL."""
    keeper, ledger, board = rig
    await keeper.settle()
    board.shown.clear()
    assert await keeper.settle() == [0, 1]
    board.shown[1] = ledger.rows[1].rebuilt.epoch
    assert await keeper.settle() == [0]
    assert ledger.rows[1].state is PartitionState.ACTIVE
    assert board.shown[1] == ledger.rows[1].epoch
    assert [loss.partition for loss in ledger.lost] == [0]


async def test_a_server_that_lost_the_end_of_a_rebuild_is_rebuilt_anew(rig):
    """What it wrote comes before the epoch that says so: where that is missing, so may counters be."""
    keeper, ledger, board = rig
    await keeper.settle()
    board.shown.clear()
    await keeper.settle()
    waiting = ledger.rows[0]
    await ledger.settle_rebuilt(waiting)  # noted, and shown on a server whose last writes are gone
    board.shown[0] = "!" + waiting.epoch
    assert 0 in await keeper.settle()
    assert ledger.rows[0].state is PartitionState.REBUILDING
    assert board.shown[0] == "!" + ledger.rows[0].epoch != "!" + waiting.epoch


async def test_what_is_known_to_be_collected_is_as_old_as_the_look_before_the_last_whole_one(rig):
    """A stream is empty after a loss, too: what was seen empty counts once the epochs were seen after it."""
    keeper, _, board = rig
    seen = [100]
    keeper = replace(keeper, emptied=lambda: seen[0])
    await keeper.settle()
    assert keeper.standing.collected_time == 100
    board.shown.clear()
    seen[0] = 200
    await keeper.settle()
    assert keeper.standing.collected_time == 100


async def collected(ledger, partition, entry_id):
    ledger.rows[partition] = replace(ledger.rows[partition], last_entry_id=entry_id)


async def test_a_server_that_comes_back_with_its_data_goes_on(rig):
    keeper, ledger, board = rig
    await keeper.settle()
    board.ends = {0: "500-3"}
    await collected(ledger, 0, "500-3")
    board.restart()
    assert await keeper.settle() == []
    assert board.vouched
    assert ledger.lost == []


async def test_a_server_older_than_what_was_collected_from_it_is_a_loss(rig):
    keeper, ledger, board = rig
    await keeper.settle()
    await collected(ledger, 0, "500-10")
    await collected(ledger, 1, "400-0")
    board.restart(p0="500-9", p1="400-0")
    assert await keeper.settle() == [0]
    assert keeper.standing.lost == [0]
    assert board.vouched, "what it has lost is noted"
    assert (board.shown[0], board.shown[1]) == ("!new1", "e1")
    assert ledger.lost == [Loss(partition=0, after_entry_id="500-9", until_entry_id="1000-0")]
    assert await keeper.accept_loss() == [0]
    board.restart()
    assert await keeper.settle() == [], "a plain restart after that is none"
    assert board.shown[0] == "new1"


async def test_a_second_backup_that_is_older_still_widens_the_loss(rig):
    keeper, ledger, board = rig
    await keeper.settle()
    await collected(ledger, 0, "500-0")
    board.restart(p0="300-0")
    await keeper.settle()
    board.restart(p0="100-0")
    assert await keeper.settle() == [0]
    assert [loss.after_entry_id for loss in ledger.lost] == ["300-0", "100-0"]


async def test_a_server_that_changed_while_it_was_looked_at_is_not_vouched_for(rig):
    keeper, _, board = rig
    await keeper.settle()
    board.restart()
    look = board.look

    async def looked(*partitions, **more):
        seen = await look(*partitions, **more)
        board.restart()
        return seen

    board.look = looked
    with pytest.raises(StoreUnavailableError):
        await keeper.settle()
    assert not board.vouched


async def test_what_is_counted_while_it_is_looked_at_is_no_loss(rig):
    """Where nobody has ever vouched, as after an upgrade, others count meanwhile."""
    keeper, ledger, board = rig
    await keeper.settle()
    board.vouched = False
    load = ledger.load

    async def loaded():
        board.ends[0] = "700-0"
        await collected(ledger, 0, "700-0")
        return await load()

    ledger.load = loaded
    board.ends[0] = "600-0"
    assert await keeper.settle() == []
    assert ledger.lost == []


def test_a_loss_covers_what_lies_behind_its_begin_up_to_its_end():
    loss = Loss(partition=1, after_entry_id="9-5", until_entry_id="10-2")
    assert [e for e in ("9-4", "9-5", "9-6", "9-10", "10-0", "10-2", "10-3") if loss.covers(1, e)] == [
        "9-6",
        "9-10",
        "10-0",
        "10-2",
    ]
    assert not loss.covers(0, "10-0")


async def test_what_was_read_before_a_restart_is_in_sql_before_anything_is_compared(rig):
    """A batch that was read from the server before, and is written while this one is looked at."""
    keeper, ledger, board = rig
    await keeper.settle()

    async def recorded():
        await collected(ledger, 0, "500-1")

    board.restart(p0="500-0")
    assert await replace(keeper, recorded=recorded).settle() == [0]


async def test_a_partition_whose_server_is_gone_waits_and_holds_up_no_other():
    """Nor is its absence a loss: nobody knows what that server holds."""
    ledger, board, minted = Ledger(), Board(), itertools.count()
    keeper = EpochKeeper(ledger=ledger, board=board, new_epoch=lambda: f"new{next(minted)}")
    assert await keeper.settle() == []
    board.gone = {1}
    gone = board.shown.pop(1)
    board.restart()
    assert await keeper.settle() == []
    assert board.vouched
    board.shown.pop(0)
    assert await keeper.settle() == [0]
    assert set(ledger.states()) == {PartitionState.ACTIVE, PartitionState.REBUILDING}
    board.gone, board.shown[1] = set(), gone
    assert await keeper.settle() == [0]
    board.gone = {0, 1}
    with pytest.raises(StoreUnavailableError):
        await keeper.settle()
