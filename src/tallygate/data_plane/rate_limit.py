"""RateLimit: does this call fit every rate limit that matches it? All are taken, or none."""

from dataclasses import dataclass, replace

from tallygate.data_plane.admission import Admission, Admitted
from tallygate.data_plane.check import call_of
from tallygate.data_plane.ports import AdmitCall
from tallygate.data_plane.requests import NO_ACCOUNT, LimitStatus, RateLimitDecision, RateLimitRequest
from tallygate.data_plane.views import View
from tallygate.domain.catalog import Catalog, LimitOwner, OnUnavailable, RateLimitRule
from tallygate.domain.errors import (
    MAX_QUANTITY,
    InvalidFieldError,
    LimitNotFoundError,
    UnavailableError,
    ViewNotReadyError,
)
from tallygate.domain.gating.admit import Identified
from tallygate.domain.gating.decision import DecidedOn, Reason
from tallygate.domain.gating.figures import figures
from tallygate.domain.gating.identity import effect_digest, payload_hash
from tallygate.domain.gating.rate_limit import RateAnswer, RateGate, matching


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """What takes from rate limits."""

    admission: Admission

    async def take(self, tenant_id: str, request: RateLimitRequest) -> RateLimitDecision:
        """Take the cost from the limit named, else from every limit that matches; denied calls take from none."""
        try:
            return await self._take(tenant_id, request)
        except UnavailableError as error:
            return self.fall_back(tenant_id, request, error)

    async def _take(self, tenant_id: str, request: RateLimitRequest) -> RateLimitDecision:
        started = self.admission.clock()

        def build(view: View, at: int) -> AdmitCall | None:
            return self.call(tenant_id, request, view, at)

        admitted = await self.admission.admit(
            tenant_id, request.account_id, build, min_view_version=request.min_view_version
        )
        return self.decision(request, admitted, started=started)

    def call(self, tenant_id: str, request: RateLimitRequest, view: View, at: int) -> AdmitCall | None:
        """The gates that this request meets at an instant; None where the view alone decides.

        Raises:
            InvalidError: the request does not fit the limit that it names, or there is none.
        """
        gates = gates_of(view, request, at)
        if not gates or barred(view, request, at) is not None:
            return None
        items = tuple(_identified(tenant_id, request, gate) for gate in gates)
        return call_of(tenant_id, request.account_id, view, items, peek=_cost(request) == 0)

    def decision(self, request: RateLimitRequest, admitted: Admitted, *, started: int = 0) -> RateLimitDecision:
        """What an answered call comes to; `started` is when it was asked."""
        decision = self._explain(request, admitted)
        fresh = admitted.reply is not None or admitted.view.verified_time >= started
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
        pairs = zip(admitted.call.gates, admitted.reply.answers, strict=True)
        statuses = tuple(
            _status(item.gate, answer)
            for item, answer in pairs
            if isinstance(item.gate, RateGate) and isinstance(answer, RateAnswer)
        )
        denied = [status for status in statuses if not status.allowed]
        binding = max(denied, key=_wait) if denied else min(statuses, key=lambda status: status.remaining)
        return RateLimitDecision(
            allowed=not denied,
            reason=Reason.RATE_LIMITED if denied else Reason.WITHIN_LIMIT,
            statuses=statuses,
            binding_limit_key=binding.limit_key,
            retry_after=binding.retry_after if denied else None,
            replayed=any(answer.replayed for answer in admitted.reply.answers),
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


def _cost(request: RateLimitRequest) -> int:
    return 1 if request.cost is None else request.cost


def _wait(status: LimitStatus) -> float:
    return float("inf") if status.retry_after is None else status.retry_after


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
    if request.account_id == NO_ACCOUNT or view.held is None:
        return Reason.ACCOUNT_NOT_FOUND
    return view.held.phase_at(at).standing


def gates_of(view: View, request: RateLimitRequest, at: int) -> tuple[RateGate, ...]:
    """The limits that a request meets at an instant, by key.

    Raises:
        InvalidError: the request does not fit the limit that it names.
        LimitNotFoundError: there is no limit of this name.
    """
    if not 0 <= _cost(request) <= MAX_QUANTITY:
        raise InvalidFieldError(field="cost", expected=f"0 to {MAX_QUANTITY}", got=_cost(request))
    gates: list[RateGate] = []
    for rule, entries in _rules(view.snapshot.catalog, request):
        held = figures(rule, view.held, at)
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


def _identified(tenant_id: str, request: RateLimitRequest, gate: RateGate) -> Identified:
    if not request.request_id or gate.cost == 0:
        return Identified(gate=gate, state_key="")
    digest = effect_digest(
        tenant_id=tenant_id, account_id=request.account_id, gate_key=gate.limit_key, request_id=request.request_id
    )
    counted: dict[str, str] = {}
    for key, value in gate.descriptor:
        counted[key] = f"{counted[key]}\0{value}" if key in counted else value
    hashed = payload_hash(quantity=gate.cost, mode="RATE", dimensions=counted)
    return Identified(gate=gate, state_key="", digest=digest, payload_hash=hashed)


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
