"""RateLimit: does this call fit every rate limit that matches it? All are taken, or none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tallygate.data_plane.admission import Admission, Admitted
from tallygate.data_plane.later import Later
from tallygate.data_plane.ports import NOBODY, Answered, Asked
from tallygate.data_plane.programs import Compiled, call_of, compiled
from tallygate.data_plane.requests import NO_ACCOUNT, LimitStatus, RateLimitDecision, RateLimitRequest
from tallygate.data_plane.view import View
from tallygate.domain.catalog import Catalog
from tallygate.domain.errors import (
    MAX_QUANTITY,
    InvalidFieldError,
    LimitNotFoundError,
    TallygateError,
    UnavailableError,
    ViewNotReadyError,
)
from tallygate.domain.gating.admit import Identified
from tallygate.domain.gating.decision import DecidedOn, Reason
from tallygate.domain.gating.figures import figures
from tallygate.domain.gating.identity import EffectIdentity, payload_hash
from tallygate.domain.gating.rate_limit import RateAnswer, RateGate, matching
from tallygate.domain.gating.resolve import BEGINNING, END
from tallygate.domain.limits import LimitOwner, OnUnavailable, RateLimitRule

_NEVER = float("inf")
_LONGEST_KEPT = 1_024
"""The longest descriptor whose calls are kept compiled: end users write them."""


@dataclass(slots=True, kw_only=True)
class CompiledLimits(Compiled):
    """The limits that calls meet; `ready` are their identities and what is hashed of the last cost under an id."""

    gates: tuple[RateGate, ...]
    ready: tuple[int, tuple[tuple[EffectIdentity, bytes], ...]] = (0, ())

    def asked(self, tenant_id: str, request: RateLimitRequest, cost: int) -> list[Asked]:
        """What a call asks of each."""
        request_id = request.request_id
        if not request_id or not cost:
            return [Asked(cost)] * len(self.gates)
        if self.ready[0] != cost:
            who = {"tenant_id": tenant_id, "account_id": request.account_id}
            pairs = [(EffectIdentity(**who, gate_key=gate.limit_key), _hashed(cost, gate)) for gate in self.gates]
            self.ready = cost, tuple(pairs)
        return [Asked(cost, identity.digest(request_id), hashed) for identity, hashed in self.ready[1]]


Limited = Admitted | RateLimitDecision | Exception
"""How a call ended: admitted, explained by `RateLimits.decision`; decided by failure policy; or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """What takes from rate limits."""

    admission: Admission

    def begin(self, tenant_id: str, request: RateLimitRequest, done: Callable[[Limited], None]) -> None:
        """Take the cost from the limit named, else from every limit that matches; denied calls take from none."""
        asking = _Limiting(self, tenant_id, request, done)
        self.admission.begin(tenant_id, request.account_id, asking, min_view_version=request.min_view_version)

    async def take(self, tenant_id: str, request: RateLimitRequest) -> RateLimitDecision:
        """As `begin`, explained."""
        later: Later[Admitted | RateLimitDecision] = Later()
        self.begin(tenant_id, request, later.resolve)
        outcome = await later.result()
        return self.decision(request, outcome) if isinstance(outcome, Admitted) else outcome

    def compile(self, tenant_id: str, request: RateLimitRequest, view: View, at: int) -> CompiledLimits | None:
        """The gates that this request meets at an instant; None where the view alone decides.

        Raises:
            InvalidError: the request does not fit the limit that it names, or there is none.
        """
        cost = _cost(request)
        if not 0 <= cost <= MAX_QUANTITY:
            raise InvalidFieldError(field="cost", expected=f"0 to {MAX_QUANTITY}", got=cost)
        shape = ("limits", request.limit_key, request.descriptor, cost == 0)
        kept: CompiledLimits | None = view.programs.get(shape)
        if kept is not None and kept.start <= at < kept.end:
            return kept  # it ends with its phase, which lets the account call
        if barred(view, request, at) is not None:
            _rules(view.snapshot.catalog, request)  # what no call can ask is refused all the same
            return None
        if sum(len(key) + len(value) for key, value in request.descriptor) > _LONGEST_KEPT:
            return self._compiled(tenant_id, request, view, at)
        return compiled(view, shape, at, lambda: self._compiled(tenant_id, request, view, at))

    def _compiled(self, tenant_id: str, request: RateLimitRequest, view: View, at: int) -> CompiledLimits | None:
        gates = gates_of(view, request, at)
        if not gates:
            return None
        items = tuple(Identified(gate=gate, state_key="") for gate in gates)
        call = call_of(tenant_id, request.account_id, view, items, peek=_cost(request) == 0)
        start, end = span(view, gates, at)
        program = self.admission.gates.prepare(call)
        return CompiledLimits(view=view, call=call, program=program, start=start, end=end, gates=gates)

    def decision(self, request: RateLimitRequest, admitted: Admitted) -> RateLimitDecision:
        """What an answered call comes to."""
        decision = self._explain(request, admitted)
        fresh = admitted.reply is not None or admitted.view.verified_time >= admitted.started
        return replace(
            decision,
            view_version=admitted.view.version,
            decided_on=DecidedOn.FRESH if fresh else DecidedOn.CACHED,
            view_age=0 if fresh else self.admission.views.age(admitted.view),
            request_id=request.request_id,
        )

    def _explain(self, request: RateLimitRequest, admitted: Admitted) -> RateLimitDecision:
        if admitted.reply is None or admitted.call is None:
            why = barred(admitted.view, request, admitted.now)
            return RateLimitDecision(allowed=why is None, reason=why or Reason.UNLIMITED)
        answers = [answer for answer in admitted.reply.answers if isinstance(answer, RateAnswer)]
        gates = [item.gate for item in admitted.call.gates if isinstance(item.gate, RateGate)]
        statuses = tuple(_status(gate, answer) for gate, answer in zip(gates, answers, strict=True))
        bound = statuses[binding(answers)]
        return RateLimitDecision(
            allowed=bound.allowed,
            reason=Reason.WITHIN_LIMIT if bound.allowed else Reason.RATE_LIMITED,
            statuses=statuses,
            binding_limit_key=bound.limit_key,
            retry_after=None if bound.allowed else bound.retry_after,
            replayed=any(answer.replayed for answer in answers),
        )

    def fall_back(self, tenant_id: str, request: RateLimitRequest, error: UnavailableError) -> RateLimitDecision:
        """Answer by the policy of the limits that would match: `open` unless one of them says `closed`."""
        catalog = self.admission.views.last_catalog(tenant_id)
        rules = _rules(catalog, request) if catalog else []
        closed = catalog is None or any(rule.on_unavailable is OnUnavailable.CLOSED for rule, _ in rules)
        if closed or isinstance(error, ViewNotReadyError):
            self.admission.degraded.closed += 1
            raise error
        self.admission.degraded.opened += 1
        return RateLimitDecision(
            allowed=True,
            reason=Reason.STORE_UNAVAILABLE,
            decided_on=DecidedOn.FALLBACK,
            request_id=request.request_id,
        )


