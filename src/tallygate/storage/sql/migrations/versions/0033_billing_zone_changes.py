"""The zones that an account was billed in before: what was charged keeps its boundaries."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("billing_accounts", sa.Column("former_zones", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("billing_accounts", "former_zones")
