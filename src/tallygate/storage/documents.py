"""Domain values as JSON documents, for Redis and SQL alike; unknown fields of newer versions are ignored."""

from typing import Any

from pydantic import TypeAdapter

from tallygate.domain.account import AccountRecord, Booking, Pause
from tallygate.domain.billing.balances import Balance
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.discounts import DiscountTerms
from tallygate.domain.billing.documents import Basis
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.orders import Order
from tallygate.domain.billing.parties import Party
from tallygate.domain.billing.tax_evidence import Evidence, TaxExemption, TaxIdCheck
from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.catalog import AddOn, CatalogSnapshot, Entitlement, Feature, FormerDefault, FormerZone, Plan
from tallygate.domain.credential import KeyRecord
from tallygate.domain.limits import RateLimit, RateLimitRule
from tallygate.domain.prices import Price
from tallygate.domain.products import ExchangeRate, Product
from tallygate.records.values import StoredSubscription

SNAPSHOT = TypeAdapter(CatalogSnapshot)
ACCOUNT = TypeAdapter(AccountRecord)
KEY = TypeAdapter(KeyRecord)
FEATURE = TypeAdapter(Feature)
RATE_LIMIT = TypeAdapter(RateLimitRule)
PLAN = TypeAdapter(Plan)
ADD_ON = TypeAdapter(AddOn)
PRODUCT = TypeAdapter(Product)
EXCHANGE_RATE = TypeAdapter(ExchangeRate)
ENTITLEMENT = TypeAdapter(Entitlement)
HELD_SUBSCRIPTION = TypeAdapter(StoredSubscription)
PRICE = TypeAdapter(Price)
DISCOUNT_TERMS = TypeAdapter(DiscountTerms)
LINE = TypeAdapter(Line)
ORDER = TypeAdapter(Order)
PAUSES = TypeAdapter(tuple[Pause, ...])
BOOKINGS = TypeAdapter(tuple[Booking, ...])
PARTY = TypeAdapter(Party)
TAX_FACTS: dict[str, TypeAdapter[Any]] = {
    "exemptions": TypeAdapter(tuple[TaxExemption, ...]),
    "checks": TypeAdapter(tuple[TaxIdCheck, ...]),
    "evidence": TypeAdapter(tuple[Evidence, ...]),
}
"""What profiles know of tax besides who somebody is, by the name of its field."""
AMOUNTS_POLICY = TypeAdapter(Policy)
BALANCE = TypeAdapter(Balance)
BASIS = TypeAdapter(Basis)
BILLING = TypeAdapter(BillingPolicy)
FIGURES = TypeAdapter(RateLimit)
FORMER_ZONES = TypeAdapter(tuple[FormerZone, ...])
FORMER_DEFAULTS = TypeAdapter(tuple[FormerDefault, ...])
