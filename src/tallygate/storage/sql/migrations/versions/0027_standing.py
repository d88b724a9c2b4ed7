"""What accounts are for what they did not pay, and whether their invoices are collected by themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("standing", sa.Text(), nullable=False, server_default=""))
    op.add_column("dunning_cases", sa.Column("canceled", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "payment_accounts",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "account_id", "collect")),
        sa.PrimaryKeyConstraint("tenant_id", "account_id", name="pk_payment_accounts"),
    )


def downgrade() -> None:
    op.drop_table("payment_accounts")
    op.drop_column("dunning_cases", "canceled")
    op.drop_column("accounts", "standing")
