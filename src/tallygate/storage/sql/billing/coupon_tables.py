"""Tables of coupons, their redemptions, and the documents that those took from."""

from sqlalchemy import BigInteger, Boolean, Column, Index, PrimaryKeyConstraint, Table, Text

from tallygate.storage.sql.billing.tables import DOCUMENT
from tallygate.storage.sql.models import Base, Instant
from tallygate.storage.sql.newest import sequence_of

coupons = Table(
    "coupons",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("terms", DOCUMENT, nullable=False),
    Column("start_time", Instant(), nullable=False),
    Column("end_time", Instant(), nullable=False),
    Column("max_uses", BigInteger),
    Column("per_account", BigInteger),
    Column("archived", Boolean, nullable=False),
    Column("used", BigInteger, nullable=False),
    Column("create_time", Instant(), nullable=False),
    Column("provider", Text),
    PrimaryKeyConstraint("tenant_id", "code"),
    *sequence_of("coupons"),
    Index("ix_coupons_newest", "tenant_id", "create_time", "sequence"),
)

coupon_redemptions = Table(
    "coupon_redemptions",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("redemption_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("subscription_id", Text, nullable=False),
    Column("redeem_time", Instant(), nullable=False),
    Column("terms", DOCUMENT, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("order_id", Text),
    PrimaryKeyConstraint("tenant_id", "redemption_id"),
    Index("ix_coupon_redemptions_account", "tenant_id", "account_id", "redeem_time"),
)

coupon_uses = Table(
    "coupon_uses",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("redemption_id", Text, nullable=False),
    Column("invoice_id", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "redemption_id", "invoice_id"),
)
