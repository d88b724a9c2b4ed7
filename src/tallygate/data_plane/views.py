"""The view in process: folded entitlement sets, bounded, revalidated by version, dropped when a change is announced.

It changes latency, never meaning: whatever takes something carries the versions it was resolved with.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from cachetools import LRUCache

from tallygate.data_plane.due_views import DueViews
from tallygate.data_plane.ports import Clock, Sleep, ViewChange, ViewSource, ViewVersions
from tallygate.data_plane.view import View, ViewCounts, ViewOptions
from tallygate.domain.catalog import Catalog, CatalogSnapshot
from tallygate.domain.errors import StoreUnavailableError, ViewNotReadyError
from tallygate.domain.gating.resolve import Resolver
from tallygate.domain.lru import Lru

if TYPE_CHECKING:
    from tallygate.domain.account import AccountRecord

_Place = TypeVar("_Place")
_Loaded = TypeVar("_Loaded")


class Views:
    """Views of accounts, from the cache while verified within `max_staleness`, else from the source."""

    def __init__(self, source: ViewSource, *, clock: Clock, sleep: Sleep, options: ViewOptions) -> None:
        self._source = source
        self._clock = clock
        self._sleep = sleep
        self._options = options
        self._half = options.max_staleness // 2
        self._views: Lru[tuple[str, str], View] = Lru(options.accounts)
        self._snapshots: LRUCache[str, CatalogSnapshot] = LRUCache(options.tenants)
        self._resolvers: LRUCache[str, Resolver] = LRUCache(options.tenants)
        self._announced: LRUCache[tuple[str, str], int] = LRUCache(options.accounts)
        self._loading: dict[tuple[str, str], asyncio.Task[View]] = {}
        self._fetching: dict[str, asyncio.Task[CatalogSnapshot]] = {}
        self._due = DueViews(source, lambda: (clock(), self._gaps), self._told_newest)
        self._gaps = 0
        self._announcements = 0
        self.counts = ViewCounts()

    async def view(self, tenant_id: str, account_id: str, *, min_view_version: int = 0, fresh: bool = False) -> View:
        """The account's view; an empty `account_id` gives the tenant's catalogue alone.

        Raises:
            StoreUnavailableError: there is no view young enough, and the source cannot be read.
            ViewNotReadyError: the tenant's log was not applied up to `min_view_version` in time.
        """
        now, cached = self._clock(), self._views.get((tenant_id, account_id))
        at_hand = None if fresh else self.at_hand(tenant_id, account_id, min_view_version, now)
        if at_hand is not None:
            return at_hand
        usable = cached if cached is not None and not fresh and self.holds(cached, min_view_version, now=now) else None
        self.counts.misses += 1
        try:
            view = await self._load_once(tenant_id, account_id, shared=not fresh)
        except StoreUnavailableError:
            if usable is not None and self.holds(usable, min_view_version):
                return usable  # an announcement may have been missed: no reason to know less than before it
            raise
        if view.applied < min_view_version:
            return await self._wait_for(tenant_id, account_id, min_view_version)
        return view

    def at_hand(self, tenant_id: str, account_id: str, min_view_version: int, now: int) -> View | None:
        """The view in process, if it may be used as it is at `now`, by this process's clock."""
        view = self._views.get((tenant_id, account_id))
        if view is None or view.gap != self._gaps or not self.holds(view, min_view_version, now=now):
            return None
        self.counts.hits += 1
        if now - view.verified_time >= self._half:
            self._verify_ahead(view, now)
        return view

    def last_catalog(self, tenant_id: str) -> Catalog | None:
        """The newest catalogue seen, however old: for telling the failure policy, never for deciding."""
        snapshot = self._snapshots.get(tenant_id)
        return snapshot.catalog if snapshot is not None else None

    def in_process(self, tenant_id: str, account_id: str) -> View | None:
        """The account's view as it is here, however old: never for deciding."""
        return self._views.get((tenant_id, account_id))

    def on_change(self, change: ViewChange) -> None:
        """Remember what an announcement says is newest: no older view holds from now on."""
        place = (change.tenant_id, change.account_id)
        self._announced[place] = max(change.version, self._announced.get(place, 0))
        self._announcements += 1

    def on_gap(self) -> None:
        """Announcements may have been missed: verify every view again before it is used, if the store can be asked."""
        self._gaps += 1

    def age(self, view: View) -> int:
        """How long ago the view was verified, in microseconds."""
        return max(0, self._clock() - view.verified_time)

    def holds(self, view: View, min_view_version: int = 0, *, now: int | None = None) -> bool:
        """Whether the view is young enough, and nothing newer is known of."""
        if view.superseded or view.applied < min_view_version:
            return False
        if (self._clock() if now is None else now) - view.verified_time >= self._options.max_staleness:
            return False
        if view.checked_announcements != self._announcements:
            if not self._is_newest(view):
                return False
            view.checked_announcements = self._announcements
        return True

    def is_current(self, view: View, now: int | None = None) -> bool:
        """As `holds`, and no announcement can have been missed since the view was verified."""
        return view.gap == self._gaps and self.holds(view, now=now)

    def confirm(self, view: View, asked_time: int) -> None:
        """The store has compared the view's versions with its own since `asked_time`: they were the newest."""
        view.verified_time = max(view.verified_time, asked_time)

    def is_in_use(self, view: View, now: int) -> bool:
        """As `is_current`, of a view that is used now."""
        if not self.is_current(view, now):
            return False
        self.counts.hits += 1
        if now - view.verified_time >= self._half:
            self._verify_ahead(view, now)
        return True

    def _verify_ahead(self, view: View, now: int) -> None:
        """Past half its time a view in use is verified in the background; where that failed, an eighth of it later."""
        if now - view.asked_time < self._half // 4:
            return
        view.asked_time = now
        place = view.snapshot.tenant_id, view.record.account_id if view.record else ""
        if self._views.get(place) is view and place not in self._loading:
            self._due.add(place)

    def _told_newest(self, place: tuple[str, str], versions: ViewVersions, started: int, gap: int) -> None:
        """What the store has newest of a view that was due: if that is not this view, load it."""
        if (view := self._views.get(place)) is None or place in self._loading:
            return
        is_same = (versions.catalog, versions.account) == (view.snapshot.version, view.account_version)
        if is_same and self._is_newest(view):
            self._verified(view, versions, started, gap)
        else:
            self._begin_load(place)

    def _verified(self, view: View, versions: ViewVersions, started: int, gap: int) -> None:
        """The view's versions were the newest when they were asked for at `started`, after so many gaps."""
        view.verified_time, view.gap = max(view.verified_time, started), max(view.gap, gap)
        view.applied = max(view.applied, versions.applied)
        self.counts.revalidations += 1

    def cached(self, tenant_id: str, account_id: str) -> View | None:
        """The view in process if it may be used as it is, without asking the source."""
        return view if (view := self._views.get((tenant_id, account_id))) and self.is_current(view) else None

    def _is_newest(self, view: View) -> bool:
        """Whether no announcement and no other account's load brought something newer."""
        tenant_id = view.snapshot.tenant_id
        if self._snapshots.get(tenant_id) is not view.snapshot:
            return False
        if view.snapshot.version < self._announced.get((tenant_id, ""), 0):
            return False
        account_id = view.record.account_id if view.record else ""
        return not account_id or view.account_version >= self._announced.get((tenant_id, account_id), 0)

    async def _load_once(self, tenant_id: str, account_id: str, *, shared: bool) -> View:
        """Load the view; callers that arrive together share one load, unless they need one that starts now."""
        place = (tenant_id, account_id)
        task = self._loading.get(place) if shared else None
        return await asyncio.shield(task or self._begin_load(place))

    def _begin_load(self, place: tuple[str, str]) -> asyncio.Task[View]:
        task = asyncio.create_task(self._load(*place))
        self._loading[place] = task
        task.add_done_callback(_forget(self._loading, place))
        return task

    async def _load(self, tenant_id: str, account_id: str) -> View:
        started, gap = self._clock(), self._gaps
        known: View | None = None
        record: AccountRecord | None = None
        if account_id and (tenant_id, account_id) not in self._views:
            versions, record = await self._source.newest(tenant_id, account_id)
        else:
            versions = await self._source.versions(tenant_id, account_id)
            known = self._views.get((tenant_id, account_id))
            record = known.record if known is not None else None
            if account_id and versions.account != (record.version if record else 0):
                versions, record = await self._source.newest(tenant_id, account_id)
        snapshot = await self._snapshot(tenant_id, versions.catalog)
        if known is not None and known.snapshot is snapshot and known.record is record:
            self._verified(known, versions, started, gap)
            return known
        entitlements = self._resolver(snapshot).resolve(record) if record else None
        view = View(
            snapshot=snapshot,
            record=record,
            entitlements=entitlements,
            verified_time=started,
            applied=versions.applied,
            gap=gap,
        )
        self._keep((tenant_id, account_id), view)
        return view

    def _keep(self, place: tuple[str, str], view: View) -> None:
        """Cache the view unless a load that started later was faster; accounts that do not exist are not kept."""
        newer = self._views.get(place)
        if newer is not None and newer.verified_time > view.verified_time:
            return
        if newer is not None:
            newer.superseded = True
        if view.record is not None or not place[1]:
            self._views.put(place, view)
        else:
            self._views.drop(place)

    def _resolver(self, snapshot: CatalogSnapshot) -> Resolver:
        """What folds records on this catalogue."""
        resolver = self._resolvers.get(snapshot.tenant_id)
        if resolver is None or resolver.catalog is not snapshot.catalog:
            resolver = self._resolvers[snapshot.tenant_id] = Resolver(snapshot.catalog)
        return resolver

    async def _snapshot(self, tenant_id: str, version: int) -> CatalogSnapshot:
        """The snapshot of at least this version; all accounts of a tenant wait for one fetch."""
        while True:
            cached = self._snapshots.get(tenant_id)
            if cached is not None and cached.version == version:
                return cached
            task = self._fetching.get(tenant_id)
            joined = task is not None
            if task is None:
                task = asyncio.create_task(self._fetch(tenant_id))
                self._fetching[tenant_id] = task
                task.add_done_callback(_forget(self._fetching, tenant_id))
            snapshot = await asyncio.shield(task)
            if snapshot.version >= version or not joined:
                return snapshot

    async def _fetch(self, tenant_id: str) -> CatalogSnapshot:
        snapshot = await self._source.catalog(tenant_id)
        if snapshot is None:  # every tenant has one from its creation, so its absence is a loss, not an answer
            raise StoreUnavailableError(missing="catalogue")
        self._snapshots[tenant_id] = snapshot
        self._announcements += 1
        return snapshot

    async def _wait_for(self, tenant_id: str, account_id: str, version: int) -> View:
        deadline = self._clock() + self._options.wait_limit
        while self._clock() < deadline:
            await self._sleep(0.01)
            view = await self._load_once(tenant_id, account_id, shared=True)
            if view.applied >= version:
                return view
        raise ViewNotReadyError(min_view_version=version)


def _forget(loading: dict[_Place, asyncio.Task[_Loaded]], place: _Place) -> Callable[[asyncio.Task[_Loaded]], None]:
    def done(task: asyncio.Task[_Loaded]) -> None:
        if loading.get(place) is task:
            del loading[place]
        if not task.cancelled():
            task.exception()  # retrieved, so that a load nobody waited for is not reported as lost

    return done
