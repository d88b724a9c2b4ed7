"""Secrets at rest: what is kept of others' keys and tokens can be read with the installation's master key alone."""

from collections.abc import Sequence
from typing import Protocol


class Sealing(Protocol):
    """Seals texts. `place` says whose a text is and what: moved anywhere else, it does not open."""

    @property
    def can_seal(self) -> bool:
        """Whether there is a key to seal with."""
        ...

    def seal(self, text: str, *, place: Sequence[str]) -> str:
        """A text that shows nothing of what it was.

        Raises:
            MasterKeyMissingError: there is no key.
        """
        ...

    def is_sealed(self, text: str) -> bool:
        """Whether a text was sealed, by whatever key."""
        ...

    def is_current(self, sealed: str) -> bool:
        """Whether it was sealed with the key that seals now."""
        ...

    def open(self, sealed: str, *, place: Sequence[str]) -> str:
        """What was sealed.

        Raises:
            MasterKeyMissingError: there is no key.
            MasterKeyWrongError: it was sealed with another key, or for another place.
        """
        ...
