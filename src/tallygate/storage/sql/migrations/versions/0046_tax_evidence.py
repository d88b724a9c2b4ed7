"""Tax ids that were verified, exemptions, what tells a buyer's place; why there is no tax, and whose rate it is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("billing_profiles", sa.Column("tax_facts", _DOCUMENT))
    op.add_column("invoice_taxes", sa.Column("treatment", sa.Text()))
    op.add_column("invoice_taxes", sa.Column("source", sa.Text()))


def downgrade() -> None:
    op.drop_column("invoice_taxes", "source")
    op.drop_column("invoice_taxes", "treatment")
    op.drop_column("billing_profiles", "tax_facts")
