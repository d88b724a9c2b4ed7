"""Of which category the tax of documents is; until now all of it was of the standard one."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invoice_taxes", sa.Column("category", sa.Text()))


def downgrade() -> None:
    op.drop_column("invoice_taxes", "category")
