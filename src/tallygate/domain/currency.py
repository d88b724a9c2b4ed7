"""Currencies, and how many decimals their amounts have: ISO 4217 as of 2026, with those it retired since 2020.

A table of our own: CLDR, which libraries for display follow, has other decimals for fifteen of them.
"""

from fractions import Fraction

from tallygate.domain.errors import InvalidFieldError

_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY
COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS
INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD
NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP
SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL
"""
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"

DECIMALS = {
    code: decimals for decimals, codes in ((2, _TWO), (0, _NONE), (3, _THREE), (4, _FOUR)) for code in codes.split()
}
"""Decimals of an amount by the currency's code: 2 of USD, 0 of JPY, 3 of BHD, 4 of CLF."""


def decimals_of(currency: str, *, field: str = "currency") -> int:
    """How many decimals an amount of this currency has.

    Raises:
        InvalidFieldError: ISO 4217 knows no such currency.
    """
    try:
        return DECIMALS[currency]
    except KeyError:
        expected = "a currency of ISO 4217, as 'USD'"
        raise InvalidFieldError(field=field, expected=expected, got=ascii(currency[:8])) from None


def minor_units(amount: Fraction, currency: str) -> Fraction:
    """An amount in major units (49.00 USD) as one in minor units (4900 cents), exactly."""
    scale: int = 10 ** decimals_of(currency)
    return amount * scale


def major_units(amount: Fraction, currency: str) -> Fraction:
    """An amount in minor units as one in major units, exactly."""
    scale: int = 10 ** decimals_of(currency)
    return amount / scale


_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩", "ILS": "₪", "VND": "₫", "UAH": "₴"}


def price_text(amount: str, currency: str) -> str:
    """A price as people write it, with at least the decimals of its currency: $15.00, $0.0001, CHF 15.00, ¥100."""
    whole, _, decimals = amount.partition(".")
    decimals = decimals.ljust(decimals_of(currency), "0")
    return f"{sign_of(currency)}{whole}.{decimals}" if decimals else f"{sign_of(currency)}{whole}"


def sign_of(currency: str) -> str:
    """What stands before an amount of a currency: $, or its code and a space where it has no sign of its own."""
    return _SYMBOLS.get(currency, f"{currency} ")
