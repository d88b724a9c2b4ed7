"""What a plan or add-on costs: price forms, immutable as the version that they stand in.

Amounts are exact decimals in major units, kept as they were written; `exact` reads them. Quotas and bounds of usage are
counted in `per_units` of the meter's base unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from tallygate.domain.period import PeriodUnit


class ChargeModel(StrEnum):
    """How an amount follows from what was counted: by units, or by the amounts of events."""

    PER_UNIT = "per_unit"
    GRADUATED = "graduated"
    VOLUME = "volume"
    PERCENTAGE = "percentage"
    GRADUATED_PERCENTAGE = "graduated_percentage"
    DYNAMIC = "dynamic"

    @property
    def by_amount(self) -> bool:
        """Whether it takes the amounts that events carry, rather than units."""
        return self in {ChargeModel.PERCENTAGE, ChargeModel.GRADUATED_PERCENTAGE, ChargeModel.DYNAMIC}

    @property
    def tiered(self) -> bool:
        """Whether tiers say its figures."""
        return self in {ChargeModel.GRADUATED, ChargeModel.VOLUME, ChargeModel.GRADUATED_PERCENTAGE}


class Due(StrEnum):
    """When a recurring price is charged: at the start of what it covers, or at its end."""

    ADVANCE = "advance"
    ARREARS = "arrears"


class LimitUnit(StrEnum):
    """What a maximum limit is counted in."""

    USAGE = "usage"
    SPEND = "spend"


class LimitAction(StrEnum):
    """What happens at a maximum limit: nothing more is charged, somebody is told, or the service ends."""

    STOP_CHARGING = "stop_charging"
    NOTIFY = "notify"
    CUT = "cut"


class Units(StrEnum):
    """Which units a usage price counts: those beyond the limit, or all that no grant has paid for."""

    OVERAGE = "overage"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A stretch up to and with `up_to`, the last one without end.

    `flat_amount` is charged once when the tier is entered; that of the first one also at zero unless `flat_at_zero` is
    false. `package` charges started packages of so many, `rate` is a percentage of the amount in the tier.
    """

    up_to: str | None = None
    unit_amount: str = ""
    flat_amount: str = ""
    flat_at_zero: bool = True
    package: str = ""
    rate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringPrice:
    """An amount every `count` units of the calendar, times the seats of a feature or the account's users if asked."""

    amount: str = ""
    every: PeriodUnit = PeriodUnit.MONTH
    count: int = 1
    due: Due = Due.ADVANCE
    seats: str = ""
    users: bool = False
    model: ChargeModel = ChargeModel.PER_UNIT
    tiers: tuple[Tier, ...] = ()
    label: str = ""

    @property
    def per_quantity(self) -> bool:
        """Whether it is charged for each seat or user."""
        return bool(self.seats) or self.users


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupPrice:
    """An amount charged once, with the first cover of a subscription."""

    amount: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentPrice:
    """The least that an account pays every `count` units: what its charges come short of is charged on top."""

    amount: str
    every: PeriodUnit = PeriodUnit.MONTH
    count: int = 1
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePrice:
    """What usage of one feature costs; `free_quota`, `max_limit` and tiers' `up_to` are counted in `per_units`.

    By units: `unit_amount` for each `per_units`, or `tiers`. By amounts of events (`dimension` names the one that holds
    them in major units; empty: the quantity, in minor units): `rate` per cent, `multiplier`, or `tiers`.
    """

    feature_key: str
    unit_amount: str = ""
    per_units: int = 1
    model: ChargeModel = ChargeModel.PER_UNIT
    units: Units | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    free_quota: str = ""
    max_limit: str = ""
    limit_unit: LimitUnit = LimitUnit.USAGE
    limit_action: LimitAction = LimitAction.STOP_CHARGING
    package: str = ""
    tiers: tuple[Tier, ...] = ()
    dimension: str = ""
    rate: str = ""
    fixed_amount: str = ""
    free_events: int = 0
    free_amount: str = ""
    min_amount: str = ""
    max_amount: str = ""
    multiplier: str = ""
    discount_percent: str = ""
    min_spend: str = ""
    max_spend: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One price of a plan or add-on: exactly one of the four is set; an empty `currency` is the catalogue's.

    An empty `tax_category` is the standard one.
    """

    recurring: RecurringPrice | None = None
    usage: UsagePrice | None = None
    setup: SetupPrice | None = None
    commitment: CommitmentPrice | None = None
    price_key: str = ""
    currency: str = ""
    tax_category: str = ""

    @property
    def form(self) -> RecurringPrice | UsagePrice | SetupPrice | CommitmentPrice | None:
        """The one that is set."""
        return self.recurring or self.usage or self.setup or self.commitment

    @property
    def kind(self) -> str:
        """Its form, by name."""
        kinds = ("recurring", "usage", "setup", "commitment")
        return next((kind for kind in kinds if getattr(self, kind) is not None), "")

    @property
    def natural_key(self) -> str:
        """The key that it has where it names none: of usage the feature, else the form."""
        return self.usage.feature_key if self.usage is not None else self.kind


TIER_AMOUNTS = ("unit_amount", "flat_amount", "package", "rate")
"""The fields of a tier that are decimals, but for its end."""

USAGE_AMOUNTS = (
    "unit_amount", "free_quota", "max_limit", "package", "rate", "fixed_amount", "free_amount", "min_amount",
    "max_amount", "multiplier", "discount_percent", "min_spend", "max_spend",
)  # fmt: skip
"""The fields of a usage price that are decimals."""


def exact(text: str) -> Fraction:
    """What a decimal says, exactly; nothing is 0."""
    return Fraction(text) if text else Fraction(0)
