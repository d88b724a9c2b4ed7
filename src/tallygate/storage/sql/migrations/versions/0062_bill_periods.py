"""Bills say from when on and until when they are for."""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

_COLUMNS = ("period_start", "period_end")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("bills", sa.Column(name, sa.DateTime(timezone=True)))


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column("bills", name)
