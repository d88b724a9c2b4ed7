"""Names that were nearly right."""

import difflib
from collections.abc import Iterable

_MOST_SHOWN = 20


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean ...?`, or where none is near all names that there are, if they are few, or nothing."""
    hint = _hint(name, list(known))
    return f"; {hint}" if hint else ""


def one_of(what: str, name: str, known: Iterable[str]) -> str:
    """What a reference should have named, with the name that is near, in brackets."""
    hint = _hint(name, list(known))
    return f"{what} ({hint})" if hint else what


def _hint(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"known are {', '.join(names)}" if 0 < len(names) <= _MOST_SHOWN else ""
