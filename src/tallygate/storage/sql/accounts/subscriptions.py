"""Subscriptions with their terms and add-ons, and what of the catalogue is held through them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    distinct,
    func,
    not_,
    or_,
    select,
    tuple_,
    union,
)

from tallygate.domain.account import (
    Standing,
    Subscription,
    SubscriptionState,
)
from tallygate.records.values import CatalogUse, StoredSubscription, SubscriptionQuery
from tallygate.storage.documents import BOOKINGS, PAUSES
from tallygate.storage.sql.accounts.subscription_rows import add_on_rows, assembled, term_rows
from tallygate.storage.sql.models import (
    AccountRow,
    Base,
    GrantRow,
    OverrideRow,
    SubscriptionAddOnRow,
    SubscriptionRow,
    SubscriptionTermRow,
)
from tallygate.storage.sql.scope import Scope, table_of

_subscriptions = table_of(SubscriptionRow)
_terms, _add_ons = table_of(SubscriptionTermRow), table_of(SubscriptionAddOnRow)
_overrides, _grants = table_of(OverrideRow), table_of(GrantRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSubscriptionRepository:
    """Subscriptions; one of an account's at most is live, which an index enforces."""

    scope: Scope

    async def put(
        self,
        account_id: str,
        subscription: Subscription,
        *,
        live: bool = True,
        former: bool = False,
        cancel_time: int | None = None,
    ) -> None:
        """Add or replace a subscription; what is replaced keeps when it was created."""
        first = account_id in self.scope.known.empty
        self.scope.holds(account_id)
        row = {
            "account_id": account_id,
            "subscription_id": subscription.subscription_id,
            "state": subscription.state.value,
            "live": live,
            "former": former,
            "start_time": subscription.start_time,
            "trial_end_time": subscription.trial_end_time,
            "end_time": subscription.end_time,
            "create_time": self.scope.now,
            "cancel_time": cancel_time,
            "anchor_time": subscription.anchor_time,
            "pauses": PAUSES.dump_python(subscription.pauses, mode="json") if subscription.pauses else None,
            "bookings": BOOKINGS.dump_python(subscription.bookings, mode="json") if subscription.bookings else None,
            "pause_time": subscription.pauses[-1].start_time if subscription.pauses else None,
            "resume_time": subscription.pauses[-1].end_time if subscription.pauses else None,
        }
        await self.scope.upsert(SubscriptionRow, [row], keep=("create_time",))
        if not first:
            await self._delete(SubscriptionTermRow, subscription.subscription_id)
            await self._delete(SubscriptionAddOnRow, subscription.subscription_id)
        await self.scope.upsert(SubscriptionTermRow, term_rows(subscription))
        await self.scope.upsert(SubscriptionAddOnRow, add_on_rows(subscription))

    async def list(self, wanted: SubscriptionQuery) -> Sequence[StoredSubscription]:
        """Those asked for, newest first."""
        if wanted.account_ids and self.scope.known.empty.issuperset(wanted.account_ids):
            return []
        query = select(_subscriptions).where(self.scope.own(SubscriptionRow), *_conditions(self.scope, wanted))
        newest = _subscriptions.c.create_time.desc(), _subscriptions.c.subscription_id.desc()
        return await assembled(self.scope, await self.scope.rows(query.order_by(*newest).limit(wanted.limit)))

    async def of(self, account_id: str) -> Sequence[StoredSubscription]:
        """All that one account ever had, oldest first."""
        return await self.scope.of_one(subscriptions_of, account_id)

    async def ending(
        self, *, now: int, until: int, after: tuple[int, str] | None, limit: int, plan_key: str = ""
    ) -> Sequence[StoredSubscription]:
        """Live ones that end before an instant, by end and id."""
        place = tuple_(_subscriptions.c.end_time, _subscriptions.c.subscription_id)
        wanted = SubscriptionQuery(now=now, limit=limit, plan_key=plan_key, live=True)
        query = select(_subscriptions).where(self.scope.own(SubscriptionRow), *_conditions(self.scope, wanted))
        query = query.where(_subscriptions.c.live, _subscriptions.c.end_time < until)
        if after is not None:
            bound = bindparam(None, after[0], _subscriptions.c.end_time.type)
            query = query.where(place > tuple_(bound, after[1]))
        soonest = query.order_by(_subscriptions.c.end_time, _subscriptions.c.subscription_id).limit(limit)
        return await assembled(self.scope, await self.scope.rows(soonest))

    async def behind(self, plan_key: str, version: int, *, now: int) -> Sequence[StoredSubscription]:
        """The live ones that are served by an older version of the plan, now or later."""
        older = select(_terms.c.subscription_id).where(
            self.scope.own(SubscriptionTermRow),
            _terms.c.plan_key == plan_key,
            _terms.c.plan_version < version,
            _unfinished(SubscriptionTermRow, now),
        )
        where = _live(self.scope, now), _subscriptions.c.subscription_id.in_(older)
        query = select(_subscriptions).where(*where).order_by(_subscriptions.c.subscription_id)
        return await assembled(self.scope, await self.scope.rows(query))

    async def use(self, *, now: int) -> CatalogUse:
        """What of the catalogue is held, now or later."""
        add_ons = (
            select(_add_ons.c.add_on_key)
            .join(_subscriptions, _same_subscription(SubscriptionAddOnRow))
            .where(_live(self.scope, now), _unfinished(SubscriptionAddOnRow, now))
            .distinct()
        )
        limits = select(_overrides.c.limit_key).where(self.scope.own(OverrideRow)).distinct()
        features = union(
            select(_overrides.c.feature_key).where(self.scope.own(OverrideRow), _overrides.c.delete_time.is_(None)),
            select(_grants.c.feature_key).where(self.scope.own(GrantRow)),
        )
        return CatalogUse(
            plans=await self._served(now),
            serving=await self._served(now, _terms.c.start_time <= now),
            add_ons=frozenset(row.add_on_key for row in await self.scope.rows(add_ons)),
            features=frozenset(row.feature_key for row in await self.scope.rows(features)) - {""},
            rate_limits=frozenset(row.limit_key for row in await self.scope.rows(limits)) - {""},
        )

    async def _served(self, now: int, *more: ColumnElement[bool]) -> dict[tuple[str, int], int]:
        """How many live subscriptions each plan version serves, now or later."""
        plan = _terms.c.plan_key, _terms.c.plan_version
        query = (
            select(*plan, func.count(distinct(_terms.c.subscription_id)).label("held"))
            .join(_subscriptions, _same_subscription(SubscriptionTermRow))
            .where(_live(self.scope, now), _unfinished(SubscriptionTermRow, now), *more)
            .group_by(*plan)
        )
        return {(row.plan_key, row.plan_version): row.held for row in await self.scope.rows(query)}

    async def _delete(self, model: type[Base], subscription_id: str) -> None:
        table = table_of(model)
        await self.scope.execute(delete(table).where(self.scope.own(model), table.c.subscription_id == subscription_id))


