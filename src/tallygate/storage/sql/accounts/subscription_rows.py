"""Subscriptions with their terms and add-ons, from rows and into them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Row,
    select,
)

from tallygate.domain.account import (
    AddOnHolding,
    ChangeProration,
    PlanTerm,
    Subscription,
    SubscriptionState,
)
from tallygate.records.values import StoredSubscription
from tallygate.storage.documents import BOOKINGS, PAUSES
from tallygate.storage.sql.models import (
    Base,
    SubscriptionAddOnRow,
    SubscriptionTermRow,
)
from tallygate.storage.sql.scope import Scope, table_of

_IDS_AT_ONCE = 5_000


async def assembled(scope: Scope, rows: Sequence[Row[Any]]) -> list[StoredSubscription]:
    """Subscriptions whose rows these are, each with what it holds."""
    terms = await _parts(scope, SubscriptionTermRow, rows)
    add_ons = await _parts(scope, SubscriptionAddOnRow, rows)
    return [
        StoredSubscription(
            account_id=row.account_id,
            subscription=Subscription(
                subscription_id=row.subscription_id,
                state=SubscriptionState(row.state),
                start_time=row.start_time,
                trial_end_time=row.trial_end_time,
                end_time=row.end_time,
                terms=tuple(_term(part) for part in terms[row.subscription_id]),
                add_ons=tuple(_holding(part) for part in add_ons[row.subscription_id]),
                anchor_time=row.anchor_time,
                pauses=PAUSES.validate_python(row.pauses or ()),
                bookings=BOOKINGS.validate_python(row.bookings or ()),
            ),
            create_time=row.create_time,
            cancel_time=row.cancel_time,
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


def term_rows(subscription: Subscription) -> list[dict[str, Any]]:
    """The rows of its terms."""
    ends = [*(term.start_time for term in subscription.terms[1:]), None]
    return [
        {
            "subscription_id": subscription.subscription_id,
            "start_time": term.start_time,
            "end_time": end,
            "plan_key": term.plan_key,
            "plan_version": term.plan_version,
            "proration": term.proration.value,
        }
        for term, end in zip(subscription.terms, ends, strict=True)
    ]


def add_on_rows(subscription: Subscription) -> list[dict[str, Any]]:
    """The rows of the add-ons that it holds."""
    names = AddOnHolding.__slots__
    fixed = {"subscription_id": subscription.subscription_id}
    return [{**fixed, **{name: _plain(getattr(holding, name)) for name in names}} for holding in subscription.add_ons]


def _plain(value: str | int | None) -> str | int | None:
    return value.value if isinstance(value, ChangeProration) else value


def _term(row: Row[Any]) -> PlanTerm:
    return PlanTerm(
        plan_key=row.plan_key,
        plan_version=row.plan_version,
        start_time=row.start_time,
        proration=ChangeProration(row.proration),
    )


def _holding(row: Row[Any]) -> AddOnHolding:
    return AddOnHolding(
        add_on_key=row.add_on_key,
        version=row.version,
        quantity=row.quantity,
        start_time=row.start_time,
        end_time=row.end_time,
        proration=ChangeProration(row.proration),
        end_proration=ChangeProration(row.end_proration),
    )
