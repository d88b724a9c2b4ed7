"""The tables of the ledger, which never change; amounts are minor units beside their currency."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, PrimaryKeyConstraint, Table, Text

from tallygate.storage.sql.models import Base, Instant

ledger_transfers = Table(
    "ledger_transfers",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("effective_time", Instant(), nullable=False),
    Column("account_id", Text, nullable=False),
    Column("debit", Text, nullable=False),
    Column("credit", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("document_id", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "entry_id", "line"),
    CheckConstraint("amount > 0", name="amount"),
    Index("ix_ledger_transfers_time", "tenant_id", "effective_time", "entry_id", "line"),
    Index("ix_ledger_transfers_account", "tenant_id", "account_id", "effective_time", "entry_id", "line"),
    Index("ix_ledger_transfers_document", "tenant_id", "document_id"),
    Index("ix_ledger_transfers_debit", "tenant_id", "debit", "currency", "effective_time", "amount"),
    Index("ix_ledger_transfers_credit", "tenant_id", "credit", "currency", "effective_time", "amount"),
)

recognitions = Table(
    "recognitions",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("line_key", Text, nullable=False),
    Column("part", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("document_id", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("recognise_time", Instant(), nullable=False),
    PrimaryKeyConstraint("tenant_id", "line_key", "part"),
    Index("ix_recognitions_account", "tenant_id", "account_id", "recognise_time"),
    Index("ix_recognitions_source", "tenant_id", "source", "part"),
)
