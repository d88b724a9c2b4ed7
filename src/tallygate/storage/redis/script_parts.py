"""The Lua scripts, joined from their parts: each algorithm is written once, each place in a packed array has one name.

A line `--@ name` stands for `parts/name.lua`; a name in brackets (`slot[SLOT_LIMIT]`) for its number below.
"""

import re
from importlib.resources import files

from tallygate.storage.redis.link.link import Script

_SCRIPTS = files("tallygate.storage.redis") / "scripts"
_PART = re.compile(r"^( *)--@ (\w+)\n", re.MULTILINE)
_PLACE = re.compile(r"\[([A-Z][A-Z_]*)\]")

_KEYS = "EPOCH CLOCK CATALOGUE RECORD STREAM REPLAYS"
_GATE = "KIND DIGEST HASH BUCKET CONTEXT"
_QUOTA = f"{_GATE} QUANTITY MODE FAMILY OCCURRED SLOTS GRANTS NEWS"
_RESET = f"{_GATE} FAMILY SLOTS NEWS"
_RATE = "KIND DIGEST HASH BUCKET ALGORITHM COST LIMIT WINDOW TICK TOKEN DRAIN SIZE BURST SUB_WIDTH SINCE KEEP"
_PLAIN = "ALGORITHM COST LIMIT WINDOW TICK TOKEN DRAIN SIZE BURST SUB_WIDTH SINCE KEEP"
_SLOT = (
    "START END PERIOD_START PERIOD_END PREVIOUS_START KEEP_UNTIL LIMIT OVERAGE STANDING ABSENT SUBSCRIPTION PLAN"
    " VERSION TRIAL EXCLUSIVE HARD_LIMIT"
)
_ANSWER = "ALLOWED REASON GRANTED USED LIMIT REMAINING POTS SLOT START END LEFT REPLAYED"
_RATED = "ALLOWED LIMIT REMAINING RESET_AFTER RETRY_AFTER REPLAYED DECIDED"
_PLACES = {
    f"{array}_{name}": str(number)
    for array, names in {
        "KEY": _KEYS,
        "GATE": _GATE,
        "QUOTA": _QUOTA,
        "RESET": _RESET,
        "RATE": _RATE,
        "PLAIN": _PLAIN,
        "SLOT": _SLOT,
        "GRANT": "ID AMOUNT EFFECTIVE EXPIRE",
        "POT": "KIND UNITS GRANT",
        "ANSWER": _ANSWER,
        "RATED": _RATED,
        "NEWS": "CHANNEL ANNOUNCEMENT",
    }.items()
    for number, name in enumerate(names.split(), 1)
}


def numbered(text: str) -> str:
    """Lua with numbers for the names of places.

    Raises:
        KeyError: no place has this name.
    """
    return _PLACE.sub(lambda found: f"[{_PLACES[found[1]]}]", text)


def joined(name: str) -> str:
    """The text of a script with its parts in their places."""

    def part(found: re.Match[str]) -> str:
        indent, text = found[1], (_SCRIPTS / "parts" / f"{found[2]}.lua").read_text("utf-8")
        return "".join(f"{indent}{line}" if line.strip() else line for line in text.splitlines(keepends=True))

    return numbered(_PART.sub(part, (_SCRIPTS / f"{name}.lua").read_text("utf-8")))


def script(name: str) -> Script:
    """The script of this name, to be called by its digest."""
    return Script(joined(name))
