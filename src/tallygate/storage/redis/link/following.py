"""Who waits for a reply of a cluster's node, and follows it once to where that node says that it is to be had."""

import asyncio
from collections.abc import Callable
from typing import Any

from tallygate.storage.redis.link.commands import Script, pack
from tallygate.storage.redis.link.errors import LinkError, ReplyError
from tallygate.storage.redis.link.link import RedisLink
from tallygate.storage.redis.link.topology import Redirection, read_redirection
from tallygate.storage.redis.link.waiters import fail

_ASKING = pack("ASKING")

Redirected = Callable[[Redirection], RedisLink]
"""The node that another one has named. Raises LinkDownError."""


class Following:
    """Passes a reply on; what was refused because its slot is elsewhere was not executed, so it is sent there, once."""

    __slots__ = ("_node", "_packed", "_redirected", "_reply", "_script")

    def __init__(
        self, redirected: Redirected, reply: asyncio.Future[Any], node: RedisLink, packed: bytes, script: Script | None
    ) -> None:
        self._redirected = redirected
        self._reply = reply
        self._node: RedisLink | None = node
        self._packed = packed
        self._script = script

    def done(self) -> bool:
        """Whether nobody waits any more."""
        return self._reply.done()

    def set_result(self, result: Any) -> None:  # noqa: ANN401 - replies differ by command
        """Pass the reply on."""
        self._reply.set_result(result)

    def set_exception(self, error: Exception) -> None:
        """Follow it, or pass the failure on."""
        node, self._node = self._node, None
        if node is not None and isinstance(error, ReplyError) and (to := read_redirection(error.text, node.place)):
            try:
                self._send(self._redirected(to), to)
            except LinkError as refused:
                error = refused
            else:
                return
        fail(self._reply, error)

    def _send(self, node: RedisLink, to: Redirection) -> None:
        if to.for_good:
            node.eval_for(self, self._script, self._packed)
            return
        # One write: what follows ASKING is what it is for. With its text, a script is sent once only.
        packed = self._packed if self._script is None else self._script.with_text(self._packed)
        node.eval_for(_Nobody(), None, _ASKING)
        node.eval_for(self, None, packed)


class _Nobody:
    """Waits for nothing."""

    def done(self) -> bool:
        """Always."""
        return True

    def set_result(self, result: object) -> None:
        """Nobody wants it."""

    def set_exception(self, exception: Exception) -> None:
        """Nobody wants it."""
