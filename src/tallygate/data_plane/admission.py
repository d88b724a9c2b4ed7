"""Resolve, ask, and again if the world moved: the one way in which anything is taken, and the one place that knows how.

Also the one place where a store's failure meets a feature's or limit's policy.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tallygate.data_plane.later import Later
from tallygate.data_plane.ports import NO_EFFECT, AdmitCall, AdmitReply, Answered, Asked, Clock, GateStore, Program
from tallygate.data_plane.programs import Compiled
from tallygate.data_plane.undecided import undecided
from tallygate.data_plane.view import View
from tallygate.data_plane.views import Views
from tallygate.domain.catalog import Feature
from tallygate.domain.errors import (
    StaleViewError,
    UnavailableError,
    ViewNotReadyError,
)
from tallygate.domain.gating.admit import AdmitStatus
from tallygate.domain.gating.decision import DecidedOn, Decision, Reason
from tallygate.domain.gating.quota import Segment
from tallygate.domain.gating.segments import segments
from tallygate.domain.limits import OnUnavailable

Build = Callable[[View, int], AdmitCall | None]
"""Makes the call from a view and the instant to resolve at; None where the view alone decides."""

_ATTEMPTS = 3  # the first, one with a fresher view, one with the segments of the store's own instant


@dataclass(slots=True)  # not frozen: one is made a call, at a third of the cost
class Admitted:
    """What was asked, on which view, and how the store answered at `now`; no `reply` where the view alone decided.

    `started` is when it was asked, by this process's clock.
    """

    view: View
    now: int
    started: int
    call: AdmitCall | None = None
    reply: AdmitReply | None = None
    compiled: Compiled | None = None


class Asking(Protocol):
    """One question on its way: what it is compiled to, what it asks, and who is told how it ended."""

    def compile(self, view: View, at: int) -> Compiled | None:
        """What to ask on this view; None where it decides alone. Raises TallygateError."""
        ...

    def ask(self, compiled: Compiled, answered: Answered) -> None:
        """Ask it."""
        ...

    def decided(self, admitted: Admitted) -> None:
        """It was."""
        ...

    def failed(self, error: Exception) -> None:
        """It could not be."""
        ...


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
    loading: set[asyncio.Task[None]] = field(default_factory=set)

    def begin(self, tenant_id: str, account_id: str, asking: Asking, *, min_view_version: int = 0) -> None:
        """Ask the question; a stale view is reloaded, missed segments are laid anew. It is told once how it ended."""
        _Run(self, (tenant_id, account_id), asking, min_view_version).begin()

    async def admit(self, tenant_id: str, account_id: str, build: Build, *, min_view_version: int = 0) -> Admitted:
        """Admit what `build` makes of the account's view."""
        later: Later[Admitted] = Later()
        self.begin(tenant_id, account_id, _Built(self.gates, build, later), min_view_version=min_view_version)
        return await later.result()

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


class _Run:
    """One question from its view to its answer."""

    __slots__ = ("_admission", "_asking", "_attempts", "_compiled", "_min_view_version", "_place", "_started", "_view")

    _view: View
    _compiled: Compiled

    def __init__(self, admission: Admission, place: tuple[str, str], asking: Asking, min_view_version: int) -> None:
        self._admission = admission
        self._place = place
        self._asking = asking
        self._min_view_version = min_view_version
        self._attempts = 0
        self._started = 0

    def begin(self) -> None:
        """Ask on the view at hand, or load one first."""
        self._started = now = self._admission.clock()
        view = self._admission.views.at_hand(*self._place, self._min_view_version, now)
        if view is None:
            self._load(None)
        else:
            self._ask(view, view.snapshot.time(now))

    def _ask(self, view: View, at: int) -> None:
        self._view = view
        self._attempts += 1
        if self._attempts > _ATTEMPTS:
            self._asking.failed(StaleViewError(view_version=view.version))
            return
        try:
            compiled = self._asking.compile(view, at)
            if compiled is None:
                self._asking.decided(Admitted(view, at, self._started))
                return
            self._compiled = compiled
            self._asking.ask(compiled, self._answered)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits to be told
            self._asking.failed(error)

    def _answered(self, reply: AdmitReply | UnavailableError) -> None:
        try:
            self._take(reply)
        except Exception as error:  # noqa: BLE001 - as above
            self._asking.failed(error)

    def _take(self, reply: AdmitReply | UnavailableError) -> None:
        if isinstance(reply, UnavailableError):
            raise reply
        match reply.status:
            case AdmitStatus.DECIDED:
                self._admission.views.confirm(self._view, self._started)
                self._asking.decided(
                    Admitted(self._view, reply.now, self._started, self._compiled.call, reply, self._compiled)
                )
            case AdmitStatus.STALE_VIEW:
                self._load(reply.now)
            case AdmitStatus.SEGMENTS_MISSED:
                self._ask(self._view, reply.now)
            case _:
                raise undecided(reply, self._compiled.call)

    def _load(self, at: int | None) -> None:
        """Load a view and ask on it: one that starts now where the store has newer versions than were asked with."""
        task = asyncio.get_running_loop().create_task(self._loaded(at))
        self._admission.loading.add(task)
        task.add_done_callback(self._admission.loading.discard)

    async def _loaded(self, at: int | None) -> None:
        admission = self._admission
        try:
            if at is None:
                view = await admission.views.view(*self._place, min_view_version=self._min_view_version)
            else:
                view = await admission.views.view(*self._place, fresh=True)
        except Exception as error:  # noqa: BLE001 - as above
            self._asking.failed(error)
            return
        is_same = at is not None and view.snapshot.clock == self._view.snapshot.clock
        self._ask(view, at if at is not None and is_same else admission.now(view))


class _Built:
    """A call that is built for its view alone, and told as a future."""

    __slots__ = ("_build", "_gates", "_later")

    def __init__(self, gates: GateStore, build: Build, later: Later[Admitted]) -> None:
        self._gates = gates
        self._build = build
        self._later = later

    def compile(self, view: View, at: int) -> Compiled | None:
        """Build it."""
        call = self._build(view, at)
        return None if call is None else Compiled(view=view, call=call, program=self._gates.prepare(call))

    def ask(self, compiled: Compiled, answered: Answered) -> None:
        """Ask what its gates say."""
        _ask(compiled.program, compiled.call, answered)

    def decided(self, admitted: Admitted) -> None:
        """Tell."""
        self._later.resolve(admitted)

    def failed(self, error: Exception) -> None:
        """Tell."""
        self._later.resolve(error)


async def ask_once(gates: GateStore, call: AdmitCall) -> AdmitReply:
    """Ask what the call's own gates say, whatever the reply may be.

    Raises:
        UnavailableError: the store did not answer.
    """
    later: Later[AdmitReply] = Later()
    _ask(gates.prepare(call), call, later.resolve)
    return await later.result()


def _ask(program: Program, call: AdmitCall, answered: Answered) -> None:
    context = NO_EFFECT if call.peek else call.context
    about = context.request_id, context.user_id, context.dimensions
    program.ask([Asked.of(item) for item in call.gates], about, answered)


def segments_of(view: View, feature: Feature, *, at: int, back: bool = False) -> tuple[Segment, ...]:
    """The feature's segments around `at`; kept on the view until the last of them begins."""
    if view.entitlements is None:
        return ()
    if back:
        return segments(view.entitlements, feature, at=at, back=True)
    kept = view.segments.get(feature.feature_key)
    if kept is None or not kept[0].start <= at < kept[-1].start:
        kept = segments(view.entitlements, feature, at=at)
        view.segments[feature.feature_key] = kept
    return kept
