"""The database's schema: what version it has, and how it becomes the newest. The migrations ship inside the package."""

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import URL, inspect, text

from tallygate.storage.sql.encoding import check_database
from tallygate.storage.sql.engine import create_migration_engine
from tallygate.storage.sql.failures import translated

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0054"
"""The newest version that this package knows (a test compares): known without loading Alembic, which takes its time."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_TURN = Lock()
"""Alembic keeps the migration at hand in module globals: one at a time in a process."""


def head() -> str:
    """The newest version that this package knows."""
    return HEAD


def schema_version(url: str | URL) -> str:
    """The version of the database, empty where it was never migrated. Blocks.

    Raises:
        InvalidFieldError: it cannot hold every text.
    """
    engine = create_migration_engine(url)
    try:
        with translated(), engine.connect() as connection:
            check_database(connection)
            if not inspect(connection).has_table("alembic_version"):
                return ""
            return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")
    finally:
        engine.dispose()


def migrate(url: str | URL) -> None:
    """Bring the database to the newest version, in one transaction; of several at once, one works. Blocks."""
    if schema_version(url) == HEAD:
        return
    from alembic import command  # noqa: PLC0415 - loaded only where there is something to migrate

    engine = create_migration_engine(url)
    try:
        with translated(), _TURN, engine.connect() as connection:
            settings = configuration()
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")
    finally:
        engine.dispose()


def configuration() -> "Config":
    """Alembic's settings; `attributes["connection"]` is the connection to migrate on."""
    from alembic.config import Config  # noqa: PLC0415 - as above

    settings = Config()
    settings.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    return settings
