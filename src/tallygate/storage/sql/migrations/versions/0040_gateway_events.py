"""What gateways told by themselves, which never changes."""

import sqlalchemy as sa
from alembic import op

from tallygate.storage.sql.billing.append_only import statements

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_TEXTS = ("tenant_id", "gateway", "event_id", "kind", "subject", "effect", "digest")


def upgrade() -> None:
    op.create_table(
        "gateway_events",
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in ("time", "create_time")),
        sa.PrimaryKeyConstraint("tenant_id", "gateway", "event_id", name="pk_gateway_events"),
    )
    op.create_index("ix_gateway_events_subject", "gateway_events", ["tenant_id", "subject"])
    for statement in statements("gateway_events", dialect=op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("gateway_events")
