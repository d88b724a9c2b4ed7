"""What checks of the books have found; every account that was invoiced is looked at once."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_FIRST = "1970-01-01 00:00:00"


def upgrade() -> None:
    op.create_table(
        "billing_findings",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "kind", "subject")),
        sa.Column("note_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "subject", name="pk_billing_findings"),
    )
    first = f"'{_FIRST}.000000'" if op.get_context().dialect.name == "sqlite" else f"'{_FIRST}+00'::timestamptz"
    for kind, subject in (("completeness", "account_id"), ("audit", "''")):
        op.execute(
            "INSERT INTO jobs (tenant_id, kind, subject, due_time, retry_time, attempts, problem) "  # noqa: S608 - no input
            f"SELECT DISTINCT tenant_id, '{kind}', {subject}, {first}, {first}, 0, '' FROM invoices "
            "WHERE tenant_id IN (SELECT tenant_id FROM tenants WHERE NOT test)"
        )


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind IN ('completeness', 'audit')")
    op.drop_table("billing_findings")
