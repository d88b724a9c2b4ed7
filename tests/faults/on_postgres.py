"""Histories that die at a step, on PostgreSQL: each begins with a copy of what the database was before that act."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import make_url

from faults.crashes import Act, Killed, Steps, World, lived
from servers import PostgresServer


@dataclass(frozen=True, slots=True)
class Place:
    """What a database was before an act: how many steps led there, its name, and what its rows come to."""

    steps: int
    name: str
    rows: str


@dataclass(frozen=True, slots=True)
class PostgresStory:
    """A history that nothing disturbed; one place more than acts."""

    server: PostgresServer
    acts: Sequence[Act]
    places: Sequence[Place]
    books: Any
    world: type[World]

    async def dying(self, step: int) -> Any:
        """The books of the history in which the process dies at a step; what is as it was goes on as it did."""
        first = bisect_left([each.steps for each in self.places], step) - 1
        url = self.server.create_database(f'TEMPLATE "{self.places[first].name}"')
        world = self.world(url, Steps(kill_at=step, taken=self.places[first].steps))
        try:
            for number, act in enumerate(self.acts[first:], start=first + 1):
                await self._lived(world, act)
                if _rows(self.server, url) == self.places[number].rows:
                    return self.books
            return await world.books()
        finally:
            await world.close()
            self.server.drop_database(url)

    async def _lived(self, world: World, act: Act) -> None:
        """Do it, and do it again if the process died under it: its connections end with it."""
        world.now = act.at
        try:
            await act.act(world)
        except Killed:
            await world.die()
            self.server.disconnect(world.url)
            await act.act(world)


async def undisturbed_on(server: PostgresServer, template: str, acts: Sequence[Act], world: type[World]) -> Any:
    """Live through a history in a copy of a migrated database, and keep what it passes."""
    url = server.create_database(f'TEMPLATE "{make_url(template).database}"')
    steps, places, lives = Steps(), [], world
    now = lives(url, steps)
    for act in acts:
        places.append(await _place(server, now, url))
        await lived(now, act)
    places.append(await _place(server, now, url))
    books = await now.books()
    await now.close()
    return PostgresStory(server, acts, places, books, lives)


async def _place(server: PostgresServer, world: World, url: str) -> Place:
    await world.close()
    copy = server.create_database(f'TEMPLATE "{make_url(url).database}"')
    return Place(world.steps.taken, make_url(copy).database or "", _rows(server, url))


def _rows(server: PostgresServer, url: str) -> str:
    """A digest of every row; what a sequence gave is no part of it, for a death leaves gaps."""
    with psycopg.connect(server.dsn(make_url(url).database or "")) as connection:
        named = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
        tables = [row[0] for row in connection.execute(named)]
        of = """SELECT md5(coalesce(string_agg(r::text, '|' ORDER BY r::text), '')) FROM "{}" r"""
        digests = connection.execute(" UNION ALL ".join(map(of.format, tables)).encode()).fetchall()
    return "".join(row[0] for row in digests)
