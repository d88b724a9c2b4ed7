"""What tenants know of their payment gateways, sealed, and the names of it."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_COLUMNS = ("credentials", "secrets")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("payment_gateways", sa.Column(name, sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column("payment_gateways", name)
