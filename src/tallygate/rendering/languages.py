"""In which language a document is read: its words, and how that language writes days, numbers and money.

Babel knows how they are written; how many decimals a currency has is ours to know.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib import resources
from math import inf
from typing import TYPE_CHECKING

from tallygate.domain.currency import decimals_of

if TYPE_CHECKING:
    from babel import Locale

_MINUS = "\N{MINUS SIGN}"
LANGUAGES = ("en", "de", "fr", "es", "ja")
"""Those that there are words in; a document in another one is in English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language, as a country writes it."""

    tag: str
    words: dict[str, str]
    locale: "Locale"

    def __getitem__(self, word: str) -> str:
        """What stands there in this language."""
        return self.words[word]

    @property
    def direction(self) -> str:
        """From which side it is read: ltr or rtl."""
        return str(self.locale.text_direction)

    def day(self, day: date) -> str:
        """A day."""
        from babel.dates import format_date  # noqa: PLC0415 - loaded with the first page

        return format_date(day, "medium", locale=self.locale)

    def figure(self, amount: int, currency: str) -> str:
        """An amount of minor units with all decimals of its currency."""
        decimals = decimals_of(currency)
        return self._sign(amount) + self._digits(f"{Decimal(abs(amount)).scaleb(-decimals):.{decimals}f}")

    def money(self, amount: int, currency: str) -> str:
        """An amount of minor units with its currency's sign, where the language puts it."""
        return f"{self._sign(amount)}{self._signed(self.figure(abs(amount), currency), currency)}"

    def price_tag(self, text: str, currency: str) -> str:
        """A price that is not below zero with its currency's sign, and at least its currency's decimals."""
        return self._signed(self.price(text, currency), currency)

    def _signed(self, figure: str, currency: str) -> str:
        from babel.numbers import get_currency_symbol  # noqa: PLC0415 - as above

        pattern = self.locale.currency_formats["standard"]
        around = [part.replace("-", "") for part in (pattern.prefix[0], pattern.suffix[0])]
        sign = get_currency_symbol(currency, self.locale)
        before, behind = (part.replace("\N{CURRENCY SIGN}", sign) for part in around)
        if before and before[-1].isalpha():  # as CHF12.00, which nobody writes
            before += "\N{NO-BREAK SPACE}"
        return f"{before}{figure}{behind}"

    def per_cent(self, text: str) -> str:
        """An exact decimal of hundredths with the sign, where the language puts it."""
        pattern = self.locale.percent_formats[None]
        return f"{pattern.prefix[0]}{self.number(text)}{pattern.suffix[0]}"

    def span(self, count: int, unit: str) -> str:
        """So many hours, days, weeks, months or years."""
        from babel.units import format_unit  # noqa: PLC0415 - as above

        return str(format_unit(count, f"duration-{unit}", locale=self.locale))

    def in_days(self, count: int) -> str:
        """How far ahead something is, as in 7 days."""
        from babel.dates import format_timedelta  # noqa: PLC0415 - as above

        days = timedelta(days=count)
        return format_timedelta(days, granularity="day", threshold=inf, add_direction=True, locale=self.locale)

    def number(self, text: str) -> str:
        """An exact decimal with the decimals that it has; a fraction, or what is none, as it is."""
        value = text.removeprefix("-")
        if not value.replace(".", "", 1).isdecimal():
            return text.replace("-", _MINUS)
        return self._sign(-1 if text.startswith("-") else 1) + self._digits(value)

    def price(self, text: str, currency: str) -> str:
        """A price as a number, with at least the decimals of its currency."""
        whole, point, decimals = text.partition(".")
        least = decimals_of(currency)
        if not text.removeprefix("-").replace(".", "", 1).isdecimal() or len(decimals) >= least:
            return self.number(text)
        return self.number(f"{whole}{point or '.'}{decimals.ljust(least, '0')}")

    def tax(self, name: str) -> str:
        """What a tax is called that many countries have; another one by its own name."""
        return self.words.get(f"tax_{name}", name)

    def _digits(self, text: str) -> str:
        """Groups of digits as the language has them: Babel's own loses them in long numbers of some countries."""
        symbols = self.locale.number_symbols["latn"]
        whole, _, decimals = text.partition(".")
        last, others = self.locale.decimal_formats[None].grouping
        groups = [whole[-last:]]
        whole = whole[:-last]
        while whole:
            groups.insert(0, whole[-others:])
            whole = whole[:-others]
        grouped = str(symbols["group"]).join(groups)
        return f"{grouped}{symbols['decimal']}{decimals}" if decimals else grouped

    def _sign(self, amount: int) -> str:
        return _MINUS if amount < 0 else ""


@cache
def language(tag: str) -> Language:
    """The language of a tag such as de-AT; English where there are no words in it."""
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415 - as above

    try:
        found = Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        found = Locale("en")
    if found.language not in LANGUAGES:
        found = Locale("en")
    return Language(tag=str(found).replace("_", "-"), words=_words()[found.language], locale=found)


@cache
def _words() -> dict[str, dict[str, str]]:
    text = resources.files(__package__).joinpath("words.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = json.loads(text)
    return found