async def subscriptions_of(scope: Scope, account_ids: Sequence[str]) -> Mapping[str, Sequence[StoredSubscription]]:
    """All that accounts ever had, oldest first."""
    column = _subscriptions.c
    query = select(_subscriptions).where(scope.own(SubscriptionRow), column.account_id.in_(account_ids))
    rows = await scope.rows(query.order_by(column.create_time, column.subscription_id))
    found: dict[str, list[StoredSubscription]] = {account_id: [] for account_id in account_ids}
    for held in await assembled(scope, rows):
        found[held.account_id].append(held)
    return found


@dataclass(slots=True)
class Counting:
    """An account's subscriptions that its record shows: the live one, and former ones by their ends."""

    live: Subscription | None = None
    former: tuple[Subscription, ...] = ()


async def counting_subscriptions(scope: Scope, account_ids: Sequence[str]) -> Mapping[str, Counting]:
    """The subscriptions that still count for the accounts, by account."""
    found: dict[str, Counting] = defaultdict(Counting)
    if not account_ids:
        return found
    column = _subscriptions.c
    where = scope.own(SubscriptionRow), or_(column.live, column.former), column.account_id.in_(account_ids)
    query = select(_subscriptions).where(*where).order_by(column.end_time, column.create_time, column.subscription_id)
    rows = await scope.rows(query)
    for row, held in zip(rows, await assembled(scope, rows), strict=True):
        counting = found[held.account_id]
        if row.live:
            counting.live = held.subscription
        else:
            counting.former = (*counting.former, held.subscription)
    return found


def served_accounts(scope: Scope, plan_key: str, now: int) -> Select[tuple[str]]:
    """The ids of the accounts whom this plan serves now by a live subscription."""
    where = _live(scope, now), _served_by(scope, plan_key, now)
    return select(_subscriptions.c.account_id).where(*where)


