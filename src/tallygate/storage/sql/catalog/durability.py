"""What of all tenants' catalogues relies on replicas: for who looks at an installation from outside."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.domain.catalog import Durability
from tallygate.storage.sql.failures import translated
from tallygate.storage.sql.models import CatalogItemRow
from tallygate.storage.sql.scope import table_of

_items = table_of(CatalogItemRow).c


async def strict_features(engine: AsyncEngine) -> int:
    """How many features are of durability strict, archived ones left out."""
    query = select(_items.doc).where(_items.kind == "feature", _items.archived.is_(False))
    with translated():
        async with engine.connect() as connection:
            docs = (await connection.execute(query)).scalars()
            return sum(doc.get("durability") == Durability.STRICT.value for doc in docs)
