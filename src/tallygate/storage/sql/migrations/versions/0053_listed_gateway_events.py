"""Gateway events are listed, with what of them does not fit the books."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("gateway_events", sa.Column("problem", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_gateway_events_time", "gateway_events", ["tenant_id", "create_time", "event_id"])


def downgrade() -> None:
    op.drop_index("ix_gateway_events_time", table_name="gateway_events")
    op.drop_column("gateway_events", "problem")
