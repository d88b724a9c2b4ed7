"""Facts that came after the close of their period, and those that are charged nowhere, with why."""

import sqlalchemy as sa
from alembic import op

from tallygate.storage.sql.billing.append_only import statements

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "usage_cursors",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_usage_cursors"),
    )
    op.create_table(
        "late_usage",
        *_fact(),
        sa.PrimaryKeyConstraint("tenant_id", "sequence", name="pk_late_usage"),
    )
    op.create_index("ix_late_usage_account", "late_usage", ["tenant_id", "account_id"])
    op.create_table(
        "unrated_facts",
        *_fact(),
        sa.Column("price_key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "sequence", "price_key", name="pk_unrated_facts"),
    )
    for statement in statements("unrated_facts", dialect=op.get_context().dialect.name):
        op.execute(statement)
    # What is in the log by now was there when its period was closed, or lies in one that is still open.
    op.execute("INSERT INTO usage_cursors SELECT tenant_id, last_sequence FROM event_sequences")


def downgrade() -> None:
    for table in ("unrated_facts", "late_usage", "usage_cursors"):
        op.drop_table(table)


def _fact() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("feature_key", sa.Text(), nullable=False),
        sa.Column("occurred_time", sa.DateTime(timezone=True), nullable=False),
    )