class _Limiting:
    """One call on its way."""

    __slots__ = ("_done", "_limits", "_request", "_tenant_id")

    def __init__(
        self, limits: RateLimits, tenant_id: str, request: RateLimitRequest, done: Callable[[Limited], None]
    ) -> None:
        self._limits = limits
        self._tenant_id = tenant_id
        self._request = request
        self._done = done

    def compile(self, view: View, at: int) -> CompiledLimits | None:
        """What to ask on this view."""
        return self._limits.compile(self._tenant_id, self._request, view, at)

    def ask(self, compiled: Compiled, answered: Answered) -> None:
        """Ask it."""
        if not isinstance(compiled, CompiledLimits):
            raise TypeError(compiled)
        request = self._request
        compiled.program.ask(compiled.asked(self._tenant_id, request, _cost(request)), NOBODY, answered)

    def decided(self, admitted: Admitted) -> None:
        """It was."""
        self._done(admitted)

    def failed(self, error: Exception) -> None:
        """It could not be: the policy of the limits that would match answers."""
        outcome: Limited = error
        if isinstance(error, UnavailableError):
            try:
                outcome = self._limits.fall_back(self._tenant_id, self._request, error)
            except TallygateError as refused:
                outcome = refused
        self._done(outcome)


def _cost(request: RateLimitRequest) -> int:
    return 1 if request.cost is None else request.cost


