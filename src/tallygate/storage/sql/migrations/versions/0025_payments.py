"""Payments: gateways, methods, attempts, money that came and whose it became, dunning; and the fake gateway's books."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tallygate.storage.sql.billing.append_only import statements

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_TABLES = (
    "payment_gateways",
    "payment_methods",
    "payment_attempts",
    "payments",
    "payment_allocations",
    "dunning_cases",
    "fake_charges",
)


def upgrade() -> None:
    op.create_table(
        "payment_gateways",
        *_texts("tenant_id", "name"),
        sa.Column("create_time", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name="pk_payment_gateways"),
    )
    _methods()
    _attempts()
    _payments()
    op.create_table(
        "dunning_cases",
        *_texts("tenant_id", "account_id", "currency"),
        sa.Column("start_time", _INSTANT, nullable=False),
        sa.Column("tried", sa.Integer(), nullable=False),
        sa.Column("retry_time", _INSTANT, nullable=True),
        sa.Column("at_once", sa.Boolean(), nullable=False),
        *_texts("refused"),
        sa.PrimaryKeyConstraint("tenant_id", "account_id", "currency", name="pk_dunning_cases"),
    )
    _fake_charges()


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind IN ('collect', 'resolve_attempt')")
    for table in reversed(_TABLES):
        op.drop_table(table)


def _texts(*names: str) -> list["sa.Column[str]"]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _unique(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=True, sqlite_where=condition, postgresql_where=condition)


def _methods() -> None:
    op.create_table(
        "payment_methods",
        *_texts("tenant_id", "method_id", "account_id", "gateway", "token", "brand", "last4"),
        sa.Column("expiry_year", sa.Integer(), nullable=False),
        sa.Column("expiry_month", sa.Integer(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("create_time", _INSTANT, nullable=False),
        sa.Column("detach_time", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "method_id", name="pk_payment_methods"),
    )
    op.create_index("ix_payment_methods_account", "payment_methods", ["tenant_id", "account_id", "create_time"])
    _unique("uq_payment_methods_default", "payment_methods", ["tenant_id", "account_id"], "is_default")


def _attempts() -> None:
    op.create_table(
        "payment_attempts",
        *_texts("tenant_id", "attempt_id", "account_id", "invoice_id", "currency"),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("shares", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        *_texts("gateway", "method_id", "token", "text", "cause", "state", "advice", "reason", "gateway_id"),
        *_texts("next_action_url"),
        sa.Column("create_time", _INSTANT, nullable=False),
        sa.Column("end_time", _INSTANT, nullable=True),
        sa.Column("sent_until", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "attempt_id", name="pk_payment_attempts"),
        sa.CheckConstraint("amount > 0", name="ck_payment_attempts_amount"),
    )
    for name, columns in (
        ("account", ["account_id", "create_time", "attempt_id"]),
        ("time", ["create_time", "attempt_id"]),
    ):
        op.create_index(f"ix_payment_attempts_{name}", "payment_attempts", ["tenant_id", *columns])
    unresolved, in_flight = "state IN ('sending', 'unknown', 'pending')", "state IN ('sending', 'unknown')"
    _unique("uq_payment_attempts_invoice", "payment_attempts", ["tenant_id", "invoice_id"], unresolved)
    _unique("uq_payment_attempts_account", "payment_attempts", ["tenant_id", "account_id", "currency"], in_flight)


def _payments() -> None:
    op.create_table(
        "payments",
        *_texts("tenant_id", "payment_id", "account_id", "currency"),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        *_texts("kind", "gateway", "gateway_id", "reference"),
        sa.Column("create_time", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "payment_id", name="pk_payments"),
        sa.CheckConstraint("amount > 0", name="ck_payments_amount"),
    )
    for name, columns in (
        ("account", ["account_id", "create_time", "payment_id"]),
        ("time", ["create_time", "payment_id"]),
    ):
        op.create_index(f"ix_payments_{name}", "payments", ["tenant_id", *columns])
    op.create_table(
        "payment_allocations",
        *_texts("tenant_id", "payment_id"),
        sa.Column("number", sa.Integer(), nullable=False),
        *_texts("invoice_id"),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "payment_id", "number", name="pk_payment_allocations"),
    )
    op.create_index("ix_payment_allocations_invoice", "payment_allocations", ["tenant_id", "invoice_id"])
    for table in ("payments", "payment_allocations"):
        for statement in statements(table, dialect=op.get_context().dialect.name):
            op.execute(statement)


def _fake_charges() -> None:
    op.create_table(
        "fake_charges",
        *_texts("tenant_id", "key", "charge_id", "account_id", "token", "currency"),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        *_texts("state"),
        sa.Column("create_time", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name="pk_fake_charges"),
        sa.UniqueConstraint("tenant_id", "charge_id", name="uq_fake_charges_charge_id"),
    )
    op.create_index("ix_fake_charges_token", "fake_charges", ["tenant_id", "account_id", "token"])
