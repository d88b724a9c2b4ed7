"""Drafts of invoices under review, and the tax category of fees."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invoice_drafts",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "invoice_id", "account_id")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "cause")),
        sa.Column("cut_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "invoice_id", name="pk_invoice_drafts"),
        sa.UniqueConstraint("tenant_id", "account_id", "kind", "cause", name="uq_invoice_drafts_cause"),
    )
    op.create_index("ix_invoice_drafts_cut", "invoice_drafts", ["tenant_id", "cut_time", "invoice_id"])
    op.add_column("fees", sa.Column("tax_category", sa.Text()))


def downgrade() -> None:
    op.drop_column("fees", "tax_category")
    op.drop_table("invoice_drafts")
