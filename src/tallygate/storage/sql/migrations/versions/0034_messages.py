"""What is told of what happened, and how that is delivered; of what happened before nothing is told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tallygate.storage.sql.billing.append_only import statements

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _instants(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "outbox_messages",
        *_text("tenant_id", "message_id"),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        *_text("kind", "account_id", "invoice_id"),
        *_instants("create_time"),
        sa.Column("facts", _DOCUMENT, nullable=False),
        sa.Column("balance", _DOCUMENT, nullable=False),
        *_text("actor_id"),
        sa.PrimaryKeyConstraint("tenant_id", "message_id", name="pk_outbox_messages"),
        sa.UniqueConstraint("tenant_id", "sequence", name="uq_outbox_messages_sequence"),
    )
    for column in ("account", "invoice"):
        op.create_index(f"ix_outbox_messages_{column}", "outbox_messages", ["tenant_id", f"{column}_id", "sequence"])
    op.create_table(
        "deliveries",
        *_text("tenant_id", "message_id", "channel", "state"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        *_text("problem"),
        *_instants("sent_until", "create_time", "update_time"),
        sa.PrimaryKeyConstraint("tenant_id", "message_id", "channel", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_state", "deliveries", ["state", "update_time"])
    for statement in statements("outbox_messages", dialect=op.get_context().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("deliveries")
    op.drop_table("outbox_messages")
