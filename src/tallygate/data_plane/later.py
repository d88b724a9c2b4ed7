"""An outcome that comes by callback, for whoever awaits it."""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """A future that is told by callbacks; telling one that nobody awaits any more is nothing."""

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future: asyncio.Future[T | Exception] = asyncio.get_running_loop().create_future()

    def resolve(self, outcome: T | Exception) -> None:
        """This is how it ended."""
        if not self._future.done():
            self._future.set_result(outcome)

    async def result(self) -> T:
        """How it ended; raises the error that it ended with."""
        outcome = await self._future
        if isinstance(outcome, Exception):
            raise outcome
        return outcome
