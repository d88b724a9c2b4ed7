"""Standard rates of tax as of November 2026, dated, each with its source; a tenant's own rates go before them.

Reduced rates, sales taxes of the United States and provinces' own ones beside GST (PST, QST) are a tenant's to add.
"""

import json
from functools import cache
from importlib import resources

from tallygate.domain.billing_terms import TaxRate


@cache
def shipped_rates() -> tuple[TaxRate, ...]:
    """All of them, read once."""
    rows = json.loads(resources.files(__package__).joinpath("rates.json").read_text(encoding="utf-8"))
    return tuple(
        TaxRate(
            country=row["country"],
            region=row.get("region", ""),
            postcodes=tuple(row.get("postcodes", ())),
            since=row["since"],
            rate=row["rate"],
            name=row["name"],
            source=row["source"],
        )
        for row in rows
    )
