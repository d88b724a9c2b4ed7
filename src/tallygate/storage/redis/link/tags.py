"""Hash tags: what of a key decides on which node of a cluster it is."""

from collections.abc import Sequence

from tallygate.storage.redis import keys
from tallygate.storage.redis.link.commands import Argument

_STREAMS = ("STREAMS", b"STREAMS")
_KEY_BEHIND = {"XINFO": 2, "XGROUP": 2, "EVAL": 3, "EVALSHA": 3}


def tag_in(arguments: Sequence[Argument]) -> str:
    """The tag of a command's first key; that of the keys where it has none."""
    command = arguments[0]
    if command == "XREADGROUP":
        return tag_of(arguments[next(place for place, each in enumerate(arguments) if each in _STREAMS) + 1])
    place = _KEY_BEHIND.get(command, 1) if isinstance(command, str) else 1
    return tag_of(arguments[place]) if len(arguments) > place else keys.KEYS_TAG


def tag_of(key: Argument) -> str:
    """What stands in the first braces of a key; that of the keys where nothing does."""
    text = key.decode() if isinstance(key, bytes) else str(key)
    return text.partition("{")[2].partition("}")[0] or keys.KEYS_TAG
