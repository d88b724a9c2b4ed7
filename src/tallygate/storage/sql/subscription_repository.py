"""Subscriptions with their terms and add-ons, and what of the catalogue is held through them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, distinct, func, or_, select, union

from tallygate.control_plane.records import CatalogUse, Held
from tallygate.domain.account import AddOnHolding, PlanTerm, Subscription, SubscriptionState
from tallygate.storage.sql.models import (
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
_IDS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSubscriptionRepository:
    """Subscriptions; one of an account's at most is live, which an index enforces."""

    scope: Scope

    async def put(self, account_id: str, subscription: Subscription, *, live: bool = True) -> None:
        """Add or replace a subscription."""
        self.scope.changes.accounts[account_id] = None
        row = {
            "account_id": account_id,
            "subscription_id": subscription.subscription_id,
            "state": subscription.state.value,
            "live": live,
            "start_time": subscription.start_time,
            "trial_end_time": subscription.trial_end_time,
            "end_time": subscription.end_time,
        }
        await self.scope.upsert(SubscriptionRow, [row])
        await self._replace(SubscriptionTermRow, subscription.subscription_id, _term_rows(subscription))
        await self._replace(SubscriptionAddOnRow, subscription.subscription_id, _add_on_rows(subscription))

    async def list(self, account_id: str, *, after: str, limit: int) -> Sequence[Subscription]:
        """An account's subscriptions by subscription_id, those behind `after`."""
        where = _subscriptions.c.account_id == account_id, _subscriptions.c.subscription_id > after
        query = select(_subscriptions).where(self.scope.own(SubscriptionRow), *where)
        rows = await self.scope.rows(query.order_by(_subscriptions.c.subscription_id).limit(limit))
        return [held.subscription for held in await _assembled(self.scope, rows)]

    async def behind(self, plan_key: str, version: int, *, now: int) -> Sequence[Held]:
        """The live ones that are served by an older version of the plan, now or later."""
        older = select(_terms.c.subscription_id).where(
            self.scope.own(SubscriptionTermRow),
            _terms.c.plan_key == plan_key,
            _terms.c.plan_version < version,
            _unfinished(SubscriptionTermRow, now),
        )
        where = _live(self.scope, now), _subscriptions.c.subscription_id.in_(older)
        query = select(_subscriptions).where(*where).order_by(_subscriptions.c.subscription_id)
        return await _assembled(self.scope, await self.scope.rows(query))

    async def use(self, *, now: int) -> CatalogUse:
        """What of the catalogue is held, now or later."""
        plans = (
            select(
                _terms.c.plan_key, _terms.c.plan_version, func.count(distinct(_terms.c.subscription_id)).label("held")
            )
            .join(_subscriptions, _same_subscription(SubscriptionTermRow))
            .where(_live(self.scope, now), _unfinished(SubscriptionTermRow, now))
            .group_by(_terms.c.plan_key, _terms.c.plan_version)
        )
        add_ons = (
            select(_add_ons.c.add_on_key)
            .join(_subscriptions, _same_subscription(SubscriptionAddOnRow))
            .where(_live(self.scope, now), _unfinished(SubscriptionAddOnRow, now))
            .distinct()
        )
        features = union(
            select(_overrides.c.feature_key).where(self.scope.own(OverrideRow)),
            select(_grants.c.feature_key).where(self.scope.own(GrantRow)),
        )
        return CatalogUse(
            plans={(row.plan_key, row.plan_version): row.held for row in await self.scope.rows(plans)},
            add_ons=frozenset(row.add_on_key for row in await self.scope.rows(add_ons)),
            features=frozenset(row.feature_key for row in await self.scope.rows(features)),
        )

    async def _replace(self, model: type[Base], subscription_id: str, rows: Sequence[dict[str, Any]]) -> None:
        table = table_of(model)
        await self.scope.execute(delete(table).where(self.scope.own(model), table.c.subscription_id == subscription_id))
        if rows:
            await self.scope.upsert(model, rows)


async def live_subscriptions(scope: Scope, account_ids: Sequence[str]) -> dict[str, Subscription]:
    """The live subscriptions of the accounts, by account."""
    where = scope.own(SubscriptionRow), _subscriptions.c.live, _subscriptions.c.account_id.in_(account_ids)
    found = await _assembled(scope, await scope.rows(select(_subscriptions).where(*where)))
    return {held.account_id: held.subscription for held in found}


async def _assembled(scope: Scope, rows: Sequence[Row[Any]]) -> list[Held]:
    terms = await _parts(scope, SubscriptionTermRow, rows)
    add_ons = await _parts(scope, SubscriptionAddOnRow, rows)
    return [
        Held(
            account_id=row.account_id,
            subscription=Subscription(
                subscription_id=row.subscription_id,
                state=SubscriptionState(row.state),
                start_time=row.start_time,
                trial_end_time=row.trial_end_time,
                end_time=row.end_time,
                terms=tuple(_term(part) for part in terms[row.subscription_id]),
                add_ons=tuple(_holding(part) for part in add_ons[row.subscription_id]),
            ),
        )
        for row in rows
    ]


async def _parts(scope: Scope, model: type[Base], rows: Sequence[Row[Any]]) -> dict[str, list[Row[Any]]]:
    table = table_of(model)
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for first in range(0, len(rows), _IDS_AT_ONCE):
        ids = [row.subscription_id for row in rows[first : first + _IDS_AT_ONCE]]
        query = select(table).where(scope.own(model), table.c.subscription_id.in_(ids))
        for part in await scope.rows(query.order_by(table.c.start_time, *table.primary_key)):
            found[part.subscription_id].append(part)
    return found


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


def _term_rows(subscription: Subscription) -> list[dict[str, Any]]:
    ends = [*(term.start_time for term in subscription.terms[1:]), None]
    return [
        {
            "subscription_id": subscription.subscription_id,
            "start_time": term.start_time,
            "end_time": end,
            "plan_key": term.plan_key,
            "plan_version": term.plan_version,
        }
        for term, end in zip(subscription.terms, ends, strict=True)
    ]


def _add_on_rows(subscription: Subscription) -> list[dict[str, Any]]:
    names = AddOnHolding.__slots__
    fixed = {"subscription_id": subscription.subscription_id}
    return [{**fixed, **{name: getattr(holding, name) for name in names}} for holding in subscription.add_ons]


def _term(row: Row[Any]) -> PlanTerm:
    return PlanTerm(plan_key=row.plan_key, plan_version=row.plan_version, start_time=row.start_time)


def _holding(row: Row[Any]) -> AddOnHolding:
    return AddOnHolding(
        add_on_key=row.add_on_key,
        version=row.version,
        quantity=row.quantity,
        start_time=row.start_time,
        end_time=row.end_time,
    )
