"""The tables of the log of facts; `billable_events` is a documented contract, see the README of `metering`."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    RowMapping,
    Table,
    Text,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from tallygate.domain.event import FactKind, FactSource, UsageFact
from tallygate.domain.gating.decision import Pot, PotKind, Reason
from tallygate.storage.sql.models import Base, Instant

PARTITIONS = 8
"""Into how many hash partitions PostgreSQL splits `billable_events`, by (tenant_id, account_id)."""

UNCHARGED = "NOT billable AND NOT trial"
"""The facts, few of a feature that is charged, that a refund may return beside those that were charged."""

_DOCUMENT = JSON().with_variant(JSONB(), "postgresql")

billable_events = Table(
    "billable_events",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("feature_key", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("pots", _DOCUMENT, nullable=False),
    Column("dimensions", _DOCUMENT, nullable=False),
    Column("occurred_time", Instant(), nullable=False),
    Column("recorded_time", Instant(), nullable=False),
    Column("period_start", Instant(), nullable=False),
    Column("period_end", Instant(), nullable=False),
    Column("subscription_id", Text, nullable=False),
    Column("plan_key", Text, nullable=False),
    Column("plan_version", BigInteger, nullable=False),
    Column("trial", Boolean, nullable=False),
    Column("billable", Boolean, nullable=False),
    Column("carry_in", Boolean, nullable=False),
    Column("view_version", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False, server_default="0"),
    Column("limit", BigInteger),
    Column("reason", Text),
    Column("payload_hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("tenant_id", "account_id", "feature_key", "request_id"),
    Index("ix_billable_events_sequence", "tenant_id", "sequence"),
    Index("ix_billable_events_occurred", "tenant_id", "account_id", "feature_key", "occurred_time"),
    Index("ix_billable_events_recorded", "recorded_time", postgresql_using="brin"),
    Index(
        "ix_billable_events_uncharged",
        *("tenant_id", "account_id", "feature_key", "period_start"),
        postgresql_where=text(UNCHARGED),
        sqlite_where=text(UNCHARGED),
    ),
    postgresql_partition_by="HASH (tenant_id, account_id)",
)

event_sequences = Table(
    "event_sequences",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id"),
)

quarantined_events = Table(
    "quarantined_events",
    Base.metadata,
    Column("partition", Integer, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    PrimaryKeyConstraint("partition", "epoch", "entry_id"),
)

for _number in range(PARTITIONS):
    _ddl = DDL(  # type: ignore[no-untyped-call] # SQLAlchemy left it untyped
        f"CREATE TABLE billable_events_{_number} PARTITION OF billable_events "
        f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {_number})"
    )
    event.listen(billable_events, "after_create", _ddl.execute_if(dialect="postgresql"))


def fact_of(row: RowMapping | Mapping[str, Any]) -> UsageFact:
    """A row of `billable_events` as the fact that it was made of."""
    stored = dict(row)
    del stored["sequence"]
    source = FactSource(**{name: stored.pop(name) for name in ("partition", "epoch", "entry_id")})
    kind = FactKind(stored.pop("kind"))
    pots = tuple(Pot(**{**pot, "kind": PotKind(pot["kind"])}) for pot in stored.pop("pots"))
    reason = stored.pop("reason")
    return UsageFact(**stored, kind=kind, pots=pots, reason=Reason(reason) if reason else None, source=source)
