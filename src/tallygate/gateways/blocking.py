"""Gateways whose libraries block: each request of ours is worked off in a thread, with one deadline for all of it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from tallygate.billing.ports import NoAnswerError
from tallygate.gateways.asking import Deadline, Late, Line, Threads
from tallygate.gateways.refusals import RefusedError

T = TypeVar("T")
_log = logging.getLogger(__name__)


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
class Desk(Generic[C]):
    """Where one tenant's requests to one gateway are handed in."""

    client: Late[C] = field(repr=False)
    line: Line
    threads: Threads

    async def ask(self, work: Callable[[C], T]) -> T:
        """Work something off.

        Raises:
            RefusedError: the gateway refused.
            NoAnswerError: not in time, or the gateway was silent.
        """
        to = await self.client.get()

        async def answer() -> T:
            deadline = Deadline(self.line.seconds)
            answered: T = await self.threads.run(lambda: to.session.within(deadline, lambda: work(to)))
            return answered

        return await self.line.ask(answer)

    async def read(self, work: Callable[[C], T]) -> T:
        """Work off what is only read, and cannot be refused in earnest.

        Raises:
            NoAnswerError: not in time, the gateway was silent, or it refused.
        """
        try:
            return await self.ask(work)
        except RefusedError as error:
            _log.warning("%s refused to answer: HTTP %d", self.line.name, error.status)
            raise NoAnswerError from error
