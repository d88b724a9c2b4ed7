"""What a tenant's tax may say; every complaint names the path of the field."""

import re
from collections.abc import Collection, Iterable, Mapping

from tallygate.domain.billing_terms import TaxPolicy, TaxRate
from tallygate.domain.countries import COUNTRIES
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.prices import Price
from tallygate.records.fields import check_label, check_many, is_day

_RATE = re.compile(r"\d{1,3}(\.\d{1,4})?", re.ASCII)
_REGION = re.compile(r"[A-Z0-9]{1,3}")
_POSTCODE = re.compile(r"[A-Z0-9-]{1,10}")
_CATEGORY = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_MOST_RATES, _MOST_POSTCODES, _HUNDRED = 1_000, 100, 100


def check_tax(path: str, tax: TaxPolicy) -> None:
    """Check where a tenant charges tax, and its own rates.

    Raises:
        InvalidFieldError: the first field that is wrong, by its path.
    """
    for number, country in enumerate(tax.collect_in):
        _check_country(f"{path}.collect_in[{number}]", country)
    check_many(f"{path}.rates", tax.rates, _MOST_RATES)
    for number, rate in enumerate(tax.rates):
        _check_rate(f"{path}.rates[{number}]", rate)
        if any(_same(rate, other) for other in tax.rates[:number]):
            expected = "one rate of a country, region and postal codes from a day on"
            raise InvalidFieldError(field=f"{path}.rates[{number}]", expected=expected, got=rate.since)


def check_home(tax: TaxPolicy, shipped: Collection[TaxRate], *, country: str) -> None:
    """Check that tax can be told: the seller's country is known, and a rate of each that tax is charged in.

    Raises:
        InvalidFieldError: it cannot.
    """
    if not country:
        expected = "a seller's billing profile with its country first: SetBillingProfile without account_id"
        raise InvalidFieldError(field="billing.tax", expected=expected)
    known = {rate.country for rate in (*shipped, *tax.rates)}
    for number, one in enumerate(tax.collect_in):
        if one not in known:
            expected = "a country whose rates are known, or are in billing.tax.rates"
            raise InvalidFieldError(field=f"billing.tax.collect_in[{number}]", expected=expected, got=one)


def check_categories(tax: TaxPolicy, bundles: Mapping[str, Iterable[Price]]) -> None:
    """Check that every category of prices, by the path of their bundle, has a rate somewhere.

    Raises:
        InvalidFieldError: it has none.
    """
    known = sorted({rate.category for rate in tax.rates} - {""})
    for path, prices in bundles.items():
        for number, price in enumerate(prices):
            if price.tax_category and price.tax_category not in known:
                expected = f"a category of a rate in billing.tax.rates: {', '.join(known) or 'there is none'}"
                field = f"{path}.prices[{number}].tax_category"
                raise InvalidFieldError(field=field, expected=expected, got=price.tax_category)


def _check_rate(path: str, rate: TaxRate) -> None:
    _check_country(f"{path}.country", rate.country)
    if rate.region and not _REGION.fullmatch(rate.region):
        expected = "a region's code in ISO 3166-2 without its country, as 'ON'"
        raise InvalidFieldError(field=f"{path}.region", expected=expected, got=ascii(rate.region[:8]))
    check_many(f"{path}.postcodes", rate.postcodes, _MOST_POSTCODES)
    for number, postcode in enumerate(rate.postcodes):
        if not _POSTCODE.fullmatch(postcode):
            expected = "the beginning of a postal code: 1 to 10 capitals, digits and -"
            raise InvalidFieldError(field=f"{path}.postcodes[{number}]", expected=expected, got=ascii(postcode[:16]))
    if not is_day(rate.since):
        raise InvalidFieldError(field=f"{path}.since", expected="a day, as '2025-07-01'", got=ascii(rate.since[:16]))
    if not _RATE.fullmatch(rate.rate) or float(rate.rate) > _HUNDRED:
        expected = "per cent from 0 to 100 with up to 4 decimals, as '8.1'"
        raise InvalidFieldError(field=f"{path}.rate", expected=expected, got=ascii(rate.rate[:16]))
    check_label(f"{path}.name", rate.name)
    if rate.category and not _CATEGORY.fullmatch(rate.category):
        expected = "up to 40 small letters, digits and _, as 'reduced'"
        raise InvalidFieldError(field=f"{path}.category", expected=expected, got=ascii(rate.category[:48]))


def _check_country(path: str, country: str) -> None:
    if country not in COUNTRIES:
        raise InvalidFieldError(field=path, expected="a country of ISO 3166-1, as 'DE'", got=ascii(country[:8]))


def _same(rate: TaxRate, other: TaxRate) -> bool:
    mine, theirs = ((each.country, each.region, each.postcodes, each.category, each.since) for each in (rate, other))
    return mine == theirs
