"""How many seats and users accounts had, and since when; what stands counts from the account's creation."""

import sqlalchemy as sa
from alembic import op

from tallygate.storage.sql.billing.append_only import statements

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_OPENING = """
INSERT INTO quantity_changes (tenant_id, account_id, source, change_id, change_time, quantity)
SELECT held.tenant_id, held.account_id, held.source, 1, accounts.create_time, held.quantity FROM (
  SELECT tenant_id, account_id, '' AS source, count(*) AS quantity FROM account_users GROUP BY tenant_id, account_id
  UNION ALL
  SELECT tenant_id, account_id, feature_key, count(*) FROM seats GROUP BY tenant_id, account_id, feature_key
) AS held JOIN accounts ON accounts.tenant_id = held.tenant_id AND accounts.account_id = held.account_id
"""


def upgrade() -> None:
    op.create_table(
        "quantity_changes",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "account_id", "source")),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.Column("change_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "account_id", "source", "change_id", name="pk_quantity_changes"),
    )
    op.execute(_OPENING)
    for statement in statements("quantity_changes", dialect=op.get_context().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("quantity_changes")
