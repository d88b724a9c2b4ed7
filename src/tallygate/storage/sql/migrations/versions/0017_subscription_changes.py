"""Who changed subscriptions, when, how and why; what stands is each one's opening row, as of its creation."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tallygate.storage.sql.billing.append_only import statements

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_KEYS = ("tenant_id", "account_id")
_TEXTS = ("subscription_id", "actor_id", "actor_name", "method", "reason")
_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
_INSTANT = sa.DateTime(timezone=True)
_AT_ONCE = 1_000

_subscriptions = sa.table(
    "subscriptions",
    *(sa.column(name) for name in ("tenant_id", "account_id", "subscription_id", "state")),
    *(sa.column(f"{name}_time", _INSTANT) for name in ("start", "trial_end", "end", "create", "cancel", "anchor")),
)
_terms = sa.table(
    "subscription_terms",
    *(sa.column(name) for name in ("tenant_id", "subscription_id", "plan_key", "plan_version", "proration")),
    sa.column("start_time", _INSTANT),
)
_add_ons = sa.table(
    "subscription_add_ons",
    *(sa.column(name) for name in ("tenant_id", "subscription_id", "add_on_key", "version", "quantity")),
    *(sa.column(name) for name in ("proration", "end_proration")),
    *(sa.column(name, _INSTANT) for name in ("start_time", "end_time")),
)


def upgrade() -> None:
    changes = op.create_table(
        "subscription_changes",
        *(sa.Column(name, sa.Text(), nullable=False) for name in _KEYS),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("change_time", _INSTANT, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        sa.Column("before", _DOCUMENT, nullable=False),
        sa.Column("after", _DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint(*_KEYS, "sequence", name="pk_subscription_changes"),
    )
    rows = list(_openings())
    for first in range(0, len(rows), _AT_ONCE):
        op.bulk_insert(changes, rows[first : first + _AT_ONCE])
    for statement in statements("subscription_changes", dialect=op.get_context().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("subscription_changes")


def _openings() -> Iterator[dict[str, Any]]:
    terms, add_ons = _by_subscription(_terms), _by_subscription(_add_ons)
    sequences: dict[tuple[str, str], int] = defaultdict(int)
    column = _subscriptions.c
    query = sa.select(_subscriptions).order_by(column.tenant_id, column.create_time, column.subscription_id)
    for row in op.get_bind().execute(query).mappings().all():
        account, own = (row["tenant_id"], row["account_id"]), (row["tenant_id"], row["subscription_id"])
        sequences[account] += 1
        yield {
            **dict(zip(_KEYS, account, strict=True)),
            "sequence": sequences[account],
            "change_time": _aware(row["create_time"]),
            **dict.fromkeys(_TEXTS, ""),
            "subscription_id": row["subscription_id"],
            "method": "Opening",
            "before": {},
            "after": _document(row, terms[own], add_ons[own]),
        }


def _by_subscription(table: sa.TableClause) -> dict[tuple[str, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in op.get_bind().execute(sa.select(table).order_by(table.c.start_time)).mappings():
        values = {name: _plain(value) for name, value in row.items() if value is not None}
        found[values.pop("tenant_id"), values.pop("subscription_id")].append(values)
    return found


def _document(row: Any, terms: list[dict[str, Any]], add_ons: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: ANN401 - a row
    names = ("subscription_id", "state", "start_time", "trial_end_time", "end_time", "anchor_time")
    subscription = {name: _plain(row[name]) for name in names if row[name] is not None}
    held = {name: _plain(row[name]) for name in ("create_time", "cancel_time") if row[name] is not None}
    return {
        "account_id": row["account_id"],
        "subscription": {**subscription, "terms": terms, "add_ons": add_ons},
        **held,
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    """Instants as the documents hold them: microseconds since the Unix epoch."""
    if not isinstance(value, datetime):
        return value
    since = _aware(value) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
