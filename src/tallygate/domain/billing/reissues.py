"""Lines of a void document that are issued anew: under names of their own, so that they are charged in no other way."""

import re
from collections.abc import Iterable
from dataclasses import replace

from tallygate.domain.billing.lines import Line

_REISSUED = re.compile(r"reissue/(?P<revision>\d+)/(?P<first>.+)", re.DOTALL)


def reissued(lines: Iterable[Line], revision: int) -> tuple[Line, ...]:
    """The same lines as a revision has them, not taxed yet; those that credit others keep what tax they gave back."""
    return tuple(_named(line, f"reissue/{revision}/{first_key(line.line_key)}") for line in lines)


def first_key(line_key: str) -> str:
    """The name that a line had when it was issued first: by it what was charged already is known."""
    found = _REISSUED.fullmatch(line_key)
    return found["first"] if found else line_key


def is_reissued(line_key: str) -> bool:
    """Whether a line stands in the place of one of a void document."""
    return _REISSUED.fullmatch(line_key) is not None


def revision_of(line_key: str) -> int:
    """Which revision issued a line: 0 the first one."""
    found = _REISSUED.fullmatch(line_key)
    return int(found["revision"]) if found else 0


def _named(line: Line, line_key: str) -> Line:
    return replace(line, line_key=line_key, tax=line.tax if line.gives_back else None)
