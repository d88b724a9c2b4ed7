"""Tables of what was told of what happened, and of its delivery."""

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from tallygate.storage.sql.billing.tables import DOCUMENT
from tallygate.storage.sql.models import Base, Instant

outbox_messages = Table(
    "outbox_messages",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("invoice_id", Text, nullable=False),
    Column("create_time", Instant(), nullable=False),
    Column("facts", DOCUMENT, nullable=False),
    Column("balance", DOCUMENT, nullable=False),
    Column("actor_id", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "message_id"),
    UniqueConstraint("tenant_id", "sequence", name="uq_outbox_messages_sequence"),
    Index("ix_outbox_messages_account", "tenant_id", "account_id", "sequence"),
    Index("ix_outbox_messages_invoice", "tenant_id", "invoice_id", "sequence"),
)
"""No text of people: of documents their ids, and the balance that they had then."""

deliveries = Table(
    "deliveries",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("problem", Text, nullable=False),
    Column("sent_until", Instant(), nullable=False),
    Column("create_time", Instant(), nullable=False),
    Column("update_time", Instant(), nullable=False),
    PrimaryKeyConstraint("tenant_id", "message_id", "channel"),
    Index("ix_deliveries_state", "state", "update_time"),
)
