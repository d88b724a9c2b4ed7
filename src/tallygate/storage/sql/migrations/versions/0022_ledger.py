"""The ledger: transfers, and the parts of lines that become income in time.

What was issued before is posted by jobs, account by account: no transaction holds a large table's worth of it.
"""

import sqlalchemy as sa
from alembic import op

from tallygate.storage.sql.billing.append_only import statements

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_FIRST = "1970-01-01 00:00:00"


def upgrade() -> None:
    _transfers()
    _recognitions()
    for table in ("ledger_transfers", "recognitions"):
        for statement in statements(table, dialect=op.get_context().dialect.name):
            op.execute(statement)
    first = f"'{_FIRST}.000000'" if op.get_context().dialect.name == "sqlite" else f"'{_FIRST}+00'::timestamptz"
    op.execute(
        "INSERT INTO jobs (tenant_id, kind, subject, due_time, retry_time, attempts, problem) "  # noqa: S608 - no input
        f"SELECT DISTINCT tenant_id, 'recognise', account_id, {first}, {first}, 0, '' FROM invoices"
    )


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind = 'recognise'")
    op.drop_table("recognitions")
    op.drop_table("ledger_transfers")


def _transfers() -> None:
    op.create_table(
        "ledger_transfers",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("effective_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("debit", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "entry_id", "line", name="pk_ledger_transfers"),
        sa.CheckConstraint("amount > 0", name="ck_ledger_transfers_amount"),
    )
    for name, columns in (
        ("time", ["effective_time", "entry_id", "line"]),
        ("account", ["account_id", "effective_time", "entry_id", "line"]),
        ("document", ["document_id"]),
        ("debit", ["debit", "currency", "effective_time", "amount"]),
        ("credit", ["credit", "currency", "effective_time", "amount"]),
    ):
        op.create_index(f"ix_ledger_transfers_{name}", "ledger_transfers", ["tenant_id", *columns])


def _recognitions() -> None:
    op.create_table(
        "recognitions",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("line_key", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("recognise_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "line_key", "part", name="pk_recognitions"),
    )
    op.create_index("ix_recognitions_account", "recognitions", ["tenant_id", "account_id", "recognise_time"])
    op.create_index("ix_recognitions_source", "recognitions", ["tenant_id", "source", "part"])
