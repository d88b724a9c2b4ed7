"""How a tenant bills, and how often a plan is invoiced: the terms beside the prices. No clock, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tallygate.domain.money import Rounding
from tallygate.domain.period import Anchor, PeriodUnit

_HOUR = 3_600_000_000


class Proration(StrEnum):
    """How a part of a period is measured: by local days, by exact time, or by months of 30 days (30E/360)."""

    DAY = "day"
    SECOND = "second"
    FIXED_30 = "fixed_30"


class Renewal(StrEnum):
    """At the end of a period that was paid: it goes on by itself, it ends unless it is renewed before, or it ends."""

    AUTO = "auto"
    REPEAT = "repeat"
    ONE_TIME = "one_time"


class AdvanceType(StrEnum):
    """What the value of an advance discount is: per cent, an amount, or periods that cost nothing."""

    PERCENTAGE = "percentage"
    CURRENCY = "currency"
    PERIOD = "period"


class AdvanceRounding(StrEnum):
    """Where what is left of an advance discount goes: down to whole units, to a minor unit less, or nowhere."""

    WHOLE = "whole"
    NINETY_NINE = "99"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceDiscount:
    """`length` periods of a plan paid at once for `value` (decimal text) less."""

    type: AdvanceType
    value: str
    length: int
    rounding: AdvanceRounding = AdvanceRounding.WHOLE


class TaxPer(StrEnum):
    """On what tax is rounded: the sum of each category and rate, or each line."""

    GROUP = "group"
    LINE = "line"


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingRule:
    """How often a plan is invoiced, and what its periods hang on; `day` is of a calendar anchor, by the month.

    A subscription whose `renewal` is not AUTO ends with its period; one that is REPEAT may be renewed before, where
    `renewal_approval` is true only with somebody's word that it is approved.
    """

    every: PeriodUnit = PeriodUnit.MONTH
    count: int = 1
    anchor: Anchor = Anchor.SUBSCRIPTION
    day: int = 1
    renewal: Renewal = Renewal.AUTO
    renewal_approval: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundingRules:
    """Where ties go, of amounts and of tax, and on what tax is rounded."""

    amounts: Rounding = Rounding.HALF_EVEN
    tax: Rounding = Rounding.HALF_UP
    tax_per: TaxPer = TaxPer.GROUP


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRule:
    """When an invoice is due: so many days after its issue, or on the next such day of a month behind it."""

    days: int = 0
    day_of_month: int = 0


class Collection(StrEnum):
    """Whether invoices are charged when they are due, or by hand."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class DunningState(StrEnum):
    """What becomes of an account that does not pay."""

    PAST_DUE = "past_due"
    SUSPENDED = "suspended"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningStep:
    """What an account becomes so many days after the first failure; without days, when no attempt is left."""

    state: DunningState
    after_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningRules:
    """What follows when an invoice is not paid: attempts and steps, each a ladder of its own.

    It is tried again after so many days each, from the attempt before; of the steps reached the worst holds. Without an
    attempt that failed they begin when `from_amount` (major units, an exact decimal) or more is overdue. From the first
    step on `features` is what is left of these, by key: so many units, none of what is on or off.
    """

    retry_after_days: tuple[int, ...] = (2, 5, 7, 7)
    steps: tuple[DunningStep, ...] = (
        DunningStep(state=DunningState.PAST_DUE, after_days=0),
        DunningStep(state=DunningState.SUSPENDED),
    )
    from_amount: str = "0"
    features: Mapping[str, int] = field(default_factory=dict)


class CreatedWhen(StrEnum):
    """When it is told that there is an invoice: when it is issued, or not before it is paid."""

    ISSUED = "issued"
    PAID = "paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRules:
    """What accounts are told before it happens, so many days ahead each, and whether they are written to.

    `created` is when programs are told that there is an invoice.
    """

    trial_days: tuple[int, ...] = (7, 3, 1)
    expiry_days: tuple[int, ...] = (90, 60, 30, 15, 1)
    card_days: tuple[int, ...] = (30,)
    created: CreatedWhen = CreatedWhen.ISSUED
    mail: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRate:
    """What per cent of tax are charged in a country, or a part of it, from a day on.

    `postcodes` are the beginnings of those that it holds for, empty: all. `since` is a local day, as 2025-07-01; `rate`
    an exact decimal, of prices of its `category` (empty: standard, and whatever has no rate of its own). Of several the
    one for the smallest part of the country holds, then the tenant's, then the newest. `source` says who published
    one that is shipped.
    """

    country: str
    since: str
    rate: str
    region: str = ""
    postcodes: tuple[str, ...] = ()
    name: str = "VAT"
    category: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxPolicy:
    """Where a tenant charges tax: in the seller's country, and in those of `collect_in`, where it is registered.

    `rates` are its own, which go before those that are shipped.
    """

    collect_in: tuple[str, ...] = ()
    rates: tuple[TaxRate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePolicy:
    """How charges that apps tell are taken. What comes to exactly its limit is taken where `at_limit`.

    An app is asked again `every` so many microseconds for what was refused, and for what there is so far; apps may
    charge in these `currencies`.
    """

    at_limit: bool = True
    every: int = 24 * _HOUR
    currencies: tuple[str, ...] = (
        "AUD", "BRL", "CAD", "EUR", "GBP", "ILS", "INR", "JPY", "MXN", "PLN", "RUB", "TRY", "USD",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingPolicy:
    """A tenant's billing; unversioned. `grace` is how long (microseconds) a period with usage waits after its end.

    `review` is how long (microseconds) after it the invoice of a period stays a draft; 0: it is none. `late_periods`
    is how many periods back a late event is still charged. `number` is the form of invoice numbers: {year}, and
    {number} with as many digits as are asked for, as in INV-{year}-{number:06}. `start_time` is when the
    tenant's billing began: nothing that was covered or used before it is charged. Without `tax` no tax is charged.
    `min_charge` is in major units: what comes to no more is not charged alone. So is `dispute_fee`, which a gateway
    keeps for a dispute where it does not say how much.
    """

    rounding: RoundingRules = field(default_factory=RoundingRules)
    proration: Proration = Proration.DAY
    grace: int = _HOUR
    review: int = 0
    late_periods: int = 2
    due: DueRule = field(default_factory=DueRule)
    collect: Collection = Collection.AUTOMATIC
    min_charge: str = "0.50"
    dispute_fee: str = "15.00"
    dunning: DunningRules = field(default_factory=DunningRules)
    number: str = "INV-{year}-{number:06}"
    notices: NoticeRules = field(default_factory=NoticeRules)
    tax: TaxPolicy | None = None
    charges: ChargePolicy = field(default_factory=ChargePolicy)
    start_time: int = field(default=0, compare=False)
