"""Keys that are bound to an account."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("account_id", sa.Text()))


def downgrade() -> None:
    op.drop_column("api_keys", "account_id")
