"""The zone that an account is billed in, kept from its first invoice on."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("billing_accounts", sa.Column("zone", sa.Text(), nullable=False, server_default=""))
    if op.get_context().dialect.name == "postgresql":  # SQLite cannot drop a default, and needs one to add a column
        op.alter_column("billing_accounts", "zone", server_default=None)


def downgrade() -> None:
    op.drop_column("billing_accounts", "zone")
