"""Tax on the lines of a document: by which rate, rounded once a group or line, and given back as it was charged.

Amounts are without tax. No clock, no I/O.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor

from tallygate.domain.billing.lines import Line, LineTax
from tallygate.domain.billing.parties import Address, BillingProfile
from tallygate.domain.billing.tax_evidence import (
    Evidence,
    EvidenceKind,
    TaxExemption,
    Treatment,
    country_of,
    reverse_charge_note,
)
from tallygate.domain.billing_terms import RoundingRules, TaxPer, TaxPolicy, TaxRate
from tallygate.domain.countries import EU
from tallygate.domain.money import Rounding, rounded
from tallygate.domain.period import local_date

_HUNDRED = 100
_Group = tuple[str, str, str, str, str, str, Treatment, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxTerms:
    """By what documents of one account are taxed: the place, its rates (the first in force holds), and how it rounds.

    Days are the seller's, in `zone`. A `note` says why nothing is taxed; then there are no rates, and `treatment` is
    which of the law's reasons it is. `exemptions` hold on their days. `time` is when the document is made: a service
    that ends later is taxed as of then. `evidence` is what tells the place; `unverified` says that a tax id would have
    shifted the tax to the buyer, had it been verified.
    """

    country: str
    region: str
    rates: tuple[TaxRate, ...] = ()
    note: str = ""
    zone: str = "UTC"
    time: int = 0
    rounding: Rounding = Rounding.HALF_UP
    per: TaxPer = TaxPer.GROUP
    treatment: Treatment = Treatment.TAXED
    exemptions: tuple[TaxExemption, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    unverified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited:
    """A line as it was issued, the lines that credited it since, and those that charged less than it."""

    line: Line
    credits: tuple[Line, ...] = ()
    reductions: tuple[Line, ...] = ()
    reissues: tuple[Line, ...] = ()
    """The lines that stood in its place later, oldest first: what is given back is the tax of the last one."""

    @property
    def latest(self) -> Line:
        """The line as it was issued last."""
        return self.reissues[-1] if self.reissues else self.line


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxGroup:
    """The tax of a document's lines of one place and rate; `base` is what they come to without it.

    `source` says who published the rate, where it is none of the tenant's own.
    """

    country: str
    region: str
    name: str
    rate: str
    note: str
    category: str
    base: int
    amount: int
    treatment: Treatment = Treatment.TAXED
    source: str = ""


def terms_of(
    policy: TaxPolicy,
    rounding: RoundingRules,
    shipped: Iterable[TaxRate],
    *,
    seller: BillingProfile,
    buyer: BillingProfile | None,
    zone: str,
    time: int,
) -> TaxTerms:
    """The terms of a buyer: it is taxed where it is, if the seller charges tax there.

    Within the European Union it is taxed where the seller is if that charges none where the buyer is. One in another
    member state than the seller whose tax id is verified owes the tax itself. A buyer whose country is not known is
    taxed as one in the seller's.
    """
    home = seller.party.address
    there = buyer.party.address if buyer is not None and buyer.party.address.country else home
    terms = TaxTerms(
        country=there.country,
        region=there.region,
        zone=zone,
        time=time,
        rounding=rounding.tax,
        per=rounding.tax_per,
        exemptions=buyer.exemptions if buyer is not None else (),
        evidence=tuple(_evidence(buyer)) if buyer is not None else (),
    )
    if buyer is not None and buyer.tax_exemption:
        return replace(terms, note=buyer.tax_exemption, treatment=Treatment.EXEMPT)
    if buyer is not None and there.country != home.country and {there.country, home.country} <= EU:
        if buyer.verified(there.country) is not None:
            note = reverse_charge_note(home.country)
            return replace(terms, note=note, treatment=Treatment.REVERSE_CHARGE)
        ids = buyer.party.tax_ids
        terms = replace(terms, unverified=any(country_of(tax_id) == there.country for tax_id in ids))
    if there.country not in {home.country, *policy.collect_in}:
        if not {there.country, home.country} <= EU:
            return replace(terms, note=f"No tax is charged in {there.country}", treatment=Treatment.OUTSIDE)
        there = home
    rates = _rates_of(there, policy.rates, shipped)
    note = "" if rates else f"No rate of tax is known of {there.country}"
    return replace(terms, country=there.country, region=there.region, rates=rates, note=note)


def _evidence(buyer: BillingProfile) -> Iterator[Evidence]:
    """What tells a buyer's country: its address, ids that were verified, and what else it is known by."""
    if buyer.party.address.country:
        yield Evidence(kind=EvidenceKind.BILLING_ADDRESS, country=buyer.party.address.country)
    for country in sorted({check.country for check in buyer.checks}):
        check = buyer.verified(country)
        if check is not None:
            told = (check.source, check.reference, check.confirmed_by)
            yield Evidence(kind=EvidenceKind.TAX_ID, country=country, detail=" ".join(part for part in told if part))
    yield from buyer.evidence


def taxed(lines: Sequence[Line], terms: TaxTerms | None, credited: Mapping[str, Credited]) -> tuple[Line, ...]:
    """The lines of a document with their tax.

    A line that gives back of one that was issued gives back its tax: of all that is credited so far the part of the tax
    that the line had, less what was given back before, so that a whole credit gives back the whole tax. Other lines are
    taxed by the terms, and not at all where there are none; what has tax already keeps it.
    """
    kept = {line.line_key: line.tax for line in lines if line.tax is not None}
    open_ = [line for line in lines if line.tax is None]
    given = _given_back([line for line in open_ if line.gives_back in credited], credited)
    own = [line for line in open_ if line.gives_back not in credited]
    found = {**kept, **given, **(_by_terms(own, terms) if terms is not None else {})}
    return tuple(replace(line, tax=found.get(line.line_key)) for line in lines)


