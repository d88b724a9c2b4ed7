"""What is left to pay of documents, and wallets: credit notes that were issued before are in them."""

import sqlalchemy as sa
from alembic import op

from tallygate.storage.sql.billing.append_only import statements

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_DUE = "CASE WHEN state = 'void' THEN 0 ELSE total - paid - credited - wallet - written_off END"
_SUMS = ("total", "paid", "credited", "wallet", "written_off")
_ENTRY = ("tenant_id", "entry_id", "account_id", "currency", "kind", "invoice_id")
_BALANCES = """
INSERT INTO invoice_balances (
    tenant_id, invoice_id, account_id, currency, total, paid, credited, wallet, written_off, state, due_time
) SELECT tenant_id, invoice_id, account_id, currency, total, 0, 0, CASE WHEN total < 0 THEN total ELSE 0 END, 0,
    CASE WHEN total > 0 THEN 'open' ELSE 'paid' END, due_time FROM invoices
"""
_CREDITS = """
INSERT INTO wallet_entries (tenant_id, entry_id, account_id, create_time, currency, amount, kind, invoice_id)
SELECT tenant_id, 'credit_note/' || invoice_id, account_id, issue_time, currency, -total, 'credit_note', invoice_id
FROM invoices WHERE total < 0
"""


def upgrade() -> None:
    op.drop_table("invoice_balances")  # states alone, which totals tell: nothing was paid or void until now
    op.create_table(
        "invoice_balances",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "invoice_id", "account_id", "currency")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _SUMS),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due", sa.BigInteger(), sa.Computed(_DUE, persisted=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "invoice_id", name="pk_invoice_balances"),
        sa.CheckConstraint("due >= 0", name="ck_invoice_balances_due"),
    )
    op.create_index("ix_invoice_balances_state", "invoice_balances", ["tenant_id", "state"])
    op.create_index("ix_invoice_balances_account", "invoice_balances", ["tenant_id", "account_id", "state"])
    op.execute(_BALANCES)
    op.create_table(
        "wallet_entries",
        *(sa.Column(name, sa.Text(), nullable=False) for name in _ENTRY),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "entry_id", name="pk_wallet_entries"),
    )
    op.create_index("ix_wallet_entries_account", "wallet_entries", ["tenant_id", "account_id", "create_time"])
    op.execute(_CREDITS)
    for statement in statements("wallet_entries", dialect=op.get_context().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("wallet_entries")
    op.drop_index("ix_invoice_balances_account", "invoice_balances")
    with op.batch_alter_table("invoice_balances") as table:
        table.drop_constraint("ck_invoice_balances_due", type_="check")
        table.drop_column("due")
        for name in ("account_id", "currency", *_SUMS, "due_time"):
            table.drop_column(name)
