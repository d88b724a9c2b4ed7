"""Names that were nearly right."""

import difflib
from collections.abc import Iterable

_MOST_SHOWN = 20


def nearest(name: str, known: Iterable[str], *, told: bool = False) -> str:
    """`; did you mean ...?`, or where none is near all names that there are, if they are few and not `told` already."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known are {', '.join(names)}" if 0 < len(names) <= _MOST_SHOWN and not told else ""
