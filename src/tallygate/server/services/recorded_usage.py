"""RecordUsage's items: each with its own outcome, in order, and many of them at work at once."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence

from tallygate_api.v1 import usage_service_pb2 as wire

_AT_ONCE = 64

Record = Callable[[wire.RecordUsageItem], Awaitable[wire.RecordUsageOutcome]]


async def outcomes_of(items: Sequence[wire.RecordUsageItem], record: Record) -> list[wire.RecordUsageOutcome]:
    """What came of each item.

    Where it matters which of an account's items of one feature comes first, they take turns: a repeated request_id is
    a replay of the item before it, and a refund returns what those before it took.
    """
    gate = asyncio.Semaphore(_AT_ONCE)
    found: dict[int, wire.RecordUsageOutcome] = {}

    async def one_by_one(numbers: Sequence[int]) -> None:
        for number in numbers:
            async with gate:
                found[number] = await record(items[number])

    await asyncio.gather(*map(one_by_one, sorted(_turns(items))))
    return [found[number] for number in range(len(items))]


def _turns(items: Sequence[wire.RecordUsageItem]) -> Iterable[list[int]]:
    meters: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, item in enumerate(items):
        meters[item.account_id, item.feature_key].append(number)
    for numbers in meters.values():
        own = [items[number] for number in numbers]
        repeated = len({item.request_id for item in own}) < len(own)
        if repeated or any(item.quantity < 0 for item in own):
            yield numbers
        else:
            yield from ([number] for number in numbers)
