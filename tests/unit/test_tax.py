"""Tax, pure: which rate, how it rounds, and how it is given back. Figures by hand."""

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from hashlib import sha256
from itertools import permutations

import pytest

from tallygate.domain.billing.canonical import canonical
from tallygate.domain.billing.lines import Line, LineKind
from tallygate.domain.billing.parties import Address, BillingProfile, Party, parties_hash
from tallygate.domain.billing.tax import Credited, TaxTerms, groups_of, tax_of, taxed, terms_of
from tallygate.domain.billing.tax_evidence import (
    Evidence,
    EvidenceKind,
    TaxExemption,
    TaxIdCheck,
    TaxIdStatus,
    Treatment,
    country_of,
)
from tallygate.domain.billing_terms import RoundingRules, TaxPer, TaxPolicy, TaxRate
from tallygate.domain.countries import EU, PROVINCES
from tallygate.domain.money import Rounding
from tallygate.domain.period import UsagePeriod
from tallygate.storage.tax.shipped import shipped_rates


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def line(key, amount, *, source="", start="2026-01-01", end="2026-02-01", category=""):
    return Line(
        line_key=key,
        kind=LineKind.RECURRING,
        text=key,
        due=at(start),
        period=UsagePeriod(at(start), at(end)),
        currency="EUR",
        exact=Fraction(amount),
        amount=amount,
        source_line=source,
        tax_category=category,
    )


def lines_of(*amounts):
    return [line(f"l{number}", amount) for number, amount in enumerate(amounts)]


def terms(rate="19", *, per=TaxPer.GROUP, rounding=Rounding.HALF_UP):
    rates = (TaxRate(country="DE", since="2007-01-01", rate=rate),)
    return TaxTerms(country="DE", region="", rates=rates, time=at("2026-02-01"), per=per, rounding=rounding)


def profile(country, *, region="", postal_code="", exempt=""):
    address = Address(country=country, region=region, postal_code=postal_code)
    return BillingProfile(account_id="acme", party=Party(name="Acme", address=address), tax_exemption=exempt)


def terms_for(buyer, *, day="2026-11-01", seller="DE", region="", collect=(), own=()):
    return terms_of(
        TaxPolicy(collect_in=collect, rates=own),
        RoundingRules(),
        shipped_rates(),
        seller=profile(seller, region=region),
        buyer=buyer,
        zone="UTC",
        time=at(day),
    )


def rate_for(buyer, *, category="", **more):
    made = terms_for(buyer, **more)
    (only,) = taxed([line("one", 10_000, end="2255-01-01", category=category)], made, {})
    return only.tax


def taxes(found):
    return [each.tax.amount for each in found]


@pytest.mark.parametrize(
    ("amounts", "rate", "per", "expected"),
    [
        ((10, 10, 10), "19", TaxPer.GROUP, [2, 2, 2]),  # 5.7 is 6; each 1.9
        ((3, 3, 3), "19", TaxPer.GROUP, [1, 1, 0]),  # 1.71 is 2, of 0.57 each
        ((3, 3, 3), "19", TaxPer.LINE, [1, 1, 1]),
        ((2, 2, 2), "19", TaxPer.LINE, [0, 0, 0]),  # 0.38 each
        ((2, 2, 2), "19", TaxPer.GROUP, [1, 0, 0]),  # 1.14
        ((100, -40), "19", TaxPer.GROUP, [19, -8]),  # 60 at 19 % is 11.4: 19 and -7.6
        ((50,), "25", TaxPer.GROUP, [13]),  # 12.5
        ((-50,), "25", TaxPer.GROUP, [-13]),
        ((1000, 333), "25.5", TaxPer.GROUP, [255, 85]),  # 339.915 is 340: 255 and 84.915
    ],
)
def test_tax_is_rounded_by_group_or_line_and_lines_sum_to_it(amounts, rate, per, expected):
    assert taxes(taxed(lines_of(*amounts), terms(rate, per=per), {})) == expected


def test_ties_go_where_the_policy_says():
    assert taxes(taxed(lines_of(50), terms("25", rounding=Rounding.HALF_EVEN), {})) == [12]


