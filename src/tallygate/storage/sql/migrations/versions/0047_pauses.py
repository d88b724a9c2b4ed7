"""Pauses of subscriptions; the last one stands beside them, so that a list can tell who is paused."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("pauses", sa.JSON()),
    ("pause_time", sa.DateTime(timezone=True)),
    ("resume_time", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    for name, kind in _COLUMNS:
        op.add_column("subscriptions", sa.Column(name, kind))


def downgrade() -> None:
    for name, _ in reversed(_COLUMNS):
        op.drop_column("subscriptions", name)
