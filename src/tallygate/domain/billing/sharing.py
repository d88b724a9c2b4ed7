"""Who earns what of what was paid: providers, other accounts, the tenant and the platform. No clock, no I/O."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from tallygate.domain.money import Rounding, rounded, spread

_ALL = 100


class ShareKind(StrEnum):
    """What a share is of, and whose."""

    PROVIDER = "provider"
    """A provider's, of what its plans and bills bring in; what is left is the house's."""
    BROKER = "broker"
    """The house's, of each sale of a provider; what is left is the provider's. It goes before PROVIDER."""
    PROCESSING = "processing"
    """What moving the money of a brokered sale costs its provider: a part, and a fixed amount an invoice."""
    PORTION = "portion"
    """The tenant's, of what is the house's of a provider's; what is left is the platform's. Without one it is all."""
    LICENCE = "licence"
    """The tenant's, of what its own plans and fees bring in; likewise."""
    ACCOUNT = "account"
    """Another account's, of what an account pays for these."""


class ShareRounding(StrEnum):
    """To which whole minor unit a part goes: towards zero, or to the nearest."""

    DOWN = ""
    HALF_UP = "half_up"
    HALF_EVEN = "half_even"


class PartnerKind(StrEnum):
    """Who earns."""

    PROVIDER = "provider"
    ACCOUNT = "account"
    PROCESSOR = "processor"
    TENANT = "tenant"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Partner:
    """Who earns; the tenant and the platform need no name, a processor has that of the provider that it serves."""

    kind: PartnerKind
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareTerms:
    """What was proposed and what was accepted, in per cent, from an instant on; only what is accepted is in force.

    Of a `provider`, or of what an account pays, for another, `partner_id`. Empty text is none, `fixed` in minor units.
    """

    kind: ShareKind
    provider: str = ""
    account_id: str = ""
    partner_id: str = ""
    proposed: str = ""
    accepted: str = ""
    fixed: int = 0
    rounding: ShareRounding = ShareRounding.DOWN
    start_time: int = 0

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Of what there are such terms: newer ones take the place of older ones."""
        return self.kind.value, self.provider, self.account_id, self.partner_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Revenue:
    """What an account paid on one document, in minor units without tax, by provider (empty: the tenant's own).

    What was `passed` on for third parties is nobody's to share: its provider has all of it.
    """

    account_id: str
    shared: Mapping[str, int]
    passed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a partner has of a document, in minor units: `amount` of `base`, and what was `passed` on to it unshared."""

    partner: Partner
    base: int = 0
    amount: int = 0
    passed: int = 0

    def __add__(self, other: "Share") -> "Share":
        """Both, of one partner."""
        return Share(
            partner=self.partner,
            base=self.base + other.base,
            amount=self.amount + other.amount,
            passed=self.passed + other.passed,
        )

    def __neg__(self) -> "Share":
        """The same taken back."""
        return Share(partner=self.partner, base=-self.base, amount=-self.amount, passed=-self.passed)


def in_force(history: Iterable[ShareTerms], *, at: int) -> Mapping[tuple[str, str, str, str], ShareTerms]:
    """The terms that hold at an instant, by what they are of; `history` is in the order in which they were made."""
    return {terms.key: terms for terms in history if terms.start_time <= at}


def shares_of(revenue: Revenue, terms: Iterable[ShareTerms]) -> tuple[Share, ...]:
    """Who has what of a document: the amounts, with what was passed on, sum to what was paid exactly.

    The provider comes first, then the tenant of what that leaves. Parts are rounded as agreed, and the rest is the
    house's (of a brokered sale the provider's); what a processor takes is rounded as money is, half up; among accounts
    the largest remainder decides.
    """
    accepted = [one for one in terms if one.accepted]
    parts: list[Share] = []
    for provider in sorted({*revenue.shared, *revenue.passed}):
        base, passed = revenue.shared.get(provider, 0), revenue.passed.get(provider, 0)
        own = (
            _of_provider(provider, base, passed, accepted)
            if provider
            else _of_house(revenue.account_id, base, accepted)
        )
        parts += own
    return summed(parts)


def summed(parts: Iterable[Share]) -> tuple[Share, ...]:
    """One share a partner, in order; those of nothing are left out."""
    found: dict[Partner, Share] = {}
    for part in parts:
        found[part.partner] = found[part.partner] + part if part.partner in found else part
    return tuple(found[one] for one in sorted(found) if found[one] != Share(partner=one))


def _of_provider(provider: str, base: int, passed: int, terms: Sequence[ShareTerms]) -> Iterator[Share]:
    of = {one.kind: one for one in terms if one.provider == provider}
    broker, processing, cost = of.get(ShareKind.BROKER), of.get(ShareKind.PROCESSING), 0
    if broker is not None:
        house = _part(base, broker)
        cost = _cost(base, processing) if processing is not None else 0
        earned = base - house - cost
    else:
        earned = _part(base, of[ShareKind.PROVIDER]) if ShareKind.PROVIDER in of else 0
        house = base - earned
    yield Share(partner=Partner(kind=PartnerKind.PROVIDER, name=provider), base=base, amount=earned, passed=passed)
    yield Share(partner=Partner(kind=PartnerKind.PROCESSOR, name=provider), base=base if cost else 0, amount=cost)
    yield from _of_tenant(house, base, ShareKind.PORTION, terms)


def _of_house(account_id: str, base: int, terms: Sequence[ShareTerms]) -> Iterator[Share]:
    """What is the tenant's own: other accounts have their parts of it first."""
    partners = [one for one in terms if one.kind is ShareKind.ACCOUNT and one.account_id == account_id]
    weights = [Fraction(one.accepted) for one in partners]
    *parts, left = spread(base, [*weights, _ALL - sum(weights)])
    for one, part in zip(partners, parts, strict=True):
        yield Share(partner=Partner(kind=PartnerKind.ACCOUNT, name=one.partner_id), base=base, amount=part)
    yield from _of_tenant(left, base, ShareKind.LICENCE, terms)


def _of_tenant(left: int, base: int, kind: ShareKind, terms: Sequence[ShareTerms]) -> Iterator[Share]:
    """What is left is the tenant's; only where that was agreed the platform has a part of it."""
    agreed = next((one for one in terms if one.kind is kind), None)
    own = _part(left, agreed) if agreed is not None else left
    yield Share(partner=Partner(kind=PartnerKind.TENANT), base=base, amount=own)
    if agreed is not None:
        yield Share(partner=Partner(kind=PartnerKind.PLATFORM), base=base, amount=left - own)


def _part(amount: int, terms: ShareTerms) -> int:
    """What is agreed of an amount, rounded alike on both sides of zero: what is taken back is what was given."""
    exact = amount * Fraction(terms.accepted) / _ALL
    return rounded(exact, Rounding(terms.rounding)) if terms.rounding else int(exact)


def _cost(base: int, processing: ShareTerms) -> int:
    fixed = processing.fixed if base > 0 else -processing.fixed if base < 0 else 0
    return rounded(base * Fraction(processing.accepted) / _ALL + fixed, Rounding.HALF_UP)
