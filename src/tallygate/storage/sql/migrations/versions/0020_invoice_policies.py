"""By which policy and in which zone an invoice's amounts were made, so that they can be made again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invoices", sa.Column("policy", sa.JSON().with_variant(JSONB(), "postgresql")))
    op.add_column("invoices", sa.Column("zone", sa.Text()))


def downgrade() -> None:
    op.drop_column("invoices", "zone")
    op.drop_column("invoices", "policy")
