"""Overrides that were deleted: remembered for as long as a usage period hangs on them."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("overrides", sa.Column("delete_time", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.execute("DELETE FROM overrides WHERE delete_time IS NOT NULL")
    op.drop_column("overrides", "delete_time")
