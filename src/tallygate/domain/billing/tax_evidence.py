"""Where a buyer is and what it is taxed as: what speaks for it, and what documents must say. No clock, no I/O."""

from dataclasses import dataclass
from enum import StrEnum

from tallygate.domain.countries import COUNTRIES, EU

GREECE, GREEK_PREFIX = "GR", "EL"
"""Tax ids of Greece begin otherwise than its country's code."""


class Treatment(StrEnum):
    """Why a line has no tax, by what e-invoices know of reasons; of TAXED ones there is a rate, or none is known."""

    TAXED = ""
    REVERSE_CHARGE = "reverse_charge"
    EXEMPT = "exempt"
    OUTSIDE = "outside"


class TaxIdStatus(StrEnum):
    """What was found out of a tax id; only VERIFIED shifts the tax to the buyer."""

    VERIFIED = "verified"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxIdCheck:
    """What was found out of a tax id, by whom and when.

    `source` is the register that was asked, or "person"; then `confirmed_by` says whose word it is, and `key_id` with
    which key it was given. `reference` is what the source gave to prove it by, `name` who holds the id as it says.
    """

    tax_id: str
    country: str
    status: TaxIdStatus
    source: str
    check_time: int
    confirmed_by: str = ""
    key_id: str = ""
    reference: str = ""
    name: str = ""


class EvidenceKind(StrEnum):
    """What tells in which country a buyer is (Implementing Regulation (EU) No 282/2011, article 24f)."""

    BILLING_ADDRESS = "billing_address"
    TAX_ID = "tax_id"
    IP_ADDRESS = "ip_address"
    BANK = "bank"
    SIM_CARD = "sim_card"
    LANDLINE = "landline"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One piece of it; `detail` is where it comes from, and never the address or the id itself."""

    kind: EvidenceKind
    country: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxExemption:
    """Why a buyer pays no tax in a country (empty: anywhere) or a region of it, from a local day on until another.

    `since` is inclusive, `until` exclusive; empty: without end. `certificate` is the number of what proves it.
    """

    reason: str
    certificate: str = ""
    country: str = ""
    region: str = ""
    since: str = ""
    until: str = ""

    def holds(self, *, country: str, region: str, day: str) -> bool:
        """Whether it does in a place on a day."""
        place = self.country in {"", country} and self.region in {"", region}
        return place and self.since <= day and (not self.until or day < self.until)

    @property
    def note(self) -> str:
        """What documents say."""
        return f"{self.reason} (certificate {self.certificate})" if self.certificate else self.reason


REVERSE_CHARGE = "Reverse charge: the recipient is liable for the tax (Directive 2006/112/EC, articles 44 and 196)"
"""What the law of the European Union has documents say (article 226, point 11a)."""

_REVERSE_CHARGE = {
    "AT": "Übergang der Steuerschuld auf den Leistungsempfänger (§ 19 Abs. 1 UStG)",
    "BE": "Autoliquidation / Btw verlegd (art. 51, § 2, CTVA / WBTW)",
    "DE": "Steuerschuldnerschaft des Leistungsempfängers (§ 13b UStG)",
    "ES": "Inversión del sujeto pasivo (art. 84.Uno.2.º LIVA)",
    "FR": "Autoliquidation (art. 283-2 du CGI)",
    "IT": "Inversione contabile (art. 7-ter D.P.R. 633/1972)",
    "NL": "Btw verlegd (art. 12 Wet OB 1968)",
    "PL": "Odwrotne obciążenie (art. 28b ustawy o VAT)",
    "PT": "IVA - autoliquidação (art. 6.º CIVA)",
    "SE": "Omvänd betalningsskyldighet (6 kap. 34 § ML)",
}


def reverse_charge_note(seller_country: str) -> str:
    """What a seller's documents say where the recipient owes the tax: in words of its own law, and the Union's."""
    own = _REVERSE_CHARGE.get(seller_country)
    return f"{own}. {REVERSE_CHARGE}" if own else REVERSE_CHARGE


def country_of(tax_id: str) -> str:
    """The member state of the European Union that a tax id begins with; empty: none."""
    prefix = "".join(tax_id.split())[:2].upper()
    country = GREECE if prefix == GREEK_PREFIX else prefix
    return country if country in EU else ""


def is_vat_id(tax_id: str) -> bool:
    """Whether it begins with a country, as numbers of value added tax do, and those of tax offices do not."""
    return tax_id[:2] in COUNTRIES or tax_id[:2] == GREEK_PREFIX
