"""What views alone decided, kept while it stands: the same question, or one like it, needs no second thought.

Knows no wire. What such a decision says is its view's, as long as the view holds and the phase lasts, but for `MOVING`.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

from tallygate.data_plane.requests import CheckRequest
from tallygate.data_plane.view import View
from tallygate.data_plane.views import Views
from tallygate.domain.catalog import FeatureKind
from tallygate.domain.gating.decision import DecidedOn, Decision
from tallygate.domain.recent import Recent

MOVING = frozenset({"retry_after", "view_version", "decided_on", "view_age"})
"""The fields of a decision that depend on when it is given, or on the version of its view: they are told each time."""

_MOST_KINDS = 20_000
_BY_USER: Literal["user"] = "user"
_BY_VALUES: Literal["values"] = "values"


@dataclass(slots=True, eq=False)
class Common:
    """What decisions of many accounts have in common, which is all but what moves.

    `shown` is for whoever encodes it.
    """

    decision: Decision
    kind: FeatureKind
    shown: Any = None


@dataclass(slots=True, eq=False)
class CachedDecision:
    """A decision that a view made, good in the stretch [start, end) of the tenant's time, as `retry_time` is."""

    common: Common
    view: View
    version: int
    start: int
    end: int
    retry_time: int | None
    shown: Any = None

    def retry_after(self, now: int) -> int | None:
        """How long after `now`, by this process's clock, the same request would pass."""
        return None if self.retry_time is None else self.retry_time - self.view.snapshot.time(now)

    def age(self, now: int) -> int:
        """How long ago the view was verified, in microseconds."""
        return max(0, now - self.view.verified_time)

    def decision(self, now: int) -> Decision:
        """The whole decision, as it is given at `now`."""
        return replace(
            self.common.decision,
            retry_after=self.retry_after(now),
            view_version=self.version,
            view_age=self.age(now),
        )


class CachedDecisions:
    """A bounded cache of them, by what a check asks: a boolean feature's are for any user, quantity and value."""

    def __init__(self, views: Views, *, capacity: int) -> None:
        self._views = views
        self._kept: Recent[tuple[Any, ...], CachedDecision | Literal["user", "values"]] = Recent(capacity)
        self._common: Recent[tuple[FeatureKind, Decision], Common] = Recent(_MOST_KINDS)

    def __len__(self) -> int:
        return len(self._kept)

    def find(
        self,
        tenant_id: str,
        account_id: str,
        feature_key: str,
        now: int,
        user_id: str = "",
        quantity: int | None = None,
        values: tuple[str, ...] = (),
    ) -> CachedDecision | None:
        """The decision that stands at `now`, by this process's clock."""
        place: tuple[Any, ...] = (tenant_id, account_id, feature_key)
        found = self._kept.get(place)
        if found is None:
            return None
        if isinstance(found, str):
            place = (*place, user_id, quantity) if found is _BY_USER else (*place, values)
            found = self._kept.get(place)
            if found is None or isinstance(found, str):
                return None
        view = found.view
        if found.start <= view.snapshot.time(now) < found.end and self._views.is_in_use(view, now):
            return found
        self._kept.drop(place)
        return None

    def keep(self, request: CheckRequest, decision: Decision, view: View, at: int) -> None:
        """Keep what this view decided on this request at an instant of the tenant's, if it did so alone."""
        feature = view.snapshot.catalog.features.get(request.feature_key)
        if view.entitlements is None or view.superseded or request.at_time is not None:
            return
        if feature is None or feature.kind is FeatureKind.METERED or decision.decided_on is DecidedOn.FALLBACK:
            return
        phase = view.entitlements.phase_at(at)
        cached = CachedDecision(
            common=self._common_of(feature.kind, decision),
            view=view,
            version=view.version,
            start=phase.start,
            end=phase.end,
            retry_time=None if decision.retry_after is None else at + decision.retry_after,
        )
        place = (view.snapshot.tenant_id, request.account_id, request.feature_key)
        match feature.kind:
            case FeatureKind.BOOLEAN:
                self._kept.put(place, cached)
            case FeatureKind.SEAT:
                self._kept.put(place, _BY_USER)
                self._kept.put((*place, request.user_id, request.quantity), cached)
            case _:
                self._kept.put(place, _BY_VALUES)
                self._kept.put((*place, request.requested_values), cached)

    def _common_of(self, kind: FeatureKind, decision: Decision) -> Common:
        """What this decision has in common with others; one for all of them, for it is the larger part."""
        still = replace(decision, retry_after=None, view_version=0, decided_on=DecidedOn.CACHED, view_age=0)
        common = self._common.get((kind, still))
        if common is None:
            common = Common(still, kind)
            self._common.put((kind, still), common)
        return common
