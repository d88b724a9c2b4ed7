"""The log of facts: billable_events, its sequence numbers, and what was set aside."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PARTITIONS = 8
_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    _create_billable_events()
    op.create_table(
        "event_sequences",
        *(_text("tenant_id"), _number("last_sequence")),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_event_sequences"),
    )
    op.create_table(
        "quarantined_events",
        *(_column("partition", sa.Integer()), _text("epoch"), _text("entry_id")),
        *(_text("tenant_id"), _text("account_id"), _text("problem"), _column("raw", sa.LargeBinary())),
        sa.PrimaryKeyConstraint("partition", "epoch", "entry_id", name="pk_quarantined_events"),
    )


def downgrade() -> None:
    for table in ("quarantined_events", "event_sequences", "billable_events"):
        op.drop_table(table)


def _create_billable_events() -> None:
    identity = ("tenant_id", "account_id", "feature_key", "request_id")
    op.create_table(
        "billable_events",
        *(_text(name) for name in identity),
        *(_number("sequence"), _column("partition", sa.Integer()), _text("epoch"), _text("entry_id")),
        *(_text("kind"), _text("user_id"), _number("quantity")),
        *(_column("pots", _DOCUMENT), _column("dimensions", _DOCUMENT)),
        *(_instant("occurred_time"), _instant("recorded_time"), _instant("period_start"), _instant("period_end")),
        *(_text("subscription_id"), _text("plan_key"), _number("plan_version")),
        *(_flag("trial"), _flag("billable"), _flag("carry_in")),
        *(_number("view_version"), _column("payload_hash", sa.LargeBinary())),
        sa.PrimaryKeyConstraint(*identity, name="pk_billable_events"),
        postgresql_partition_by="HASH (tenant_id, account_id)",
    )
    if op.get_context().dialect.name == "postgresql":
        for number in range(_PARTITIONS):
            op.execute(
                f"CREATE TABLE billable_events_{number} PARTITION OF billable_events "
                f"FOR VALUES WITH (MODULUS {_PARTITIONS}, REMAINDER {number})"
            )
    _index("sequence", "tenant_id", "sequence")
    _index("occurred", "tenant_id", "account_id", "feature_key", "occurred_time")
    _index("recorded", "recorded_time", using="brin")


def _index(name: str, *columns: str, using: str | None = None) -> None:
    op.create_index(f"ix_billable_events_{name}", "billable_events", list(columns), postgresql_using=using)


def _column(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _text(name: str) -> sa.Column[Any]:
    return _column(name, sa.Text())


def _number(name: str) -> sa.Column[Any]:
    return _column(name, sa.BigInteger())


def _flag(name: str) -> sa.Column[Any]:
    return _column(name, sa.Boolean())


def _instant(name: str) -> sa.Column[Any]:
    return _column(name, sa.DateTime(timezone=True))
