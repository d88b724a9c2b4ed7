"""Experiments: which of several plans an account is shown, and what came of it. No clock, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256

_BYTES = 8


def variant_of(experiment_key: str, account_id: str, variants: Sequence[str]) -> str:
    """The variant of an account: the same whenever it is asked for, and as many accounts for each.

    Another experiment distributes them anew. It hangs on the order of the variants.
    """
    digest = sha256(f"{len(experiment_key)}:{experiment_key}{account_id}".encode()).digest()
    return variants[int.from_bytes(digest[:_BYTES], "big") * len(variants) >> 8 * _BYTES]


@dataclass(slots=True, kw_only=True)
class Arm:
    """What came of a variant: how many accounts have it, how many of these subscribed to it, and for how much.

    `revenue` is in minor units by currency, with tax.
    """

    variant: str
    accounts: int = 0
    converted: int = 0
    revenue: dict[str, int] = field(default_factory=dict)

    @property
    def conversion(self) -> Fraction:
        """What part of them subscribed, in per cent."""
        return Fraction(100 * self.converted, self.accounts) if self.accounts else Fraction(0)
