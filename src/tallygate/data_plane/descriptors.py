"""Several descriptors of one call, as a proxy sends them: taken from all or from none, in one admit.

What an end user put into them is no error of the call: a descriptor that cannot be resolved is let pass by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tallygate.data_plane.admission import Admitted, ask_once
from tallygate.data_plane.ports import AdmitCall, AdmitReply
from tallygate.data_plane.programs import call_of
from tallygate.data_plane.rate_limit import RateLimits, barred, gates_of
from tallygate.data_plane.requests import NO_ACCOUNT, RateLimitDecision, RateLimitRequest
from tallygate.data_plane.views import View
from tallygate.domain.catalog import LimitOwner
from tallygate.domain.errors import MAX_QUANTITY, InvalidError, NotFoundError, StaleViewError, UnavailableError
from tallygate.domain.gating.admit import AdmitStatus, Identified
from tallygate.domain.gating.decision import Reason
from tallygate.domain.gating.rate_limit import RateGate

_ATTEMPTS = 3

_Place = tuple[str, str, tuple[tuple[str, str], ...]]
"""What has one state: the account that owns it (none: the tenant), the limit, and the entries that it counts by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Met:
    """One descriptor, and the limits that it meets; none where its account may not call at all."""

    request: RateLimitRequest
    view: View
    gates: tuple[tuple[_Place, RateGate], ...]
    denied: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DescriptorLimits:
    """What takes from the limits of several descriptors."""

    limits: RateLimits

    async def take_all(self, tenant_id: str, asked: Sequence[RateLimitRequest]) -> list[RateLimitDecision]:
        """A decision for each descriptor, in order; where one is denied, all show what stands and nothing was taken.

        Descriptors that meet one limit by the same values ask together: all that they ask of it fits, or none.
        """
        try:
            return await self._take_all(tenant_id, asked)
        except UnavailableError as error:
            return [self._fall_back(tenant_id, one, error) for one in asked]

    async def _take_all(self, tenant_id: str, asked: Sequence[RateLimitRequest]) -> list[RateLimitDecision]:
        admission = self.limits.admission
        started, fresh = admission.clock(), False
        for _ in range(_ATTEMPTS):
            views = await self._views(tenant_id, asked, fresh=fresh)
            fresh = True
            first = next(iter(views.values()))
            if any(view.snapshot.version != first.snapshot.version for view in views.values()):
                continue  # a catalogue was published between two loads
            now = admission.now(first)
            met = [_met(one, views.get(one.account_id, first), now) for one in asked]
            call = _call(tenant_id, met, views)
            if call is None:
                return [self._decision(one, now, started) for one in met]
            reply = await ask_once(admission.gates, call)
            if reply.status is not AdmitStatus.STALE_VIEW:
                answered = _answered(call, reply)
                return [self._decision(one, reply.now, started, answered) for one in met]
        raise StaleViewError

    async def _views(self, tenant_id: str, asked: Sequence[RateLimitRequest], *, fresh: bool) -> dict[str, View]:
        accounts = {one.account_id for one in asked} - {NO_ACCOUNT, ""} or {
            ""
        }  # any view shows the tenant's own limits
        views = self.limits.admission.views
        return {each: await views.view(tenant_id, each, fresh=fresh) for each in sorted(accounts)}

    def _decision(self, one: _Met, now: int, started: int, answered: "_Answered | None" = None) -> RateLimitDecision:
        admitted = Admitted(one.view, now, started)
        if answered is not None and one.gates:
            call, reply, index = answered
            mine = [index[place] for place, _ in one.gates]
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


_Answered = tuple[AdmitCall, AdmitReply, dict[_Place, int]]


def _answered(call: AdmitCall, reply: AdmitReply) -> _Answered:
    index = {
        _place(item.account_id, item.gate): i for i, item in enumerate(call.gates) if isinstance(item.gate, RateGate)
    }
    return call, reply, index


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
