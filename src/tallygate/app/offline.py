"""What works without a server: the schema, the first tenant and key, and a diagnosis. Loads SQL on demand."""

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING

from tallygate.app.finding import Finding
from tallygate.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from tallygate.metering.comparing import Difference
    from tallygate.records.audits import Audit


async def migrate(settings: Settings) -> str:
    """Bring the database to the newest schema; returns its version."""
    return await asyncio.to_thread(_installation().migrate, settings)


async def accept_loss(settings: Settings) -> int:
    """Count on from what Redis holds where counters were lost; returns in how many partitions."""
    from tallygate.app import recovery  # noqa: PLC0415 - loads SQL

    partitions: int = await recovery.accept_loss(settings)
    return partitions


async def audit_usage(settings: Settings, *, repair: bool, tell: "Callable[[Difference, bool], None]") -> "Audit":
    """Compare all counters with their events, and on `repair` count what these say."""
    from tallygate.app import recovery  # noqa: PLC0415 - loads SQL

    audit: Audit = await recovery.audit_usage(settings, repair=repair, tell=tell)
    return audit


async def reseal(settings: Settings) -> int:
    """Seal secrets with the first master key that were sealed otherwise; returns how many."""
    from tallygate.app import resealing  # noqa: PLC0415 - loads SQL

    done: int = await resealing.reseal(settings)
    return done


async def create_tenant(
    settings: Settings, *, tenant_id: str, currency: str = "USD", time_zone: str = "UTC", test: bool = False
) -> None:
    """Create a tenant in the database; a running worker publishes it within a second."""
    await _installation().create_tenant(
        settings, tenant_id=tenant_id, currency=currency, time_zone=time_zone, test=test
    )


async def create_key(
    settings: Settings, *, tenant_id: str, name: str, scopes: Collection[str], expire_time: int | None = None
) -> tuple[str, str]:
    """Create an API key in the database; returns its id and the key, which is shown this once."""
    made: tuple[str, str] = await _installation().create_key(
        settings, tenant_id=tenant_id, name=name, scopes=scopes, expire_time=expire_time
    )
    return made


async def revoke_key_local(settings: Settings, *, tenant_id: str, key_id: str) -> None:
    """Revoke an API key in the database; a running worker publishes it within a second."""
    await _installation().revoke_key(settings, tenant_id=tenant_id, key_id=key_id)


async def diagnose(settings: Settings) -> list[Finding]:
    """Look at Redis and the database as these settings name them."""
    from tallygate.app import diagnosis  # noqa: PLC0415 - loads SQL

    findings: list[Finding] = await diagnosis.diagnose(settings)
    return findings


def _installation() -> "ModuleType":
    from tallygate.app import installation  # noqa: PLC0415 - loads SQL, which role `data` never does

    return installation
