"""The Lua scripts, joined from their parts: each algorithm is written once, each place in a packed array has one name.

A line `--@ name` stands for `parts/name.lua`; a name in capitals (`segment[SEGMENT_LIMIT]`) for its number below.
"""

import re
from importlib.resources import files

from tallygate.storage.redis.link.link import Script

_SCRIPTS = files("tallygate.storage.redis") / "scripts"
_PART = re.compile(r"^( *)--@ (\w+)\n", re.MULTILINE)
_PLACE = re.compile(r"\b(?:HOME|ASKED|QUOTA|RATE|SEGMENT|GRANT|POT|ANSWER)_[A-Z_]+\b(?!')")

_HOME = "EPOCH CLOCK CATALOGUE"
_ASKED = "RULE DIGEST HASH BUCKET"
_QUOTA = "FAMILY GRANTS CHANNEL ANNOUNCEMENT SEGMENTS"
_RATE = "ALGORITHM LIMIT WINDOW TICK TOKEN DRAIN SIZE BURST SUB_WIDTH SINCE KEEP"
_SEGMENT = (
    "START END PERIOD_START PERIOD_END PREVIOUS_START KEEP_UNTIL LIMIT OVERAGE DENIAL ABSENT EXCLUSIVE HARD_LIMIT"
    " RESETS APART"
)
_ANSWER = "ALLOWED REASON GRANTED USED LIMIT REMAINING SEGMENT PERIOD POTS LEFT"
_PLACES = {
    f"{array}_{name}": str(number)
    for array, names in {
        "HOME": _HOME,
        "ASKED": f"{_ASKED} CONTEXT QUANTITY MODE OCCURRED ENDINGS",
        "QUOTA": _QUOTA,
        "RATE": _RATE,
        "SEGMENT": _SEGMENT,
        "GRANT": "ID AMOUNT EFFECTIVE EXPIRE",
        "POT": "KIND UNITS GRANT",
        "ANSWER": _ANSWER,
    }.items()
    for number, name in enumerate(names.split(), 1)
}
_PLACES["ASKED_COST"] = _PLACES["ASKED_CONTEXT"]


def numbered(text: str) -> str:
    """Lua with numbers for the names of places.

    Raises:
        KeyError: no place has this name.
    """
    return _PLACE.sub(lambda found: _PLACES[found[0]], text)


def joined(name: str) -> str:
    """The text of a script with its parts in their places."""

    def part(found: re.Match[str]) -> str:
        indent, text = found[1], (_SCRIPTS / "parts" / f"{found[2]}.lua").read_text("utf-8")
        return "".join(f"{indent}{line}" if line.strip() else line for line in text.splitlines(keepends=True))

    return numbered(_PART.sub(part, (_SCRIPTS / f"{name}.lua").read_text("utf-8")))


def script(name: str) -> Script:
    """The script of this name, to be called by its digest."""
    return Script(joined(name))
