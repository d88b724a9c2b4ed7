"""What apps tell of charges of their own, and whether it is taken: all rules of it are here. No clock, no I/O.

Charges of a period are taken all together or not at all. Amounts are in minor units unless they are text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from hashlib import sha256
from math import floor

from tallygate.domain.billing.reissues import first_key
from tallygate.domain.card_numbers import masked
from tallygate.domain.currency import minor_units

MOST_CHARGES = 5
"""Of a period, and so of an invoice."""
LONGEST_ID = 64
_LEAST = Fraction(1, 2)
"""The least amount of a charge, in major units of whatever currency."""
_LONGEST_TEXT = 200
_DECIMAL = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?")
_WHOLE = 100
_FEE = "charge/"


class RejectReason(StrEnum):
    """Why charges of an app are not taken."""

    UNKNOWN = "unknown"
    CHARGE_LIMIT_EXCEEDED = "charge_limit_exceeded"
    TOO_MANY_CHARGES = "too_many_charges"
    INVALID_FORMAT = "invalid_format"


class RunState(StrEnum):
    """Where the charges of a period stand: it is not over or nobody asked, they were refused, or they were taken."""

    OPEN = "open"
    REJECTED = "rejected"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldCharge:
    """A charge as an app told it: `amount` is text in major units, as "18.50"."""

    charge_id: str
    amount: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldCharges:
    """What an app told of a period; `currency` is empty where it named none."""

    charges: tuple[ToldCharge, ...] = ()
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppCharge:
    """A charge that can be read; its text is the app's, or its id."""

    charge_id: str
    amount: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCharges:
    """What came of checking: `charges` that can be read, with their sum, and what forbids to take them."""

    charges: tuple[AppCharge, ...]
    total: int
    reasons: tuple[RejectReason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeLimit:
    """The most that an app may charge a subscription in a period; the highest `number` is in force.

    The first one, 1, is the app's to say; those after it are the account's, each above the one before.
    """

    account_id: str
    subscription_id: str
    number: int
    currency: str
    amount: int
    create_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRun:
    """The charges of an app in one period [period_start, period_end) of a subscription.

    It is looked at again at `next_time`; `total` and `charge_ids` are of the last look. `told` is the greatest per cent
    of the limit that the account was told of.
    """

    account_id: str
    subscription_id: str
    product_key: str
    period_start: int
    period_end: int
    state: RunState = RunState.OPEN
    reasons: tuple[RejectReason, ...] = ()
    charge_ids: tuple[str, ...] = ()
    currency: str = ""
    total: int = 0
    told: int = 0
    attempts: int = 0
    next_time: int = 0
    update_time: int = 0

    def fee_id(self, charge_id: str) -> str:
        """The fee that charges it, which exists once."""
        period = sha256(f"{self.period_start}/{self.subscription_id}".encode()).hexdigest()[:24]
        return f"{_FEE}{period}/{charge_id}"


def charge_id_of(line_key: str) -> str:
    """The app's own id of the charge that a line is of; empty of other lines."""
    key, mark = first_key(line_key), f"fee/{_FEE}"
    return key.removeprefix(mark).partition("/")[2] if key.startswith(mark) else ""


def checked(told: ToldCharges, *, currency: str, limit: int | None, at_limit: bool = True) -> CheckedCharges:
    """What of charges can be read, their sum, and what forbids to take them.

    Digits behind the currency's decimals are cut off. A sum that is the limit exactly is taken where `at_limit`; where
    no limit is known nothing is.
    """
    read = [_read(charge, currency) for charge in told.charges]
    charges = tuple(charge for charge in read if charge is not None)
    total = sum(charge.amount for charge in charges)
    reasons: list[RejectReason] = []
    if len(told.charges) > MOST_CHARGES:
        reasons.append(RejectReason.TOO_MANY_CHARGES)
    same = len({charge.charge_id for charge in charges}) < len(charges)
    if len(charges) < len(told.charges) or same or told.currency not in {"", currency}:
        reasons.append(RejectReason.INVALID_FORMAT)
    if limit is None and told.charges:
        reasons.append(RejectReason.UNKNOWN)
    elif limit is not None and charges and (total > limit or (total == limit and not at_limit)):
        reasons.append(RejectReason.CHARGE_LIMIT_EXCEEDED)
    return CheckedCharges(charges=charges, total=total, reasons=tuple(reasons))


def limit_of(text: str, currency: str) -> int | None:
    """A limit that an app told as "50.00"; None where it cannot be read."""
    return floor(minor_units(Fraction(text), currency)) if _DECIMAL.fullmatch(text) else None


def newly_reached(percents: Sequence[int], *, total: int, limit: int | None, told: int) -> int:
    """The greatest of some per cents of a limit that a sum has come to, and that was not told yet; 0: none."""
    if not limit:
        return 0
    return max((each for each in percents if told < each and total * _WHOLE >= limit * each), default=0)


def _read(charge: ToldCharge, currency: str) -> AppCharge | None:
    known = 0 < len(charge.charge_id) <= LONGEST_ID and charge.charge_id.isprintable()
    if not known or not _DECIMAL.fullmatch(charge.amount):
        return None
    amount = floor(minor_units(Fraction(charge.amount), currency))
    if amount < minor_units(_LEAST, currency):
        return None
    text = charge.text or charge.charge_id
    if len(text) > _LONGEST_TEXT or not text.isprintable() or masked(text) != text:
        return None
    return AppCharge(charge_id=charge.charge_id, amount=amount, text=text)
