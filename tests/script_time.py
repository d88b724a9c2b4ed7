"""Redis' own time as tests set it: the admit script with its reading of the clock replaced by that of two keys."""

import itertools

from tallygate.storage.redis.gates import ADMIT
from tallygate.storage.redis.link.link import RedisLink, Script

SECOND = 1_000_000
_READS, _SECONDS, _MICROS = "redis.call('TIME')", "test:seconds", "test:micros"


def timed(script: Script = ADMIT) -> Script:
    """The script at the time that `set_time` set."""
    body = script.body.decode()
    assert body.count(_READS) == 1
    return Script(body.replace(_READS, f"redis.call('MGET', '{_SECONDS}', '{_MICROS}')"))


async def set_time(link: RedisLink, instant: int) -> None:
    """Let it be this instant, in microseconds, until it is set again."""
    await link.call("MSET", *itertools.chain(*time_keys(instant).items()))


def time_keys(instant: int) -> dict[str, int]:
    """What has to be set for that."""
    seconds, micros = divmod(instant, SECOND)
    return {_SECONDS: seconds, _MICROS: micros}
