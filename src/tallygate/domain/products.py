"""Apps that a catalogue sells plans of: how they earn, and in which words they say what they charge for."""

from dataclasses import dataclass
from enum import StrEnum


class BusinessModel(StrEnum):
    """How an app earns: free to begin with, or paid from the start."""

    FREEMIUM = "freemium"
    PREMIUM = "premium"


class BillingCycle(StrEnum):
    """How often prices are shown for."""

    MONTHLY = "monthly"
    YEARLY = "yearly"


class UsageApproval(StrEnum):
    """Whether an app may charge for usage: nobody asked, somebody did, or it may."""

    NONE = "none"
    REQUESTED = "requested"
    APPROVED = "approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """An app; both addresses are https, or empty.

    `pricing_url` shows its prices, `charge_service` tells what it charges. What its documents do not say is the
    `approval`, which is asked for and given by calls of their own.
    """

    product_key: str
    name: str = ""
    business_model: BusinessModel | None = None
    pricing_url: str = ""
    charge_service: str = ""
    approval: UsageApproval = UsageApproval.NONE
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRate:
    """How many of a currency one of the catalogue's is worth, a decimal: what listings are shown by, never invoices."""

    currency: str
    rate: str
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRule:
    """What is charged for usage, in words: a price in braces is one of the catalogue's currency, `{0.5} per SMS`.

    `unit` is what is counted and `trigger` when it is; both may be empty.
    """

    text: str
    unit: str = ""
    trigger: str = ""
