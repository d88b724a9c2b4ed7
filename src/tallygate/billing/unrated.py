"""Billable facts that no invoice charges, for people to look at."""

from tallygate.records.late_usage import UnratedFact
from tallygate.records.paging import Page, PageRequest, newest_of
from tallygate.records.ports import BillingWork


async def list_unrated(work: BillingWork, account_id: str, page: PageRequest) -> Page[UnratedFact]:
    """Those of a tenant, or of one account, the newest in the log first, page by page.

    Raises:
        InvalidFieldError: no such list handed out this token.
    """

    async def load(last: tuple[int, str] | None, limit: int) -> list[UnratedFact]:
        return list(await work.late_usage.unrated(account_id=account_id, before=last, limit=limit))

    return await newest_of(page, load, lambda one: (one.sequence, one.price_key))
