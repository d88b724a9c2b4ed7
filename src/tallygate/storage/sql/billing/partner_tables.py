"""The tables of those who earn beside the tenant; amounts are minor units beside their currency."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, Text

from tallygate.storage.sql.models import Base, Instant
from tallygate.storage.sql.newest import sequence_of

share_terms = Table(
    "share_terms",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("partner_id", Text, nullable=False),
    Column("proposed", Text, nullable=False),
    Column("accepted", Text, nullable=False),
    Column("fixed", BigInteger, nullable=False),
    Column("start_time", Instant(), nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("rounding", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("tenant_id", "sequence"),
)
"""What was agreed about shares; append-only."""

bills = Table(
    "bills",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("bill_id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("units", Text, nullable=False),
    Column("third_party", Boolean, nullable=False),
    Column("create_time", Instant(), nullable=False),
    Column("cancel_time", Instant()),
    Column("period_start", Instant()),
    Column("period_end", Instant()),
    *sequence_of("bills"),
    PrimaryKeyConstraint("tenant_id", "bill_id"),
    Index("ix_bills_time", "tenant_id", "create_time", "sequence"),
    Index("ix_bills_account", "tenant_id", "account_id", "create_time", "sequence"),
)

recurring_bills = Table(
    "recurring_bills",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("recurring_bill_id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("period", Text, nullable=False),
    Column("frequency", Integer, nullable=False),
    Column("cycles", Integer),
    Column("start_time", Instant(), nullable=False),
    Column("initial", BigInteger, nullable=False),
    Column("zone", Text, nullable=False),
    Column("made", Integer, nullable=False),
    Column("create_time", Instant(), nullable=False),
    Column("cancel_time", Instant()),
    PrimaryKeyConstraint("tenant_id", "recurring_bill_id"),
    Index("ix_recurring_bills_time", "tenant_id", "create_time"),
)
