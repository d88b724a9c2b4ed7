"""How shares are rounded."""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("share_terms", sa.Column("rounding", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("share_terms", "rounding")
