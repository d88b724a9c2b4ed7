"""Whether a server is the one that a worker has found whole: the same process, with all that it was given.

A server remembers a script until it ends, and no longer: neither its files nor its replicas know it. So a worker that
has found a server whole teaches it a script of its own, and shows in a key which one. Who connects asks for it, with
no right but to read and to execute: a server that started on an older copy of its data, or another one, says NOSCRIPT.

In a cluster each partition has such a key, and takes it along to another node: that one is known by those that it had.
"""

from collections.abc import Callable, Iterable, Sequence

from tallygate.storage.redis import keys
from tallygate.storage.redis.link.commands import Script
from tallygate.storage.redis.link.errors import ReplyError
from tallygate.storage.redis.link.greeting import Call

Places = Sequence[tuple[Call, Sequence[str]]]
"""Servers, each with the hash tags of the keys that say which script it knows: of a lone one, one."""

KeyOf = Callable[[str], str]
"""The key that says it, by its tag."""

_PUBLISHING_SECONDS = 86_400
"""How long one that died while it published is remembered."""

_END = """if redis.call('DEL', KEYS[1]) == 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
return 1"""


async def is_vouched_for(call: Call, tags: Sequence[str]) -> bool:
    """Whether a worker has found this server whole, or none does such a thing: one of a version before.

    One token that it knows is enough: what came along with a slot is of the node that had it.
    """
    tokens = await _tokens(call, tags, keys.whole)
    return not tokens or any([await _knows(call, token) for token in dict.fromkeys(tokens.values())])


async def are_known(places: Places, key_of: KeyOf) -> bool:
    """Whether each server knows every token that it holds, and lacks none."""
    for call, tags in places:
        tokens = await _tokens(call, tags, key_of)
        if len(tokens) < len(tags) or not await _all_known(call, tokens.values()):
            return False
    return True


async def vouch(places: Places, token: str, key_of: KeyOf) -> None:
    """Teach each server a script that nobody else knows, and show which; the token is new, and safe in a script."""
    for call, tags in places:
        await call("EVAL", _script(token).body, 0)
        for reply in [call("SET", key_of(tag), token) for tag in tags]:
            await reply


async def begin_publishing(places: Places, token: str) -> None:
    """Teach each server the token's script, and note there that everything is being published to it."""
    for call, tags in places:
        await call("EVAL", _script(token).body, 0)
        for reply in [call("SET", keys.publishing(tag, token), "", "EX", _PUBLISHING_SECONDS) for tag in tags]:
            await reply


async def end_publishing(places: Places, token: str) -> bool:
    """Show that everything was published to each server; of one that was emptied since it began nothing is shown."""
    ends = [
        await reply
        for call, tags in places
        for reply in [call("EVAL", _END, 2, keys.publishing(tag, token), keys.published_to(tag), token) for tag in tags]
    ]
    return all(ends)


async def known_token(call: Call, tag: str, key_of: KeyOf) -> str:
    """The token that a server holds under this tag, if it knows it; else nothing."""
    token = (await _tokens(call, (tag,), key_of)).get(tag, "")
    return token if token and await _knows(call, token) else ""


async def _tokens(call: Call, tags: Sequence[str], key_of: KeyOf) -> dict[str, str]:
    asked = [(tag, call("GET", key_of(tag))) for tag in tags]
    found = {tag: await reply for tag, reply in asked}
    return {tag: token.decode() for tag, token in found.items() if token is not None}


async def _all_known(call: Call, tokens: Iterable[str]) -> bool:
    return all([await _knows(call, token) for token in dict.fromkeys(tokens)])


async def _knows(call: Call, token: str) -> bool:
    try:
        await call("EVALSHA", _script(token).sha1, 0)
    except ReplyError as error:
        if error.code == "NOSCRIPT":
            return False
        raise
    return True


def _script(token: str) -> Script:
    return Script(f"return '{token}'")
