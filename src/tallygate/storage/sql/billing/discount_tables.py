"""Tables of discounts by agreement, of referrals, and of coupons that were given back."""

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, Table, Text

from tallygate.storage.sql.billing.tables import DOCUMENT
from tallygate.storage.sql.models import Base, Instant

discount_grants = Table(
    "discount_grants",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("discount_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("terms", DOCUMENT, nullable=False),
    Column("start_time", Instant(), nullable=False),
    Column("end_time", Instant()),
    Column("create_time", Instant(), nullable=False),
    PrimaryKeyConstraint("tenant_id", "discount_id"),
    Index("ix_discount_grants_account", "tenant_id", "account_id", "create_time"),
)

referrals = Table(
    "referrals",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("referee_id", Text, nullable=False),
    Column("referrer_id", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("create_time", Instant(), nullable=False),
    Column("invoice_id", Text, nullable=False),
    Column("credited", BigInteger, nullable=False),
    Column("earn_time", Instant()),
    Column("return_time", Instant()),
    PrimaryKeyConstraint("tenant_id", "referee_id"),
    Index("ix_referrals_referrer", "tenant_id", "referrer_id", "create_time"),
)

coupon_returns = Table(
    "coupon_returns",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("redemption_id", Text, nullable=False),
    Column("return_time", Instant(), nullable=False),
    PrimaryKeyConstraint("tenant_id", "redemption_id"),
)
