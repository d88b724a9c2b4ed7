"""The tables of payments; amounts are minor units beside their currency. No card number is anywhere in them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from tallygate.storage.sql.billing.tables import DOCUMENT
from tallygate.storage.sql.models import Base, Instant
from tallygate.storage.sql.newest import sequence_of

_UNRESOLVED = text("state IN ('sending', 'unknown', 'pending')")
_IN_FLIGHT = text("state IN ('sending', 'unknown')")
_LIVE_DEFAULT = text("is_default")

payment_gateways = Table(
    "payment_gateways",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("create_time", Instant(), nullable=False),
    Column("credentials", Text, nullable=False, server_default=""),
    Column("secrets", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("tenant_id", "name"),
)

gateway_events = Table(
    "gateway_events",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("effect", Text, nullable=False),
    Column("problem", Text, nullable=False, server_default=""),
    Column("digest", Text, nullable=False),
    Column("time", Instant(), nullable=False),
    Column("create_time", Instant(), nullable=False),
    PrimaryKeyConstraint("tenant_id", "gateway", "event_id"),
    Index("ix_gateway_events_subject", "tenant_id", "subject"),
    *sequence_of("gateway_events"),
    Index("ix_gateway_events_time", "tenant_id", "create_time", "sequence"),
)
"""What gateways told by themselves, and what followed from it; append-only."""

payment_methods = Table(
    "payment_methods",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("method_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("brand", Text, nullable=False),
    Column("last4", Text, nullable=False),
    Column("expiry_year", Integer, nullable=False),
    Column("expiry_month", Integer, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("create_time", Instant(), nullable=False),
    Column("detach_time", Instant()),
    PrimaryKeyConstraint("tenant_id", "method_id"),
    *sequence_of("payment_methods"),
    Index("ix_payment_methods_account", "tenant_id", "account_id", "create_time", "sequence"),
    Index(
        "uq_payment_methods_default",
        "tenant_id",
        "account_id",
        unique=True,
        sqlite_where=_LIVE_DEFAULT,
        postgresql_where=_LIVE_DEFAULT,
    ),
)

payment_attempts = Table(
    "payment_attempts",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("attempt_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("invoice_id", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("shares", DOCUMENT, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("method_id", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("advice", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("gateway_id", Text, nullable=False),
    Column("next_action_url", Text, nullable=False),
    Column("create_time", Instant(), nullable=False),
    Column("end_time", Instant()),
    Column("sent_until", Instant(), nullable=False),
    PrimaryKeyConstraint("tenant_id", "attempt_id"),
    CheckConstraint("amount > 0", name="amount"),
    *sequence_of("payment_attempts"),
    Index("ix_payment_attempts_account", "tenant_id", "account_id", "create_time", "sequence"),
    Index("ix_payment_attempts_time", "tenant_id", "create_time", "sequence"),
    Index(
        "uq_payment_attempts_invoice",
        "tenant_id",
        "invoice_id",
        unique=True,
        sqlite_where=_UNRESOLVED,
        postgresql_where=_UNRESOLVED,
    ),
    Index(
        "uq_payment_attempts_account",
        "tenant_id",
        "account_id",
        "currency",
        unique=True,
        sqlite_where=_IN_FLIGHT,
        postgresql_where=_IN_FLIGHT,
    ),
)

payments = Table(
    "payments",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("payment_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("gateway_id", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("create_time", Instant(), nullable=False),
    PrimaryKeyConstraint("tenant_id", "payment_id"),
    CheckConstraint("amount > 0", name="amount"),
    *sequence_of("payments"),
    Index("ix_payments_account", "tenant_id", "account_id", "create_time", "sequence"),
    Index("ix_payments_time", "tenant_id", "create_time", "sequence"),
    Index("ix_payments_gateway", "tenant_id", "gateway", "gateway_id"),
)

payment_allocations = Table(
    "payment_allocations",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("payment_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("invoice_id", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "payment_id", "number"),
    Index("ix_payment_allocations_invoice", "tenant_id", "invoice_id"),
)

refunds = Table(
    "refunds",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("refund_id", Text, nullable=False),
    Column("credit_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("invoice_id", Text, nullable=False),
    Column("note_id", Text, nullable=False),
    Column("payment_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("charge_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("advice", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("gateway_id", Text, nullable=False),
    Column("create_time", Instant(), nullable=False),
    Column("end_time", Instant()),
    Column("sent_until", Instant(), nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("try_time", Instant()),
    PrimaryKeyConstraint("tenant_id", "refund_id"),
    CheckConstraint("amount > 0", name="amount"),
    Index("ix_refunds_credit", "tenant_id", "credit_id"),
    Index("ix_refunds_invoice", "tenant_id", "invoice_id"),
    *sequence_of("refunds"),
    Index("ix_refunds_account", "tenant_id", "account_id", "create_time", "sequence"),
    Index("ix_refunds_time", "tenant_id", "create_time", "sequence"),
    Index("ix_refunds_unresolved", "tenant_id", "currency", sqlite_where=_UNRESOLVED, postgresql_where=_UNRESOLVED),
)

disputes = Table(
    "disputes",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("dispute_id", Text, nullable=False),
    Column("payment_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("fee", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("shares", DOCUMENT, nullable=False),
    Column("create_time", Instant(), nullable=False),
    Column("end_time", Instant()),
    PrimaryKeyConstraint("tenant_id", "gateway", "dispute_id"),
    CheckConstraint("amount > 0", name="amount"),
    *sequence_of("disputes"),
    Index("ix_disputes_account", "tenant_id", "account_id", "create_time", "sequence"),
    Index("ix_disputes_time", "tenant_id", "create_time", "sequence"),
    Index("ix_disputes_payment", "tenant_id", "payment_id"),
)

dunning_cases = Table(
    "dunning_cases",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("start_time", Instant(), nullable=False),
    Column("tried", Integer, nullable=False),
    Column("retry_time", Instant()),
    Column("at_once", Boolean, nullable=False),
    Column("refused", Text, nullable=False),
    Column("canceled", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("tenant_id", "account_id", "currency"),
)

payment_accounts = Table(
    "payment_accounts",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("collect", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "account_id"),
)
"""Accounts whose invoices are collected otherwise than the catalogue says."""

fake_charges = Table(
    "fake_charges",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("charge_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("create_time", Instant(), nullable=False),
    PrimaryKeyConstraint("tenant_id", "key"),
    UniqueConstraint("tenant_id", "charge_id", name="uq_fake_charges_charge_id"),
    Index("ix_fake_charges_token", "tenant_id", "account_id", "token"),
)
"""What the built-in fake gateway was asked for, and did: its own books, as another house would keep them."""

fake_refunds = Table(
    "fake_refunds",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("refund_id", Text, nullable=False),
    Column("charge_key", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("create_time", Instant(), nullable=False),
    PrimaryKeyConstraint("tenant_id", "key"),
    Index("ix_fake_refunds_charge", "tenant_id", "charge_key"),
)
"""What the built-in fake gateway gave back."""

fake_events = Table(
    "fake_events",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("due_time", Instant()),
    Column("tries", Integer, nullable=False),
    PrimaryKeyConstraint("tenant_id", "event_id"),
    Index("ix_fake_events_due", "due_time"),
)
"""What the built-in fake gateway has to tell by itself: its own books, too."""
