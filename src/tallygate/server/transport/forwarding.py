"""Calls that another process of this installation answers: handed on as they came, answered as it says.

What that process does with a call (key, scope, deadline, metrics, log) it does itself; this one looks into nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable
from typing import Any

import grpc
import grpc.aio

from tallygate.domain.errors import ControlPlaneUnavailableError, ShuttingDownError, UnauthenticatedError
from tallygate.server.calls.port import REQUEST_ID, Metadata, authorization_of
from tallygate.server.calls.registry import Handler, Service
from tallygate.server.calls.room import Room
from tallygate.server.calls.scopes import METHOD_RULES
from tallygate.server.calls.streams import Streams
from tallygate.server.calls.wrapper import Calls, Context
from tallygate.server.wire.errors import DETAILS_KEY, DeadlineExceededError, Failure, failure_of, overloaded

_NO_LIMIT = -1
_OPTIONS = [
    ("grpc.max_receive_message_length", _NO_LIMIT),
    ("grpc.max_send_message_length", _NO_LIMIT),
    ("grpc.max_metadata_size", 1024 * 1024),
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.enable_http_proxy", 0),
]
_LONG = 365 * 86_400.0


def control_channel(uri: str) -> grpc.aio.Channel:
    """To a process that listens on a private Unix socket, and may be started again at any time."""
    return grpc.aio.insecure_channel(uri, options=_OPTIONS)


async def call_with_key(channel: grpc.aio.Channel, path: str, secret: str) -> None:
    """Call a method with an empty request, as whoever has this key.

    Raises:
        ControlPlaneUnavailableError: it does not answer.
        UnauthenticatedError: it knows no such key.
    """
    call: Any = channel.unary_unary(path)
    try:
        await call(b"", metadata=(("authorization", f"Bearer {secret}"),))
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:
            raise UnauthenticatedError from error
        raise ControlPlaneUnavailableError from error


class Forwarder:
    """The services of the process that a channel leads to; `places` is how many calls may be there at once."""

    def __init__(self, channel: grpc.aio.Channel, calls: Calls, streams: Streams, *, places: int) -> None:
        self._channel = channel
        self._calls = calls
        self._followed: set[grpc.aio.UnaryStreamCall[bytes, bytes]] = set()
        self._is_ending = False
        streams.at_end(self._end_streams)
        self._room = Room(places)
        calls.metrics.watch("tallygate_calls_forwarded", "Calls at the control plane's process.", self._held)

    def services(self, but: Collection[str]) -> list[Service]:
        """All services but these, by full name."""
        names = {path.partition("/")[0] for path in METHOD_RULES}
        return [Service(name, self._handlers(name)) for name in sorted(names - set(but))]

    async def close(self) -> None:
        """Cut off what is still under way."""
        await self._channel.close()

    def _held(self) -> float:
        return len(self._room)

    def _handlers(self, service: str) -> dict[str, Handler]:
        paths = [path for path in METHOD_RULES if path.startswith(f"{service}/")]
        return {path.partition("/")[2]: self._handler(path) for path in paths}

    def _handler(self, path: str) -> Handler:
        if METHOD_RULES[path].streams:
            return grpc.unary_stream_rpc_method_handler(self._streaming(f"/{path}"))
        return grpc.unary_unary_rpc_method_handler(self._unary(f"/{path}"))

    def _unary(self, path: str) -> Any:  # noqa: ANN401 - a handler of bytes
        call: Any = self._channel.unary_unary(path)

        async def serve(data: bytes, context: Context) -> bytes:
            metadata = tuple(context.invocation_metadata() or ())
            self._keep()
            answer = b""
            with _Place(self._room, metadata) as has_place:
                failure = self._refusal(has_place=has_place)
                if failure is None:
                    try:
                        asked = call(data, metadata=_carried(metadata), timeout=_timeout(context))
                        answer = bytes(await asked)
                        _name(context, await asked.trailing_metadata())
                    except grpc.aio.AioRpcError as error:
                        failure = _failure(error)
            if failure is not None:
                await context.abort(failure.code, failure.message, failure.trailing)
            return answer

        return serve

    def _streaming(self, path: str) -> Any:  # noqa: ANN401 - a handler of bytes
        call: Any = self._channel.unary_stream(path)

        async def serve(data: bytes, context: Context) -> AsyncIterator[bytes]:
            metadata = tuple(context.invocation_metadata() or ())
            self._keep()
            with _Place(self._room, metadata) as has_place:
                failure = self._refusal(has_place=has_place)
                if failure is None:
                    following = call(data, metadata=_carried(metadata), timeout=_timeout(context))
                    self._followed.add(following)
                    try:
                        async for item in following:
                            yield bytes(item)
                        _name(context, await following.trailing_metadata())
                    except grpc.aio.AioRpcError as error:
                        failure = _failure(error)
                    except asyncio.CancelledError:
                        if not self._is_ending:
                            raise
                        failure = failure_of(ShuttingDownError())
                    else:
                        return
                    finally:
                        self._followed.discard(following)
                        following.cancel()
            await context.abort(failure.code, failure.message, failure.trailing)

        return serve

    def _keep(self) -> None:
        """A drain waits for this call."""
        task = asyncio.current_task()
        if task is not None:
            self._calls.keep(task)

    def _end_streams(self) -> None:
        self._is_ending = True
        for following in self._followed:
            following.cancel()

    def _refusal(self, *, has_place: bool) -> Failure | None:
        if self._is_ending:
            return failure_of(ShuttingDownError())
        return None if has_place else overloaded()


class _Place:
    """A place in the room for as long as a call is under way."""

    def __init__(self, room: Room, metadata: Metadata) -> None:
        self._room = room
        self._who = authorization_of(metadata) or ""
        self._has = False

    def __enter__(self) -> bool:
        self._has = self._room.enter(self._who)
        return self._has

    def __exit__(self, *_: object) -> None:
        if self._has:
            self._room.leave(self._who)


def _carried(metadata: Metadata) -> Iterable[tuple[str, str | bytes]]:
    """What the caller sent; what belongs to its connection stays behind."""
    return tuple(pair for pair in metadata if not pair[0].startswith((":", "grpc-")) and pair[0] not in _CONNECTION)


_CONNECTION = frozenset({"user-agent", "te", "content-type", "host"})


def _name(context: Context, trailing: Metadata | None) -> None:
    """Bring back the caller's name for the call."""
    names = tuple((key, value) for key, value in trailing or () if key == REQUEST_ID)
    if names:
        context.set_trailing_metadata(names)


def _timeout(context: Context) -> float | None:
    remaining = context.time_remaining()
    return remaining if remaining is not None and remaining < _LONG else None


def _failure(error: grpc.aio.AioRpcError) -> Failure:
    """What the other process answered; or what became of the call where it did not answer."""
    trailing = tuple((key, value) for key, value in error.trailing_metadata() or ())
    if any(key == DETAILS_KEY for key, _ in trailing):
        return Failure(error.code(), error.details() or "", trailing)
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return failure_of(DeadlineExceededError())
    return failure_of(ControlPlaneUnavailableError())
