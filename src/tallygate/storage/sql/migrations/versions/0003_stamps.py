"""When accounts, plans, subscriptions, overrides and grants were changed, published, created, cancelled or revoked."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BEGINNING = sa.text("'1970-01-01 00:00:00.000000+00:00'")
_REQUIRED = (
    ("accounts", "update_time", "create_time"),
    ("subscriptions", "create_time", "start_time"),
    ("overrides", "create_time", "start_time"),
    (
        "catalog_items",
        "publish_time",
        "(SELECT tenants.create_time FROM tenants WHERE tenants.tenant_id = catalog_items.tenant_id)",
    ),
)
"""Table, column, and what stands for it in rows that are older: the nearest instant that is known of them."""

_OPTIONAL = (("subscriptions", "cancel_time"), ("grants", "revoke_time"))


def upgrade() -> None:
    for table, name, known in _REQUIRED:
        op.add_column(table, sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=_BEGINNING))
        op.execute(f"UPDATE {table} SET {name} = {known}")  # noqa: S608 - all three are constants of this module
        if op.get_context().dialect.name == "postgresql":  # SQLite cannot drop a default, and needs one to add a column
            op.alter_column(table, name, server_default=None)
    for table, name in _OPTIONAL:
        op.add_column(table, sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_subscriptions_tenant_id_create_time_subscription_id",
        "subscriptions",
        ["tenant_id", "create_time", "subscription_id"],
    )


def downgrade() -> None:
    op.drop_index("ix_subscriptions_tenant_id_create_time_subscription_id", "subscriptions")
    for table, name, *_ in (*_OPTIONAL, *_REQUIRED):
        op.drop_column(table, name)
