"""The facts that are charged, streamed from `billable_events` in the order in which they occurred."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, or_, select

from tallygate.domain.billing.counting import BillableFact
from tallygate.domain.billing.windows import UsageWindow
from tallygate.domain.event import FactKind
from tallygate.domain.gating.decision import Pot, PotKind
from tallygate.storage.sql.metering.tables import billable_events, event_sequences
from tallygate.storage.sql.scope import Scope

_EVENTS = billable_events.c
_LEVELS = (FactKind.LEVEL.value, FactKind.EVENT.value)
_ROWS_AT_ONCE = 2_000
_FIRST_ROWS = 200
"""Read at once, for most windows have no more: a stream takes several round trips."""
_VERSION = ("subscription_id", "plan_key", "plan_version")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlUsageLog:
    """Billable facts of one tenant."""

    scope: Scope

    async def facts(
        self, account_id: str, window: UsageWindow, *, through: int, after: tuple[int, str] | None = None
    ) -> AsyncIterator[BillableFact]:
        """The facts of a window up to a sequence number, by (occurred_time, request_id), those behind `after`."""
        asked: dict[str, Any] = {**self._place(account_id, window, through), "start": window.start, "end": window.end}
        if window.plan_version:
            asked |= {"plan_key": window.plan_key, "plan_version": window.plan_version}
            asked["subscription_id"] = window.subscription_id
        versioned = bool(window.plan_version)
        few = _facts(versioned=versioned, behind=after is not None, limit=_FIRST_ROWS)
        first = (await self.scope.connection.execute(few, _behind(asked, after))).all()
        for row in first:
            yield _fact(row)
        if len(first) < _FIRST_ROWS:
            return
        rest = _facts(versioned=versioned, behind=True).execution_options(yield_per=_ROWS_AT_ONCE)
        last = first[-1].occurred_time, first[-1].request_id
        async for row in await self.scope.connection.stream(rest, _behind(asked, last)):
            yield _fact(row)

    async def level_before(self, account_id: str, window: UsageWindow, *, through: int) -> int:
        """The last level observed before a window, if on trial; 0 where there was none."""
        query = self._of(select(_EVENTS.quantity), account_id, window, through).where(
            or_(_EVENTS.billable.is_(True), _EVENTS.trial.is_(True)),
            _EVENTS.occurred_time < window.start,
            _EVENTS.kind.in_(_LEVELS),
        )
        query = query.order_by(_EVENTS.occurred_time.desc(), _EVENTS.request_id.desc()).limit(1)
        rows = await self.scope.rows(query)
        return int(rows[0].quantity) if rows else 0

    async def head(self) -> int:
        """The last sequence number of the tenant's log, the same all through a transaction."""
        known = self.scope.known
        if known.head is None:
            query = select(event_sequences.c.last_sequence).where(event_sequences.c.tenant_id == self.scope.tenant_id)
            rows = await self.scope.rows(query)
            known.head = int(rows[0].last_sequence) if rows else 0
        return known.head

    def _place(self, account_id: str, window: UsageWindow, through: int) -> dict[str, Any]:
        return {
            "tenant_id": self.scope.tenant_id,
            "account_id": account_id,
            "feature_key": window.usage.feature_key,
            "through": through,
        }

    def _of(self, query: Select[Any], account_id: str, window: UsageWindow, through: int) -> Select[Any]:
        return query.where(
            _EVENTS.tenant_id == self.scope.tenant_id,
            _EVENTS.account_id == account_id,
            _EVENTS.feature_key == window.usage.feature_key,
            _EVENTS.sequence <= through,
            _EVENTS.carry_in.is_(False),
        )


@cache
def _facts(*, versioned: bool, behind: bool, limit: int | None = None) -> Select[Any]:
    """Made once, as making it costs more than running it: the facts of a window, those behind one where it is named."""
    own, at = _EVENTS, bindparam("at", type_=_EVENTS.occurred_time.type)
    columns = own.quantity, own.occurred_time, own.request_id, own.pots, own.dimensions, own.sequence, own.user_id
    names = ("tenant_id", "account_id", "feature_key", *(_VERSION if versioned else ()))
    query = select(*columns).where(
        *(own[name] == bindparam(name) for name in names),
        own.sequence <= bindparam("through"),
        own.carry_in.is_(False),
        own.billable.is_(True),
        own.trial.is_(False),
        own.occurred_time >= bindparam("start", type_=own.occurred_time.type),
        own.occurred_time < bindparam("end", type_=own.occurred_time.type),
    )
    if behind:
        later = and_(own.occurred_time == at, own.request_id > bindparam("after"))
        query = query.where(or_(own.occurred_time > at, later))
    return query.order_by(own.occurred_time, own.request_id).limit(limit)


def _behind(asked: Mapping[str, Any], after: tuple[int, str] | None) -> dict[str, Any]:
    return {**asked} if after is None else {**asked, "at": after[0], "after": after[1]}


def _fact(row: Row[Any]) -> BillableFact:
    """What may be charged of a fact: a refund without the units that never were."""
    return BillableFact(
        quantity=row.quantity - sum(p.get("uncharged", 0) for p in row.pots),
        occurred_time=row.occurred_time,
        request_id=row.request_id,
        pots=tuple(Pot(kind=PotKind(p["kind"]), quantity=p["quantity"] - p.get("uncharged", 0)) for p in row.pots),
        dimensions=row.dimensions,
        user_id=row.user_id,
        sequence=row.sequence,
    )
