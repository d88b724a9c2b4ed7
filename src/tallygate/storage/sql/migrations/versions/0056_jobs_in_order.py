"""Jobs are claimed in the order of an index: a claim among many that are due at once sorts none of them."""

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

_ORDER = ["due_time", "tenant_id", "subject"]


def upgrade() -> None:
    op.create_index("ix_jobs_order", "jobs", _ORDER)
    op.drop_index("ix_jobs_due", table_name="jobs")


def downgrade() -> None:
    op.create_index("ix_jobs_due", "jobs", ["due_time"])
    op.drop_index("ix_jobs_order", table_name="jobs")
