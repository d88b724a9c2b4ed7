"""Who sells and who buys, as documents print it. No clock, no I/O."""

import json
from dataclasses import asdict, dataclass, field
from hashlib import sha256


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
    """A seller or buyer, with the ids under which it pays tax."""

    name: str
    address: Address = field(default_factory=Address)
    email: str = ""
    tax_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingProfile:
    """Who an account is on documents; of the seller `account_id` is empty. `tax_exemption` is why it pays no tax.

    `group_buy`: it may buy for others.
    """

    account_id: str
    party: Party
    tax_exemption: str = ""
    update_time: int = 0
    group_buy: bool = False


def parties_hash(seller: Party | None, buyer: Party | None) -> str:
    """What a document keeps of its parties for ever, so that a change of them shows; empty where it has none."""
    if seller is None and buyer is None:
        return ""
    shown = [None if party is None else asdict(party) for party in (seller, buyer)]
    text = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()
