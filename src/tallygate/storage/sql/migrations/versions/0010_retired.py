"""Grants and overrides that ended too long ago to matter leave the account's record."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("grants", "overrides"):
        op.add_column(table, sa.Column("retired", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for table in ("grants", "overrides"):
        op.drop_column(table, "retired")
