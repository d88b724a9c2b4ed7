"""Whether what accounts are subscribed to is there, told by `doctor`. Loads SQL."""

from collections.abc import Sequence

from tallygate.app import clock
from tallygate.app.finding import Finding
from tallygate.app.installation import opened
from tallygate.domain.errors import StoreUnavailableError
from tallygate.settings import Settings
from tallygate.storage.sql.catalog.missing import Missing, missing_items

_NAME = "subscribed plans"


async def look_at_plans(settings: Settings) -> list[Finding]:
    """What `doctor` says of it."""
    async with opened(settings) as engine:
        try:
            return [plans_finding(await missing_items(engine, now=clock.now()))]
        except StoreUnavailableError:
            return [Finding(name=_NAME, ok=False, detail="the database cannot say", fix="see `database` above")]


def plans_finding(missing: Sequence[Missing]) -> Finding:
    """Whether every version that a live subscription holds is in its tenant's catalogue."""
    if not missing:
        return Finding(name=_NAME, ok=True, detail="every plan and add-on that is held is in its tenant's catalogue")
    accounts, one = {(each.tenant_id, each.account_id) for each in missing}, missing[0]
    kind = one.kind.replace("_", "-")
    return Finding(
        name=_NAME,
        ok=False,
        detail=f"{len(accounts)} accounts hold what is not in the catalogue, as account {one.account_id} of tenant "
        f"{one.tenant_id} version {one.version} of {kind} {one.key}: it grants and charges nothing, and without a plan "
        "the tenant's default plan serves",
        fix="apply the catalogue that has this version, or give the account another: `tallygate subscription "
        "change-plan ACCOUNT PLAN`, `tallygate subscription add-on ACCOUNT ADD_ON`",
    )
