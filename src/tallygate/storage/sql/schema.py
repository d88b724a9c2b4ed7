"""The database's schema: what version it has, and how it becomes the newest. The migrations ship inside the package."""

from pathlib import Path
from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from tallygate.storage.sql.engine import create_migration_engine
from tallygate.storage.sql.failures import translated

_MIGRATIONS = Path(__file__).parent / "migrations"
_TURN = Lock()
"""Alembic keeps the migration at hand in module globals: one at a time in a process."""


def head() -> str:
    """The newest version that this package knows."""
    return ScriptDirectory.from_config(configuration()).get_current_head() or ""


def schema_version(url: str) -> str:
    """The version of the database, empty where it was never migrated. Blocks."""
    engine = create_migration_engine(url)
    try:
        with translated(), engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision() or ""
    finally:
        engine.dispose()


def migrate(url: str) -> None:
    """Bring the database to the newest version, in one transaction; of several at once, one works. Blocks."""
    engine = create_migration_engine(url)
    try:
        with translated(), _TURN, engine.connect() as connection:
            settings = configuration()
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")
    finally:
        engine.dispose()


def configuration() -> Config:
    """Alembic's settings; `attributes["connection"]` is the connection to migrate on."""
    settings = Config()
    settings.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    return settings
