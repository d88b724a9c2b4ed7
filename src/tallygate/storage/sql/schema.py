"""The database's schema: what version it has, who may run on it, and how it becomes the newest.

The migrations ship inside the package.
"""

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import URL, Column, Table, Text, inspect, select, text

from tallygate.storage.sql.encoding import check_database
from tallygate.storage.sql.engine import create_migration_engine
from tallygate.storage.sql.failures import translated
from tallygate.storage.sql.models import Base

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0065"
"""The newest version that this package knows (a test compares): known without loading Alembic, which takes its time."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_OLDEST = Table("oldest_program", Base.metadata, Column("revision", Text, primary_key=True))
"""One row: the version of the oldest program that may run on the schema. A migration that takes away raises it."""
_TURN = Lock()
"""Alembic keeps the migration at hand in module globals: one at a time in a process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What a database says of its schema.

    `version` is empty where it was never migrated, `oldest` where it does not say which programs may run on it: else
    those whose own version is that one, or a later one.
    """

    version: str = ""
    oldest: str = ""

    @property
    def is_newer(self) -> bool:
        """Whether this program has not heard of it. Versions are numbers of four digits."""
        return self.version > HEAD

    @property
    def serves(self) -> bool:
        """Whether this program may run on it: it is its own, or later ones have only added to it."""
        return self.version == HEAD or (self.is_newer and "" < self.oldest <= HEAD)


def head() -> str:
    """The newest version that this package knows."""
    return HEAD


def schema_version(url: str | URL) -> str:
    """The version of the database, empty where it was never migrated. Blocks.

    Raises:
        InvalidFieldError: it cannot hold every text.
    """
    return read_schema(url).version


def read_schema(url: str | URL) -> Schema:
    """What the database says of its schema. Blocks.

    Raises:
        InvalidFieldError: it cannot hold every text.
    """
    engine = create_migration_engine(url)
    try:
        with translated(), engine.connect() as connection:
            check_database(connection)
            tables = inspect(connection)
            if not tables.has_table("alembic_version"):
                return Schema()
            version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            says = version and tables.has_table("oldest_program")
            oldest = connection.execute(select(_OLDEST.c.revision)).scalar() if says else ""
            return Schema(version=str(version or ""), oldest=str(oldest or ""))
    finally:
        engine.dispose()


def migrate(url: str | URL) -> None:
    """Bring the database to the newest version, in one transaction; of several at once, one works. Blocks.

    One that is newer and serves this program stays as it is.
    """
    if read_schema(url).serves:
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