def groups_of(lines: Iterable[Line]) -> tuple[TaxGroup, ...]:
    """What the lines of a document come to by place and rate, in order of both."""
    found: dict[_Group, tuple[int, int]] = {}
    for line in lines:
        if line.tax is not None:
            key = _group(line.tax)
            base, amount = found.get(key, (0, 0))
            found[key] = base + line.amount, amount + line.tax.amount
    return tuple(
        TaxGroup(
            country=country,
            region=region,
            name=name,
            rate=rate,
            note=note,
            category=category,
            base=base,
            amount=amount,
            treatment=treatment,
            source=source,
        )
        for (country, region, name, rate, note, category, treatment, source), (base, amount) in sorted(found.items())
    )


def tax_of(lines: Iterable[Line]) -> int:
    """The tax of a document in minor units."""
    return sum(line.tax.amount for line in lines if line.tax is not None)


def _rates_of(there: Address, own: Iterable[TaxRate], shipped: Iterable[TaxRate]) -> tuple[TaxRate, ...]:
    postcode = there.postal_code.replace(" ", "").upper()

    def held(rates: Iterable[TaxRate]) -> Iterator[TaxRate]:
        for rate in rates:
            inside = not rate.postcodes or postcode.startswith(rate.postcodes)
            if rate.country == there.country and rate.region in {"", there.region} and inside:
                yield rate

    ranked = [
        (bool(rate.postcodes), bool(rate.region), mine, rate.since, rate)
        for mine in (True, False)
        for rate in held(own if mine else shipped)
    ]
    return tuple(rate for *_, rate in sorted(ranked, key=lambda each: each[:-1], reverse=True))


def _given_back(lines: Sequence[Line], credited: Mapping[str, Credited]) -> dict[str, LineTax | None]:
    found: dict[str, LineTax | None] = {}
    before: dict[str, tuple[int, int]] = {}
    for line in lines:
        source = credited[line.gives_back]
        tax = source.latest.tax
        if tax is None or not source.line.amount:
            found[line.line_key] = replace(tax, amount=0) if tax is not None else None
            continue
        since = *source.credits, *source.reductions
        amount, given = before.get(line.gives_back, (sum(one.amount for one in since), tax_of(since)))
        part = Fraction(-(amount + line.amount) * tax.amount, source.line.amount)
        back = -rounded(part, Rounding.HALF_UP) - given
        before[line.gives_back] = amount + line.amount, given + back
        found[line.line_key] = replace(tax, amount=back)
    return found


def _by_terms(lines: Sequence[Line], terms: TaxTerms) -> dict[str, LineTax]:
    found: dict[str, LineTax] = {}
    groups: dict[_Group, list[Line]] = {}
    for line in lines:
        found[line.line_key] = tax = _rate_of(line, terms)
        groups.setdefault(_group(tax), []).append(line)
    for together in groups.values():
        rate = Fraction(found[together[0].line_key].rate)
        parts = _rounded([line.amount * rate / _HUNDRED for line in together], terms)
        for line, part in zip(together, parts, strict=True):
            found[line.line_key] = replace(found[line.line_key], amount=part)
    return found


def _rate_of(line: Line, terms: TaxTerms) -> LineTax:
    """By which rate a line is taxed: that of the earlier of its document's issue and the end of its service."""
    place = LineTax(country=terms.country, region=terms.region, category=line.tax_category)
    if terms.note:
        return replace(place, note=terms.note, treatment=terms.treatment)
    day = local_date(min(terms.time, line.period.end - 1), zone=terms.zone).isoformat()
    for exemption in terms.exemptions:
        if exemption.holds(country=terms.country, region=terms.region, day=day):
            return replace(place, note=exemption.note, treatment=Treatment.EXEMPT)
    rate = _in_force([rate for rate in terms.rates if rate.since <= day], line.tax_category)
    if rate is None:
        return replace(place, note=f"No rate of tax is known of {terms.country} on {day}")
    note = "" if rate.name else f"No tax is charged in this part of {terms.country}"
    return replace(place, name=rate.name, rate=rate.rate, note=note, source=rate.source)


def _in_force(rates: Sequence[TaxRate], category: str) -> TaxRate | None:
    """Outside of the territory of tax nothing is charged, whatever the category; where it has no rate, the standard."""
    if rates and not rates[0].name:
        return rates[0]
    own = [rate for rate in rates if rate.category == category]
    return next(iter(own or [rate for rate in rates if not rate.category]), None)


def _rounded(exact: Sequence[Fraction], terms: TaxTerms) -> list[int]:
    """Each line's tax; of a group the rounded sum is spread by largest remainder, ties by order."""
    if terms.per is TaxPer.LINE:
        return [rounded(each, terms.rounding) for each in exact]
    parts = [floor(each) for each in exact]
    missing = rounded(sum(exact, Fraction(0)), terms.rounding) - sum(parts)
    by_remainder = sorted(range(len(exact)), key=lambda index: (parts[index] - exact[index], index))
    for index in by_remainder[:missing]:
        parts[index] += 1
    return parts


def _group(tax: LineTax) -> _Group:
    return tax.country, tax.region, tax.name, tax.rate, tax.note, tax.category, tax.treatment, tax.source
