"""Tables of how far usage is read, of what came behind a close, and of facts that nothing charges."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from tallygate.storage.sql.models import Base, Instant

usage_cursors = Table(
    "usage_cursors",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id"),
)

late_usage = Table(
    "late_usage",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("feature_key", Text, nullable=False),
    Column("occurred_time", Instant(), nullable=False),
    PrimaryKeyConstraint("tenant_id", "sequence"),
    Index("ix_late_usage_account", "tenant_id", "account_id"),
)

unrated_facts = Table(
    "unrated_facts",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("feature_key", Text, nullable=False),
    Column("occurred_time", Instant(), nullable=False),
    Column("price_key", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("note_time", Instant(), nullable=False),
    PrimaryKeyConstraint("tenant_id", "sequence", "price_key"),
)
