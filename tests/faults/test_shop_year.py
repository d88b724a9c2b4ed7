"""A small shop's year leaves the same books whoever looks when, and however often its process dies."""

import random

import pytest

from faults.crashes import DAY, Killed, Steps
from faults.planted import fails_without
from faults.shop import LAST_OF_MAY, OPENING, UPGRADES, YEAR_LATER, Shop, year
from tallygate.billing.due_order import TenantRunner
from tallygate.domain.errors import TallygateError
from tallygate.storage.sql.billing.documents import SqlInvoiceRepository
from thorough import THOROUGH

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # who dies closes nothing

FEW = 3, LAST_OF_MAY + DAY
ACCOUNTS, UNTIL = (40, YEAR_LATER) if THOROUGH else FEW
DEATHS = 60


def each_at_its_own_instant(monkeypatch, module):
    """What is due is done as of when somebody looks."""

    async def unordered(*_):
        return False

    monkeypatch.setattr(TenantRunner, "_in_order", unordered)
    monkeypatch.setattr(module, "ACCOUNTS", FEW[0])
    monkeypatch.setattr(module, "UNTIL", FEW[1])


async def told(path, acts, deaths=()):
    """The books of a year in which its process dies at these steps of its store."""
    left = [0, *sorted(deaths, reverse=True)]
    world = Shop(f"sqlite:///{path}", Steps(kill_at=left.pop()))
    try:
        for act in acts:
            world.now, done = act.at, False
            while not done:
                try:
                    await act.act(world)
                    done = True
                except Killed:
                    await world.die()
                    world.steps.kill_at = left.pop()
        return await world.books() | {"steps": world.steps.taken}
    finally:
        await world.close()


def unlike(first, second):
    """What either has that the other one has not."""
    return {
        name: (
            [one for one in first[name] if one not in second[name]],
            [one for one in second[name] if one not in first[name]],
        )
        for name in first
        if name != "steps" and first[name] != second[name]
    }


def timeless(books):
    """Books without instants: what a process died over is found out minutes later."""

    def without(row):
        return tuple(each for each in row if not (isinstance(each, int) and each > OPENING - 2 * DAY))

    found = {name: rows for name, rows in books.items() if name not in {"audit", "unlike", "numbers"}}
    return {name: sorted((without(row) for row in rows), key=str) for name, rows in found.items() if name != "steps"}


@fails_without(each_at_its_own_instant)
async def test_a_year_in_leaps_is_a_year_day_by_day(fresh):
    leaps = await told(fresh(), year(ACCOUNTS, daily=False, until=UNTIL))
    assert (leaps["audit"], leaps["unlike"]) == ((), [])
    assert len(leaps["documents"]) > 10
    daily = await told(fresh(), year(ACCOUNTS, daily=True, until=UNTIL))
    assert unlike(leaps, daily) == {}


@pytest.mark.skipif(not THOROUGH, reason="a year that dies is another year long: make faults")
@pytest.mark.parametrize("seed", range(4))
async def test_a_year_that_dies_at_any_steps_is_a_year(fresh, seed):
    acts = year(10, daily=bool(seed % 2))
    whole = await told(fresh(), acts)
    deaths = random.Random(seed).sample(range(1, whole["steps"]), DEATHS)
    died = await told(fresh(), acts, deaths)
    assert (died["audit"], died["unlike"], died["numbers"]) == ((), [], whole["numbers"])
    assert unlike(timeless(whole), timeless(died)) == {}


@pytest.mark.skipif(not THOROUGH, reason="as above")
async def test_with_numbers_taken_outside_of_the_transaction_a_year_that_dies_lacks_some(fresh, monkeypatch):
    taken = SqlInvoiceRepository.next_number

    async def apart(self, series, *, now):
        number = await taken(self, series, now=now)
        await self.scope.connection.commit()
        return number

    monkeypatch.setattr(SqlInvoiceRepository, "next_number", apart)
    acts = year(FEW[0], daily=True, until=UPGRADES)
    whole = await told(fresh(), acts)
    deaths = random.Random(1).sample(range(1, whole["steps"]), 2 * DEATHS)
    try:
        sound = (await told(fresh(), acts, deaths))["numbers"] == whole["numbers"]
    except TallygateError:  # that something cannot be completed any more is what is looked for, too
        sound = False
    assert not sound