@pytest.mark.parametrize("parts", list(permutations([-1, -32, -67])))
def test_credits_in_parts_give_back_the_tax_to_the_cent(parts):
    """A line of 1.00 with 0.19: however it is credited in three notes, 0.19 comes back."""
    (charged,) = taxed(lines_of(100), terms(), {})
    assert charged.tax.amount == 19
    known = Credited(line=charged)
    for number, part in enumerate(parts):
        credit = line(f"c{number}", part, source="l0")
        # whatever the terms have become since, it is the line's own tax that comes back
        (given,) = taxed([credit], terms("7"), {"l0": known})
        known = replace(known, credits=(*known.credits, given))
    assert tax_of(known.credits) == -19
    assert {given.tax.rate for given in known.credits} == {"19"}


def test_two_credits_of_a_line_on_one_document_are_no_more_than_the_whole():
    (charged,) = taxed(lines_of(3), terms(), {})  # 0.57 is 1
    both = [line("a", -1, source="l0"), line("b", -2, source="l0")]
    assert sum(taxes(taxed(both, terms(), {"l0": Credited(line=charged)}))) == -charged.tax.amount


def test_a_line_that_had_no_tax_gives_none_back():
    (given,) = taxed([line("c", -5, source="l0")], terms(), {"l0": Credited(line=line("l0", 10))})
    assert given.tax is None


def test_without_terms_nothing_is_taxed():
    assert [each.tax for each in taxed(lines_of(1, 2), None, {})] == [None, None]


def test_a_document_says_its_tax_by_place_and_rate():
    found = taxed(lines_of(100, 50), terms(), {})
    (group,) = groups_of(found)
    assert (group.country, group.name, group.rate, group.base, group.amount) == ("DE", "VAT", "19", 150, 29)


@pytest.mark.parametrize(
    ("end", "rate"), [("2020-07-01", "19"), ("2020-08-01", "16"), ("2021-01-01", "16"), ("2021-02-01", "19")]
)
def test_a_service_is_taxed_by_the_rate_of_its_last_day(end, rate):
    """Germany charged 16 % from July to December 2020; June ends before July begins."""
    made = terms_of(
        TaxPolicy(),
        RoundingRules(),
        shipped_rates(),
        seller=profile("DE"),
        buyer=None,
        zone="UTC",
        time=at("2021-03-01"),
    )
    (only,) = taxed([line("one", 100, start="2020-06-01", end=end)], made, {})
    assert only.tax.rate == rate


def test_what_is_charged_ahead_is_taxed_by_the_day_of_its_document():
    """A year from June 2025 on in Estonia, whose rate rises from 22 to 24 % in July: issued in June, 22 %."""
    assert rate_for(profile("EE"), seller="EE", day="2025-06-30").rate == "22"
    assert rate_for(profile("EE"), seller="EE", day="2025-07-01").rate == "24"


@pytest.mark.parametrize(
    ("buyer", "more", "country", "rate"),
    [
        (None, {}, "DE", "19"),
        (profile(""), {}, "DE", "19"),
        (profile("DE"), {}, "DE", "19"),
        (profile("FR"), {}, "DE", "19"),  # in the Union, where the seller is not registered
        (profile("FR"), {"collect": ("FR",)}, "FR", "20"),
        (profile("US"), {}, "US", "0"),
        (profile("GB"), {}, "GB", "0"),
        (profile("GB"), {"collect": ("GB",)}, "GB", "20"),
        (profile("CA", region="ON"), {"seller": "CA", "region": "QC"}, "CA", "13"),
        (profile("CA", region="NS"), {"seller": "CA", "region": "QC"}, "CA", "14"),
        (profile("CA", region="NS"), {"seller": "CA", "region": "QC", "day": "2025-03-31"}, "CA", "15"),
        (profile("CA", region="AB"), {"seller": "CA", "region": "QC"}, "CA", "5"),
        (profile("ES", postal_code="35001"), {"collect": ("ES",)}, "ES", "0"),  # the Canary Islands
        (profile("ES", postal_code="28001"), {"collect": ("ES",)}, "ES", "21"),
        (profile("PT", postal_code="9000-018"), {"collect": ("PT",)}, "PT", "22"),  # Madeira
        (profile("PT", postal_code="9500-001"), {"collect": ("PT",)}, "PT", "16"),  # the Azores
        (profile("CH"), {"seller": "CH"}, "CH", "8.1"),
        (profile("CH"), {"seller": "CH", "day": "2023-12-31"}, "CH", "7.7"),
        (profile("US"), {"seller": "US"}, "US", "0"),
    ],
)
def test_a_buyer_is_taxed_where_the_seller_charges_tax(buyer, more, country, rate):
    tax = rate_for(buyer, **more)
    assert (tax.country, tax.rate, bool(tax.note)) == (country, rate, rate == "0" and tax.name == "")


