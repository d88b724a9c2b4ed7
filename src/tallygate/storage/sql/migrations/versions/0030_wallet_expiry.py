"""Money in wallets that is taken out again where it is not spent in time."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("wallet_entries", sa.Column("expire_time", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind = 'expire'")
    op.drop_column("wallet_entries", "expire_time")
