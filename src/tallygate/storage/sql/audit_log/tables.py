"""The tables of the audit log: they never change, but for personal values, which can be erased and nothing else."""

from collections.abc import Iterator

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, Table, Text

from tallygate.storage.sql.billing.append_only import statements
from tallygate.storage.sql.models import Base, Instant

_FIXED = (
    "place", "entry_time", "method", "account_id", "resource", "key_id", "key_name", "actor", "source", "request_id",
    "reason", "details", "personal_digest",
)  # fmt: skip

audit_log = Table(
    "audit_log",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("entry_time", Instant(), nullable=False),
    *(Column(name, Text, nullable=False) for name in ("method", "account_id", "resource", "key_id", "key_name")),
    *(Column(name, Text, nullable=False) for name in ("actor", "source", "request_id", "reason", "details")),
    *(Column(name, Text, nullable=False) for name in ("personal", "personal_digest")),
    PrimaryKeyConstraint("tenant_id", "place"),
    Index("ix_audit_log_account", "tenant_id", "account_id", "place"),
    Index("ix_audit_log_request", "tenant_id", "request_id"),
)

audit_chain = Table(
    "audit_chain",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "place"),
)

audit_anchors = Table(
    "audit_anchors",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("anchor_time", Instant(), nullable=False),
    Column("seal", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "place"),
)


def triggers(*, dialect: str) -> Iterator[str]:
    """What makes a database refuse to change or delete entries; personal values may be emptied."""
    for table in ("audit_chain", "audit_anchors"):
        yield from statements(table, dialect=dialect)
    if dialect != "postgresql":
        columns = ", ".join(("tenant_id", *_FIXED))
        refuse = "BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END"
        yield f"CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log {refuse}"
        yield f"CREATE TRIGGER audit_log_no_update BEFORE UPDATE OF {columns} ON audit_log {refuse}"
        yield (
            "CREATE TRIGGER audit_log_only_erased BEFORE UPDATE OF personal ON audit_log "
            f"WHEN NEW.personal <> '{{}}' OR OLD.personal = '' {refuse}"
        )
        return
    same = " AND ".join(f"NEW.{name} = OLD.{name}" for name in ("tenant_id", *_FIXED))
    yield (
        "CREATE TRIGGER audit_log_append_only BEFORE UPDATE ON audit_log FOR EACH ROW "
        f"WHEN (NOT ({same} AND NEW.personal = '{{}}' AND OLD.personal <> '')) "
        "EXECUTE FUNCTION tallygate_append_only()"
    )
    yield (
        "CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log FOR EACH ROW "
        "EXECUTE FUNCTION tallygate_append_only()"
    )
    yield (
        "CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT "
        "EXECUTE FUNCTION tallygate_append_only()"
    )