def test_an_exemption_is_printed_and_nothing_charged():
    tax = rate_for(profile("DE", exempt="Certificate 4711"))
    assert (tax.rate, tax.amount, tax.note) == ("0", 0, "Certificate 4711")


def test_a_tenants_own_rates_go_before_those_shipped():
    own = (TaxRate(country="DE", since="2000-01-01", rate="7"), TaxRate(country="US", since="2020-01-01", rate="8.875"))
    assert rate_for(profile("DE"), own=own).rate == "7"
    assert rate_for(profile("US"), own=own, collect=("US",)).rate == "8.875"
    assert rate_for(profile("DE"), own=(TaxRate(country="DE", since="2027-01-01", rate="7"),)).rate == "19"


REDUCED = (
    TaxRate(country="DE", since="2007-01-01", rate="7", category="reduced"),
    TaxRate(country="ES", since="2012-09-01", rate="10", category="reduced"),
    TaxRate(country="CA", since="2008-01-01", rate="0", name="GST", category="basic"),
)


@pytest.mark.parametrize(
    ("buyer", "category", "rate"),
    [
        (profile("DE"), "reduced", "7"),
        (profile("DE"), "", "19"),
        (profile("FR"), "reduced", "20"),  # no rate of its own there
        (profile("ES", postal_code="28001"), "reduced", "10"),
        (profile("ES", postal_code="35001"), "reduced", "0"),  # outside of the territory of tax, whatever the category
        (profile("CA", region="ON"), "basic", "0"),
        (profile("CA", region="ON"), "", "13"),
    ],
)
def test_a_category_has_its_rate_where_it_has_one(buyer, category, rate):
    tax = rate_for(buyer, category=category, own=REDUCED, collect=("FR", "ES", "CA"))
    assert (tax.rate, tax.category) == (rate, category)


def test_categories_of_one_rate_are_told_apart():
    found = taxed([line("a", 100), line("b", 100, category="other")], terms(), {})
    assert [(group.category, group.amount) for group in groups_of(found)] == [("", 19), ("other", 19)]


@pytest.mark.parametrize("country", sorted(EU | {"GB", "CH", "NO", "AU", "NZ"}))
def test_every_country_that_is_shipped_has_a_rate_now(country):
    tax = rate_for(profile(country), seller=country)
    assert Fraction(tax.rate) >= 8
    assert tax.note == ""


def test_every_province_of_canada_has_a_rate():
    for province in PROVINCES:
        assert rate_for(profile("CA", region=province), seller="CA", region="ON").rate in {"5", "13", "14", "15"}


def test_shipped_rates_are_dated_and_have_a_source():
    rates = shipped_rates()
    assert len({(rate.country, rate.region, rate.postcodes, rate.since) for rate in rates}) == len(rates)
    for rate in rates:
        assert datetime.fromisoformat(rate.since)
        assert 0 <= Fraction(rate.rate) <= 27


def held(tax_id, *, status=TaxIdStatus.VERIFIED):
    return TaxIdCheck(tax_id=tax_id, country=country_of(tax_id), status=status, source="VIES", check_time=1)


def business(country, *tax_ids, checks=(), **more):
    known = profile(country)
    party = replace(known.party, tax_ids=tax_ids)
    return replace(known, party=party, checks=tuple(checks), **more)


FRENCH = "FR40303265045"


def test_a_verified_id_of_another_member_state_shifts_the_tax():
    tax = rate_for(business("FR", FRENCH, checks=[held(FRENCH)]), collect=("FR",))
    assert (tax.rate, tax.amount, tax.treatment) == ("0", 0, Treatment.REVERSE_CHARGE)
    assert tax.note == (
        "Steuerschuldnerschaft des Leistungsempfängers (§ 13b UStG). "
        "Reverse charge: the recipient is liable for the tax (Directive 2006/112/EC, articles 44 and 196)"
    )


