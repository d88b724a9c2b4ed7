"""Alembic's entry point: migrates on the connection that `schema.migrate` passes, under a lock."""

from alembic import context
from sqlalchemy import Connection

from tallygate.storage.sql.engine import WRITE
from tallygate.storage.sql.models import Base

_LOCK = 7_420_001
"""An arbitrary number: whoever migrates this database holds its advisory lock."""


def _run(connection: Connection) -> None:
    connection.execution_options(**{WRITE: True})
    with connection.begin():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        # Inside: else Alembic takes this transaction for its own, and on SQLite ends it, and the lock, with each step.
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()


_run(context.config.attributes["connection"])
