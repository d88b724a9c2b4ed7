"""Several descriptors of one call, as a proxy sends them: taken from all or from none, in one admit.

What an end user put into them is no error of the call: a descriptor that cannot be resolved is let pass by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from tallygate.data_plane.admission import Admitted, ask_once
from tallygate.data_plane.later import Later
from tallygate.data_plane.ports import NOBODY, AdmitCall, AdmitReply, Answered, Asked
from tallygate.data_plane.programs import Compiled, call_of, compiled
from tallygate.data_plane.rate_limit import RateLimits, barred, gates_of, span
from tallygate.data_plane.requests import NO_ACCOUNT, RateLimitDecision, RateLimitRequest
from tallygate.data_plane.view import View
from tallygate.domain.errors import (
    MAX_QUANTITY,
    InvalidError,
    NotFoundError,
    StaleViewError,
    TallygateError,
    UnavailableError,
)
from tallygate.domain.gating.admit import AdmitStatus, Identified
from tallygate.domain.gating.decision import Reason
from tallygate.domain.gating.rate_limit import RateGate
from tallygate.domain.limits import LimitOwner

_ATTEMPTS = 3

_Place = tuple[str, str, tuple[tuple[str, str], ...]]
"""What has one state: the account that owns it (none: the tenant), the limit, and the entries that it counts by."""


@dataclass(frozen=True, slots=True, eq=False)
class Descriptors:
    """What one call of a proxy asks, descriptor by descriptor.

    It is known by itself, so that what it was compiled to is found without reading it; that is `kept` where the caller
    keeps this, too. What end users write can be very long.
    """

    requests: tuple[RateLimitRequest, ...]
    kept: bool = False
    accounts: tuple[str, ...] = field(init=False)
    """Whose views answer it; none: the tenant's own limits, which any view shows."""

    def __post_init__(self) -> None:
        ids = {one.account_id for one in self.requests} - {NO_ACCOUNT, ""}
        object.__setattr__(self, "accounts", tuple(sorted(ids)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Met:
    """One descriptor, and the limits that it meets; none where its account may not call at all."""

    request: RateLimitRequest
    view: View
    gates: tuple[tuple[_Place, RateGate], ...]
    denied: bool


@dataclass(slots=True, kw_only=True)
class CompiledDescriptors(Compiled):
    """All descriptors of a call as one; `index` says where the answers of each stand."""

    met: Sequence[_Met]
    asked: Sequence[Asked]
    index: Sequence[tuple[int, ...]]


Outcome = Admitted | list[RateLimitDecision] | Exception
"""How a call ended: admitted, explained by `DescriptorLimits.explained`; by failure policy; or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescriptorLimits:
    """What takes from the limits of several descriptors."""

    limits: RateLimits

    def begin(self, tenant_id: str, asked: Descriptors, done: Callable[[Outcome], None]) -> bool:
        """Take from all or from none; False where several accounts are asked of, which `take_all` alone can."""
        accounts = asked.accounts
        if len(accounts) > 1:
            return False
        self.limits.admission.begin(tenant_id, accounts[0] if accounts else "", _Taking(self, tenant_id, asked, done))
        return True

    async def take_all(self, tenant_id: str, asked: Descriptors) -> list[RateLimitDecision]:
        """A decision for each descriptor, in order; where one is denied, all show what stands and nothing was taken.

        Descriptors that meet one limit by the same values ask together: all that they ask of it fits, or none.
        """
        later: Later[Admitted | list[RateLimitDecision]] = Later()
        if self.begin(tenant_id, asked, later.resolve):
            outcome = await later.result()
            return self.explained(asked, outcome) if isinstance(outcome, Admitted) else outcome
        try:
            return await self._take_all(tenant_id, asked)
        except UnavailableError as error:
            return self.fall_back(tenant_id, asked, error)

    def explained(self, asked: Descriptors, admitted: Admitted) -> list[RateLimitDecision]:
        """What an answered call comes to."""
        compiled = admitted.compiled
        if not isinstance(compiled, CompiledDescriptors) or admitted.reply is None:
            return [self.limits.decision(one, admitted) for one in asked.requests]
        answered = compiled.call, admitted.reply
        return [
            self._decision(one, admitted.now, admitted.started, answered, mine)
            for one, mine in zip(compiled.met, compiled.index, strict=True)
        ]

    def fall_back(self, tenant_id: str, asked: Descriptors, error: UnavailableError) -> list[RateLimitDecision]:
        """Answer by the policies of the limits that would match; a `closed` one lets the error out."""
        return [self._fall_back(tenant_id, one, error) for one in asked.requests]

    def compile(self, tenant_id: str, asked: Descriptors, view: View, at: int) -> CompiledDescriptors | None:
        """All descriptors on one view; None where no limit is met."""

        def make() -> CompiledDescriptors | None:
            return self._compiled(tenant_id, asked, view, at)

        return compiled(view, asked, at, make) if asked.kept else make()

    def _compiled(self, tenant_id: str, asked: Descriptors, view: View, at: int) -> CompiledDescriptors | None:
        met = [_met(one, view, at) for one in asked.requests]
        call = _call(tenant_id, met, dict.fromkeys(asked.accounts or ("",), view))
        if call is None:
            return None
        start, end = span(view, [gate for one in met for _, gate in one.gates], at)
        return CompiledDescriptors(
            view=view,
            call=call,
            program=self.limits.admission.gates.prepare(call),
            start=start,
            end=end,
            met=met,
            asked=[Asked.of(item) for item in call.gates],
            index=_index(call, met),
        )

    async def _take_all(self, tenant_id: str, asked: Descriptors) -> list[RateLimitDecision]:
        admission = self.limits.admission
        started, fresh = admission.clock(), False
        for _ in range(_ATTEMPTS):
            views = {each: await admission.views.view(tenant_id, each, fresh=fresh) for each in asked.accounts}
            fresh = True
            first = next(iter(views.values()))
            if any(view.snapshot.version != first.snapshot.version for view in views.values()):
                continue  # a catalogue was published between two loads
            now = admission.now(first)
            met = [_met(one, views.get(one.account_id, first), now) for one in asked.requests]
            call = _call(tenant_id, met, views)
            if call is None:
                return [self._decision(one, now, started) for one in met]
            reply = await ask_once(admission.gates, call)
            if reply.status is not AdmitStatus.STALE_VIEW:
                pairs = zip(met, _index(call, met), strict=True)
                return [self._decision(one, reply.now, started, (call, reply), mine) for one, mine in pairs]
        raise StaleViewError

    def _decision(
        self,
        one: _Met,
        now: int,
        started: int,
        answered: tuple[AdmitCall, AdmitReply] | None = None,
        mine: tuple[int, ...] = (),
    ) -> RateLimitDecision:
        admitted = Admitted(one.view, now, started)
        if answered is not None and mine:
            call, reply = answered
            admitted = replace(
                admitted,
                call=replace(call, gates=tuple(call.gates[i] for i in mine)),
                reply=replace(reply, answers=tuple(reply.answers[i] for i in mine)),
            )
        return self.limits.decision(one.request, admitted)

    def _fall_back(self, tenant_id: str, one: RateLimitRequest, error: UnavailableError) -> RateLimitDecision:
        try:
            return self.limits.fall_back(tenant_id, one, error)
        except (InvalidError, NotFoundError):
            return RateLimitDecision(allowed=True, reason=Reason.UNLIMITED)


class _Taking:
    """One call on its way."""

    __slots__ = ("_asked", "_done", "_limits", "_tenant_id")

    def __init__(
        self, limits: DescriptorLimits, tenant_id: str, asked: Descriptors, done: Callable[[Outcome], None]
    ) -> None:
        self._limits = limits
        self._tenant_id = tenant_id
        self._asked = asked
        self._done = done

    def compile(self, view: View, at: int) -> Compiled | None:
        """What to ask on this view."""
        return self._limits.compile(self._tenant_id, self._asked, view, at)

    def ask(self, compiled: Compiled, answered: Answered) -> None:
        """Ask it."""
        if not isinstance(compiled, CompiledDescriptors):
            raise TypeError(compiled)
        compiled.program.ask(compiled.asked, NOBODY, answered)

    def decided(self, admitted: Admitted) -> None:
        """It was."""
        self._done(admitted)

    def failed(self, error: Exception) -> None:
        """It could not be: the policies of the limits that would match answer."""
        outcome: Outcome = error
        if isinstance(error, UnavailableError):
            try:
                outcome = self._limits.fall_back(self._tenant_id, self._asked, error)
            except TallygateError as refused:
                outcome = refused
        self._done(outcome)


def _index(call: AdmitCall, met: Sequence[_Met]) -> list[tuple[int, ...]]:
    places = {
        _place(item.account_id, item.gate): i for i, item in enumerate(call.gates) if isinstance(item.gate, RateGate)
    }
    return [tuple(places[place] for place, _ in one.gates) for one in met]


def _place(account_id: str, gate: RateGate) -> _Place:
    return (account_id if gate.owner is LimitOwner.ACCOUNT else "", gate.limit_key, gate.descriptor)


def _met(one: RateLimitRequest, view: View, now: int) -> _Met:
    if barred(view, one, now) is not None:
        return _Met(request=one, view=view, gates=(), denied=True)
    try:
        gates = gates_of(view, one, now)
    except (InvalidError, NotFoundError):
        gates = ()
    placed = tuple((_place(one.account_id, gate), gate) for gate in gates)
    return _Met(request=one, view=view, gates=placed, denied=False)


def _call(tenant_id: str, met: Sequence[_Met], views: dict[str, View]) -> AdmitCall | None:
    """All that is asked of each limit as one gate; None where no limit is met."""
    asked: dict[_Place, RateGate] = {}
    for place, gate in (pair for one in met for pair in one.gates):
        before = asked.get(place)
        cost = gate.cost + (before.cost if before is not None else 0)
        asked[place] = replace(gate, cost=min(cost, MAX_QUANTITY))
    if not asked:
        return None
    items = tuple(Identified(gate=gate, state_key="", account_id=place[0]) for place, gate in asked.items())
    peek = any(one.denied for one in met) or not any(gate.cost for gate in asked.values())
    (account_id, view), *others = views.items()
    call = call_of(tenant_id, account_id, view, items, peek=peek)
    return replace(call, others=tuple((each, other.account_version) for each, other in others))
