"""What apps are asked about charges of their own: how much they may come to, and what they are."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tallygate.domain.billing.app_charges import ToldCharges


class Intent(StrEnum):
    """What for an app is asked for its charges: to show them, or to have them invoiced if they are taken."""

    DISPLAY_ONLY = "DISPLAY_ONLY"
    CREATE_INVOICE = "CREATE_INVOICE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargesRequest:
    """Which charges an app is asked for: those of what was used in [period_start, period_end)."""

    account_id: str
    subscription_id: str
    currency: str
    period_start: int
    period_end: int
    intent: Intent


class ChargeServices(Protocol):
    """Apps, by the address that their product names."""

    async def limit(self, address: str, *, account_id: str, subscription_id: str, currency: str) -> int | None:
        """The most that an app will charge in a period, in minor units; None where its answer cannot be read.

        An account that does not subscribe yet has an empty `subscription_id`.

        Raises:
            ChargesNotToldError: it does not answer in time, or not with success.
        """
        ...

    async def charges(self, address: str, request: ChargesRequest) -> ToldCharges | None:
        """What an app charges; None where its answer cannot be read.

        Raises:
            ChargesNotToldError: it does not answer in time, or not with success.
        """
        ...
