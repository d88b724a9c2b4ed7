"""What an order sells to somebody else than who pays is of a period."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

_COLUMNS = ("period_start", "period_end")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("fees", sa.Column(name, sa.DateTime(timezone=True)))


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column("fees", name)
