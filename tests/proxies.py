"""An address behind which servers change, as a virtual address or a balancer has it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from servers import ValkeyServer


class Address:
    """New connections go to the `target` of the moment; old ones stay with the server that they were made to."""

    def __init__(self, target: ValkeyServer) -> None:
        self.target = target
        self.url = ""
        self.made = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.made += 1
        with contextlib.suppress(OSError, asyncio.CancelledError), contextlib.closing(writer):
            onward, back = await asyncio.open_connection("127.0.0.1", self.target.port)
            with contextlib.closing(back):
                async with asyncio.TaskGroup() as group:
                    for source, sink in ((reader, back), (onward, writer)):
                        self._tasks.add(group.create_task(_pump(source, sink)))

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(1 << 16):
            sink.write(data)
            await sink.drain()
    sink.close()


@contextlib.asynccontextmanager
async def address_of(target: ValkeyServer) -> AsyncIterator[Address]:
    """An address on loopback that leads to this server, until its `target` is set to another."""
    address = Address(target)
    server = await asyncio.start_server(address.serve, "127.0.0.1", 0)
    address.url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield address
    finally:
        server.close()
        address.close()
