"""Whether a server is the one that a worker has found whole: the same process, with all that it was given.

A server remembers a script until it ends, and no longer: neither its files nor its replicas know it. So a worker that
has found a server whole teaches it a script of its own, and shows in a key which one. Who connects asks for it, with
no right but to read and to execute: a server that started on an older copy of its data, or another one, says NOSCRIPT.
"""

from tallygate.storage.redis import keys
from tallygate.storage.redis.link.commands import Script
from tallygate.storage.redis.link.errors import ReplyError
from tallygate.storage.redis.link.greeting import Call


async def token_of(call: Call, key: str) -> str | None:
    """The token that this key holds, if the server knows the script of it; empty where there is no token."""
    token: bytes | None = await call("GET", key)
    if token is None:
        return ""
    try:
        await call("EVALSHA", _script(token.decode()).sha1, 0)
    except ReplyError as error:
        if error.code == "NOSCRIPT":
            return None
        raise
    return token.decode()


async def is_vouched_for(call: Call) -> bool:
    """Whether a worker has found this server whole, or none does such a thing: one of a version before."""
    return await token_of(call, keys.WHOLE) is not None


async def vouch(call: Call, token: str, key: str) -> None:
    """Teach the server a script that nobody else knows, and show which; the token is new, and safe in a script."""
    await call("EVAL", _script(token).body, 0)
    await call("SET", key, token)


def _script(token: str) -> Script:
    return Script(f"return '{token}'")
