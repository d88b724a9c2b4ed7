"""Billing: how far accounts are billed, issued documents with their lines, numbers, and when to look at what."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tallygate.storage.sql.billing.append_only import statements, undone

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
_APPEND_ONLY = ("invoices", "invoice_lines")
_TABLES = ("jobs", "number_series", "invoice_balances", "invoice_lines", "invoices", "billing_accounts")


def upgrade() -> None:
    _create("billing_accounts", ("tenant_id", "account_id"), (), _instant("closed_until"))
    _create(
        "invoices",
        ("tenant_id", "invoice_id"),
        (("cause", "account_id", "kind", "cause", "revision"), ("number", "series", "number")),
        *(_text("account_id"), _text("kind"), _text("cause"), _column("revision", sa.Integer())),
        *(_text("series"), _text("number"), _text("currency")),
        *(_instant("period_start"), _instant("period_end"), _instant("issue_time"), _instant("due_time")),
        *(_number("subtotal"), _number("tax"), _number("total")),
    )
    op.create_index("ix_invoices_issue", "invoices", ["tenant_id", "issue_time", "invoice_id"])
    op.create_index("ix_invoices_account", "invoices", ["tenant_id", "account_id", "issue_time", "invoice_id"])
    _create(
        "invoice_lines",
        ("tenant_id", "invoice_id", "line"),
        (("line_key", "line_key"),),
        *(_column("line", sa.Integer()), _text("line_key"), _text("account_id"), _text("usage_line")),
        *(_instant("due_time"), _text("currency"), _number("amount"), _text("exact"), _column("doc", _DOCUMENT)),
    )
    op.create_index("ix_invoice_lines_due", "invoice_lines", ["tenant_id", "account_id", "due_time"])
    op.create_index("ix_invoice_lines_usage", "invoice_lines", ["tenant_id", "usage_line"])
    _create("invoice_balances", ("tenant_id", "invoice_id"), (), _text("state"))
    op.create_index("ix_invoice_balances_state", "invoice_balances", ["tenant_id", "state"])
    _create("number_series", ("tenant_id", "series"), (), _number("next_number"), _instant("last_issue_time"))
    _create(
        "jobs",
        ("tenant_id", "kind", "subject"),
        (),
        *(_instant("due_time"), _instant("retry_time"), _column("attempts", sa.Integer()), _text("problem")),
    )
    op.create_index("ix_jobs_due", "jobs", ["due_time"])
    for table in _APPEND_ONLY:
        for statement in statements(table, dialect=op.get_context().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    for statement in undone(dialect=op.get_context().dialect.name):
        op.execute(statement)


def _create(table: str, key: tuple[str, ...], unique: tuple[tuple[str, ...], ...], *columns: sa.Column[Any]) -> None:
    named = {column.name for column in columns}
    keys = [_text(name) for name in key if name not in named]
    constraints = [sa.UniqueConstraint("tenant_id", *of, name=f"uq_{table}_{name}") for name, *of in unique]
    op.create_table(table, *keys, *columns, sa.PrimaryKeyConstraint(*key, name=f"pk_{table}"), *constraints)


def _column(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _text(name: str) -> sa.Column[Any]:
    return _column(name, sa.Text())


def _number(name: str) -> sa.Column[Any]:
    return _column(name, sa.BigInteger())


def _instant(name: str) -> sa.Column[Any]:
    return _column(name, sa.DateTime(timezone=True))
