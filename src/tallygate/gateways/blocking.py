"""Gateways whose libraries block: each request of ours is worked off in a thread, with one deadline for all of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from tallygate.gateways.asking import Deadline, Late, Line, Threads

T = TypeVar("T")


class Bound(Protocol):
    """Whose requests end by a deadline (`blocking_http.BoundSession`)."""

    def within(self, deadline: Deadline, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the work answers
        """Do something."""
        ...


class HasSession(Protocol):
    """A library, and the session that it sends by."""

    @property
    def session(self) -> Bound:
        """What it sends by."""
        ...


C = TypeVar("C", bound=HasSession)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where one tenant's requests to one gateway are handed in."""

    line: Line
    threads: Threads

    async def ask(self, client: Late[C], work: Callable[[C], T]) -> T:
        """Work something off.

        Raises:
            NoAnswerError: not in time, or the gateway was silent.
        """
        to = await client.get()

        async def answer() -> T:
            deadline = Deadline(self.line.seconds)
            answered: T = await self.threads.run(lambda: to.session.within(deadline, lambda: work(to)))
            return answered

        return await self.line.ask(answer)