def _conditions(scope: Scope, wanted: SubscriptionQuery) -> Iterator[ColumnElement[bool]]:
    column = _subscriptions.c
    if wanted.account_ids:
        yield column.account_id.in_(wanted.account_ids)
    if wanted.subscription_id:
        yield column.subscription_id == wanted.subscription_id
    if wanted.plan_key:
        yield _live(scope, wanted.now) & _served_by(scope, wanted.plan_key, wanted.now)
    if wanted.state is not None:
        yield _reads_as(wanted.state, wanted.now)
    if wanted.live:
        yield _live(scope, wanted.now)
    if wanted.trial_of is not None:
        yield _had_trial(scope, wanted.trial_of)
    if wanted.before is not None:
        created, subscription_id = wanted.before
        earlier = and_(column.create_time == created, column.subscription_id < subscription_id)
        yield or_(column.create_time < created, earlier)


def _served_by(scope: Scope, plan_key: str, now: int) -> ColumnElement[bool]:
    serving = _terms.c.plan_key == plan_key, _terms.c.start_time <= now, _unfinished(SubscriptionTermRow, now)
    return _subscriptions.c.subscription_id.in_(
        select(_terms.c.subscription_id).where(scope.own(SubscriptionTermRow), *serving)
    )


def _had_trial(scope: Scope, plan_key: str) -> ColumnElement[bool]:
    """In SQL what `subscription_terms.had_trial` says."""
    column = _subscriptions.c
    begun = or_(column.end_time.is_(None), column.end_time >= column.start_time)
    had = column.trial_end_time.is_not(None) & (column.state != SubscriptionState.INCOMPLETE.value) & begun
    if not plan_key:
        return had
    first = scope.own(SubscriptionTermRow), _terms.c.plan_key == plan_key, _terms.c.start_time == column.start_time
    same = _terms.c.subscription_id == column.subscription_id
    return had & select(_terms.c.subscription_id).where(*first, same).exists()


def _reads_as(state: SubscriptionState, now: int) -> ColumnElement[bool]:
    """In SQL what `subscription_terms.state_at` and `shown_state` say."""
    column, states = _subscriptions.c, SubscriptionState
    ended = and_(column.end_time.is_not(None), column.end_time <= now)
    if state is states.EXPIRED:
        return or_(ended, column.state == state.value)
    late, own = _stands(Standing.PAST_DUE), column.state == state.value
    resumed = and_(column.resume_time.is_not(None), column.resume_time <= now)
    paused = and_(column.pause_time.is_not(None), column.pause_time <= now, not_(resumed))
    stopped = or_(_stands(Standing.SUSPENDED), paused)
    running = column.state.in_([states.TRIALING.value, states.ACTIVE.value])
    on_trial = and_(column.trial_end_time.is_not(None), column.trial_end_time > now)
    final = column.state.in_([states.INCOMPLETE.value, states.EXPIRED.value])
    reads = {
        states.TRIALING: and_(running, on_trial, not_(late), not_(stopped)),
        states.ACTIVE: and_(running, not_(on_trial), not_(late), not_(stopped)),
        states.PAST_DUE: and_(or_(own, and_(running, late)), not_(stopped)),
        states.SUSPENDED: or_(own, and_(stopped, not_(final))),
        states.CANCELED: and_(own, not_(stopped)),
    }
    return and_(not_(ended), reads.get(state, own))


def _stands(standing: Standing) -> ColumnElement[bool]:
    """Whether a subscription's account stands so."""
    accounts = table_of(AccountRow).c
    same = accounts.tenant_id == _subscriptions.c.tenant_id, accounts.account_id == _subscriptions.c.account_id
    return select(accounts.account_id).where(*same, accounts.standing == standing.value).exists()


def _live(scope: Scope, now: int) -> ColumnElement[bool]:
    ends = _subscriptions.c.end_time
    return scope.own(SubscriptionRow) & _subscriptions.c.live & or_(ends.is_(None), ends > now)


def _unfinished(model: type[Base], now: int) -> ColumnElement[bool]:
    ends = table_of(model).c.end_time
    return or_(ends.is_(None), ends > now)


def _same_subscription(model: type[Base]) -> ColumnElement[bool]:
    table = table_of(model)
    same_tenant = table.c.tenant_id == _subscriptions.c.tenant_id
    return same_tenant & (table.c.subscription_id == _subscriptions.c.subscription_id)
