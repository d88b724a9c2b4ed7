"""Resolve, admit, and once more if the world moved: the one way in which anything is taken.

Also the one place where a store's failure meets a feature's or limit's policy.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from tallygate.data_plane.ports import AdmitCall, AdmitReply, Clock, GateStore
from tallygate.data_plane.views import View, Views
from tallygate.domain.catalog import Feature, OnUnavailable
from tallygate.domain.errors import (
    MAX_QUANTITY,
    EventBacklogError,
    InvalidFieldError,
    OutOfRangeError,
    RequestIdReusedError,
    StaleViewError,
    UnavailableError,
    ViewNotReadyError,
)
from tallygate.domain.gating.admit import AdmitStatus
from tallygate.domain.gating.decision import DecidedOn, Decision, Reason
from tallygate.domain.gating.quota import LATENESS_AHEAD, QuotaGate, Slot
from tallygate.domain.gating.slots import slots
from tallygate.domain.instants import rfc3339

Build = Callable[[View, int], AdmitCall | None]
"""Makes the call from a view and the instant to resolve at; None where the view alone decides."""

_ATTEMPTS = 3  # the first, one with a fresher view, one with the slots of the store's own instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """What was asked, on which view, and how the store answered at `now`; no `reply` where the view alone decided."""

    view: View
    now: int
    call: AdmitCall | None = None
    reply: AdmitReply | None = None


@dataclass(slots=True)
class DegradedCounts:
    """Answers given by failure policy, for metrics: allowed by `open`, refused by `closed`."""

    opened: int = 0
    closed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Admits calls against the store with views that the store itself confirms."""

    views: Views
    gates: GateStore
    clock: Clock
    degraded: DegradedCounts = field(default_factory=DegradedCounts)

    async def admit(self, tenant_id: str, account_id: str, build: Build, *, min_view_version: int = 0) -> Admitted:
        """Admit what `build` makes of the account's view; a stale view is reloaded, missed slots are laid anew."""
        view = await self.views.view(tenant_id, account_id, min_view_version=min_view_version)
        at = self.now(view)
        for _ in range(_ATTEMPTS):
            call = build(view, at)
            if call is None:
                return Admitted(view=view, now=at)
            reply = await self.gates.admit(call)
            at = reply.now
            if reply.status is AdmitStatus.STALE_VIEW:
                view = await self.views.view(tenant_id, account_id, fresh=True)
                at = at if view.snapshot.clock == call.clock else self.now(view)
            elif reply.status is not AdmitStatus.SLOTS_MISSED:
                _raise_undecided(reply, call)
                return Admitted(view=view, now=at, call=call, reply=reply)
        raise StaleViewError(view_version=view.version)

    def now(self, view: View) -> int:
        """The tenant's time as this process sees it; the store's own decides."""
        return view.snapshot.time(self.clock())

    def fall_back(self, feature: Feature, error: UnavailableError) -> Decision:
        """Answer by the feature's failure policy; `closed` lets the error out, so that the caller retries.

        A caller who waits for a view version is told that it did not come, whatever the policy.
        """
        if feature.on_unavailable is OnUnavailable.CLOSED or isinstance(error, ViewNotReadyError):
            self.degraded.closed += 1
            raise error
        self.degraded.opened += 1
        return Decision(
            feature_key=feature.feature_key,
            allowed=True,
            reason=Reason.STORE_UNAVAILABLE,
            decided_on=DecidedOn.FALLBACK,
        )

    def known_feature(self, tenant_id: str, feature_key: str) -> Feature | None:
        """The feature as last seen, for its failure policy alone."""
        catalog = self.views.last_catalog(tenant_id)
        return catalog.features.get(feature_key) if catalog else None


def slots_of(view: View, feature: Feature, *, at: int, back: bool = False) -> tuple[Slot, ...]:
    """The feature's slots around `at`; kept on the view until their current period ends."""
    if view.held is None:
        return ()
    if back:
        return slots(view.held, feature, at=at, back=True)
    kept = view.slots.get(feature.feature_key)
    if kept is None or not kept[0].period_start <= at < kept[0].period_end:
        kept = slots(view.held, feature, at=at)
        view.slots[feature.feature_key] = kept
    return kept


def _raise_undecided(reply: AdmitReply, call: AdmitCall) -> None:
    match reply.status:
        case AdmitStatus.OCCURRED_OUT_OF_RANGE:
            raise _out_of_range(call, reply.now)
        case AdmitStatus.COUNTER_OVERFLOW:
            raise InvalidFieldError(field="quantity", expected=f"usage of at most {MAX_QUANTITY} in one period")
        case AdmitStatus.REQUEST_ID_REUSED:
            raise RequestIdReusedError
        case AdmitStatus.EVENT_BACKLOG:
            raise EventBacklogError
        case _:
            return


def _out_of_range(call: AdmitCall, now: int) -> OutOfRangeError:
    """What the first gate whose instant is too far off could have been asked for."""
    ranges = [
        (item.gate.occurred_time, slot.previous_start, now + LATENESS_AHEAD)
        for item in call.gates
        if isinstance(item.gate, QuotaGate) and item.gate.occurred_time is not None
        for slot in item.gate.slots
        if slot.start <= now < slot.end
    ]
    at, earliest, latest = next(span for span in ranges if not span[1] <= span[0] <= span[2])
    return OutOfRangeError(
        field="occurred_time",
        expected=f"from the start of the previous usage period, {rfc3339(earliest)}, to 5 minutes from now",
        earliest=rfc3339(earliest),
        latest=rfc3339(latest),
        got=rfc3339(at),
    )
