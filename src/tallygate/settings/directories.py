"""The data directory: made for its owner alone, whoever makes it first."""

from errno import ENOTDIR
from os import strerror
from pathlib import Path

_PRIVATE = 0o700


def make_private(directory: Path) -> None:
    """Make a directory, and what is missing above it, for nobody else to look into; one that is there is left alone.

    Raises:
        OSError: it cannot be made.
        ValueError: no path can be so.
    """
    for place in (*reversed(directory.absolute().parents), directory.absolute()):
        if place.is_dir():
            continue
        if place != directory.absolute() and place.exists():
            raise NotADirectoryError(ENOTDIR, strerror(ENOTDIR), str(place))
        place.mkdir(mode=_PRIVATE, exist_ok=True)