@pytest.mark.parametrize(
    "buyer",
    [
        business("FR", FRENCH),  # nobody has looked
        business("FR", FRENCH, checks=[held(FRENCH, status=TaxIdStatus.INVALID)]),
        business("FR", FRENCH, checks=[held(FRENCH, status=TaxIdStatus.UNAVAILABLE)]),
        business("FR", FRENCH, checks=[held("FR23334175221")]),  # of another id
        business("FR", "ATU12345675", FRENCH, checks=[held("ATU12345675")]),  # of another country
    ],
)
def test_an_id_that_is_not_verified_shifts_nothing_and_is_told(buyer):
    assert (rate_for(buyer).rate, rate_for(buyer, collect=("FR",)).rate) == ("19", "20")
    assert terms_for(buyer).unverified


@pytest.mark.parametrize(
    "buyer",
    [business("DE", "DE136695976"), business("CH", "CHE107787577"), business("FR"), business("FR", "SIRET 4711"), None],
)
def test_where_no_tax_could_be_shifted_nothing_is_missing(buyer):
    assert not terms_for(buyer).unverified


def test_at_home_nothing_is_shifted():
    own = business("DE", "DE136695976", checks=[held("DE136695976")])
    assert rate_for(own).rate == "19"


def test_from_outside_the_union_nothing_is_shifted():
    tax = rate_for(business("FR", FRENCH, checks=[held(FRENCH)]), seller="CH")
    assert (tax.note, tax.treatment) == ("No tax is charged in FR", Treatment.OUTSIDE)


def test_evidence_of_a_buyers_place_is_kept_without_its_address_or_id():
    ip = Evidence(kind=EvidenceKind.IP_ADDRESS, country="FR", detail="GeoIP 2026-11")
    found = terms_for(business("FR", FRENCH, checks=[held(FRENCH)], evidence=(ip,))).evidence
    assert [(each.kind.value, each.country, each.detail) for each in found] == [
        ("billing_address", "FR", ""),
        ("tax_id", "FR", "VIES"),
        ("ip_address", "FR", "GeoIP 2026-11"),
    ]


@pytest.mark.parametrize(
    ("more", "day", "rate"),
    [
        ({}, "2026-11-01", "0"),
        ({"since": "2026-11-01"}, "2026-11-01", "0"),
        ({"since": "2026-11-02"}, "2026-11-01", "19"),
        ({"until": "2026-11-01"}, "2026-11-01", "19"),  # the day after its last
        ({"until": "2026-11-02"}, "2026-11-01", "0"),
        ({"country": "DE"}, "2026-11-01", "0"),
        ({"country": "FR"}, "2026-11-01", "19"),
        ({"country": "DE", "region": "BY"}, "2026-11-01", "19"),
    ],
)
def test_an_exemption_holds_in_its_place_and_time(more, day, rate):
    exemption = TaxExemption(reason="Charity", certificate="4711", **more)
    tax = rate_for(replace(profile("DE"), exemptions=(exemption,)), day=day)
    assert (tax.rate, tax.amount) == (rate, {"0": 0, "19": 1900}[rate])
    assert (tax.note, tax.treatment) == (
        ("", Treatment.TAXED) if rate == "19" else ("Charity (certificate 4711)", Treatment.EXEMPT)
    )


def test_a_rate_says_who_published_it():
    assert rate_for(profile("DE")).source == "European Commission, Taxes in Europe Database"
    own = TaxRate(country="DE", since="2007-01-01", rate="18")
    assert rate_for(profile("DE"), own=(own,)).source == ""


def test_what_came_later_leaves_older_lines_and_parties_the_texts_that_they_were():
    (charged,) = taxed(lines_of(100), terms(), {})
    tax = '"tax":{"amount":19,"category":"","country":"DE","name":"VAT","note":"","rate":"19","region":""}'
    assert tax in canonical(charged)
    party = Party(name="Acme", address=Address(country="DE"))
    address = '"address":{"city":"","country":"DE","lines":[],"postal_code":"","region":""}'
    told = f'[{{{address},"email":"","name":"Acme","tax_ids":[]}},null]'
    assert parties_hash(party, None) == sha256(told.encode()).hexdigest()
    assert parties_hash(replace(party, iban="DE89370400440532013000"), None) != parties_hash(party, None)
