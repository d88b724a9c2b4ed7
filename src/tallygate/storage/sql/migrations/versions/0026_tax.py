"""The tax of documents, and which issued line a line credits: no line had tax until now, so none has to know before."""

import sqlalchemy as sa
from alembic import op

from tallygate.storage.sql.billing.append_only import statements

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invoice_lines", sa.Column("source_line", sa.Text()))
    op.create_index("ix_invoice_lines_source", "invoice_lines", ["tenant_id", "source_line"])
    op.create_table(
        "invoice_taxes",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("country", "region", "name", "rate", "note")),
        sa.Column("base", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "invoice_id", "place", name="pk_invoice_taxes"),
    )
    for statement in statements("invoice_taxes", dialect=op.get_context().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("invoice_taxes")
    op.drop_index("ix_invoice_lines_source", "invoice_lines")
    op.drop_column("invoice_lines", "source_line")
