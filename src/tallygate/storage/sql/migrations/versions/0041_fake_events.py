"""What the built-in fake gateway has to tell by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fake_events",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "event_id", "key", "state", "body")),
        sa.Column("due_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "event_id", name="pk_fake_events"),
    )
    op.create_index("ix_fake_events_due", "fake_events", ["due_time"])


def downgrade() -> None:
    op.drop_table("fake_events")
