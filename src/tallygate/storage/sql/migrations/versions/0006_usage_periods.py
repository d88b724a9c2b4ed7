"""What usage periods hang on besides the present: former zones, default plans and subscriptions.

Of what stands there is none: the zone, rule and anchor that an account has count as always so.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_REQUIRED = (
    ("tenants", "former_zones", sa.JSON(), "'[]'"),
    ("tenants", "former_defaults", sa.JSON(), "'[]'"),
    ("accounts", "former_zones", sa.JSON(), "'[]'"),
    ("subscriptions", "former", sa.Boolean(), "false"),
)


def upgrade() -> None:
    for table, name, kind, default in _REQUIRED:
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default=sa.text(default)))
    op.add_column("subscriptions", sa.Column("anchor_time", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("subscriptions", "anchor_time")
    for table, name, *_ in reversed(_REQUIRED):
        op.drop_column(table, name)