def binding(answers: Sequence[RateAnswer]) -> int:
    """Which limit bound: of those that deny the one that does so for longest, else the one with the least left."""
    if len(answers) == 1:
        return 0
    waits = [-1.0 if one.allowed else _NEVER if one.retry_after is None else one.retry_after for one in answers]
    longest = max(waits)
    if longest >= 0:
        return waits.index(longest)
    remaining = [one.remaining for one in answers]
    return remaining.index(min(remaining))


Matched = tuple[RateLimitRule, tuple[tuple[str, str], ...]]


def _rules(catalog: Catalog, request: RateLimitRequest) -> list[Matched]:
    """The rules of this call: the one named, else the account's and the tenant's whose entries are all present."""
    rules = catalog.rate_limits
    if not request.limit_key:
        live = [rule for rule in rules.values() if not rule.archived]
        if not request.account_id:
            live = [rule for rule in live if rule.owner is LimitOwner.TENANT]
        return matching(live, request.descriptor)
    rule = rules.get(request.limit_key)
    if rule is None:
        raise LimitNotFoundError(limit_key=request.limit_key)
    if rule.archived:
        return []
    if rule.owner is LimitOwner.ACCOUNT and not request.account_id:
        raise InvalidFieldError(field="account_id", expected=f"the account whose {rule.limit_key} is meant")
    found = matching([rule], request.descriptor)
    if not found:
        wanted = ", ".join(e.key if e.value is None else f"{e.key}={e.value}" for e in rule.descriptor)
        raise InvalidFieldError(field="descriptors", expected=f"the entries of {rule.limit_key}: {wanted}")
    return found


def barred(view: View, request: RateLimitRequest, at: int) -> Reason | None:
    """Why an account as a whole may not call, or None."""
    if not request.account_id:
        return None
    if request.account_id == NO_ACCOUNT or view.entitlements is None:
        return Reason.ACCOUNT_NOT_FOUND
    return view.entitlements.phase_at(at).denial


def span(view: View, gates: Sequence[RateGate], at: int) -> tuple[int, int]:
    """From when until when these gates are what holds: what began just now, or has yet to, is looked at again."""
    phase = view.entitlements.phase_at(at) if view.entitlements is not None else None
    lasts = all(gate.since < at for gate in gates)
    return BEGINNING if phase is None else phase.start, at + 1 if not lasts else END if phase is None else phase.end


def gates_of(view: View, request: RateLimitRequest, at: int) -> tuple[RateGate, ...]:
    """The limits that a request meets at an instant, by key.

    Raises:
        InvalidError: the request does not fit the limit that it names.
        LimitNotFoundError: there is no limit of this name.
    """
    gates: list[RateGate] = []
    for rule, entries in _rules(view.snapshot.catalog, request):
        held = figures(rule, view.entitlements, at)
        if held is not None:
            gates.append(
                RateGate(
                    limit_key=rule.limit_key,
                    owner=rule.owner,
                    descriptor=entries,
                    algorithm=rule.algorithm,
                    rate=held.rate,
                    cost=_cost(request),
                    since=held.since,
                    keep=held.keep,
                    source=held.source,
                )
            )
    return tuple(sorted(gates, key=lambda gate: gate.limit_key))


def _hashed(cost: int, gate: RateGate) -> bytes:
    counted: dict[str, str] = {}
    for key, value in gate.descriptor:
        counted[key] = f"{counted[key]}\0{value}" if key in counted else value
    return payload_hash(quantity=cost, mode="RATE", dimensions=counted)


def _status(gate: RateGate, answer: RateAnswer) -> LimitStatus:
    return LimitStatus(
        limit_key=gate.limit_key,
        owner=gate.owner,
        algorithm=gate.algorithm,
        allowed=answer.allowed,
        limit=gate.rate.limit,
        burst=gate.rate.size,
        window=gate.rate.window,
        remaining=answer.remaining,
        reset_time=answer.decided_time + answer.reset_after,
        reset_after=answer.reset_after,
        retry_after=answer.retry_after,
        source=gate.source,
    )
