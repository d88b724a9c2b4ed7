"""Tables of charges that apps tell."""

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table, Text

from tallygate.storage.sql.billing.tables import DOCUMENT
from tallygate.storage.sql.models import Base, Instant

charge_limits = Table(
    "charge_limits",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("subscription_id", Text, nullable=False),
    Column("number", Integer, nullable=False, autoincrement=False),
    Column("account_id", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("create_time", Instant(), nullable=False),
    Column("actor_id", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "subscription_id", "number"),
)

charge_runs = Table(
    "charge_runs",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("subscription_id", Text, nullable=False),
    Column("period_start", Instant(), nullable=False),
    Column("account_id", Text, nullable=False),
    Column("product_key", Text, nullable=False),
    Column("period_end", Instant(), nullable=False),
    Column("state", Text, nullable=False),
    Column("reasons", DOCUMENT, nullable=False),
    Column("charge_ids", DOCUMENT, nullable=False),
    Column("currency", Text, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("told", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_time", Instant(), nullable=False),
    Column("update_time", Instant(), nullable=False),
    PrimaryKeyConstraint("tenant_id", "subscription_id", "period_start"),
    Index("ix_charge_runs_account", "tenant_id", "account_id", "period_start"),
)
