"""What a gateway refuses to give back for now is asked for again."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("refunds", sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("refunds", sa.Column("try_time", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("refunds", "try_time")
    op.drop_column("refunds", "tries")
