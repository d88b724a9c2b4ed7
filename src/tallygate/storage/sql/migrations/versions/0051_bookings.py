"""Seats and users that subscriptions book: paid whether they are taken or not."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("bookings", sa.JSON()))


def downgrade() -> None:
    op.drop_column("subscriptions", "bookings")
