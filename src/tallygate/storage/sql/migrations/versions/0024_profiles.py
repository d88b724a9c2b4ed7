"""Who accounts and the seller are on documents, and the parties of each document as they were printed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "billing_profiles",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("party", _DOCUMENT, nullable=False),
        sa.Column("tax_exemption", sa.Text(), nullable=False),
        sa.Column("update_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "account_id", name="pk_billing_profiles"),
    )
    op.create_table(
        "invoice_parties",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("seller", _DOCUMENT, nullable=False),
        sa.Column("buyer", _DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "invoice_id", name="pk_invoice_parties"),
    )
    op.add_column("invoices", sa.Column("parties_hash", sa.Text()))


def downgrade() -> None:
    op.drop_column("invoices", "parties_hash")
    op.drop_table("invoice_parties")
    op.drop_table("billing_profiles")
