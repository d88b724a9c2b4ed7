"""How gateways write amounts down: each has a table of its own, and what it cannot write is refused, never rounded."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tallygate.domain.billing.payments import Advice, AttemptState, Outcome
from tallygate.domain.currency import DECIMALS

NOT_EXPRESSED = Outcome(state=AttemptState.FAILED, advice=Advice.NEW_METHOD, reason="amount_not_expressible")
"""The gateway has no such amount: another one may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """A gateway's table: by currency how many decimals it counts in, and of what a whole number must be a multiple.

    Where `only` says so it knows no other currencies.
    """

    decimals: Mapping[str, int] = field(default_factory=dict)
    steps: Mapping[str, int] = field(default_factory=dict)
    only: bool = False

    def of(self, currency: str, amount: int) -> int | None:
        """Minor units of ISO 4217 as the gateway counts them; None where it cannot."""
        decimals = self._decimals(currency)
        if decimals is None:
            return None
        scale: int = 10**decimals
        coarser: int = 10 ** DECIMALS[currency]
        scaled = amount * scale // coarser
        exact = scaled * coarser == amount * scale and not scaled % self.steps.get(currency, 1)
        return scaled if exact else None

    def text(self, currency: str, amount: int) -> str | None:
        """The same as a decimal number in major units."""
        units = self.of(currency, amount)
        return None if units is None else _decimal(units, self._decimals(currency) or 0)

    def back(self, currency: str, units: int) -> int:
        """What the gateway counts as minor units of ISO 4217, rounded down where it is finer than those."""
        decimals = self._decimals(currency)
        scale: int = 10 ** DECIMALS[currency]
        finer: int = scale if decimals is None else 10**decimals
        return units * scale // finer

    def read(self, currency: str, text: str) -> int:
        """A decimal number in major units as minor units of ISO 4217.

        Raises:
            ValueError: it is none.
        """
        whole, _, rest = text.partition(".")
        decimals = DECIMALS[currency]
        return int(whole + rest.ljust(decimals, "0")[:decimals])

    def _decimals(self, currency: str) -> int | None:
        if currency not in DECIMALS or (self.only and currency not in self.decimals):
            return None
        return self.decimals.get(currency, DECIMALS[currency])


def _decimal(units: int, decimals: int) -> str:
    digits = str(units).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
