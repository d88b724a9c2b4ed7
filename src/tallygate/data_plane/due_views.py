"""Views that are due to be verified, asked for together: what is due in one tick of the loop is one round trip."""

import asyncio
from collections.abc import Callable

from tallygate.data_plane.ports import ViewSource, ViewVersions
from tallygate.domain.errors import StoreUnavailableError

Place = tuple[str, str]
"""A tenant and an account of it."""

Told = Callable[[Place, ViewVersions, int, int], None]
"""Told the newest versions of a view's documents, and the moment that they were asked for at."""

Moment = Callable[[], tuple[int, int]]
"""This process's clock, and how many gaps there were in the announcements by then."""


class DueViews:
    """Collects them; what cannot be asked is forgotten, for whoever still uses it adds it again."""

    def __init__(self, source: ViewSource, moment: Moment, told: Told) -> None:
        self._source = source
        self._moment = moment
        self._told = told
        self._due: dict[Place, None] = {}
        self._asking: set[asyncio.Task[None]] = set()

    def add(self, place: Place) -> None:
        """Verify this one, with the others of this tick."""
        if not self._due:
            task = asyncio.create_task(self._ask())
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
        self._due[place] = None

    async def _ask(self) -> None:
        due, self._due = self._due, {}
        started, gaps = self._moment()
        by_tenant: dict[str, list[str]] = {}
        for tenant_id, account_id in due:
            by_tenant.setdefault(tenant_id, []).append(account_id)
        for tenant_id, account_ids in by_tenant.items():
            try:
                newest = await self._source.all_versions(tenant_id, account_ids)
            except StoreUnavailableError:
                continue
            for account_id, versions in zip(account_ids, newest, strict=True):
                self._told((tenant_id, account_id), versions, started, gaps)
