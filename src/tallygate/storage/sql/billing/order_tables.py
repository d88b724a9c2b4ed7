"""Tables of orders, and of claims for what they sold."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from tallygate.storage.sql.billing.tables import DOCUMENT
from tallygate.storage.sql.models import Base, Instant
from tallygate.storage.sql.newest import sequence_of

orders = Table(
    "orders",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("create_time", Instant(), nullable=False),
    Column("doc", DOCUMENT, nullable=False),
    PrimaryKeyConstraint("tenant_id", "order_id"),
    *sequence_of("orders"),
    Index("ix_orders_newest", "tenant_id", "create_time", "sequence"),
    Index("ix_orders_account", "tenant_id", "account_id", "create_time", "sequence"),
)

claims = Table(
    "claims",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("code_hash", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("item", Integer, nullable=False),
    Column("email", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("subscription_id", Text, nullable=False),
    Column("create_time", Instant(), nullable=False),
    Column("redeem_time", Instant()),
    PrimaryKeyConstraint("tenant_id", "code_hash"),
    UniqueConstraint("tenant_id", "order_id", "item", name="uq_claims_item"),
)

replaced_claims = Table(
    "replaced_claims",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("code_hash", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("item", Integer, nullable=False),
    Column("replace_time", Instant(), nullable=False),
    PrimaryKeyConstraint("tenant_id", "code_hash"),
)
"""Codes that another one took the place of: they are refused by name."""
