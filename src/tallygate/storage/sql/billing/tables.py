"""The tables of billing. Rows of some never change: triggers of both databases refuse it (`append_only.py`).

Amounts are minor units beside their currency; what is not rounded yet is exact text.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from tallygate.storage.sql.models import Base, Instant
from tallygate.storage.sql.newest import sequence_of

DUE = "CASE WHEN state = 'void' THEN 0 ELSE total - paid - credited - wallet - written_off END"
"""What is left to pay of a document, as `domain.billing.balances` has it."""
DOCUMENT = JSON().with_variant(JSONB(), "postgresql")

billing_accounts = Table(
    "billing_accounts",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("closed_until", Instant(), nullable=False),
    Column("zone", Text, nullable=False, server_default=""),
    Column("former_zones", JSON, nullable=False),
    PrimaryKeyConstraint("tenant_id", "account_id"),
)

billing_profiles = Table(
    "billing_profiles",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("party", DOCUMENT, nullable=False),
    Column("tax_exemption", Text, nullable=False),
    Column("tax_facts", DOCUMENT),
    Column("update_time", Instant(), nullable=False),
    Column("group_buy", Boolean),
    PrimaryKeyConstraint("tenant_id", "account_id"),
)

invoices = Table(
    "invoices",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("invoice_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("series", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("period_start", Instant(), nullable=False),
    Column("period_end", Instant(), nullable=False),
    Column("issue_time", Instant(), nullable=False),
    Column("due_time", Instant(), nullable=False),
    Column("subtotal", BigInteger, nullable=False),
    Column("tax", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("policy", DOCUMENT),
    Column("zone", Text),
    Column("basis", DOCUMENT),
    Column("parties_hash", Text),
    PrimaryKeyConstraint("tenant_id", "invoice_id"),
    UniqueConstraint("tenant_id", "account_id", "kind", "cause", "revision", name="uq_invoices_cause"),
    UniqueConstraint("tenant_id", "series", "number", name="uq_invoices_number"),
    *sequence_of("invoices"),
    Index("ix_invoices_issue", "tenant_id", "issue_time", "sequence"),
    Index("ix_invoices_account", "tenant_id", "account_id", "issue_time", "sequence"),
)

invoice_lines = Table(
    "invoice_lines",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("invoice_id", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("line_key", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("usage_line", Text, nullable=False),
    Column("due_time", Instant(), nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("exact", Text, nullable=False),
    Column("doc", DOCUMENT, nullable=False),
    Column("source_line", Text),
    PrimaryKeyConstraint("tenant_id", "invoice_id", "line"),
    UniqueConstraint("tenant_id", "line_key", name="uq_invoice_lines_line_key"),
    Index("ix_invoice_lines_due", "tenant_id", "account_id", "due_time"),
    Index("ix_invoice_lines_usage", "tenant_id", "usage_line"),
    Index("ix_invoice_lines_source", "tenant_id", "source_line"),
)

invoice_taxes = Table(
    "invoice_taxes",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("invoice_id", Text, nullable=False),
    Column("place", Integer, nullable=False),
    *(Column(name, Text, nullable=False) for name in ("country", "region", "name", "rate", "note")),
    Column("category", Text),
    Column("treatment", Text),
    Column("source", Text),
    Column("base", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "invoice_id", "place"),
)

invoice_parties = Table(
    "invoice_parties",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("invoice_id", Text, nullable=False),
    Column("seller", DOCUMENT, nullable=False),
    Column("buyer", DOCUMENT, nullable=False),
    PrimaryKeyConstraint("tenant_id", "invoice_id"),
)

invoice_balances = Table(
    "invoice_balances",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("invoice_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("currency", Text, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in ("total", "paid", "credited", "wallet", "written_off")),
    Column("returned", BigInteger, nullable=False, server_default="0"),
    Column("state", Text, nullable=False),
    Column("due_time", Instant(), nullable=False),
    Column("due", BigInteger, Computed(DUE, persisted=True), nullable=False),
    PrimaryKeyConstraint("tenant_id", "invoice_id"),
    CheckConstraint("due >= 0", name="due"),
    Index("ix_invoice_balances_state", "tenant_id", "state"),
    Index("ix_invoice_balances_account", "tenant_id", "account_id", "state"),
)

wallet_entries = Table(
    "wallet_entries",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("create_time", Instant(), nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("invoice_id", Text, nullable=False),
    Column("expire_time", Instant()),
    Column("priority", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("tenant_id", "entry_id"),
    *sequence_of("wallet_entries"),
    Index("ix_wallet_entries_account", "tenant_id", "account_id", "create_time", "sequence"),
)

number_series = Table(
    "number_series",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("series", Text, nullable=False),
    Column("next_number", BigInteger, nullable=False),
    Column("last_issue_time", Instant(), nullable=False),
    PrimaryKeyConstraint("tenant_id", "series"),
)

jobs = Table(
    "jobs",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("due_time", Instant(), nullable=False),
    Column("retry_time", Instant(), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("problem", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "kind", "subject"),
    Index("ix_jobs_order", "due_time", "tenant_id", "subject"),
)

quantity_changes = Table(
    "quantity_changes",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("change_id", BigInteger, nullable=False),
    Column("change_time", Instant(), nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("proration", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "account_id", "source", "change_id"),
)

fees = Table(
    "fees",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("fee_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("create_time", Instant(), nullable=False),
    Column("currency", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("exact", Text, nullable=False),
    Column("quantity", Text, nullable=False),
    Column("unit_amount", Text, nullable=False),
    Column("offsets", Text, nullable=False),
    Column("order_id", Text),
    Column("subscriber", Text),
    Column("price", Text),
    Column("tax_category", Text),
    Column("period_start", Instant()),
    Column("period_end", Instant()),
    PrimaryKeyConstraint("tenant_id", "fee_id"),
    *sequence_of("fees"),
    Index("ix_fees_account", "tenant_id", "account_id", "create_time", "sequence"),
    Index("ix_fees_offsets", "tenant_id", "offsets"),
)


subscription_changes = Table(
    "subscription_changes",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("change_time", Instant(), nullable=False),
    Column("subscription_id", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("before", DOCUMENT, nullable=False),
    Column("after", DOCUMENT, nullable=False),
    PrimaryKeyConstraint("tenant_id", "account_id", "sequence"),
)

price_overrides = Table(
    "price_overrides",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("override_id", Text, nullable=False),
    Column("ends", Text, nullable=False),
    Column("bundle", Text, nullable=False),
    Column("price_key", Text, nullable=False),
    Column("price", DOCUMENT, nullable=False),
    Column("start_time", Instant(), nullable=False),
    Column("end_time", Instant()),
    Column("create_time", Instant(), nullable=False),
    Column("actor_id", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "account_id", "override_id"),
)
