"""Uses that already happened, many in a call: each with its own outcome, in order, and many of them at work at once."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence

from tallygate.data_plane.requests import ConsumeRequest
from tallygate.domain.errors import TallygateError
from tallygate.domain.gating.decision import Decision

Consume = Callable[[str, ConsumeRequest], Awaitable[Decision]]
"""`Consumes.consume`: the tenant and what to take."""

Outcome = Decision | TallygateError

_AT_ONCE = 64


async def record(consume: Consume, tenant_id: str, uses: Sequence[ConsumeRequest]) -> Sequence[Outcome]:
    """What came of each use.

    Where it matters which of an account's uses of one feature comes first, they take turns: a repeated request_id is
    a replay of the use before it, and a refund returns what those before it took.
    """
    gate = asyncio.Semaphore(_AT_ONCE)
    found: dict[int, Outcome] = {}

    async def one_by_one(numbers: Iterable[int]) -> None:
        for number in numbers:
            async with gate:
                found[number] = await _outcome(consume, tenant_id, uses[number])

    await asyncio.gather(*map(one_by_one, sorted(_turns(uses))))
    return [found[number] for number in range(len(uses))]


async def _outcome(consume: Consume, tenant_id: str, use: ConsumeRequest) -> Outcome:
    try:
        return await consume(tenant_id, use)
    except TallygateError as error:
        return error


def _turns(uses: Sequence[ConsumeRequest]) -> Iterable[list[int]]:
    meters: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, use in enumerate(uses):
        meters[use.account_id, use.feature_key].append(number)
    for numbers in meters.values():
        own = [uses[number] for number in numbers]
        repeated = len({use.request_id for use in own}) < len(own)
        if repeated or any(use.quantity is not None and use.quantity < 0 for use in own):
            yield numbers
        else:
            yield from ([number] for number in numbers)
