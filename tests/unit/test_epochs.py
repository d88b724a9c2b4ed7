"""Epochs: lost counters are never zero usage, and an accepted loss stays accepted, whoever looks in between."""

import itertools
from dataclasses import replace

import pytest

from tallygate.records.epochs import EpochKeeper, ForeignStoreError, PartitionEpoch, PartitionState


class Ledger:
    def __init__(self, count=2):
        self.rows = {n: PartitionEpoch(partition=n, epoch=f"e{n}", state=PartitionState.FRESH) for n in range(count)}

    async def load(self):
        return list(self.rows.values())

    async def save(self, partition):
        self.rows[partition.partition] = partition

    def states(self):
        return [row.state for row in self.rows.values()]


class Board:
    def __init__(self):
        self.shown = {}

    async def read(self, partitions):
        return {n: self.shown[n] for n in partitions if n in self.shown}

    async def show(self, epochs):
        self.shown.update(epochs)


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
    assert board.shown == {0: "e0", 1: "!new0"}
    assert ledger.states() == [PartitionState.ACTIVE, PartitionState.REBUILDING]
    board.shown.clear()
    assert await keeper.settle() == [0, 1]
    assert board.shown[1] == "!new0"


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
