"""What checks of the books have found, until a later look finds nothing."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Table, Text, delete

from tallygate.records.billing import Finding
from tallygate.storage.sql.models import Base, Instant
from tallygate.storage.sql.scope import Scope

billing_findings = Table(
    "billing_findings",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("note_time", Instant(), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "kind", "subject"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlFindings:
    """Findings of one tenant."""

    scope: Scope

    async def put(self, finding: Finding) -> None:
        """Note one, in place of an earlier one of its kind and subject."""
        row = {"kind": finding.kind, "subject": finding.subject, "number": finding.number, "detail": finding.detail}
        await self.scope.upsert_into(billing_findings, [{**row, "note_time": self.scope.now}])

    async def clear(self, kind: str, subject: str) -> None:
        """There is nothing to be found any more."""
        column = billing_findings.c
        await self.scope.execute(
            delete(billing_findings).where(
                column.tenant_id == self.scope.tenant_id, column.kind == kind, column.subject == subject
            )
        )
