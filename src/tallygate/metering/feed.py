"""One tenant's facts in their order, and following them as they are recorded."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, TypeVar

from tallygate.metering.ports import EventReader, RecordedFact, Sleep

T = TypeVar("T")


async def follow(
    reader: EventReader,
    tenant_id: str,
    *,
    after: int = 0,
    account_id: str = "",
    feature_key: str = "",
    page: int = 500,
    poll_seconds: float = 0.25,
    sleep: Sleep = asyncio.sleep,
) -> AsyncGenerator[RecordedFact, None]:
    """Yield every fact after this sequence number, once and in order, and then each new one; never ends by itself.

    Ends with StoreUnavailableError when the ledger cannot be read: resume after the last sequence number received.
    """
    while True:
        head = await _whole(reader.head(tenant_id))  # read first: what it covers is committed, no later page misses it
        while after < head:
            facts = await _whole(
                reader.events_after(tenant_id, after, account_id=account_id, feature_key=feature_key, limit=page)
            )
            for recorded in facts:
                yield recorded
                after = recorded.sequence
            if len(facts) < page:
                after = max(after, head)
        await sleep(poll_seconds)


async def _whole(reading: Coroutine[Any, Any, T]) -> T:
    """Read to the end, though the follower may be gone: torn apart, a reading leaves its connection behind.

    Who is cancelled ends only after the reading has, or it would outlive whoever closes the database next.
    """
    task = asyncio.ensure_future(reading)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait((task,))
        task.exception()  # read, so that asyncio does not report one whose follower is gone
        raise
