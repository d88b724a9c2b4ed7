"""Overrides of rate limits, and when an account last lost one."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("limits_time", sa.DateTime(timezone=True), nullable=True))
    for name, kind, empty in (("limit_key", sa.Text(), ""), ("rate_limit", sa.JSON(), "{}")):
        op.add_column("overrides", sa.Column(name, kind, nullable=False, server_default=empty))
        if op.get_context().dialect.name == "postgresql":  # SQLite cannot drop a default, and needs one to add a column
            op.alter_column("overrides", name, server_default=None)


def downgrade() -> None:
    op.execute("DELETE FROM overrides WHERE limit_key <> ''")
    op.drop_column("overrides", "rate_limit")
    op.drop_column("overrides", "limit_key")
    op.drop_column("accounts", "limits_time")
