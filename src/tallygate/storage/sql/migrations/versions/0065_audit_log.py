"""Who did what: entries, the hashes that chain them, and what these came to when it was sealed."""

import sqlalchemy as sa
from alembic import op

from tallygate.storage.sql.audit_log.tables import triggers

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _placed(name: str, *columns: sa.Column[object] | sa.Column[str]) -> None:
    own = sa.Column("tenant_id", sa.Text(), nullable=False), sa.Column("place", sa.BigInteger(), nullable=False)
    op.create_table(name, *own, *columns, sa.PrimaryKeyConstraint("tenant_id", "place", name=f"pk_{name}"))


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def upgrade() -> None:
    _placed(
        "audit_log",
        _instant("entry_time"),
        *_text("method", "account_id", "resource", "key_id", "key_name", "actor", "source", "request_id"),
        *_text("reason", "details", "personal", "personal_digest"),
    )
    op.create_index("ix_audit_log_account", "audit_log", ["tenant_id", "account_id", "place"])
    op.create_index("ix_audit_log_request", "audit_log", ["tenant_id", "request_id"])
    _placed("audit_chain", *_text("hash"))
    _placed("audit_anchors", *_text("hash"), _instant("anchor_time"), *_text("seal"))
    for statement in triggers(dialect=op.get_context().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    for table in ("audit_anchors", "audit_chain", "audit_log"):
        op.drop_table(table)
