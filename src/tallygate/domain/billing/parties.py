"""Who sells and who buys, as documents print it. No clock, no I/O."""

import json
from dataclasses import asdict, dataclass, field
from hashlib import sha256

from tallygate.domain.billing.tax_evidence import Evidence, TaxExemption, TaxIdCheck, TaxIdStatus

_LATER = frozenset(
    {
        "registration_id",
        "electronic_address",
        "electronic_scheme",
        "iban",
        "bic",
        "payment_terms",
        "reference",
        "locale",
    }
)
"""What parties had not from the first: left out where it is not there, so that the hash of older ones stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address; `region` is of ISO 3166-2 without its country, `country` of ISO 3166-1."""

    lines: tuple[str, ...] = ()
    city: str = ""
    postal_code: str = ""
    region: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A seller or buyer, with the ids under which it pays tax.

    `registration_id` is of a register of companies; `electronic_address` is where e-invoices go, in a scheme of the EAS
    list (ISO/IEC 6523), as 9930. A seller's `iban`, `bic` and `payment_terms` say how it is paid; a buyer's `reference`
    is what it wants on its documents, `locale` in which language they are.
    """

    name: str
    address: Address = field(default_factory=Address)
    email: str = ""
    tax_ids: tuple[str, ...] = ()
    registration_id: str = ""
    electronic_address: str = ""
    electronic_scheme: str = ""
    iban: str = ""
    bic: str = ""
    payment_terms: str = ""
    reference: str = ""
    locale: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingProfile:
    """Who an account is on documents; of the seller `account_id` is empty.

    `tax_exemption` is why it pays no tax at all, `exemptions` why none in a place or time. `checks` are what was found
    out of its tax ids, `evidence` what else tells its country besides its address. `group_buy`: it may buy for others.
    """

    account_id: str
    party: Party
    tax_exemption: str = ""
    exemptions: tuple[TaxExemption, ...] = ()
    checks: tuple[TaxIdCheck, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    update_time: int = 0
    group_buy: bool = False

    def verified(self, country: str) -> TaxIdCheck | None:
        """What verifies that it has a tax id of a country."""
        held = (check for check in self.checks if check.tax_id in self.party.tax_ids and check.country == country)
        return next((check for check in held if check.status is TaxIdStatus.VERIFIED), None)


def parties_hash(seller: Party | None, buyer: Party | None) -> str:
    """What a document keeps of its parties for ever, so that a change of them shows; empty where it has none."""
    if seller is None and buyer is None:
        return ""
    shown = [None if party is None else _told(party) for party in (seller, buyer)]
    text = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()


def _told(party: Party) -> dict[str, object]:
    return {name: value for name, value in asdict(party).items() if value or name not in _LATER}
