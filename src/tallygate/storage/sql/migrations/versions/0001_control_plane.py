"""Tenants, catalogues, accounts and what they hold, keys, the outbox, partitions."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    "partitions",
    "tenants",
    "accounts",
    "api_keys",
    "catalog_items",
    "outbox",
    "account_users",
    "grants",
    "overrides",
    "seats",
    "subscriptions",
    "subscription_add_ons",
    "subscription_terms",
)


def upgrade() -> None:
    _create_partitions()
    _create_tenants()
    _create_tenants_parts()
    _create_outbox()
    _create_accounts_parts()
    _create_allowances()
    _create_subscriptions()


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=False, autoincrement=False)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _document(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, autoincrement=False)


def _create(table: str, *columns: sa.Column[Any], key: tuple[str, ...], part_of: tuple[str, ...] = ()) -> None:
    """Create a table; `part_of` is its parent and the columns, beside tenant_id, that name the parent's row."""
    constraints: list[sa.Constraint] = [sa.PrimaryKeyConstraint(*key, name=f"pk_{table}")]
    if part_of:
        parent, *rest = part_of
        own = ["tenant_id", *rest]
        theirs = [f"{parent}.{column}" for column in own]
        constraints.append(sa.ForeignKeyConstraint(own, theirs, name=f"fk_{table}_{parent}", ondelete="CASCADE"))
    op.create_table(table, *columns, *constraints)


def _create_partitions() -> None:
    number = sa.Column("partition", sa.Integer(), nullable=False, autoincrement=False)
    texts = [_text(name) for name in ("epoch", "state", "last_entry_id", "lease_owner")]
    _create("partitions", number, *texts, _instant("lease_until", nullable=True), key=("partition",))


def _create_tenants() -> None:
    texts = [_text(name) for name in ("tenant_id", "currency", "time_zone", "default_plan")]
    numbers = [_number(name) for name in ("clock_offset", "view_version", "catalog_version")]
    _create("tenants", *texts, _instant("create_time"), _flag("test"), *numbers, key=("tenant_id",))


def _create_tenants_parts() -> None:
    _create(
        "catalog_items",
        *(_text(name) for name in ("tenant_id", "kind", "key")),
        *(_number("version"), _document("doc"), _flag("archived")),
        key=("tenant_id", "kind", "key", "version"),
        part_of=("tenants",),
    )
    _create(
        "accounts",
        *(_text("tenant_id"), _text("account_id"), _number("version"), _instant("create_time")),
        *(_text("time_zone"), _document("metadata")),
        key=("tenant_id", "account_id"),
        part_of=("tenants",),
    )
    _create(
        "api_keys",
        *(_text(name) for name in ("tenant_id", "key_id", "digest", "shown", "name")),
        *(_document("scopes"), _number("version"), _instant("create_time")),
        *(_instant("expire_time", nullable=True), _instant("revoke_time", nullable=True)),
        key=("tenant_id", "key_id"),
        part_of=("tenants",),
    )
    op.create_index("uq_api_keys_digest", "api_keys", ["digest"], unique=True)


def _create_outbox() -> None:
    entry_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "outbox",
        sa.Column("entry_id", entry_id, nullable=False),
        *(_text("tenant_id"), _number("version"), _text("kind"), _text("key")),
        sa.PrimaryKeyConstraint("entry_id", name="pk_outbox"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], name="fk_outbox_tenants", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_tenant_id_version_entry_id", "outbox", ["tenant_id", "version", "entry_id"])


def _create_accounts_parts() -> None:
    _create(
        "account_users",
        *(_text("tenant_id"), _text("account_id"), _text("user_id"), _instant("create_time")),
        key=("tenant_id", "account_id", "user_id"),
        part_of=("accounts", "account_id"),
    )
    _create(
        "seats",
        *(_text(name) for name in ("tenant_id", "account_id", "feature_key", "user_id")),
        _instant("assign_time"),
        key=("tenant_id", "account_id", "feature_key", "user_id"),
        part_of=("accounts", "account_id"),
    )


def _create_allowances() -> None:
    _create(
        "overrides",
        *(_text(name) for name in ("tenant_id", "account_id", "override_id", "feature_key")),
        *(_document("entitlement"), _instant("start_time"), _instant("end_time", nullable=True)),
        key=("tenant_id", "account_id", "override_id"),
        part_of=("accounts", "account_id"),
    )
    _create(
        "grants",
        *(_text(name) for name in ("tenant_id", "account_id", "grant_id", "feature_key")),
        *(_number("amount"), _number("priority"), _instant("effective_time"), _instant("create_time")),
        _instant("expire_time", nullable=True),
        key=("tenant_id", "account_id", "grant_id"),
        part_of=("accounts", "account_id"),
    )


def _create_subscriptions() -> None:
    _create(
        "subscriptions",
        *(_text("tenant_id"), _text("subscription_id"), _text("account_id"), _text("state"), _flag("live")),
        *(_instant("start_time"), _instant("trial_end_time", nullable=True), _instant("end_time", nullable=True)),
        key=("tenant_id", "subscription_id"),
        part_of=("accounts", "account_id"),
    )
    live = sa.text("live")
    columns = ["tenant_id", "account_id"]
    op.create_index(
        "uq_subscriptions_live", "subscriptions", columns, unique=True, postgresql_where=live, sqlite_where=live
    )
    _index("subscriptions", "tenant_id", "account_id", "subscription_id")
    _create(
        "subscription_terms",
        *(_text("tenant_id"), _text("subscription_id"), _instant("start_time"), _instant("end_time", nullable=True)),
        *(_text("plan_key"), _number("plan_version")),
        key=("tenant_id", "subscription_id", "start_time"),
        part_of=("subscriptions", "subscription_id"),
    )
    _index("subscription_terms", "tenant_id", "plan_key", "plan_version")
    _create(
        "subscription_add_ons",
        *(_text("tenant_id"), _text("subscription_id"), _text("add_on_key"), _instant("start_time")),
        *(_instant("end_time", nullable=True), _number("version"), _number("quantity")),
        key=("tenant_id", "subscription_id", "add_on_key", "start_time"),
        part_of=("subscriptions", "subscription_id"),
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
