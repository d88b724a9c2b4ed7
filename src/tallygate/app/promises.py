"""How a Redis must be set for the promises to hold: nothing is evicted, what is written survives. Loads no SQL."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from tallygate.app.finding import Finding
from tallygate.storage.redis.link.cluster import AnyLink
from tallygate.storage.redis.link.errors import Refusal
from tallygate.storage.redis.link.link import RedisLink, ReplyError


async def broken_promises(link: AnyLink) -> list[Finding]:
    """What is known to break a promise here.

    Raises:
        LinkError: Redis cannot be asked.
        ReplyError: it refuses in a way that is not about rights.
    """
    return [found for found in (await at_each(link, eviction), await at_each(link, persistence)) if not found.ok]


async def at_each(link: AnyLink, look: Callable[[RedisLink], Awaitable[Finding]]) -> Finding:
    """What holds of every node that can be reached; where it does not hold of one, what is found there."""
    nodes = [(name, node) for name, node in link.nodes() if node.connected] or link.nodes()
    found = [(name, await look(node)) for name, node in nodes]
    name, worst = next(((name, each) for name, each in found if not each.ok), found[0])
    return worst if worst.ok or not name else replace(worst, detail=f"{name}: {worst.detail}")


async def eviction(link: RedisLink) -> Finding:
    """Whether the server may forget a counter when its memory is full."""
    policy = await _config(link, "maxmemory-policy")
    if policy is None:
        return _unseen("eviction policy", "maxmemory-policy is noeviction")
    return Finding(
        name="eviction policy",
        ok=policy == "noeviction",
        detail=f"{policy}; an evicted counter would be a limit forgotten",
        fix="CONFIG SET maxmemory-policy noeviction, and in the server's configuration file",
    )


async def persistence(link: RedisLink) -> Finding:
    """Whether what was admitted survives a restart of the server."""
    append, snapshots = await _config(link, "appendonly"), await _config(link, "save")
    if append is None:
        return _unseen("persistence", "what is written survives a restart")
    return Finding(
        name="persistence",
        ok=append == "yes",
        detail=f"appendonly {append}, save {snapshots or 'off'}; without AOF a restart loses what was admitted",
        fix="CONFIG SET appendonly yes, and in the server's configuration file",
    )


async def replicas(link: RedisLink, *, wanted: int, seconds: float, features: int) -> Finding:
    """Whether as many replicas take a write in time as these features of durability strict rely on."""
    await link.write()
    found = int(await link.call("WAIT", wanted, max(1, round(seconds * 1_000))))
    delay = await _config(link, "repl-diskless-sync-delay")
    late = f"; one that is filled anew waits {delay} s for others first (repl-diskless-sync-delay)"
    return Finding(
        name="replicas",
        ok=found >= wanted,
        detail=f"{found} of {wanted} had a write within {seconds:g} s; {features} strict features rely on it"
        + (late if delay not in {None, "", "0"} else ""),
        fix="give the primary replicas, or ask for fewer (redis.strict_replicas); until then these features' consumes "
        "answer NOT_REPLICATED",
    )


async def _config(link: RedisLink, name: str) -> str | None:
    """A parameter of the server; None where this user may not read it, or nobody may, as managed services have it."""
    try:
        reply: list[bytes] = await link.call("CONFIG", "GET", name)
    except ReplyError as error:
        if error.refusal is Refusal.RIGHTS or "unknown command" in error.text:
            return None
        raise
    return reply[1].decode() if len(reply) > 1 else ""


def _unseen(name: str, wanted: str) -> Finding:
    detail = f"not seen, because this user may not run CONFIG GET; make sure that {wanted}"
    return Finding(name=name, ok=True, detail=detail)
