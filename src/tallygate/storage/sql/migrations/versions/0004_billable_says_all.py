"""`billable` is false where nothing of an event may be charged: usage on trial, and what grants alone paid."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ELEMENTS = {"postgresql": "jsonb_array_elements(pots) AS pot", "sqlite": "json_each(pots) AS pot"}
_KIND = {"postgresql": "pot.value ->> 'kind'", "sqlite": "json_extract(pot.value, '$.kind')"}


def upgrade() -> None:
    dialect = op.get_context().dialect.name
    pots, kind = _ELEMENTS[dialect], _KIND[dialect]
    granted = f"EXISTS (SELECT 1 FROM {pots} WHERE {kind} = 'GRANT')"  # noqa: S608 - constants of this module
    others = f"EXISTS (SELECT 1 FROM {pots} WHERE {kind} <> 'GRANT')"  # noqa: S608 - as above
    op.execute(f"UPDATE billable_events SET billable = false WHERE billable AND (trial OR {granted} AND NOT {others})")  # noqa: S608 - as above


def downgrade() -> None:
    """What `billable` said before is not kept; `trial` and `pots` still tell why it is false."""
