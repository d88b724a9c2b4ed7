"""What was agreed with those who earn beside the tenant, and what providers billed."""

import sqlalchemy as sa
from alembic import op

from tallygate.storage.sql.billing.append_only import statements

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "share_terms",
        *_text("tenant_id"),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        *_text("kind", "provider", "account_id", "partner_id", "proposed", "accepted"),
        sa.Column("fixed", sa.BigInteger(), nullable=False),
        _instant("start_time"),
        *_text("actor_id"),
        sa.PrimaryKeyConstraint("tenant_id", "sequence", name="pk_share_terms"),
    )
    op.create_table(
        "bills",
        *_text("tenant_id", "bill_id", "provider", "account_id", "text", "currency"),
        sa.Column("price", sa.BigInteger(), nullable=False),
        *_text("units"),
        sa.Column("third_party", sa.Boolean(), nullable=False),
        _instant("create_time"),
        _instant("cancel_time", nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("tenant_id", "bill_id", name="pk_bills"),
    )
    op.create_index("ix_bills_sequence", "bills", ["sequence"])
    op.create_index("ix_bills_time", "bills", ["tenant_id", "create_time", "sequence"])
    op.create_index("ix_bills_account", "bills", ["tenant_id", "account_id", "create_time", "sequence"])
    for statement in statements("share_terms", dialect=op.get_context().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("bills")
    op.drop_table("share_terms")
