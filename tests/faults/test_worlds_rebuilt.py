"""Every decision world again, with all its counters lost and made anew before each step: no decision may differ.

Nor do counters from the facts, after any step: an audit finds nothing.
"""

from dataclasses import replace

import pytest

from collectors import until
from faults.callers import Caller
from faults.installations import PARTITIONS
from tallygate.domain.credential import mint_key
from tallygate.records.epochs import REBUILDING, PartitionState
from thorough import every
from world_server import ServerDriver
from worlds import load_world, run_world, world_paths

LEFT_OUT = ("rate_limit",)  # they start anew
PATHS = [path for path in world_paths() if not path.stem.startswith(LEFT_OUT)]


class LosingDriver(ServerDriver):
    """Loses every counter and remembered effect before each step, and makes them anew."""

    def __init__(self, channel, key, application, installation):
        super().__init__(channel, key)
        self._control = application._control
        self._installation = installation
        self.rebuilt = 0

    async def do(self, action, args):
        await self._lose()
        return await super().do(action, args)

    async def _lose(self):
        valkey, keeper = self._installation.valkey, self._control.collecting.epochs
        await until(lambda: self._installation.waiting() == 0)
        audit = await self._control.collecting.auditor.audit(hurry=True)
        assert (audit.drifting, audit.mended, audit.unsure) == (0, 0, 0), "what a call counted is what its fact makes"
        counted = {}
        for number in range(PARTITIONS):
            names = [*valkey.command("KEYS", f"tg:{{{number}}}:m:*"), *valkey.command("KEYS", f"tg:{{{number}}}:e:*")]
            if names:
                counted[number] = names
        for partition in [each for each in await keeper.ledger.load() if each.partition in counted]:
            lost = replace(partition, epoch=keeper.new_epoch(), state=PartitionState.REBUILDING)
            await keeper.ledger.save(lost)
            await keeper.board.show({lost.partition: REBUILDING + lost.epoch})
            valkey.command("DEL", *counted[lost.partition])
        self.rebuilt += len(await self._control.collecting.rebuilder.rebuild())


class ForgettingDriver(LosingDriver):
    """Loses them, and counts on from nothing."""

    async def _lose(self):
        valkey = self._installation.valkey
        await until(lambda: self._installation.waiting() == 0)
        for number in range(PARTITIONS):
            for kind in "me":
                for name in valkey.command("KEYS", f"tg:{{{number}}}:{kind}:*"):
                    valkey.command("DEL", name)


@pytest.fixture
async def application(installation):
    async with installation.role("all") as application:
        yield application


@pytest.mark.usefixtures("without_rebuilds")
@pytest.mark.parametrize("path", PATHS[:: every(1) * every(1)], ids=lambda p: p.stem)
async def test_world_with_its_counters_made_anew(path, application, installation):
    key = mint_key(path.stem.encode()[:32].ljust(32, b"."))
    async with Caller(application.grpc_address, key) as caller:
        driver = LosingDriver(caller.channel, key, application, installation)
        await run_world(load_world(path), driver)


COUNTING = ["hard_limit_and_add_on", "grants_burn_in_order", "levels_max", "replays_and_reused_ids"]


@pytest.mark.usefixtures("without_rebuilds")
@pytest.mark.parametrize("stem", COUNTING[:: every(1)])
async def test_a_world_whose_counters_are_not_made_anew_comes_out_otherwise(stem, application, installation):
    """Nothing but the rebuild is between the loss and other decisions."""
    (path,) = [each for each in PATHS if each.stem == stem]
    key = mint_key(b"forgetting".ljust(32, b"."))
    async with Caller(application.grpc_address, key) as caller:
        with pytest.raises(AssertionError):
            await run_world(load_world(path), ForgettingDriver(caller.channel, key, application, installation))
