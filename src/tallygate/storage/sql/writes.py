"""Whether the database takes writes: asked by a real one, which changes nothing."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.storage.sql.engine import writing

_STATEMENTS: Final = {
    # A row that is set to what it is writes no page on SQLite, its header's number does; nobody reads that one.
    "sqlite": "PRAGMA user_version = 0",
    # Where others have every row in hand, they are writing at this moment.
    "postgresql": "UPDATE partitions SET epoch = epoch WHERE partition = "
    "(SELECT partition FROM partitions ORDER BY partition LIMIT 1 FOR UPDATE SKIP LOCKED)",
}


async def write(engine: AsyncEngine) -> str:
    """Make a real write; returns why that cannot be, in the driver's words on one line, or nothing."""
    try:
        async with writing(engine) as connection:
            await connection.execute(text(_STATEMENTS[engine.dialect.name]))
    except (SQLAlchemyError, OSError) as error:
        return " ".join(str(getattr(error, "orig", None) or error).split())
    return ""
