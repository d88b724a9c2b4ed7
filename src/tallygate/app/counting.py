"""Whether hard limits can be decided, and whether what was counted is collected: for `/ready`."""

from collections.abc import Collection

from tallygate.app.data_side import RedisSide
from tallygate.domain.errors import StoreUnavailableError
from tallygate.metering.collector import CollectorStats
from tallygate.records.epochs import hidden
from tallygate.server.operations.admin import Check
from tallygate.storage.redis.epochs import RedisEpochs


async def counters_check(redis: RedisSide | None, *, partitions: int, lost: Collection[int]) -> Check:
    """Not required, because all else can be decided. `lost` is what this process's own worker knows of."""
    hidden = set(lost)
    if redis is not None:
        hidden |= await _hidden(redis, partitions)
    if hidden:
        detail = f"lost in {len(hidden)} partitions, `tallygate doctor` says more"
    elif redis is not None and not redis.link.vouched:
        detail = "no worker has found this Redis whole since it started"
    else:
        return Check(ok=True)
    return Check(ok=False, detail=detail, required=False)


async def _hidden(redis: RedisSide, partitions: int) -> set[int]:
    """Those in which callers are refused as of now; none where Redis cannot say, which is told of Redis itself."""
    board = RedisEpochs(redis.link)
    reached = board.within_reach(range(partitions))
    try:
        shown = await board.read(reached)
    except StoreUnavailableError:
        return set()
    return set(hidden(shown, reached))


def collector_check(stats: CollectorStats, *, most_seconds: float) -> Check:
    """How much waits; nothing is said before that is known."""
    known = stats.lag_entries >= 0
    detail = f"{stats.lag_entries} events wait, the oldest for {stats.lag_seconds:.1f} s" if known else ""
    return Check(ok=stats.lag_seconds < most_seconds, detail=detail, required=False)
