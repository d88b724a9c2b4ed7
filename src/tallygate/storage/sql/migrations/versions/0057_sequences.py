"""Lists tell what is of one instant in the order in which it was added, and not by its name; older rows keep theirs."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

_ACCOUNT = ["tenant_id", "account_id", "create_time"]
_TIME = ["tenant_id", "create_time"]
_INDEXES: tuple[tuple[str, str, list[str], list[str]], ...] = (
    ("coupons", "newest", _TIME, ["code"]),
    ("fees", "account", _ACCOUNT, []),
    ("gateway_events", "time", _TIME, ["event_id"]),
    ("disputes", "account", _ACCOUNT, ["dispute_id"]),
    ("disputes", "time", _TIME, ["dispute_id"]),
    ("invoices", "account", ["tenant_id", "account_id", "issue_time"], ["invoice_id"]),
    ("invoices", "issue", ["tenant_id", "issue_time"], ["invoice_id"]),
    ("orders", "account", _ACCOUNT, ["order_id"]),
    ("orders", "newest", _TIME, ["order_id"]),
    ("payment_attempts", "account", _ACCOUNT, ["attempt_id"]),
    ("payment_attempts", "time", _TIME, ["attempt_id"]),
    ("payment_methods", "account", _ACCOUNT, []),
    ("payments", "account", _ACCOUNT, ["payment_id"]),
    ("payments", "time", _TIME, ["payment_id"]),
    ("refunds", "account", _ACCOUNT, ["refund_id"]),
    ("refunds", "time", _TIME, ["refund_id"]),
    ("wallet_entries", "account", _ACCOUNT, []),
)
_TABLES = sorted({table for table, *_ in _INDEXES})


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("sequence", sa.BigInteger(), nullable=False, server_default="0"))
        op.create_index(f"ix_{table}_sequence", table, ["sequence"])
    for table, name, columns, _ in _INDEXES:
        op.drop_index(f"ix_{table}_{name}", table_name=table)
        op.create_index(f"ix_{table}_{name}", table, [*columns, "sequence"])


def downgrade() -> None:
    for table, name, columns, names in _INDEXES:
        op.drop_index(f"ix_{table}_{name}", table_name=table)
        op.create_index(f"ix_{table}_{name}", table, [*columns, *names])
    for table in _TABLES:
        op.drop_index(f"ix_{table}_sequence", table_name=table)
        op.drop_column(table, "sequence")
