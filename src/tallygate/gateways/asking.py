"""How a gateway is asked: in bounded time, and not at all for a while after it has been silent.

So a gateway that hangs holds up who is paid through it for a moment, and nobody else.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass, field
from importlib.util import find_spec
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar

from cachetools import LRUCache

from tallygate.billing.ports import NoAnswerError
from tallygate.domain.errors import InvalidFieldError

_SILENCES = 5
"""So many in a row, and a gateway is left alone."""
_REST_SECONDS = 30.0
_MOST_OPEN = 1_000
_THREADS = 32
"""More than jobs that are worked off together: who waits for a thread waits within their own deadline."""
T = TypeVar("T")
_log = logging.getLogger(__name__)


class Trail(Protocol):
    """Whoever traces calls: told of what is asked of others, and how these are told of the trace."""

    def asking(self, name: str) -> AbstractContextManager[object]:
        """Follow what this gateway is asked until it has answered."""
        ...

    def headers(self) -> Mapping[str, str]:
        """What a request says of the trace that it belongs to."""
        ...


class NoTrail:
    """Nobody traces calls."""

    def asking(self, _name: str) -> AbstractContextManager[object]:
        """Nobody is told."""
        return nullcontext()

    def headers(self) -> Mapping[str, str]:
        """Nothing is said."""
        return {}


NO_TRAIL = NoTrail()


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The way to a gateway: where it is, how long an answer may take, where payers come back to, who is told."""

    url: str
    seconds: float
    return_url: str = ""
    trail: Trail = NO_TRAIL


class Deadline:
    """Until when somebody waits for the answer: who works in a thread starts nothing after it."""

    def __init__(self, seconds: float) -> None:
        self._end = monotonic() + seconds

    def left(self) -> float:
        """Seconds until then.

        Raises:
            NoAnswerError: there are none.
        """
        left = self._end - monotonic()
        if left <= 0:
            raise NoAnswerError
        return left


@dataclass(slots=True, kw_only=True)
class Line:
    """What is asked of one gateway with one tenant's credentials."""

    name: str
    seconds: float
    clock: Callable[[], float] = monotonic
    trail: Trail = NO_TRAIL
    _silences: int = 0
    _rests_until: float = field(default=0.0)

    async def ask(self, asked: Callable[[], Awaitable[T]]) -> T:
        """Wait for an answer.

        Raises:
            NoAnswerError: none came in time, or the gateway was silent so often that it is left alone.
        """
        if self._silences >= _SILENCES:
            if self.clock() < self._rests_until:
                raise NoAnswerError
            self._rests_until = self.clock() + _REST_SECONDS  # one tries, the others go on waiting
        try:
            with self.trail.asking(self.name):
                async with asyncio.timeout(self.seconds):
                    answer = await asked()
        except NoAnswerError:
            self._silent()
            raise
        except TimeoutError as error:
            self._silent()
            raise NoAnswerError from error
        except Exception:  # a refusal is an answer, too
            self._silences = 0
            raise
        self._silences = 0
        return answer

    def _silent(self) -> None:
        self._silences += 1
        if self._silences >= _SILENCES:
            self._rests_until = self.clock() + _REST_SECONDS
            _log.warning("%s does not answer: it is not asked for %d s", self.name, _REST_SECONDS)


class Late(Generic[T]):
    """Something that takes long to load: made in a thread when it is first needed, once."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: asyncio.Future[T] | None = None

    async def get(self) -> T:
        """What was made."""
        if self._made is None or (self._made.done() and (self._made.cancelled() or self._made.exception())):
            self._made = asyncio.ensure_future(asyncio.to_thread(self._make))
        return await asyncio.shield(self._made)


def opened() -> MutableMapping[Any, Any]:
    """Where gateways are kept by credentials: the last thousand, for tenants change theirs."""
    return LRUCache(maxsize=_MOST_OPEN)


def require(library: str, extra: str) -> None:
    """Make sure that a gateway's library is there, without loading it.

    Raises:
        InvalidFieldError: it is not installed.
    """
    if find_spec(library) is None:
        expected = f"a gateway whose library is installed: pip install 'tallygate[{extra}]'"
        raise InvalidFieldError(field="name", expected=expected)


@dataclass(slots=True)
class Threads:
    """Threads for one gateway whose library blocks: where it hangs, others have threads of their own."""

    name: str
    _pool: ThreadPoolExecutor | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """Run something in one of them, in the context of who asks."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix=f"gateway-{self.name}")
        return await asyncio.get_running_loop().run_in_executor(self._pool, copy_context().run, work)
